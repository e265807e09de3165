import { assert, assertEquals, assertRejects } from "@std/assert";
import { RpcEndpointNotFoundError, RpcError, RpcStoppedError, SocketError } from "../../mod.ts";
import { SparkConf } from "../../src/base/spark_conf.ts";
import { type LookupOptions, RpcEnv, type RpcEnvOptions } from "../../src/rpc/rpc_env.ts";
import { defaultSocketDriver } from "../../src/socket/default.ts";
import type { SocketDriver } from "../../src/socket/socket.ts";
import { makeDriverRef } from "../../src/spark/driver_ref.ts";
import { EndpointName } from "../../src/spark/endpoint_name.ts";
import { DRIVER_ID, SparkEnv, type SparkRpcEnvOptions } from "../../src/spark/spark_env.ts";
import { endpoint } from "../../src/typed/endpoint.ts";
import { typedRef } from "../../src/typed/typed_ref.ts";
import { test, within } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";
import { printed } from "../_printed.ts";
import { SERVER_CERT, SERVER_KEY } from "../socket/certificates.ts";
import { MemoryBlocks } from "../block/_blocks.ts";
import { driverEnv, executorEnv } from "./_environments.ts";

interface Scheduler {
  receiveAndReply: { Register(id: string): boolean };
}

const HERE = { "spark.driver.host": "127.0.0.1", "spark.driver.port": 0 };

test("SparkEnv.createDriverEnv() writes the port in use and its role into the configuration", async (context) => {
  const { env } = await driverEnv(context);
  assertEquals([env.executorId, env.isDriver, env.isLocal, env.numUsableCores], [DRIVER_ID, true, false, 1]);
  assertEquals([env.rpcEnv.name, env.bindAddress], ["sparkDriver", "127.0.0.1"]);
  assertEquals(env.rpcEnv.address?.hostPort, `127.0.0.1:${env.conf.getInt("spark.driver.port")}`);
  assertEquals(env.conf.get("spark.executor.id"), "driver");
});

test("SparkEnv.createDriverEnv() wants host and port, with Spark's text", async () => {
  for (const key of ["spark.driver.host", "spark.driver.port"]) {
    const conf = new SparkConf(Object.entries(HERE).filter(([other]) => other !== key));
    await assertRejects(() => SparkEnv.createDriverEnv(conf, false, 1), RangeError, `${key} is not set on the driver!`);
  }
});

test("SparkEnv.createDriverEnv() listens at the bind address and is reached at the host", async (context) => {
  const conf = new SparkConf({ ...HERE, "spark.driver.host": "driver.example", "spark.driver.bindAddress": "127.0.0.1" });
  const driver = await SparkEnv.createDriverEnv(conf, false, 1, { logger: new MemoryLogger() });
  context.defer(() => driver.stop());
  assertEquals([driver.bindAddress, driver.hostname, driver.rpcEnv.address?.host], [
    "127.0.0.1",
    "driver.example",
    "driver.example",
  ]);
  driver.rpcEnv.setupEndpoint("Echo", { receiveAndReply: (message) => message });
  const { env: executor } = await executorEnv(context, driver);
  executor.conf.set("spark.driver.host", "127.0.0.1");
  const ref = await within(makeDriverRef("Echo", executor.rpcEnv), "the look-up");
  assertEquals(await within(ref.ask(1), "the answer"), 1);
  await driver.blockTransferService.init(new MemoryBlocks());
  assertEquals(driver.blockTransferService.hostName, "driver.example");
});

test("SparkEnv makes its block service of what its RPC environment is made of", async (context) => {
  const listening: (string | undefined)[] = [];
  const sockets = await defaultSocketDriver();
  const socketDriver: SocketDriver = {
    ...sockets,
    listen(address, attach, { tls, ...options } = {}) {
      listening.push(tls?.cert);
      return sockets.listen(address, attach, options);
    },
  };
  let draws = 0;
  const random = () => {
    draws++;
    return 0.5;
  };
  const logger = new MemoryLogger();
  const options = { driver: socketDriver, tls: { cert: "own" }, logger, random };
  const driver = await SparkEnv.createDriverEnv(new SparkConf(HERE), false, 1, options);
  context.defer(() => driver.stop());
  const before = draws;
  await driver.blockTransferService.init(new MemoryBlocks());
  assertEquals(listening, ["own", "own"]);
  assert(draws > before);
  assertEquals(logger.has("info: Server created on 127.0.0.1:"), true);
});

test("SparkEnv gives its block service limits of its own", async (context) => {
  const logger = new MemoryLogger();
  const driver = await SparkEnv.createDriverEnv(new SparkConf(HERE), false, 1, { logger, blockLimits: { maxConnections: 0 } });
  context.defer(() => driver.stop());
  await driver.blockTransferService.init(new MemoryBlocks());
  const { hostName: host, port } = driver.blockTransferService;
  const { env: executor } = await executorEnv(context, driver, "1", { clock: undefined });
  const ask = executor.blockTransferService.getHostLocalDirs({ host, port: port!, execId: DRIVER_ID }, [DRIVER_ID]);
  await assertRejects(() => within(ask, "to be refused"), RpcError);
  assert(logger.has("the server has 0 already (maxConnections)"));
});

test("SparkEnv.createDriverEnv() leaves nothing behind where its block service cannot be configured", async () => {
  let rpcEnv: RpcEnv | undefined;
  const createRpcEnv = async (options: RpcEnvOptions) => rpcEnv = await RpcEnv.create(options);
  const conf = new SparkConf({ ...HERE, "spark.network.maxRemoteBlockSizeFetchToMem": "much" });
  const made = () => SparkEnv.createDriverEnv(conf, false, 1, { createRpcEnv, logger: new MemoryLogger() });
  await assertRejects(made, RangeError, "spark.network.maxRemoteBlockSizeFetchToMem");
  await within(rpcEnv!.awaitTermination(), "the end of the RPC environment");
});

test("SparkEnv.createDriverEnv() leaves nothing behind when its port is taken", async (context) => {
  const { env } = await driverEnv(context);
  const logger = new MemoryLogger();
  const conf = env.conf.clone().set("spark.port.maxRetries", 0);
  const made = () => SparkEnv.createDriverEnv(conf, false, 1, { logger });
  const { message } = await assertRejects(made, SocketError);
  assertEquals(message.includes("Service 'sparkDriver' failed after 0 retries"), true, message);
});

test("SparkEnv.createExecutorEnv() is in client mode, and its endpoints are reached over its own connection", async (context) => {
  const { env: driver } = await driverEnv(context);
  const { env: executor } = await executorEnv(context, driver, "7");
  assertEquals([executor.rpcEnv.name, executor.rpcEnv.address], ["sparkExecutor", undefined]);
  assertEquals([executor.executorId, executor.isDriver, executor.conf.get("spark.executor.id")], ["7", false, "7"]);
  interface Registry {
    receiveAndReply: { Register(executor: import("../../mod.ts").RpcEndpointRef): unknown };
  }
  const makeRegistry = () => endpoint<Registry>(() => ({ receiveAndReply: { Register: (ref) => ref.ask("Who are you?") } }));
  await driver.registerOrLookupEndpoint(EndpointName.coarseGrainedScheduler, makeRegistry);
  const registry = typedRef(await executor.registerOrLookupEndpoint(EndpointName.coarseGrainedScheduler, makeRegistry));
  const own = executor.rpcEnv.setupEndpoint(EndpointName.executor, { receiveAndReply: () => "An executor" });
  assertEquals(await within(registry.ask("Register", own), "the answer"), "An executor");
});

test("SparkEnv.createExecutorEnv() refuses the driver's id", async () => {
  const made = () => SparkEnv.createExecutorEnv(new SparkConf(), DRIVER_ID, "127.0.0.1", "127.0.0.1", 1, undefined, false);
  await assertRejects(made, RangeError, "An executor cannot have the id driver");
});

test("SparkEnv carries the key for encrypted files, and warns that nothing hides it", async (context) => {
  const conf = new SparkConf({ ...HERE, "spark.io.encryption.enabled": true });
  const noKey = () => SparkEnv.createDriverEnv(conf, false, 1);
  await assertRejects(noKey, RangeError, "spark.io.encryption.enabled is true, but the driver was given no ioEncryptionKey");
  const ioEncryptionKey = new Uint8Array(16).fill(171);
  const logger = new MemoryLogger();
  const driver = await SparkEnv.createDriverEnv(conf, false, 1, { logger, ioEncryptionKey });
  context.defer(() => driver.stop());
  const at = "127.0.0.1";
  const executor = await SparkEnv.createExecutorEnv(conf.clone(), "1", at, at, 1, ioEncryptionKey, false, { logger });
  context.defer(() => executor.stop());
  assertEquals([driver.ioEncryptionKey, executor.ioEncryptionKey], [ioEncryptionKey, ioEncryptionKey]);
  const line = "warning: I/O encryption enabled without RPC encryption: keys will be visible on the wire.";
  assertEquals(logger.lines.filter((text) => text.startsWith("warning")), [line, line]);
  assertEquals(logger.has("171") || logger.has("abab"), false);
  for (const text of printed(driver)) assert(!/171|abab/.test(text), text);
});

test("SparkEnv does not warn of a key that TLS hides", async () => {
  const logger = new MemoryLogger();
  const ioEncryptionKey = new Uint8Array(16);
  const options = { logger, tls: { cert: SERVER_CERT, key: SERVER_KEY }, ioEncryptionKey };
  await (await SparkEnv.createDriverEnv(new SparkConf(HERE), false, 1, options)).stop();
  assertEquals(logger.lines.filter((text) => text.startsWith("warning")), []);
});

test("SparkEnv.registerOrLookupEndpoint() sets up in the driver and looks up in an executor", async (context) => {
  const { env: driver, logger } = await driverEnv(context);
  const { env: executor } = await executorEnv(context, driver);
  let made = 0;
  const make = () => {
    made++;
    return endpoint<Scheduler>(() => ({ receiveAndReply: { Register: (id) => id === "1" } }));
  };
  const early = (options?: LookupOptions) =>
    executor.registerOrLookupEndpoint(EndpointName.coarseGrainedScheduler, make, options);
  await assertRejects(
    () => early(),
    RpcEndpointNotFoundError,
    "Cannot find endpoint: spark://CoarseGrainedScheduler@127.0.0.1:",
  );
  const reason = new Error("given up");
  assertEquals(await early({ signal: AbortSignal.abort(reason) }).catch((thrown: unknown) => thrown), reason);
  const own = typedRef(await driver.registerOrLookupEndpoint(EndpointName.coarseGrainedScheduler, make));
  assertEquals(logger.has("info: Registering CoarseGrainedScheduler"), true);
  const far = typedRef(await within(early(), "the look-up"));
  assertEquals(made, 1);
  for (const ref of [own, far]) assertEquals(await within(ref.ask("Register", "1"), "the answer"), true);
});

test("makeDriverRef() looks at localhost:7077 where the configuration says nothing", async (context) => {
  const targets: unknown[] = [];
  const env = await RpcEnv.create({ name: "client", logger: new MemoryLogger() });
  context.defer(() => env.shutdown());
  const watched = new Proxy(env, {
    get: (target, key) =>
      key === "setupEndpointRef" ? (at: unknown) => Promise.resolve(targets.push(at)) : Reflect.get(target, key, target),
  });
  await makeDriverRef("HeartbeatReceiver", watched);
  const conf = new SparkConf({ "spark.driver.host": "driver", "spark.driver.port": 4040 });
  await makeDriverRef("HeartbeatReceiver", watched, { conf });
  const name = "HeartbeatReceiver";
  assertEquals(targets, [
    { address: { host: "localhost", port: 7077 }, name },
    { address: { host: "driver", port: 4040 }, name },
  ]);
});

test("SparkEnv.stop() ends its endpoints, works twice, and is what disposal does", async (context) => {
  const { env, clock } = await driverEnv(context);
  const events: string[] = [];
  env.rpcEnv.setupEndpoint("Endpoint", { onStop: () => void events.push("onStop") });
  assertEquals(env.isStopped, false);
  const stopped = env.stop({ deadlineMs: 1_234 });
  assert(clock.timers.includes(1_234));
  assertEquals([env.isStopped, env.stop() === stopped, env[Symbol.asyncDispose]() === stopped], [true, true, true]);
  await within(stopped, "the end");
  assertEquals(events, ["onStop"]);
  await assertRejects(() => env.blockTransferService.init(new MemoryBlocks()), RpcStoppedError);
});

test("SparkEnv.stop() with a deadline that is none stops nothing, and can be called again", async (context) => {
  const { env } = await driverEnv(context);
  for (const deadlineMs of [-1, NaN]) await assertRejects(() => env.stop({ deadlineMs }), RangeError, "deadlineMs must");
  assertEquals(env.isStopped, false);
  await within(env.blockTransferService.init(new MemoryBlocks()), "to listen");
  await within(env.stop(), "the end");
  await within(env.rpcEnv.awaitTermination(), "that of its RPC environment");
});

test("RpcEnv.awaitTermination() resolves in an environment without endpoints too", async (context) => {
  const { env: driver } = await driverEnv(context);
  const { env: executor } = await executorEnv(context, driver);
  const terminated = executor.rpcEnv.awaitTermination();
  await within(executor.stop(), "the end");
  await within(terminated, "the end for who has waited for it");
});

test("SparkEnv gives its RPC environment what goes beyond configuration", async (context) => {
  const world = RpcEnv.createSimulated(1);
  context.defer(() => world.shutdown());
  const logger = new MemoryLogger();
  const conf = new SparkConf({ "spark.driver.host": "driver", "spark.driver.port": 0 });
  let made: SparkRpcEnvOptions | undefined;
  const createRpcEnv = (options: SparkRpcEnvOptions) => world.create(made = options);
  const driver = await SparkEnv.createDriverEnv(conf, false, 1, { logger, createRpcEnv });
  const { name, host, bindHost, port, numUsableCores } = made!;
  assertEquals([name, host, bindHost, port, numUsableCores], ["sparkDriver", "driver", "driver", 0, 1]);
  driver.logger.info("to whom?");
  assertEquals(logger.has("info: to whom?"), true);
  assertEquals(driver.clock, world.host("driver").clock);
  const draws = Array.from({ length: 3 }, () => driver.random());
  assertEquals(draws.every((value) => value >= 0 && value < 1), true);
});
