import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { SparkConf } from "../../src/base/spark_conf.ts";
import { createNettyRpcEnv } from "../../src/rpc/netty_rpc_env_factory.ts";
import { maxMessageBytes, roleOf } from "../../src/rpc/rpc_conf.ts";
import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import { test } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";

const MIB = 1024 * 1024;

test("maxMessageBytes() is spark.rpc.message.maxSize in MiB, from 1 to 2047", () => {
  const of = (text: string) => maxMessageBytes(new SparkConf({ "spark.rpc.message.maxSize": text }));
  assertEquals(maxMessageBytes(new SparkConf()), 128 * MIB);
  assertEquals([of("1"), of("2047")], [MIB, 2047 * MIB]);
  assertThrows(() => of("2048"), RangeError, "spark.rpc.message.maxSize should not be greater than 2047 MB");
  const refused = "Illegal value for config key spark.rpc.message.maxSize: Value must be at least 1 MiB, e.g. 128";
  for (const text of ["0", "-1"]) assertThrows(() => of(text), RangeError, `${refused} (value: "${text}")`);
});

test("RpcEnv.create() refuses a spark.rpc.message.maxSize that lets no message through", async () => {
  const create = () => RpcEnv.create({ name: "none", conf: { "spark.rpc.message.maxSize": "0" } });
  await assertRejects(create, RangeError, "Illegal value for config key spark.rpc.message.maxSize");
});

test("RpcEnv has one connection to a peer, whatever spark.rpc.io.numConnectionsPerPeer says", async (context) => {
  const logger = new MemoryLogger();
  const env = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0, logger });
  context.defer(() => env.shutdown());
  env.setupEndpoint("Echo", { receiveAndReply: (message) => message });
  const asker = await createNettyRpcEnv({ name: "asker", logger, conf: { "spark.rpc.io.numConnectionsPerPeer": "4" } });
  context.defer(() => asker.shutdown());
  const refs = await Promise.all(Array.from({ length: 8 }, () => asker.setupEndpointRef(`spark://Echo@${env.address}`)));
  assertEquals(await Promise.all(refs.map((ref, i) => ref.ask(i))), [0, 1, 2, 3, 4, 5, 6, 7]);
  assertEquals([asker.stats().connections.length, env.stats().connections.length], [1, 1]);
  assertEquals(asker.transportConf.numConnectionsPerPeer, 1);
});

test("roleOf() is driver or executor by spark.executor.id, and none without", () => {
  const of = (values: Record<string, string>) => roleOf(new SparkConf(values));
  assertEquals([of({}), of({ "spark.executor.id": "driver" }), of({ "spark.executor.id": "7" })], [
    undefined,
    "driver",
    "executor",
  ]);
});

test("RpcEnv.create() lets two messages of the largest size wait on a connection, and one of them if they are own ones", async (context) => {
  for (
    const [maxSize, limits, expected] of [
      ["128", {}, [256 * MIB, 128 * MIB]],
      ["64", {}, [256 * MIB, 128 * MIB]],
      ["1024", {}, [2048 * MIB, 1024 * MIB]],
      ["2047", {}, [4094 * MIB, 2047 * MIB]],
      ["1024", { maxQueuedBytes: 1_001 }, [1_001, 500]],
      ["128", { maxOutboxBytes: Infinity }, [256 * MIB, 128 * MIB]],
      ["128", { maxOutboxBytes: 7 }, [256 * MIB, 7]],
      ["1024", { maxOutboxBytes: 7 }, [2048 * MIB, 7]],
    ] as const
  ) {
    const env = await RpcEnv.create({ name: "limits", conf: { "spark.rpc.message.maxSize": maxSize }, limits });
    context.defer(() => env.shutdown());
    const inForce = env.stats().limits;
    assertEquals([inForce["maxQueuedBytes"]!, inForce["maxOutboxBytes"]!], expected);
  }
});

test("RpcEnv.create() names the key that was set, though others take its value", async () => {
  for (
    const [key, value, text] of [
      ["spark.rpc.io.numConnectionsPerPeer", "two", "whole number"],
      ["spark.rpc.io.numConnectionsPerPeer", "0", "at least 1"],
      ["spark.driver.rpc.io.serverThreads", "many", "whole number"],
      ["spark.driver.files.io.clientThreads", "many", "whole number"],
    ] as const
  ) {
    const made = () => RpcEnv.create({ name: "named", conf: { "spark.executor.id": "driver", [key]: value } });
    const { message } = await assertRejects(made, RangeError, `Illegal value for config key ${key}: Value must be `);
    assertStringIncludes(message, text);
  }
});
