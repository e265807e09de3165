import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import {
  describeDriver,
  type DriverLaunch,
  java,
  NoAliveMasterError,
  type RpcRemoteError,
  silentLogger,
  sparkDeploy,
  SparkMaster,
} from "../../mod.ts";
import { startExample, whyNot } from "../examples/_example.ts";
import { makeFolder } from "../_folder.ts";
import { deferred, test, type TestContext, until, within } from "../_harness.ts";
import { createEnv } from "./_envs.ts";
import { skip } from "./_spark.ts";
import {
  makeDriverJar,
  type MasterProcess,
  startMaster,
  startWorker,
  startZooKeeper,
  untilElected,
  untilRecovered,
} from "./_standalone.ts";

const EXAMPLE = "examples/spark_master.ts";
/** A driver is two JVMs after another on a busy machine: the Worker's own start of it, and itself. */
const DRIVER_DEADLINE_MS = 60_000;

interface Cluster {
  readonly master: MasterProcess;
  readonly client: SparkMaster;
  /** A driver that writes `report` and then does what it is told. */
  readonly launch: (what: "finish" | "fail" | "wait", more?: Partial<DriverLaunch>) => DriverLaunch;
  readonly report: string;
}

/** A Master, a Worker with two GPUs, and a jar. */
async function startCluster(context: TestContext): Promise<Cluster> {
  const folder = await makeFolder(context);
  const resources = join(folder, "resources.json");
  const gpu = { id: { componentName: "spark.worker", resourceName: "gpu" }, addresses: ["0", "1"] };
  writeFileSync(resources, JSON.stringify([gpu]));
  const master = await startMaster(context);
  await startWorker(context, master.url, {
    "spark.worker.resource.gpu.amount": "2",
    "spark.worker.resourcesFile": resources,
  });
  const client = await connect(context, master.url);
  const jarUrl = String(pathToFileURL(await makeDriverJar(folder)));
  const report = join(folder, "report");
  return {
    master,
    client,
    report,
    launch: (what, { args = [], ...more } = {}) => ({
      jarUrl,
      mainClass: "sparkwire.interop.SubmittedDriver",
      memoryMiB: 256,
      args: [report, what, ...args],
      ...more,
    }),
  };
}

async function connect(context: TestContext, url: string): Promise<SparkMaster> {
  const client = await within(SparkMaster.connect(url, { logger: silentLogger }), "the Master");
  context.defer(() => client.close());
  return client;
}

/** An application that wants no executors. */
function describeApplication() {
  const request = (resourceName: string, amount: bigint) =>
    new sparkDeploy.ExecutorResourceRequest({ resourceName, amount, discoveryScript: "", vendor: "" });
  const defaultProfile = new sparkDeploy.ResourceProfile({
    _id: 0,
    executorResources: new Map([["cores", request("cores", 1n)], ["memory", request("memory", 512n)]]),
    taskResources: new Map([["cpus", new sparkDeploy.TaskResourceRequest({ resourceName: "cpus", amount: 1 })]]),
    _executorResourceSlotsPerAddr: undefined,
    _limitingResource: undefined,
    _maxTasksPerExecutor: undefined,
    _coresLimitKnown: false,
  });
  const { command } = describeDriver({ jarUrl: "file:///app.jar", mainClass: "App" });
  const nothing = { eventLogDir: undefined, eventLogCodec: undefined };
  return new sparkDeploy.ApplicationDescription({
    name: "é😀",
    maxCores: 2,
    command,
    appUiUrl: "http://127.0.0.1:4040",
    defaultProfile,
    initialExecutorLimit: 0,
    user: "ada",
    ...nothing,
  });
}

/** Waits for a driver's end; gives its state. */
async function ended(client: SparkMaster, driverId: string) {
  return await within(client.awaitDriver(driverId, { intervalMs: 100 }), "the end of the driver", DRIVER_DEADLINE_MS);
}

/** What a driver wrote, by name. */
function readReport(path: string): Record<string, string> {
  const lines = readFileSync(path, "utf8").trim().split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2));
  return Object.fromEntries(lines) as Record<string, string>;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("a real Master tells of itself, its Worker and its drivers, and a real Worker runs one to its end", async (context) => {
  const { master, client, launch, report } = await startCluster(context);
  const rpcPort = Number(master.url.split(":")[2]);
  const ports = { rpcPort, webUiPort: master.webUiPort, restPort: master.restPort };
  assertEquals(await within(client.ports(), "ports"), ports);
  assertEquals(await within(client.ready(), "readiness"), true);
  const before = await within(client.status(), "status");
  const { workers: [worker], ...others } = before;
  const empty = { activeApplications: [], completedApplications: [], activeDrivers: [], completedDrivers: [] };
  assertEquals(others, { ...ports, host: "127.0.0.1", state: "ALIVE", ...empty });
  assertMatch(worker!.id, /^worker-\d{14}-127\.0\.0\.1-\d+$/);
  const { id: _id, port: _port, webUiUrl, ...sizes } = worker!;
  assertEquals(sizes, { host: "127.0.0.1", cores: 2, memoryMiB: 1024, resources: { gpu: ["0", "1"] } });
  assertMatch(webUiUrl, /^http:\/\/\S+:\d+$/);

  const submitted = await within(
    client.submitDriver(launch("finish", {
      args: ["a b", "é😀", ""],
      conf: { "spark.sparkwire.test": "x=1" },
      javaOptions: ["-Dsparkwire.option=two words"],
      environment: { SPARKWIRE_TEST: "from here" },
      classPath: ["/nowhere/extra.jar"],
      libraryPath: ["/nowhere/lib"],
      resources: { gpu: 1 },
    })),
    "submission",
  );
  const { driverId } = submitted;
  assertEquals(submitted.message, `Driver successfully submitted as ${driverId}`);
  const status = await ended(client, driverId);
  assertEquals([status?.state, status?.workerId, status?.error], ["FINISHED", worker!.id, undefined]);
  const { heap, jar, pid: _pid, ...told } = readReport(report);
  assertEquals(told, {
    args: "a b|é😀|",
    property: "x=1",
    option: "two words",
    environment: "from here",
    classPath: "true",
  });
  assertEquals(jar!.split("/").slice(-3), ["work", driverId, "driver.jar"]);
  assertEquals(Number(heap) > 200 && Number(heap) <= 256, true, heap);
  const { completedDrivers: [driver] } = await within(client.status(), "status");
  const { submittedAt, ...description } = driver!;
  assertEquals(description, {
    id: driverId,
    jarUrl: launch("finish").jarUrl,
    mainClass: "sparkwire.interop.SubmittedDriver",
    args: [report, "finish", "a b", "é😀", ""],
    cores: 1,
    memoryMiB: 256,
    supervise: false,
  });
  assertEquals(Math.abs(submittedAt.getTime() - Date.now()) < 10 * 60_000, true);
}, { skip });

test("a real Master tells of an application while it runs, and when it is over", async (context) => {
  const master = await startMaster(context);
  await untilElected(master);
  const client = await connect(context, master.url);
  const env = await createEnv(context, { port: 0, serializers: [java] });
  const registered = deferred<unknown>();
  const driver = env.setupEndpoint("AppClient", { receive: (message) => registered.resolve(message) });
  const before = Date.now();
  const ref = await env.setupEndpointRef(`spark://Master@${master.url.slice("spark://".length)}`);
  ref.send(new sparkDeploy.RegisterApplication({ appDescription: describeApplication(), driver }));
  const answer = await within(registered.promise, "the registration");
  assert(answer instanceof sparkDeploy.RegisteredApplication);
  const { activeApplications: [application], completedApplications } = await within(client.status(), "status");
  const { startedAt, ...told } = application!;
  assertEquals(told, {
    id: answer.appId,
    name: "é😀",
    user: "ada",
    maxCores: 2,
    coresPerExecutor: 1,
    memoryPerExecutorMiB: 512,
    uiUrl: "http://127.0.0.1:4040",
  });
  assertEquals(completedApplications, []);
  assertEquals(Math.abs(startedAt.getTime() - before) < 10 * 60_000, true);
  await env.shutdown();
  const isOver = async () => (await client.status()).completedApplications.some(({ id }) => id === answer.appId);
  while (!await within(isOver(), "status")) await new Promise((resolve) => setTimeout(resolve, 10));
}, { skip });

test("a real Master says how drivers fail, and kills one that runs", async (context) => {
  const { client, launch, report } = await startCluster(context);
  const missing = await client.submitDriver(launch("finish", { jarUrl: "file:///nowhere/missing.jar" }));
  const failing = await client.submitDriver(launch("fail"));
  const wrong = await ended(client, missing.driverId);
  assertEquals(wrong?.state, "ERROR");
  // What failed to open the file says so in a field of its own.
  assertEquals({ ...(wrong?.error as RpcRemoteError).data }, { file: "/nowhere/missing.jar" });
  assertEquals((await ended(client, failing.driverId))?.state, "FAILED");

  const waiting = await client.submitDriver(launch("wait", { args: ["waits"] }));
  const tooBig = await client.submitDriver(launch("wait", { memoryMiB: 1_000_000 }));
  const reported = () => existsSync(report) && readReport(report).args === "waits";
  await until(reported, "the driver's report", DRIVER_DEADLINE_MS);
  assertEquals((await client.driverStatus(waiting.driverId))?.state, "RUNNING");
  assertEquals(await client.driverStatus(tooBig.driverId), {
    driverId: tooBig.driverId,
    state: "SUBMITTED",
    workerId: undefined,
    workerHostPort: undefined,
    error: undefined,
  });
  const pid = Number(readReport(report).pid);
  assertEquals(isRunning(pid), true);
  for (const { driverId } of [waiting, tooBig]) {
    const message = `Kill request for ${driverId} submitted`;
    assertEquals(await within(client.killDriver(driverId), "kill"), { accepted: true, message });
    assertEquals((await ended(client, driverId))?.state, "KILLED");
  }
  await until(() => !isRunning(pid), "the end of the driver's process", DRIVER_DEADLINE_MS);

  for (const driverId of [waiting.driverId, "driver-19700101000000-0000"]) {
    const message = `Driver ${driverId} has already finished or does not exist`;
    assertEquals(await within(client.killDriver(driverId), "kill"), { accepted: false, message });
  }
  assertEquals(await within(client.driverStatus("driver-19700101000000-0000"), "status"), undefined);
}, { skip });

test("spark_master.ts runs a driver on a real cluster", async (context) => {
  const { master, launch, report } = await startCluster(context);
  const { jarUrl, mainClass } = launch("finish");
  const call = async (...args: readonly string[]) => {
    const program = startExample(context, EXAMPLE, [master.url, ...args]);
    const code = await within(program.exited, `the end of ${args[0]}`, DRIVER_DEADLINE_MS);
    return { code, stdout: program.stdout, stderr: program.stderr };
  };
  const flags = ["--memory", "256", "--cores", "1", "--env", "SPARKWIRE_TEST=1", "--wait", "--json"];
  const submitted = await call("submit", ...flags, "--", jarUrl, mainClass, report, "finish", "--odd");
  assertEquals([submitted.code, submitted.stderr], [0, ""]);
  const { driverId, state } = JSON.parse(submitted.stdout) as { driverId: string; state: string };
  assertEquals([state, readReport(report).args, readReport(report).environment], ["FINISHED", "--odd", "1"]);
  const status = await call("status");
  assertEquals([status.code, status.stderr], [0, ""]);
  assertMatch(status.stdout, new RegExp(`^${master.url} +ALIVE +${master.webUiPort} +${master.restPort}$`, "m"));
  assertMatch(status.stdout, /^worker-\S+ +127\.0\.0\.1 +\d+ +2 +1 GiB +http:\S+ +gpu: 0 1$/m);
  assertMatch(status.stdout, new RegExp(`^${driverId} +\\S+Z +1 +256 MiB +no +${mainClass} +file:`, "m"));
  const missing = await call("submit", "file:///nowhere/missing.jar", mainClass, "--wait");
  assertEquals(missing.code, 1);
  assertMatch(missing.stdout, /^error {3}java\.nio\.file\.NoSuchFileException \(file: \/nowhere\/missing\.jar\)$/m);
  const known = await call("driver-status", driverId);
  assertMatch(known.stdout, /^state {3}FINISHED$/m);
  const killed = await call("kill", driverId);
  assertEquals(killed.code, 1);
  assertStringIncludes(killed.stderr, `Driver ${driverId} has already finished or does not exist`);
}, { skip: skip ?? whyNot(EXAMPLE) });

test("of two real Masters the one that is alive is found, and the other one when it has taken over", async (context) => {
  const recovery = await startZooKeeper(context);
  const first = await startMaster(context, recovery);
  await untilElected(first);
  const second = await startMaster(context, recovery);
  const hostPorts = [second, first].map(({ url }) => url.slice("spark://".length));
  const url = `spark://${hostPorts.join(",")}`;
  const probes = await within(SparkMaster.probe(url, { logger: silentLogger }), "states");
  assertEquals(probes.map(({ state, error }) => state ?? error), ["STANDBY", "ALIVE"]);
  const client = await connect(context, url);
  assertEquals(client.address.toSparkURL(), first.url);
  const error = await assertRejects(() => connect(context, second.url), NoAliveMasterError);
  assertEquals(error.message, `There is no Master that is alive: ${hostPorts[0]} is STANDBY`);

  const launch = { jarUrl: "file:///nowhere/app.jar", mainClass: "App" };
  const { driverId } = await within(client.submitDriver(launch), "submission");
  const waiting = client.awaitDriver(driverId);
  first.process.kill("SIGKILL");
  await untilRecovered(second);
  // Who waits for it waits through that.
  assertEquals((await within(waiting, "the end of the driver"))?.state, "ERROR");
  // It remembers what the first one was told, and that no Worker runs it.
  assertEquals((await within(client.driverStatus(driverId), "status"))?.state, "ERROR");
  assertEquals(client.address.toSparkURL(), second.url);
  const again = await within(client.submitDriver(launch), "submission");
  assertEquals((await within(client.killDriver(again.driverId), "kill")).accepted, true);
}, { skip });
