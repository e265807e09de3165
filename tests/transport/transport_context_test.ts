import { assert, assertEquals, assertInstanceOf, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  askRpc,
  DEFAULT_TRANSPORT_LIMITS,
  DiskBlockManager,
  DiskBlockStore,
  MemoryWritableFiles,
  NettyBlockTransferService,
  noOpRpcHandler,
  RpcEnv,
  RpcError,
  RpcRemoteError,
  silentLogger,
  SocketError,
  SparkConf,
  type TransportClient,
  TransportConf,
  TransportContext,
} from "../../mod.ts";
import { deferred, test, until, within } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";
import { bytesOf, echo } from "./_stage.ts";

const MIB = 1024 * 1024;

test("TransportContext.create() makes a context of this machine's own sockets and Spark's defaults", async () => {
  const context = await TransportContext.create(noOpRpcHandler);
  assertEquals([context.conf.moduleName, context.conf.connectionTimeoutMs], ["rpc", 120_000]);
  assertEquals([context.limits, context.closeIdleConnections, context.exposeStack], [DEFAULT_TRANSPORT_LIMITS, false, false]);
  const { module, connections, connectionsOpened } = context.stats();
  assertEquals([module, connections, connectionsOpened], ["rpc", 0, 0]);
  await context.close();
});

test("TransportContext.create() takes settings and limits", async () => {
  const conf = new TransportConf("shuffle", new SparkConf({ "spark.shuffle.io.connectionTimeout": "7s" }));
  const limits = { maxStreams: 3 };
  const logger = new MemoryLogger();
  const context = await TransportContext.create(noOpRpcHandler, { conf, limits, logger, exposeStack: true });
  assertStrictEquals(context.conf, conf);
  assertEquals(context.limits, { ...DEFAULT_TRANSPORT_LIMITS, maxStreams: 3 });
  context.logger.info("to whom?");
  assertEquals([logger.lines, context.exposeStack], [["info: to whom?"], true]);
});

test("DEFAULT_TRANSPORT_LIMITS and the limits of an RpcEnv are those that are documented", async () => {
  const perConnection = { maxOutstandingRequests: 1e6, maxUnansweredRequests: 1e6, maxStreams: 64, maxChunks: 65_536 };
  const common = { maxConnections: 65_536, maxOutboxBytes: 128 * MIB, maxQueuedBytes: 256 * MIB, ...perConnection };
  assertEquals(DEFAULT_TRANSPORT_LIMITS, { ...common, maxFrameBytes: 2 ** 31 - 1 });
  const env = await RpcEnv.create({ name: "limits" });
  const inboxes = { maxInboxMessages: 100_000, maxInboxBytes: 1024 * MIB, maxConcurrentMessages: 1_024 };
  assertEquals<object>(env.stats().limits, { ...common, maxFrameBytes: 128 * MIB, ...inboxes, maxDownloads: 256 });
  await env.shutdown();
});

test("A limit that is undefined is the default, and one that is no number is refused", async () => {
  // It compiles without exactOptionalPropertyTypes, which few programs set.
  const none = undefined as unknown as number;
  const context = await TransportContext.create(noOpRpcHandler, { limits: { maxQueuedBytes: none } });
  assertEquals(context.limits, DEFAULT_TRANSPORT_LIMITS);
  const create = () => TransportContext.create(noOpRpcHandler, { limits: { maxStreams: NaN } });
  await assertRejects(create, RangeError, "Limit maxStreams is no number from 0 on: NaN");

  const env = await RpcEnv.create({ name: "limits", limits: { maxInboxMessages: none, maxDownloads: 7 } });
  assertEquals([env.stats().limits.maxInboxMessages, env.stats().limits.maxDownloads], [100_000, 7]);
  await env.shutdown();
  const createEnv = () => RpcEnv.create({ name: "limits", limits: { maxInboxMessages: NaN } });
  await assertRejects(createEnv, RangeError, "Limit maxInboxMessages is no number from 0 on: NaN");
});

test("A limit that leaves no room for a single byte is refused, and not at the first connection", async () => {
  for (const name of ["maxFrameBytes", "maxQueuedBytes"]) {
    const create = () => TransportContext.create(noOpRpcHandler, { limits: { [name]: 0 } });
    await assertRejects(create, RangeError, `Limit ${name} must be at least 1: 0`);
  }
  const createClient = () => RpcEnv.create({ name: "limits", limits: { maxQueuedBytes: 0 } });
  await assertRejects(createClient, RangeError, "Limit maxQueuedBytes must be at least 1: 0");
});

test("A context serves and asks in both directions, with bootstraps at both ends", async (context) => {
  const bootstrapped: string[] = [];
  const accepted = deferred<TransportClient>();
  const server = await TransportContext.create({
    ...noOpRpcHandler,
    ...echo,
    channelActive: (client) => accepted.resolve(client),
  }, { logger: silentLogger });
  const listening = await server.createServer(0, {
    host: "127.0.0.1",
    bootstraps: [{
      doBootstrap(client, handler) {
        client.setClientId("app-1");
        bootstrapped.push("server");
        return handler;
      },
    }],
  });
  context.defer(() => listening.close());
  const dialling = await TransportContext.create({ ...noOpRpcHandler, ...echo }, { logger: silentLogger });
  const factory = dialling.createClientFactory([{ doBootstrap: () => void bootstrapped.push("client") }]);
  context.defer(() => factory.close());
  const client = await within(factory.createClient(listening.address), "to connect");
  const back = await within(accepted.promise, "the connection");
  assertEquals([back.clientId, client.clientId, bootstrapped.sort()], ["app-1", undefined, ["client", "server"]]);
  assertThrows(() => back.setClientId("app-2"), RpcError, "Client ID has already been set.");
  for (const end of [client, back]) assertEquals(await within(askRpc(end, bytesOf("hello")), "the answer"), bytesOf("hello"));
  await server.close();
  await until(() => !client.isActive, "the connection to be closed");
  assertEquals(server.stats().connections, 0);
});

test("noOpRpcHandler refuses requests, and TransportContext.createServer() a port that is taken", async (context) => {
  const made = await TransportContext.create(noOpRpcHandler, { logger: silentLogger });
  const listening = await made.createServer();
  context.defer(() => listening.close());
  const factory = made.createClientFactory();
  context.defer(() => factory.close());
  const client = await within(factory.createClient(listening.address), "to connect");
  const error = await assertRejects(() => askRpc(client, bytesOf("hello")), RpcRemoteError, "Cannot handle messages");
  assert(RpcError.is(error));
  const taken = await made.createServer(listening.port).catch((thrown: unknown) => thrown);
  assertInstanceOf(taken, SocketError);
  assertEquals(taken.socketCode, "ADDRESS_IN_USE");
});

test("Protection that is configured and not there is refused by all who would send without it", async () => {
  const cases: [string, string][] = [
    ["spark.authenticate", "there is no authentication yet"],
    ["spark.network.crypto.enabled", "only TLS encrypts yet"],
    ["spark.authenticate.enableSaslEncryption", "only TLS encrypts yet"],
    ["spark.ssl.rpc.enabled", "there are no certificates"],
  ];
  const blocks = new DiskBlockStore(new DiskBlockManager("/blocks", { files: new MemoryWritableFiles() }));
  for (const [key, reason] of cases) {
    const text = `${key}: ${reason}`;
    const conf = new SparkConf({ [key]: true });
    await assertRejects(() => RpcEnv.create({ name: "client", conf }), RangeError, text);
    await assertRejects(() => RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0, conf }), RangeError, text);
    const create = () => TransportContext.create(noOpRpcHandler, { conf: new TransportConf("files", conf) });
    await assertRejects(create, RangeError, text);
    const service = new NettyBlockTransferService(conf, { host: "127.0.0.1" });
    await assertRejects(() => service.init(blocks), RangeError, text);
    await service.close();
  }
});

test("spark.ssl.rpc.enabled is what option tls does", async () => {
  const conf = new SparkConf({ "spark.ssl.rpc.enabled": true });
  await (await RpcEnv.create({ name: "client", conf, tls: {} })).shutdown();
});
