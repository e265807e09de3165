import { assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import {
  cborSerializer,
  defaultSocketDriver,
  DriverRefusedError,
  java,
  NoAliveMasterError,
  RpcAddress,
  RpcEnv,
  RpcError,
  type RpcErrorCode,
  RpcRemoteError,
  RpcStoppedError,
  RpcTimeoutError,
  silentLogger,
  type SocketHandler,
  sparkDeploy,
  SparkMaster,
  type SparkMasterOptions,
} from "../../../mod.ts";
import { deferred, test, type TestContext, until, within } from "../../_harness.ts";
import { HandTime } from "../../_hand_time.ts";
import { FakeMaster } from "./_fake_master.ts";

const LAUNCH = { jarUrl: "file:///apps/count.jar", mainClass: "com.example.Count" };
/** Nobody listens there. */
const DOWN = "spark://127.0.0.1:1";

async function connect(context: TestContext, url: string, options: SparkMasterOptions = {}): Promise<SparkMaster> {
  const master = await within(SparkMaster.connect(url, { logger: silentLogger, ...options }), "the Master");
  context.defer(() => master.close());
  return master;
}

/** A cluster's URL. */
function join(...urls: readonly string[]): string {
  return `spark://${urls.map((url) => url.slice("spark://".length)).join(",")}`;
}

function nothing(): void {}

/** A port that takes connections and never answers; `onData` is called when it is asked. */
async function listenAndHear(context: TestContext, onData: SocketHandler["onData"] = nothing): Promise<string> {
  const driver = await defaultSocketDriver();
  const handler: SocketHandler = { onData, onDrain: nothing, onEnd: (socket) => socket.shutdown(), onClose: nothing };
  const listener = await driver.listen({ host: "127.0.0.1", port: 0 }, () => handler);
  context.defer(() => listener.close());
  return `spark://127.0.0.1:${listener.address.port}`;
}

test("SparkMaster.status() tells what the Master knows", async (context) => {
  const fake = await FakeMaster.start(context);
  const master = await connect(context, fake.url);
  assertEquals(String(master.address), fake.hostPort);
  await master.submitDriver({ ...LAUNCH, args: ["a", ""], memoryMiB: 64 });
  await master.submitDriver(LAUNCH);
  await master.killDriver("driver-20260131120000-0001");
  const submittedAt = new Date(Date.UTC(2026, 0, 31, 12));
  const common = { ...LAUNCH, submittedAt, cores: 1, supervise: false };
  assertEquals(await within(master.status(), "status"), {
    rpcPort: fake.env.address!.port,
    webUiPort: 8080,
    restPort: undefined,
    host: "127.0.0.1",
    state: "ALIVE",
    workers: [{
      id: "worker-1",
      host: "127.0.0.1",
      port: 7078,
      cores: 4,
      memoryMiB: 2048,
      webUiUrl: "http://127.0.0.1:8081",
      resources: {},
    }],
    activeApplications: [],
    completedApplications: [],
    activeDrivers: [{ ...common, id: "driver-20260131120000-0000", args: ["a", ""], memoryMiB: 64 }],
    completedDrivers: [{ ...common, id: "driver-20260131120000-0001", args: [], memoryMiB: 1024 }],
  });
  assertEquals(await master.ports(), { rpcPort: fake.env.address!.port, webUiPort: 8080, restPort: undefined });
});

test("SparkMaster.submitDriver() sends the command of Spark's own client", async (context) => {
  const fake = await FakeMaster.start(context);
  const master = await connect(context, fake.url);
  const { driverId, message } = await master.submitDriver({
    ...LAUNCH,
    args: ["--input", "é"],
    memoryMiB: 512,
    cores: 2,
    supervise: true,
    conf: { "spark.app.name": "count", "spark.driver.maxResultSize": "1g" },
    javaOptions: ["-XX:+UseG1GC"],
    classPath: ["/one.jar", "/two.jar"],
    libraryPath: ["/lib"],
    environment: { COUNT: "1" },
    resources: { gpu: 2 },
  });
  assertEquals([driverId, message], ["driver-20260131120000-0000", `Driver successfully submitted as ${driverId}`]);
  const { command, resourceReqs, ...description } = fake.drivers.get(driverId)!.description;
  assertEquals({ ...description }, { jarUrl: LAUNCH.jarUrl, mem: 512, cores: 2, supervise: true });
  assertEquals(resourceReqs.map((each) => ({ ...each })), [{ resourceName: "gpu", amount: 2, numParts: 1 }]);
  assertEquals({ ...command }, {
    mainClass: "org.apache.spark.deploy.worker.DriverWrapper",
    arguments: ["{{WORKER_URL}}", "{{USER_JAR}}", "com.example.Count", "--input", "é"],
    environment: new Map([["COUNT", "1"]]),
    classPathEntries: ["/one.jar", "/two.jar"],
    libraryPathEntries: ["/lib"],
    javaOpts: ["-Dspark.app.name=count", "-Dspark.driver.maxResultSize=1g", "-XX:+UseG1GC"],
  });
});

test("SparkMaster.submitDriver() sends nothing that no Worker could run", async (context) => {
  const fake = await FakeMaster.start(context);
  const master = await connect(context, fake.url);
  const refused: readonly [object, string][] = [
    [{ jarUrl: "/apps/count.jar" }, "Expected the URL of a jar, such as file:///path/app.jar, but got /apps/count.jar"],
    [{ jarUrl: "file:///apps/count.zip" }, "Expected the URL of a jar"],
    [{ mainClass: "" }, "Expected the main class of the driver"],
    [{ memoryMiB: 0 }, "memoryMiB is not an integer from 1 to 2147483647: 0"],
    [{ memoryMiB: 2 ** 31 }, "memoryMiB is not an integer"],
    [{ cores: 1.5 }, "cores is not an integer from 1 to 2147483647: 1.5"],
    [{ resources: { gpu: -1 } }, "resources.gpu is not an integer"],
  ];
  for (const [wrong, text] of refused) await assertRejects(() => master.submitDriver({ ...LAUNCH, ...wrong }), Error, text);
  assertEquals(fake.asked, ["RequestMasterState"]);
  const { driverId } = await master.submitDriver({ ...LAUNCH, memoryMiB: 2 ** 31 - 1 });
  assertEquals(fake.drivers.get(driverId)?.description.mem, 2 ** 31 - 1);
});

test("SparkMaster believes no Master that says two things at once", async (context) => {
  const fake = await FakeMaster.start(context);
  const master = await connect(context, fake.url);
  const { DriverStatusResponse, SubmitDriverResponse } = sparkDeploy;
  const submitted = { master: fake.self, message: "Perhaps" };
  for (const answer of [{ success: false, driverId: "driver-0" }, { success: true, driverId: undefined }]) {
    fake.answerWith = new SubmitDriverResponse({ ...submitted, ...answer });
    await within(assertRejects(() => master.submitDriver(LAUNCH), DriverRefusedError, "Perhaps"), "the refusal");
  }
  const none = { workerId: undefined, workerHostPort: undefined, exception: undefined };
  for (const answer of [{ found: false, state: "RUNNING" }, { found: true, state: undefined }] as const) {
    fake.answerWith = new DriverStatusResponse({ ...none, ...answer });
    assertEquals(await within(master.driverStatus("driver-0"), "status"), undefined);
  }
});

test("SparkMaster rejects with the Master's own words where it refuses", async (context) => {
  const fake = await FakeMaster.start(context, { refusal: "No more drivers today" });
  const master = await connect(context, fake.url);
  const error = await assertRejects(() => master.submitDriver(LAUNCH), DriverRefusedError, "No more drivers today");
  assertEquals([error.code, String(error.master)], ["REMOTE", fake.hostPort]);
  await assertRejects(() => master.driverStatus("driver-0"), RpcRemoteError, "No more drivers today");
});

test("SparkMaster.driverStatus() tells how a driver is, awaitDriver() how it ended", async (context) => {
  const fake = await FakeMaster.start(context);
  const master = await connect(context, fake.url);
  const { driverId } = await master.submitDriver(LAUNCH);
  const nowhere = { workerId: undefined, workerHostPort: undefined };
  assertEquals(await master.driverStatus(driverId), { driverId, state: "SUBMITTED", ...nowhere, error: undefined });
  const driver = fake.drivers.get(driverId)!;
  fake.onAsked = () => {
    driver.state = driver.state === "SUBMITTED" ? "RUNNING" : "ERROR";
    if (driver.state === "ERROR") driver.exception = new Error("no such jar");
  };
  await assertRejects(
    () => master.awaitDriver(driverId, { intervalMs: NaN }),
    RangeError,
    "intervalMs must be a number: NaN ms",
  );
  const ended = await within(master.awaitDriver(driverId, { intervalMs: 0 }), "the end of the driver");
  assertEquals([ended?.state, ended?.workerId, ended?.workerHostPort], ["ERROR", "worker-1", "127.0.0.1:7078"]);
  assertEquals(ended?.error?.message, "no such jar");
  assertEquals(fake.asked.filter((name) => name === "RequestDriverStatus").length, 3);
});

test("SparkMaster.awaitDriver() ends with a driver whose Worker was lost: what runs again has another id", async (context) => {
  const fake = await FakeMaster.start(context);
  const master = await connect(context, fake.url);
  const { driverId } = await master.submitDriver({ ...LAUNCH, supervise: true });
  fake.drivers.get(driverId)!.state = "RELAUNCHING";
  const ended = await within(master.awaitDriver(driverId, { intervalMs: 0 }), "the end of the driver");
  assertEquals(ended?.state, "RELAUNCHING");
});

test("SparkMaster knows that a Master does not know a driver", async (context) => {
  const fake = await FakeMaster.start(context);
  const master = await connect(context, fake.url);
  assertEquals(await master.driverStatus("driver-0"), undefined);
  assertEquals(await master.awaitDriver("driver-0"), undefined);
  const message = "Driver driver-0 has already finished or does not exist";
  assertEquals(await master.killDriver("driver-0"), { accepted: false, message });
});

test("SparkMaster.killDriver() has a driver ended", async (context) => {
  const fake = await FakeMaster.start(context);
  const master = await connect(context, fake.url);
  const { driverId } = await master.submitDriver(LAUNCH);
  assertEquals(await master.killDriver(driverId), { accepted: true, message: `Kill request for ${driverId} submitted` });
  assertEquals((await master.awaitDriver(driverId))?.state, "KILLED");
});

test("SparkMaster.connect() finds the Master that is alive among standbys and others", async (context) => {
  const standby = await FakeMaster.start(context, { state: "STANDBY" });
  const alive = await FakeMaster.start(context);
  const silent = await listenAndHear(context);
  const master = await connect(context, join(standby.url, silent, DOWN, alive.url));
  assertEquals(String(master.address), alive.hostPort);
  await master.submitDriver(LAUNCH);
  assertEquals([standby.drivers.size, alive.drivers.size], [0, 1]);
  assertEquals(standby.asked, ["RequestMasterState"]);
});

test("SparkMaster.connect() says of each Master why it is none that is alive", async (context) => {
  const standby = await FakeMaster.start(context, { state: "STANDBY" });
  const recovering = await FakeMaster.start(context, { state: "RECOVERING" });
  const silent = await listenAndHear(context);
  const url = join(standby.url, recovering.url, DOWN, silent);
  const error = await within(assertRejects(() => connect(context, url, { timeoutMs: 300 }), NoAliveMasterError), "failure");
  assertEquals(error.masters.map(({ state }) => state), ["STANDBY", "RECOVERING", undefined, undefined]);
  assertInstanceOf(error.masters[3]!.error, RpcTimeoutError);
  assertEquals(error.cause, error.masters[2]!.error);
  assertStringIncludes(
    error.message,
    `${standby.hostPort} is STANDBY; ${recovering.hostPort} is RECOVERING; 127.0.0.1:1 did not answer, `,
  );
  assertEquals(RpcError.is(error) && error.code, "NOT_FOUND");
});

test("NoAliveMasterError says once why a connection was lost", () => {
  const closed = "Connection from one:7077 closed";
  const textOf = (why: string, code: RpcErrorCode = "DISCONNECTED") => {
    const error = new RpcError(code, closed, { cause: new Error(why) });
    return new NoAliveMasterError([{ address: new RpcAddress("one", 7077), state: undefined, error }]).message;
  };
  const text = `There is no Master that is alive: one:7077 did not answer, ${closed}`;
  assertEquals(textOf(closed), text);
  assertEquals(textOf("Too large frame: 9"), `${text}: Too large frame: 9`);
  // What else led to an error is in its own words.
  assertEquals(textOf("Too large frame: 9", "SOCKET"), text);
  const silent = { address: new RpcAddress("one", 7077), state: undefined, error: undefined };
  assertStringIncludes(new NoAliveMasterError([silent]).message, "one:7077 did not answer, without a reason");
});

test("NoAliveMasterError says of a Master that has become alive since it refused that it has", () => {
  const masters = (["ALIVE", "RECOVERING"] as const).map((state, i) => {
    return { address: new RpcAddress("one", 7077 + i), state, error: undefined };
  });
  const text = "There is no Master that is alive: one:7077 is ALIVE by now, ask again; one:7078 is RECOVERING";
  assertEquals(new NoAliveMasterError(masters).message, text);
});

test("SparkMaster.probe() tells what is at each address", async (context) => {
  const standby = await FakeMaster.start(context, { state: "STANDBY" });
  const alive = await FakeMaster.start(context);
  const probes = await within(SparkMaster.probe([standby.url, DOWN, alive.url, alive.url], { logger: silentLogger }), "probes");
  assertEquals(probes.map(({ address, state }) => [String(address), state]), [
    [standby.hostPort, "STANDBY"],
    ["127.0.0.1:1", undefined],
    [alive.hostPort, "ALIVE"],
  ]);
  assertEquals(RpcError.is(probes[1]!.error) && probes[1]!.error.code, "SOCKET");
});

test("SparkMaster goes to the Master that took over when its own is no more than a standby", async (context) => {
  const [first, second] = [await FakeMaster.start(context), await FakeMaster.start(context, { state: "STANDBY" })];
  const master = await connect(context, join(first.url, second.url));
  [first.state, second.state] = ["STANDBY", "ALIVE"];
  const { driverId } = await within(master.submitDriver(LAUNCH), "submission");
  assertEquals([String(master.address), first.drivers.size], [second.hostPort, 0]);
  [first.state, second.state] = ["ALIVE", "STANDBY"];
  assertEquals(await within(master.driverStatus(driverId), "status"), undefined);
  [first.state, second.state] = ["STANDBY", "ALIVE"];
  assertEquals((await within(master.killDriver(driverId), "kill")).accepted, true);
  [first.state, second.state] = ["ALIVE", "STANDBY"];
  assertEquals((await within(master.status(), "status")).rpcPort, first.env.address!.port);
  first.state = "RECOVERING";
  const error = await within(assertRejects(() => master.killDriver(driverId), NoAliveMasterError), "failure");
  assertStringIncludes(error.message, `${first.hostPort} is RECOVERING; ${second.hostPort} is STANDBY`);
});

test("SparkMaster asks no third time when the Master that it found is alive no more", async (context) => {
  const fake = await FakeMaster.start(context);
  const master = await connect(context, fake.url);
  fake.onAsked = () => fake.state = fake.asked.length === 3 ? "ALIVE" : "RECOVERING";
  const text = `There is no Master that is alive: ${fake.hostPort} is RECOVERING`;
  await within(assertRejects(() => master.killDriver("driver-0"), NoAliveMasterError, text), "failure");
  const [state, kill] = ["RequestMasterState", "RequestKillDriver"];
  assertEquals(fake.asked, [state, kill, state, kill, state]);
});

test("SparkMaster goes to the Master that took over when its own has gone", async (context) => {
  const [first, second] = [await FakeMaster.start(context), await FakeMaster.start(context, { state: "STANDBY" })];
  const master = await connect(context, join(first.url, second.url));
  const gone = deferred();
  master.env.setupEndpoint("Watcher", { onDisconnected: () => gone.resolve() });
  await first.env.shutdown();
  await within(gone.promise, "the end of the connection");
  second.state = "ALIVE";
  // Before that it would not be known whether the driver had been taken.
  const { driverId } = await within(master.submitDriver(LAUNCH), "submission");
  assertEquals([String(master.address), [...second.drivers.keys()]], [second.hostPort, [driverId]]);
});

test("SparkMaster looks for another Master after its own did not answer in time", async (context) => {
  const [first, second] = [await FakeMaster.start(context), await FakeMaster.start(context, { state: "STANDBY" })];
  const master = await connect(context, join(first.url, second.url));
  const never = deferred<void>();
  context.defer(() => never.resolve());
  first.onAsked = () => never.promise;
  second.state = "ALIVE";
  await within(assertRejects(() => master.driverStatus("driver-0", { timeoutMs: 50 }), RpcTimeoutError), "the timeout");
  assertEquals(String(master.address), first.hostPort);
  assertEquals((await within(master.status(), "status")).rpcPort, second.env.address!.port);
  assertEquals(String(master.address), second.hostPort);
  second.asked.length = 0;
  assertEquals(await within(master.driverStatus("driver-0"), "the driver"), undefined);
  assertEquals(second.asked, ["RequestDriverStatus"]);
});

test("SparkMaster.awaitDriver() waits on while another Master takes over", async (context) => {
  const [first, second] = [await FakeMaster.start(context), await FakeMaster.start(context, { state: "STANDBY" })];
  const master = await connect(context, join(first.url, second.url));
  const { driverId } = await master.submitDriver(LAUNCH);
  second.drivers.set(driverId, { ...first.drivers.get(driverId)!, state: "FINISHED" });
  const states = ["STANDBY", "RECOVERING", "COMPLETING_RECOVERY", "ALIVE"] as const;
  let asked = 0;
  second.onAsked = () => second.state = states[asked++] ?? "ALIVE";
  const never = deferred<void>();
  context.defer(() => never.resolve());
  // Its machine hangs; then it is gone.
  first.onAsked = () => never.promise;
  const waiting = master.awaitDriver(driverId, { intervalMs: 0, timeoutMs: 1_000 });
  waiting.catch(() => {});
  await until(() => second.asked.length > 0, "the question to the other one");
  await first.env.shutdown({ deadlineMs: 0 });
  assertEquals((await within(waiting, "the end of the driver"))?.state, "FINISHED");
  assertEquals(String(master.address), second.hostPort);
  await second.env.shutdown();
  const error = await within(assertRejects(() => master.awaitDriver(driverId), NoAliveMasterError), "failure");
  assertEquals(error.masters.map(({ state }) => state), [undefined, undefined]);
});

test("SparkMaster does not submit a driver twice when the answer is lost", async (context) => {
  const [first, second] = [await FakeMaster.start(context), await FakeMaster.start(context, { state: "STANDBY" })];
  const master = await connect(context, join(first.url, second.url));
  const never = deferred<void>();
  context.defer(() => never.resolve());
  first.onAsked = (name) => {
    if (name !== "RequestSubmitDriver") return;
    second.state = "ALIVE";
    first.env.shutdown({ deadlineMs: 0 });
    return never.promise;
  };
  const error = await within(assertRejects(() => master.submitDriver(LAUNCH), RpcError), "failure");
  assertEquals([error.code, second.drivers.size], ["DISCONNECTED", 0]);
  assertEquals(await within(master.driverStatus("driver-0"), "status"), undefined);
  assertEquals(String(master.address), second.hostPort);
});

test("SparkMaster asks the Master that took over all else when the answer is lost", async (context) => {
  const questions: readonly ((master: SparkMaster) => Promise<unknown>)[] = [
    (master) => master.ports(),
    (master) => master.ready(),
    (master) => master.status(),
    (master) => master.driverStatus("driver-0"),
    (master) => master.killDriver("driver-0"),
  ];
  for (const ask of questions) {
    const [first, second] = [await FakeMaster.start(context), await FakeMaster.start(context, { state: "STANDBY" })];
    const master = await connect(context, join(first.url, second.url));
    const never = deferred<void>();
    context.defer(() => never.resolve());
    first.onAsked = () => {
      second.state = "ALIVE";
      first.env.shutdown({ deadlineMs: 0 });
      return never.promise;
    };
    await within(ask(master), "the other's answer");
    assertEquals(String(master.address), second.hostPort);
  }
});

test("SparkMaster.ready() is true beyond standby, also of a Master that has no such question", async (context) => {
  for (const knowsReadyz of [true, false]) {
    const fake = await FakeMaster.start(context, { knowsReadyz });
    const master = await connect(context, fake.url);
    assertEquals(await within(master.ready(), "readiness"), true);
    fake.state = "STANDBY";
    assertEquals(await within(master.ready(), "readiness"), false);
    fake.onAsked = () => Promise.reject(new Error("No idea"));
    fake.asked.length = 0;
    await within(assertRejects(() => master.ready(), RpcError, "No idea"), "the failure");
    const never = deferred<void>();
    fake.onAsked = () => never.promise;
    await within(assertRejects(() => master.ready({ timeoutMs: 50 }), RpcTimeoutError), "the timeout");
    never.resolve();
    assertEquals(fake.asked, ["RequestReadyz", "RequestReadyz"]);
  }
});

test("SparkMaster gives up when its signal says so, or when the time is up", async (context) => {
  const reason = new Error("enough");
  // Longer than the test: it is the signal that ends it.
  const options = { timeoutMs: 300_000, logger: silentLogger };
  for (const call of ["connect", "probe"] as const) {
    const asked = deferred();
    const silent = await listenAndHear(context, () => asked.resolve());
    assertEquals(await assertRejects(() => SparkMaster[call](silent, { signal: AbortSignal.abort(reason) })), reason);
    const giveUp = new AbortController();
    const calling = assertRejects(() => SparkMaster[call](silent, { ...options, signal: giveUp.signal }));
    await within(asked.promise, "the question");
    giveUp.abort(reason);
    assertEquals(await within(calling, `the end of ${call}()`), reason);
  }
  const fake = await FakeMaster.start(context);
  const master = await connect(context, fake.url);
  const never = deferred<void>();
  fake.onAsked = () => never.promise;
  await within(assertRejects(() => master.status({ timeoutMs: 50 }), RpcTimeoutError, "in 50 milliseconds"), "the timeout");
  never.resolve();
  fake.onAsked = () => {};
  const { driverId } = await master.submitDriver(LAUNCH);
  const stop = new AbortController();
  const waiting = assertRejects(() => master.awaitDriver(driverId, { intervalMs: 60_000, signal: stop.signal }));
  // In that time it would have asked again.
  for (let i = 0; i < 5; i++) await within(master.ports(), "the ports");
  assertEquals(fake.asked.filter((name) => name === "RequestDriverStatus").length, 1);
  stop.abort(reason);
  assertEquals(await within(waiting, "the end of awaitDriver()"), reason);
});

test("SparkMaster.awaitDriver() asks once a second, if it is not told otherwise", async (context) => {
  const fake = await FakeMaster.start(context);
  const clock = new HandTime();
  const env = await RpcEnv.create({ name: "mine", clock, logger: silentLogger });
  context.defer(() => env.shutdown());
  const master = await connect(context, fake.url, { env });
  const { driverId } = await within(master.submitDriver(LAUNCH), "submission");
  const waiting = master.awaitDriver(driverId);
  const questions = () => fake.asked.filter((name) => name === "RequestDriverStatus").length;
  const isDue = () => clock.timers.includes(clock.now() + 1_000);
  for (let count = 1; count <= 3; count++) {
    await until(() => questions() === count && isDue(), `question ${count} and the pause behind it`);
    if (count === 3) fake.drivers.get(driverId)!.state = "FINISHED";
    clock.advance(1_000);
  }
  assertEquals((await within(waiting, "the driver's end"))?.state, "FINISHED");
  assertEquals(questions(), 4);
});

test("SparkMaster.awaitDriver() leaves nobody behind who waits for the end of its environment", async (context) => {
  const fake = await FakeMaster.start(context);
  const master = await connect(context, fake.url);
  const { driverId } = await master.submitDriver(LAUNCH);
  const signals: (AbortSignal | undefined)[] = [];
  const { env } = master;
  const awaitTermination = env.awaitTermination.bind(env);
  env.awaitTermination = (options) => {
    signals.push(options?.signal);
    return awaitTermination(options);
  };
  fake.onAsked = () => {
    if (signals.length === 3) fake.drivers.get(driverId)!.state = "FINISHED";
  };
  assertEquals((await within(master.awaitDriver(driverId, { intervalMs: 0 }), "the driver's end"))?.state, "FINISHED");
  assertEquals(signals.map((signal) => signal?.aborted), [true, true, true]);
});

test("SparkMaster.awaitDriver() ends when its environment does, however seldom it asks", async (context) => {
  const fake = await FakeMaster.start(context);
  const master = await connect(context, fake.url);
  const { driverId } = await master.submitDriver(LAUNCH);
  const waiting = assertRejects(() => master.awaitDriver(driverId, { intervalMs: 60_000 }), RpcStoppedError);
  // Behind these it waits.
  for (let i = 0; i < 5; i++) await within(master.ports(), "the ports");
  await within(master.close(), "the end of the environment");
  await within(waiting, "the end of awaitDriver()");
});

test("SparkMaster gives a Master ten seconds, as its configuration does not say otherwise", async (context) => {
  const fake = await FakeMaster.start(context);
  const timeouts = async (options: SparkMasterOptions) => {
    const { conf } = (await connect(context, fake.url, options)).env;
    return [conf.get("spark.rpc.askTimeout"), conf.get("spark.rpc.lookupTimeout")];
  };
  assertEquals(await timeouts({}), ["10s", "10s"]);
  assertEquals(await timeouts({ conf: { "spark.rpc.askTimeout": "3s" } }), ["3s", "10s"]);
});

test("SparkMaster.connect() refuses what is no Master", async (context) => {
  for (const url of ["127.0.0.1:7077", "spark://", "spark://a:1,", "spark://Master@a:1", "spark://a:b", "local[2]"]) {
    const error = await assertRejects(() => SparkMaster.connect(url), RpcError, "Invalid master URL: ");
    assertEquals(error.code, "INVALID_ADDRESS");
  }
  await assertRejects(() => SparkMaster.connect([]), RpcError, "Expected the URL of a Master but got none");
  const env = await RpcEnv.create({ name: "other", host: "127.0.0.1", port: 0, serializers: [java], logger: silentLogger });
  context.defer(() => env.shutdown());
  const url = env.address!.toSparkURL();
  await within(
    assertRejects(() => connect(context, url), NoAliveMasterError, "Cannot find endpoint: spark://Master@"),
    "failure",
  );
  env.setupEndpoint("Master", { receiveAndReply: () => 7 });
  const error = await within(assertRejects(() => connect(context, url), NoAliveMasterError), "failure");
  assertStringIncludes(error.message, "Expected a org.apache.spark.deploy.DeployMessages$MasterStateResponse");
  assertStringIncludes(error.message, "but got number 7");
});

test("SparkMaster.connect() says that it has found a web server, as at the port of a Master's web UI", async (context) => {
  const page = new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n");
  const url = await listenAndHear(context, (socket) => void socket.write([page.slice()]));
  const error = await within(assertRejects(() => connect(context, url), NoAliveMasterError), "failure");
  assertStringIncludes(error.message, "so the peer is a web server or browser");
});

test("SparkMaster.connect() blames no Master for its caller's mistakes", async (context) => {
  const fake = await FakeMaster.start(context);
  const env = await RpcEnv.create({ name: "mine", serializers: [cborSerializer], logger: silentLogger });
  context.defer(() => env.shutdown());
  const text = 'There is no serializer "java"; this environment has cbor';
  await assertRejects(() => SparkMaster.connect(fake.url, { env }), RangeError, text);
  await assertRejects(() => SparkMaster.probe(fake.url, { env }), RangeError, text);
  await assertRejects(() => connect(context, fake.url, { timeoutMs: -1 }), RangeError, "timeoutMs must not be negative");
});

test("SparkMaster.close() ends an environment of its own, and no other", async (context) => {
  const fake = await FakeMaster.start(context);
  const own = await connect(context, fake.url);
  await own[Symbol.asyncDispose]();
  await own.close();
  await assertRejects(() => own.status(), RpcError, "already stopped");
  const env = await RpcEnv.create({ name: "mine", logger: silentLogger });
  context.defer(() => env.shutdown());
  const master = await connect(context, fake.url, { env });
  assertEquals(master.env, env);
  await master.close();
  assertEquals((await master.status()).state, "ALIVE");
});

test("SparkMaster.probe(), and connect() that finds none, end an environment of their own, and no other", async (context) => {
  const standby = await FakeMaster.start(context, { state: "STANDBY" });
  const connections = () => standby.env.stats().connections.length;
  const fails = (options: SparkMasterOptions) =>
    within(assertRejects(() => SparkMaster.connect(standby.url, options), NoAliveMasterError), "the failure");
  await within(SparkMaster.probe(standby.url, { logger: silentLogger }), "the probe");
  await fails({ logger: silentLogger });
  await until(() => connections() === 0, "the end of both connections");
  const env = await RpcEnv.create({ name: "mine", logger: silentLogger });
  context.defer(() => env.shutdown());
  await within(SparkMaster.probe(standby.url, { env }), "the probe");
  await fails({ env });
  assertEquals((await within(SparkMaster.probe(standby.url, { env }), "the probe"))[0]?.state, "STANDBY");
  assertEquals(connections(), 1);
});
