import { assertEquals, assertThrows } from "@std/assert";
import { SparkConf } from "../../../src/base/spark_conf.ts";
import { describeDriver } from "../../../src/spark/deploy/driver_launch.ts";
import { test } from "../../_harness.ts";

// Spark: ClientSuite "correctly validates driver jar URL's".
test("describeDriver() takes the URL of a jar, and nothing else", () => {
  const jars: readonly [url: string, valid: boolean][] = [
    ["http://someHost:8080/foo.jar", true],
    ["https://someHost:8080/foo.jar", true],
    // With an authority and a path.
    ["file://somehost/path/to/a/jarFile.jar", true],
    // There the name is the authority, and there is no path.
    ["file://jarFile.jar", false],
    ["file:///some/path/to/a/jarFile.jar", true],
    ["hdfs://someHost:1234/foo.jar", true],
    ["hdfs://foo", false],
    ["/missing/a/protocol/jarfile.jar", false],
    ["not-even-a-path.jar", false],
    // Neither authority nor path.
    ["hdfs:someHost:1234/jarfile.jar", false],
    ["hdfs:", false],
    // Further ones.
    ["file:/some/path/jarFile.jar", true],
    ["https://someHost/foo.jar?version=1#part", true],
    ["https://someHost/foo?file=/foo.jar", false],
    ["file:///some/path/jarFile.jar/", false],
    ["", false],
    // What Java's URI refuses, and with it the Worker that is to fetch the jar.
    ["file:///some/my path/jarFile.jar", false],
    ["file:///some/my%20path/jarFile.jar", true],
    ["file:///some/100%/jarFile.jar", false],
    ["file:///some/{path}/jarFile.jar", false],
    ["file:///some/[path]/jarFile.jar", false],
    ["file:///some\\path/jarFile.jar", false],
    ["file:///some/päth/jarFile.jar\n", false],
    ["file:///some/päth/jarFile.jar", true],
    ["http://[::1]:8080/jarFile.jar?of=[1]", true],
  ];
  for (const [jarUrl, valid] of jars) {
    const describe = () => describeDriver({ jarUrl, mainClass: "Main" });
    if (valid) assertEquals(describe().jarUrl, jarUrl);
    else assertThrows(describe, TypeError, "Expected the URL of a jar, such as file:///path/app.jar, but got ");
  }
});

test("describeDriver() asks for what Spark's client asks for, unless told otherwise", () => {
  const { command, resourceReqs, ...rest } = describeDriver({ jarUrl: "file:///app.jar", mainClass: "Main" });
  assertEquals({ ...rest }, { jarUrl: "file:///app.jar", mem: 1024, cores: 1, supervise: false });
  const { environment, arguments: args, javaOpts, classPathEntries, libraryPathEntries } = command;
  assertEquals(args, ["{{WORKER_URL}}", "{{USER_JAR}}", "Main"]);
  assertEquals([environment.size, javaOpts, classPathEntries, libraryPathEntries, resourceReqs], [0, [], [], [], []]);
});

test("describeDriver() makes a system property of each key of a SparkConf, or of a record", () => {
  const launch = { jarUrl: "file:///app.jar", mainClass: "Main", javaOptions: ["-Xss4m"] };
  for (const conf of [new SparkConf({ "spark.a": "1 2" }), { "spark.a": "1 2" }]) {
    assertEquals(describeDriver({ ...launch, conf }).command.javaOpts, ["-Dspark.a=1 2", "-Xss4m"]);
  }
  const conf = { "spark.b": 1, "spark.c": true };
  assertEquals(describeDriver({ ...launch, conf }).command.javaOpts, ["-Dspark.b=1", "-Dspark.c=true", "-Xss4m"]);
});
