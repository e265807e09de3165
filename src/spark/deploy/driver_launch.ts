/**
 * What a driver is that a standalone cluster is to run, and how its Worker starts it.
 *
 * Spark: deploy/ClientArguments.scala and deploy/Client.scala (the command), util/Utils.scala sparkJavaOpts. There the driver gets the
 * whole environment of whoever submits it; here it gets what `environment` says.
 *
 * @module
 */

import { SparkConf, type SparkConfInit } from "../../base/spark_conf.ts";
import { sparkDeploy } from "../../serializer/java/deploy_messages.ts";
import type { SparkDriverDescription } from "../../serializer/java/deploy_types.ts";

/** The class that a Worker starts, and that calls the driver's own. */
const WRAPPER = "org.apache.spark.deploy.worker.DriverWrapper";
/** The Worker puts its own address and the path of the jar that it has fetched in their place. */
const PLACEHOLDERS = ["{{WORKER_URL}}", "{{USER_JAR}}"] as const;
const DEFAULT_MEMORY_MIB = 1024;
const DEFAULT_CORES = 1;
const MAX_INT = 2 ** 31 - 1;

/** A driver to run. */
export interface DriverLaunch {
  /** The URL of its jar, which the Worker fetches: `file:///path/app.jar` that it can read, `https:`, `hdfs:` and so on. */
  readonly jarUrl: string;
  /** The class whose `main` is called. */
  readonly mainClass: string;
  /**
   * What `main` is given.
   *
   * @default nothing
   */
  readonly args?: readonly string[] | undefined;
  /**
   * Its heap, and what it takes of its Worker's memory, in MiB. Spark: --memory.
   *
   * @default 1024
   */
  readonly memoryMiB?: number | undefined;
  /**
   * What it takes of its Worker's cores. Spark: --cores.
   *
   * @default 1
   */
  readonly cores?: number | undefined;
  /**
   * Whether it is started again when it fails, and elsewhere when its Worker is lost. Spark: --supervise.
   *
   * @default false
   */
  readonly supervise?: boolean | undefined;
  /** Its configuration, by Spark's keys; each becomes a system property of its JVM, as SparkConf reads them. */
  readonly conf?: SparkConf | SparkConfInit | undefined;
  /** Options of its JVM, one each, such as `-XX:+UseG1GC`. Spark: spark.driver.extraJavaOptions. */
  readonly javaOptions?: readonly string[] | undefined;
  /** What comes before Spark's own jars on its class path. Spark: spark.driver.extraClassPath. */
  readonly classPath?: readonly string[] | undefined;
  /** Where it finds native libraries. Spark: spark.driver.extraLibraryPath. */
  readonly libraryPath?: readonly string[] | undefined;
  /** Variables of its environment, besides those of its Worker. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** How much it needs of which resource, such as `{ gpu: 1 }`. Spark: spark.driver.resource.*.amount. */
  readonly resources?: Readonly<Record<string, number>> | undefined;
}

/**
 * What a Master is told of a driver. `SparkMaster.submitDriver` does this by itself; it is for those who want to know
 * whether it makes sense before they ask anybody.
 *
 * @param launch The driver.
 * @returns What goes into a `RequestSubmitDriver`.
 * @throws {TypeError} If the jar's URL or the class is none.
 * @throws {RangeError} If memory, cores or an amount of a resource is no positive integer that Java can hold.
 *
 * @example
 * ```ts
 * import { describeDriver } from "@sparkwire/sparkwire";
 *
 * const { command } = describeDriver({ jarUrl: "file:///apps/count.jar", mainClass: "com.example.Count", args: ["words.txt"] });
 * const args = ["{{WORKER_URL}}", "{{USER_JAR}}", "com.example.Count", "words.txt"];
 * if (command.arguments.join() !== args.join()) throw new Error(command.arguments.join());
 * ```
 */
export function describeDriver(launch: DriverLaunch): SparkDriverDescription {
  const { jarUrl, mainClass, args = [], supervise = false, classPath = [], libraryPath = [] } = launch;
  checkJarUrl(jarUrl);
  if (mainClass === "") throw new TypeError("Expected the main class of the driver but got an empty name");
  const command = new sparkDeploy.Command({
    mainClass: WRAPPER,
    arguments: [...PLACEHOLDERS, mainClass, ...args],
    environment: new Map(Object.entries(launch.environment ?? {})),
    classPathEntries: classPath,
    libraryPathEntries: libraryPath,
    javaOpts: [...propertiesOf(launch.conf), ...launch.javaOptions ?? []],
  });
  return new sparkDeploy.DriverDescription({
    jarUrl,
    mem: positive("memoryMiB", launch.memoryMiB ?? DEFAULT_MEMORY_MIB),
    cores: positive("cores", launch.cores ?? DEFAULT_CORES),
    supervise,
    command,
    resourceReqs: Object.entries(launch.resources ?? {}).map(([resourceName, amount]) =>
      new sparkDeploy.ResourceRequirement({ resourceName, amount: positive(`resources.${resourceName}`, amount), numParts: 1 })
    ),
  });
}

/** A scheme, an authority or none, and a path that ends with a jar's name. Spark: ClientArguments.isValidJarUrl. */
const JAR_URL = /^[A-Za-z][A-Za-z0-9+.-]*:(?:\/\/[^/?#]*|(?!\/\/))\/[^?#[\]]*\.jar(?:[?#].*)?$/;
/** What Java's URI takes nowhere, so that no Worker could fetch the jar: a space is written as %20. */
const NOT_IN_URLS = /[\s\p{Cc}"<>\\^`{|}]|%(?![0-9A-Fa-f]{2})/u;

/** A Master takes any text, and the driver would then fail on its Worker. */
function checkJarUrl(url: string): void {
  if (JAR_URL.test(url) && !NOT_IN_URLS.test(url)) return;
  throw new TypeError(`Expected the URL of a jar, such as file:///path/app.jar, but got ${url}`);
}

function positive(name: string, value: number): number {
  if (Number.isInteger(value) && value > 0 && value <= MAX_INT) return value;
  throw new RangeError(`${name} is not an integer from 1 to ${MAX_INT}: ${value}`);
}

function propertiesOf(conf: DriverLaunch["conf"]): string[] {
  return Array.from(new SparkConf(conf), ([key, value]) => `-D${key}=${value}`);
}
