import { assert, assertEquals, assertThrows } from "@std/assert";
import { prometheusMetrics, RpcEnv } from "../../mod.ts";
import { test, within } from "../_harness.ts";

test("prometheusMetrics() has the numbers of env.stats()", async (context) => {
  const server = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0 });
  context.defer(() => server.shutdown());
  server.setupEndpoint("Greeter", { receiveAndReply: (name) => `Hello, ${name}` });
  const client = await RpcEnv.create({ name: "client" });
  context.defer(() => client.shutdown());
  const ref = await client.setupEndpointRef(`spark://Greeter@${server.address}`);
  for (let i = 0; i < 10; i++) await within(ref.ask("Ada"), "an answer");
  const own = client.setupEndpoint("Silent", { receiveAndReply: (_, { later }) => later });
  own.ask("Ada", { signal: new AbortController().signal }).catch(() => {});

  const text = prometheusMetrics(client.stats(), { env: "client" });
  const value = (sample: string): number => {
    const line = text.split("\n").find((each) => each.startsWith(`${sample} `));
    assert(line !== undefined, `${sample} in\n${text}`);
    return Number(line.slice(sample.length));
  };
  assertEquals(value('sparkwire_connections{env="client",module="rpc"}'), 1);
  assertEquals(value('sparkwire_connections{env="client",module="files"}'), 0);
  assertEquals(value('sparkwire_written_frames_total{env="client",module="rpc"}'), 11);
  assertEquals(value('sparkwire_request_latency_seconds_count{env="client",module="rpc"}'), 11);
  assert(value('sparkwire_request_latency_seconds_sum{env="client",module="rpc"}') > 0);
  assertEquals(value('sparkwire_limit{env="client",limit="maxStreams"}'), 64);
  assertEquals(value('sparkwire_local_asks{env="client"}'), 1);
  assertEquals(value('sparkwire_signals{env="client"}'), 1);
  const names = ["downloads", "streams_being_sent", "open_files", "messages_dropped_total", "messages_lost_total"];
  for (const name of [...names, "messages_undecoded_total"]) assertEquals(value(`sparkwire_${name}{env="client"}`), 0);

  const served = prometheusMetrics(server.stats());
  assert(served.includes('sparkwire_messages_processed_total{endpoint="Greeter"} '), served);
  assert(served.includes('sparkwire_read_frames_total{module="rpc"} 11\n'), served);
});

test("prometheusMetrics() has each number of an endpoint and of an outbox under its own name", async (context) => {
  const env = await RpcEnv.create({ name: "env" });
  context.defer(() => env.shutdown());
  const endpoint = {
    name: "e",
    queuedMessages: 1,
    maxQueuedMessages: 2,
    bytes: 3,
    messagesInHand: 4,
    processedMessages: 5,
    droppedMessages: 6,
  };
  const outbox = { address: "h:1", queuedMessages: 7, queuedBytes: 8 };
  const text = prometheusMetrics({
    ...env.stats(),
    endpoints: [endpoint],
    outboxes: [outbox],
    droppedMessages: 9,
    lostMessages: 10,
    undecodedMessages: 11,
    localAsks: 12,
    signals: 13,
    downloads: 14,
    streamsBeingSent: 15,
    openFiles: 16,
    transports: [],
  });
  const samples = text.split("\n").filter((line) => line.startsWith("sparkwire_") && !line.startsWith("sparkwire_limit"));
  assertEquals(samples, [
    'sparkwire_inbox_messages{endpoint="e"} 1',
    'sparkwire_inbox_messages_max{endpoint="e"} 2',
    'sparkwire_inbox_bytes{endpoint="e"} 3',
    'sparkwire_messages_in_hand{endpoint="e"} 4',
    'sparkwire_messages_processed_total{endpoint="e"} 5',
    "sparkwire_messages_dropped_total 9",
    "sparkwire_messages_lost_total 10",
    "sparkwire_messages_undecoded_total 11",
    'sparkwire_outbox_messages{address="h:1"} 7',
    'sparkwire_outbox_bytes{address="h:1"} 8',
    "sparkwire_local_asks 12",
    "sparkwire_signals 13",
    "sparkwire_downloads 14",
    "sparkwire_streams_being_sent 15",
    "sparkwire_open_files 16",
  ]);
});

test("prometheusMetrics() refuses what is no label's name: nothing of such a text would be read", async (context) => {
  const env = await RpcEnv.create({ name: "env" });
  context.defer(() => env.shutdown());
  for (const name of ["app-id", "9lives", "", "app id", "äpp"]) {
    const message = `Label's name must be letters, digits and _, and begin with no digit: ${name}`;
    assertThrows(() => prometheusMetrics(env.stats(), { [name]: "x" }), RangeError, message);
  }
  assert(prometheusMetrics(env.stats(), { _app_9: "x" }).includes('{_app_9="x",module="rpc"}'));
});
