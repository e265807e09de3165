import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { test, type TestContext, until } from "../_harness.ts";
import { FakeMaster } from "../spark/deploy/_fake_master.ts";
import { type ExampleResult, runExample, startExample, whyNot } from "./_example.ts";
import { BAD_REQUEST, listenAndSay } from "./_listen_and_say.ts";

const EXAMPLE = "examples/spark_master.ts";
const skip = whyNot(EXAMPLE);
const JAR = "file:///apps/count.jar";
const FIRST = "driver-20260131120000-0000";

const call = (context: TestContext, ...args: string[]): Promise<ExampleResult> => runExample(context, EXAMPLE, args);

/** What it printed, which is JSON, and that it ended well. */
async function json(context: TestContext, ...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await call(context, ...args, "--json");
  assertEquals([code, stderr], [0, ""]);
  return JSON.parse(stdout) as Record<string, unknown>;
}

test("spark_master.ts status prints tables", async (context) => {
  const [standby, alive] = [await FakeMaster.start(context, { state: "STANDBY" }), await FakeMaster.start(context)];
  const url = `spark://${alive.hostPort},127.0.0.1:1,${standby.hostPort}`;
  const submitted = await call(context, url, "submit", JAR, "com.example.Count", "--memory", "2g");
  assertEquals(submitted, { code: 0, stdout: `${FIRST}\n`, stderr: "" });
  const { code, stdout, stderr } = await call(context, url, "status");
  assertEquals([code, stderr], [0, ""]);
  const [masters, ...rest] = stdout.trimEnd().split("\n\n");
  const lines = masters!.split("\n");
  assertEquals(lines.map((line) => line.split(/ {2,}/).slice(0, 2)), [
    ["MASTER", "STATE"],
    [alive.url, "ALIVE"],
    ["spark://127.0.0.1:1", lines[2]!.split(/ {2,}/)[1]!],
    [standby.url, "STANDBY"],
  ]);
  assertStringIncludes(lines[2]!, "connection refused");
  assertMatch(lines[1]!, / {2,}8080 {2,}-$/);
  assertEquals(rest, [
    "Workers: 1\n" +
    "ID        HOST       PORT  CORES  MEMORY  WEB UI                 RESOURCES\n" +
    "worker-1  127.0.0.1  7078  4      2 GiB   http://127.0.0.1:8081  -",
    "Applications: none",
    "Completed applications: none",
    "Drivers: 1\n" +
    "ID                          SUBMITTED             CORES  MEMORY  SUPERVISED  CLASS              JAR\n" +
    `${FIRST}  2026-01-31T12:00:00Z  1      2 GiB   no          com.example.Count  ${JAR}`,
    "Completed drivers: none",
  ]);
}, { skip });

test("spark_master.ts --json prints what a program can read", async (context) => {
  const fake = await FakeMaster.start(context);
  const { driverId } = await json(context, fake.url, "submit", JAR, "com.example.Count");
  assertEquals(driverId, FIRST);
  const { masters, rpcPort, restPort, workers, activeDrivers } = await json(context, fake.url, "status");
  assertEquals(masters, [{ url: fake.url, state: "ALIVE", error: null }]);
  assertEquals([rpcPort, restPort, (workers as unknown[]).length], [fake.env.address!.port, null, 1]);
  assertEquals((activeDrivers as unknown[])[0], {
    id: FIRST,
    submittedAt: "2026-01-31T12:00:00.000Z",
    jarUrl: JAR,
    mainClass: "com.example.Count",
    args: [],
    cores: 1,
    memoryMiB: 1024,
    supervise: false,
  });
  const nowhere = { workerId: null, workerHostPort: null, error: null };
  assertEquals(await json(context, fake.url, "driver-status", FIRST), { driverId: FIRST, state: "SUBMITTED", ...nowhere });
  const killed = { driverId: FIRST, accepted: true, message: `Kill request for ${FIRST} submitted` };
  assertEquals(await json(context, fake.url, "kill", FIRST), killed);
  const again = await call(context, fake.url, "kill", FIRST, "--json");
  assertEquals([again.code, (JSON.parse(again.stdout) as { accepted: boolean }).accepted], [1, false]);
}, { skip });

test("spark_master.ts submit sends all that its flags say", async (context) => {
  const fake = await FakeMaster.start(context);
  const flags = [
    "--memory",
    "1536",
    "--cores",
    "3",
    "--supervise",
    "--conf",
    "spark.a=b=c",
    "--conf",
    "spark.d=",
    "--env",
    "E=1",
  ];
  const more = ["--java-option=-Xss4m", "--class-path", "/one.jar", "--class-path", "/two.jar"];
  const { code, stderr } = await call(context, fake.url, "submit", ...flags, ...more, "--", JAR, "Main", "--flag", "-x", "");
  assertEquals([code, stderr], [0, ""]);
  const { command, mem, cores, supervise } = fake.drivers.get(FIRST)!.description;
  assertEquals([mem, cores, supervise], [1536, 3, true]);
  assertEquals(command.arguments.slice(2), ["Main", "--flag", "-x", ""]);
  assertEquals(command.javaOpts, ["-Dspark.a=b=c", "-Dspark.d=", "-Xss4m"]);
  assertEquals([command.classPathEntries, command.environment], [["/one.jar", "/two.jar"], new Map([["E", "1"]])]);
}, { skip });

test("spark_master.ts submit --wait ends as the driver does, and leaves it alone when it is interrupted", async (context) => {
  const fake = await FakeMaster.start(context);
  for (const state of ["FINISHED", "FAILED", "ERROR", "RELAUNCHING"] as const) {
    const waiting = startExample(context, EXAMPLE, [fake.url, "submit", JAR, "Main", "--wait"]);
    const [, driverId] = await waiting.waitFor(/^(driver-\S+)$/m);
    const driver = fake.drivers.get(driverId!)!;
    if (state === "ERROR") driver.exception = new Error("no such jar\nat all");
    driver.state = state;
    assertEquals([await waiting.exited, waiting.stderr], [state === "FINISHED" ? 0 : 1, ""]);
    const lines = [driverId, `driver  ${driverId}`, `state   ${state}`, "worker  worker-1", "at      127.0.0.1:7078"];
    const error = state === "ERROR" ? ["error   java.lang.RuntimeException: no such jar"] : [];
    const lost = "note    its worker was lost; it is started again as a driver of another id, see status";
    assertEquals(waiting.stdout, [...lines, ...error, ...state === "RELAUNCHING" ? [lost] : [], ""].join("\n"));
  }
  const waiting = startExample(context, EXAMPLE, [fake.url, "submit", JAR, "Main", "--wait"]);
  const [, driverId] = await waiting.waitFor(/^(driver-\S+)$/m);
  const asks = () => fake.asked.filter((name) => name === "RequestDriverStatus").length;
  const before = asks();
  await until(() => asks() > before, "that it waits");
  waiting.kill("SIGINT");
  assertEquals([await waiting.exited, waiting.stderr], [130, `spark_master: ${fake.url}: Interrupted\n`]);
  assertEquals(fake.drivers.get(driverId!)!.state, "SUBMITTED");
}, { skip });

test("spark_master.ts says in one line what failed", async (context) => {
  const standby = await FakeMaster.start(context, { state: "STANDBY" });
  const alive = await FakeMaster.start(context);
  const refusing = await FakeMaster.start(context, { refusal: "No\u001b[2J room" });
  const cases: readonly [args: readonly string[], line: string][] = [
    [[standby.url, "status"], `There is no Master that is alive: ${standby.hostPort} is STANDBY (NOT_FOUND)`],
    [["spark://127.0.0.1:1", "kill", "d"], "There is no Master that is alive: 127.0.0.1:1 did not answer, "],
    [[alive.url, "driver-status", "d"], `The Master at ${alive.hostPort} knows no driver d`],
    [[refusing.url, "driver-status", "d"], "No [2J room (REMOTE)"],
    [[alive.url, "kill", "d"], "Driver d has already finished or does not exist"],
    [[refusing.url, "submit", JAR, "Main"], "No [2J room (REMOTE)"],
  ];
  for (const [args, line] of cases) {
    const { code, stdout, stderr } = await call(context, ...args);
    assertEquals(code, 1, stderr);
    assertMatch(stderr, /^spark_master: spark:\/\/[^\n]*\n$/);
    assertStringIncludes(stderr, line);
    // Of what is there status tells all the same.
    assertEquals(
      stdout,
      args[1] === "status" ? `MASTER                   STATE    WEB UI  REST\n${standby.url}  STANDBY  -       -\n` : "",
    );
  }
}, { skip });

test("spark_master.ts says that it has found a web server, as at the port of a Master's web UI", async (context) => {
  const url = `spark://${await listenAndSay(context, BAD_REQUEST)}`;
  for (const format of [[], ["--json"]]) {
    const { code, stdout, stderr } = await call(context, url, "status", ...format);
    assertEquals(code, 1);
    for (const output of [stdout, stderr]) assertStringIncludes(output, "so the peer is a web server or browser");
  }
}, { skip });

test("spark_master.ts explains wrong arguments and asks nobody", async (context) => {
  const url = "spark://127.0.0.1:1";
  const cases: readonly [args: readonly string[], line: string][] = [
    [[], "Expected URL and command"],
    [[url], "Expected URL and command"],
    [[url, "stop"], "Expected status, submit, driver-status, kill, not stop"],
    [["127.0.0.1:1", "status"], "Invalid master URL: 127.0.0.1:1: Expected spark://host:port (INVALID_ADDRESS)\n"],
    [["spark://one", "status"], "Invalid master URL: spark://one: Expected a port after the host: one (INVALID_ADDRESS)\n"],
    [[url, "status", "all"], "Expected nothing after status, not all"],
    [[url, "submit", JAR], "Expected JAR and CLASS"],
    [[url, "submit", "count.jar", "Main"], "Expected the URL of a jar"],
    [[url, "submit", JAR, "Main", "--memory", "much"], "Illegal value for config key --memory"],
    [[url, "submit", JAR, "Main", "--cores", "some"], "--cores is a number from 1 on, not some\n"],
    [[url, "submit", JAR, "Main", "--cores", "0x2"], "--cores is a number from 1 on, not 0x2\n"],
    [[url, "submit", JAR, "Main", "--cores", "0"], "cores is not an integer"],
    [[url, "submit", JAR, "Main", "--conf", "spark.x"], "Expected --conf NAME=VALUE, not spark.x"],
    [[url, "kill"], "Expected the id of one driver"],
    [[url, "status", "--timeout", "5y"], "spark.rpc.askTimeout"],
    [[url, "status", "--color"], "--color"],
  ];
  for (const [args, line] of cases) {
    const { code, stdout, stderr } = await call(context, ...args);
    assertEquals([code, stdout], [2, ""], args.join(" "));
    assertMatch(stderr, /^spark_master: [^\n]+\nUsage: spark_master URL status [^\n]+\n$/);
    assertStringIncludes(stderr, line);
  }
  const help = await call(context, "--help");
  assertEquals([help.code, help.stderr], [0, ""]);
  assertStringIncludes(help.stdout, "submit JAR CLASS ARG…");
}, { skip });
