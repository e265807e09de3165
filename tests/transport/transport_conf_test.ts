import { assert, assertEquals, assertThrows } from "@std/assert";
import type { SslRpcConf } from "../../mod.ts";
import { SparkConf } from "../../src/base/spark_conf.ts";
import { TransportConf, type TransportConfOptions } from "../../src/transport/transport_conf.ts";
import { test } from "../_harness.ts";
import { printed } from "../_printed.ts";

function rpcConf(values: Record<string, string> = {}, options: TransportConfOptions = {}): TransportConf {
  return new TransportConf("rpc", new SparkConf(values), options);
}

function threadsOf(conf: TransportConf): string[] {
  return ["serverThreads", "clientThreads"].map((suffix) => conf.get(`spark.rpc.io.${suffix}`, ""));
}

// Spark: SparkTransportConfSuite "default value is get when neither role nor module is set"
test("TransportConf takes the cores as threads where neither role nor module says otherwise", () => {
  assertEquals(threadsOf(rpcConf({}, { numUsableCores: 4 })), ["4", "4"]);
});

// Spark: SparkTransportConfSuite "module value is get when role is not set"
test("TransportConf takes the module's threads where no role is set", () => {
  const conf = rpcConf({ "spark.rpc.io.serverThreads": "7", "spark.rpc.io.clientThreads": "5" }, { numUsableCores: 3 });
  assertEquals(threadsOf(conf), ["7", "5"]);
});

// Spark: SparkTransportConfSuite "use correct configuration when both module and role configs are present"
test("TransportConf takes the role's threads before the module's", () => {
  const values = {
    "spark.rpc.io.serverThreads": "7",
    "spark.rpc.io.clientThreads": "5",
    "spark.driver.rpc.io.serverThreads": "8",
    "spark.driver.rpc.io.clientThreads": "6",
  };
  const driver = rpcConf(values, { numUsableCores: 10, role: "driver" });
  assertEquals(threadsOf(driver), ["8", "6"]);
  assertEquals([driver.serverThreads, driver.clientThreads], [8, 6]);
  assertEquals(threadsOf(rpcConf(values, { numUsableCores: 10, role: "executor" })), ["7", "5"]);
});

test("TransportConf takes at most eight threads from the cores, and eight where it does not know them", () => {
  assertEquals([1, 8, 64, 0].map((numUsableCores) => rpcConf({}, { numUsableCores }).serverThreads), [1, 8, 8, 8]);
});

test("TransportConf has Spark's defaults", () => {
  const conf = new TransportConf("rpc", new SparkConf());
  const { auth, ssl, shuffle, ...own } = conf;
  assertEquals(
    own,
    {
      moduleName: "rpc",
      ioMode: "AUTO",
      connectionTimeoutMs: 120_000,
      connectionCreationTimeoutMs: 120_000,
      numConnectionsPerPeer: 1,
      backLog: -1,
      serverThreads: 8,
      clientThreads: 8,
      receiveBuf: -1,
      sendBuf: -1,
      enableTcpKeepAlive: false,
      maxIORetries: 3,
      ioRetryWaitTimeMs: 5_000,
      lazyFileDescriptor: true,
      memoryMapBytes: 2 << 20,
      portMaxRetries: 16,
      maxChunksBeingTransferred: Number.MAX_SAFE_INTEGER,
      preferDirectBufs: true,
      verboseMetrics: false,
      sharedByteBufAllocators: true,
      preferDirectBufsForSharedByteBufAllocators: true,
    },
  );
  assertEquals(auth, {
    authenticationEnabled: false,
    authRTTimeoutMs: 30_000,
    encryptionEnabled: false,
    authEngineVersion: 1,
    cipherTransformation: "AES/CTR/NoPadding",
    saslFallback: true,
    saslEncryption: false,
    maxSaslEncryptedBlockSize: 65_536,
    saslServerAlwaysEncrypt: false,
    cryptoConf: new Map(),
  });
  assertEquals<Partial<SslRpcConf>>(ssl, {
    sslRpcEnabled: false,
    sslRpcProtocol: undefined,
    sslRpcRequestedCiphers: undefined,
    sslRpcKeyStore: undefined,
    sslRpcPrivateKey: undefined,
    sslRpcCertChain: undefined,
    sslRpcTrustStore: undefined,
    sslRpcTrustStoreReloadingEnabled: false,
    sslRpcTrustStoreReloadIntervalMs: 10_000,
    sslRpcOpenSslEnabled: false,
    sslShuffleChunkSize: 65_536,
  });
  assertEquals(shuffle, {
    useOldFetchProtocol: false,
    enableSaslRetries: false,
    separateChunkFetchRequest: false,
    chunkFetchHandlerThreads: 0,
    separateFinalizeShuffleMerge: false,
    finalizeShuffleMergeHandlerThreads: 0,
    mergedShuffleFileManagerImpl: "org.apache.spark.network.shuffle.NoOpMergedShuffleFileManager",
    minChunkSizeInMergedShuffleFile: 2 << 20,
    mergedIndexCacheSize: 100 << 20,
    ioExceptionsThresholdDuringMerge: 4,
    mergedShuffleCleanerShutdownTimeoutMs: 60_000,
  });
});

test("TransportConf tries more ports where spark.testing is set, unless it is told how many", () => {
  const retriesOf = (values: Record<string, string>) => new TransportConf("rpc", new SparkConf(values)).portMaxRetries;
  assertEquals(retriesOf({ "spark.testing": "true" }), 100);
  assertEquals(retriesOf({ "spark.testing": "true", "spark.port.maxRetries": "3" }), 3);
});

test("TransportConf reads each key of its module, and not another's", () => {
  const values = {
    "spark.files.io.mode": "epoll",
    "spark.files.io.connectionTimeout": "30s",
    "spark.files.io.connectionCreationTimeout": "10s",
    "spark.files.io.numConnectionsPerPeer": "2",
    "spark.files.io.backLog": "128",
    "spark.files.io.receiveBuffer": "65536",
    "spark.files.io.sendBuffer": "32768",
    "spark.files.io.enableTcpKeepAlive": "true",
    "spark.files.io.maxRetries": "0",
    "spark.files.io.retryWait": "2",
    "spark.files.io.lazyFD": "false",
    "spark.storage.memoryMapThreshold": "1k",
    "spark.port.maxRetries": "100",
    "spark.shuffle.maxChunksBeingTransferred": "64",
  };
  const files = new TransportConf("files", new SparkConf(values));
  const other = new TransportConf("rpc", new SparkConf(values));
  assertEquals([files.ioMode, other.ioMode], ["EPOLL", "AUTO"]);
  assertEquals([files.connectionTimeoutMs, other.connectionTimeoutMs], [30_000, 120_000]);
  assertEquals([files.connectionCreationTimeoutMs, other.connectionCreationTimeoutMs], [10_000, 120_000]);
  assertEquals([files.numConnectionsPerPeer, other.numConnectionsPerPeer], [2, 1]);
  assertEquals([files.backLog, files.receiveBuf, files.sendBuf], [128, 65_536, 32_768]);
  assertEquals([other.backLog, other.receiveBuf, other.sendBuf], [-1, -1, -1]);
  assertEquals([files.enableTcpKeepAlive, files.lazyFileDescriptor], [true, false]);
  assertEquals([files.maxIORetries, files.ioRetryWaitTimeMs], [0, 2_000]);
  for (const conf of [files, other]) {
    assertEquals([conf.memoryMapBytes, conf.portMaxRetries, conf.maxChunksBeingTransferred], [1024, 100, 64]);
  }
});

test("TransportConf reads the keys of authentication, TLS and shuffle", () => {
  const values = {
    "spark.network.auth.rpcTimeout": "7s",
    "spark.shuffle.sasl.timeout": "9s",
    "spark.network.crypto.enabled": "true",
    "spark.network.crypto.authEngineVersion": "2",
    "spark.network.crypto.cipher": "AES/GCM/NoPadding",
    "spark.network.crypto.saslFallback": "false",
    "spark.authenticate.enableSaslEncryption": "true",
    "spark.network.sasl.maxEncryptedBlockSize": "32k",
    "spark.network.sasl.serverAlwaysEncrypt": "true",
    "spark.network.crypto.config.cipher.classes": "OpenSsl",
    "spark.ssl.rpc.enabled": "true",
    "spark.ssl.rpc.protocol": "TLSv1.2",
    "spark.ssl.rpc.enabledAlgorithms": "A, B,",
    "spark.ssl.rpc.keyStore": "ks",
    "spark.ssl.rpc.trustStoreReloadIntervalMs": "5",
    "spark.shuffle.useOldFetchProtocol": "true",
    "spark.shuffle.server.chunkFetchHandlerThreadsPercent": "50",
    "spark.shuffle.server.finalizeShuffleMergeThreadsPercent": "1",
    "spark.shuffle.io.serverThreads": "5",
    "spark.shuffle.io.preferDirectBufs": "false",
    "spark.network.io.preferDirectBufs": "false",
  };
  const { auth, ssl, shuffle, ...own } = new TransportConf("shuffle", new SparkConf(values));
  assertEquals([auth.authRTTimeoutMs, auth.encryptionEnabled, auth.authEngineVersion], [7_000, true, 2]);
  assertEquals([auth.cipherTransformation, auth.saslFallback, auth.saslEncryption], ["AES/GCM/NoPadding", false, true]);
  assertEquals([auth.maxSaslEncryptedBlockSize, auth.saslServerAlwaysEncrypt], [32_768, true]);
  assertEquals([...auth.cryptoConf], [["commons.crypto.cipher.classes", "OpenSsl"]]);
  assertEquals([ssl.sslRpcEnabled, ssl.sslRpcProtocol, ssl.sslRpcRequestedCiphers], [true, "TLSv1.2", ["A", "B"]]);
  assertEquals([ssl.sslRpcKeyStore, ssl.sslRpcTrustStoreReloadIntervalMs], ["ks", 5]);
  assertEquals([shuffle.useOldFetchProtocol, shuffle.separateChunkFetchRequest], [true, true]);
  assertEquals([shuffle.chunkFetchHandlerThreads, shuffle.finalizeShuffleMergeHandlerThreads], [3, 1]);
  assertEquals([own.preferDirectBufs, own.preferDirectBufsForSharedByteBufAllocators], [false, false]);
  const rpc = new TransportConf("rpc", new SparkConf(values));
  assertEquals([rpc.shuffle.chunkFetchHandlerThreads, rpc.shuffle.separateChunkFetchRequest, rpc.preferDirectBufs], [
    0,
    true,
    true,
  ]);
  const other = new TransportConf("shuffle", new SparkConf({ "spark.shuffle.sasl.timeout": "9s" }));
  assertEquals(other.auth.authRTTimeoutMs, 9_000);
});

test("TransportConf has the passwords of key stores, and shows them to nobody who prints it", () => {
  const keys = ["keyStorePassword", "keyPassword", "privateKeyPassword", "trustStorePassword"];
  const conf = rpcConf(Object.fromEntries(keys.map((key) => [`spark.ssl.rpc.${key}`, `hidden ${key}`])));
  const { sslRpcKeyStorePassword, sslRpcKeyPassword, sslRpcPrivateKeyPassword, sslRpcTrustStorePassword } = conf.ssl;
  assertEquals(
    [sslRpcKeyStorePassword, sslRpcKeyPassword, sslRpcPrivateKeyPassword, sslRpcTrustStorePassword],
    keys.map((key) => `hidden ${key}`),
  );
  for (const text of printed(conf)) assert(!text.includes("hidden"), text);
});

test("TransportConf falls back from one time limit to the next, in whole seconds", () => {
  const cases: [Record<string, string>, number, number][] = [
    [{ "spark.network.timeout": "2min" }, 120_000, 120_000],
    [{ "spark.network.timeout": "7" }, 7_000, 7_000],
    [{ "spark.network.timeout": "7s", "spark.rpc.io.connectionTimeout": "5s" }, 5_000, 5_000],
    [{ "spark.network.timeout": "7s", "spark.rpc.io.connectionCreationTimeout": "3s" }, 7_000, 3_000],
    [{ "spark.rpc.io.connectionTimeout": "500ms" }, 0, 0],
    [{ "spark.rpc.io.connectionTimeout": "-1" }, 0, 0],
    [{ "spark.rpc.io.connectionCreationTimeout": "-5s" }, 120_000, 0],
    [{ "spark.rpc.io.connectionTimeout": "60d" }, 5_184_000_000, 5_184_000_000],
  ];
  for (const [values, idleMs, creationMs] of cases) {
    const conf = rpcConf(values);
    assertEquals([conf.connectionTimeoutMs, conf.connectionCreationTimeoutMs], [idleMs, creationMs], JSON.stringify(values));
  }
});

// Spark: TransportConfSuite "testDefaultIOMode"
test("TransportConf takes the mode of the module, then the default of all modules", () => {
  assertEquals(rpcConf().ioMode, "AUTO");
  assertEquals(rpcConf({ "spark.io.mode.default": "kqueue" }).ioMode, "KQUEUE");
  assertEquals(rpcConf({ "spark.io.mode.default": "KQUEUE", "spark.rpc.io.mode": "Nio" }).ioMode, "NIO");
});

test("TransportConf refuses a value that it cannot use, and names its key", () => {
  const cases: [string, string, string][] = [
    ["spark.rpc.io.mode", "iouring", "Mode must be one of NIO, EPOLL, KQUEUE, AUTO"],
    ["spark.io.mode.default", "x", "Mode must be one of"],
    ["spark.network.timeout", "soon", "Time must be specified"],
    ["spark.rpc.io.connectionTimeout", "1.5s", "Time must be specified"],
    ["spark.rpc.io.numConnectionsPerPeer", "0", "Value must be at least 1"],
    ["spark.rpc.io.maxRetries", "-1", "Value must be at least 0"],
    ["spark.rpc.io.backLog", "many", "Value must be a whole number"],
    ["spark.rpc.io.serverThreads", "1.5", "Value must be a whole number"],
    ["spark.rpc.io.enableTcpKeepAlive", "on", "Value must be true or false"],
    ["spark.storage.memoryMapThreshold", "2g", "Size must be at most 2147483647 bytes"],
    ["spark.port.maxRetries", "", "Value must be a whole number"],
    ["spark.rpc.io.preferDirectBufs", "1", "Value must be true or false"],
    ["spark.network.auth.rpcTimeout", "0", "Time must be at least 1s"],
    ["spark.rpc.sasl.timeout", "x", "Time must be specified"],
    ["spark.network.crypto.authEngineVersion", "3", "Version must be 1 or 2"],
    ["spark.network.crypto.cipher", "ROT13", "Cipher must be one of AES/CTR/NoPadding, AES/GCM/NoPadding"],
    ["spark.network.sasl.maxEncryptedBlockSize", "2g", "Size must be at most 2147483647 bytes"],
    ["spark.network.ssl.maxEncryptedBlockSize", "-1", "Size must be specified"],
    ["spark.ssl.rpc.enabled", "yes", "Value must be true or false"],
    ["spark.ssl.rpc.trustStoreReloadIntervalMs", "10s", "Value must be a whole number"],
    ["spark.shuffle.maxChunksBeingTransferred", "1e3", "Value must be a whole number"],
    ["spark.shuffle.server.chunkFetchHandlerThreadsPercent", "-1", "Value must be at least 0"],
    ["spark.shuffle.push.server.mergedIndexCacheSize", "big", "Size must be specified"],
    ["spark.shuffle.push.server.mergedShuffleCleaner.shutdown.timeout", "?", "Time must be specified"],
  ];
  for (const [key, value, reason] of cases) {
    assertThrows(() => rpcConf({ [key]: value }), RangeError, `Illegal value for config key ${key}: ${reason}`);
  }
});

test("TransportConf keeps its own copy of the configuration", () => {
  const conf = new SparkConf({ "spark.any": "1" });
  const transport = new TransportConf("rpc", conf);
  conf.set("spark.any", "2");
  assertEquals([transport.get("spark.any"), transport.getInt("spark.any", 0), transport.getInt("spark.none", 3)], ["1", 1, 3]);
  assertEquals(conf.contains("spark.rpc.io.serverThreads"), false);
  assertThrows(() => transport.get("spark.none"), RangeError, "spark.none");
});
