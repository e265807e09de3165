import { assert, assertEquals } from "@std/assert";
import { BytesManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import { LatencyHistogram } from "../../src/transport/latency_histogram.ts";
import { PrometheusText, writeTransportMetrics } from "../../src/transport/prometheus_text.ts";
import { test } from "../_harness.ts";
import { content, CountedBuffer } from "../_counted_buffer.ts";
import { FetchedChunks } from "./_fetched_chunks.ts";
import { dialRaw } from "./_raw_peer.ts";
import { ReceivedStream } from "./_received_stream.ts";
import { ask, bytesOf, echo, failureOf, Held, streamsOf, transportTest, waiter } from "./_stage.ts";
import { upload, Uploads } from "./_uploads.ts";

test("LatencyHistogram counts durations in steps that double, and what is longer than all of them", () => {
  const histogram = new LatencyHistogram();
  for (const ms of [0, 0.1, 0.11, 0.2, 3, 1e9]) histogram.record(ms);
  const { count, sumMs, steps } = histogram.stats();
  assertEquals([count, sumMs, steps.length], [6, 1_000_000_003.41, 21]);
  assertEquals(steps.slice(0, 6).map((step) => [step.upToMs, step.count]), [
    [0.1, 2],
    [0.2, 4],
    [0.4, 4],
    [0.8, 4],
    [1.6, 4],
    [3.2, 5],
  ]);
  assertEquals(steps.at(-1), { upToMs: 0.1 * 2 ** 20, count: 5 });
});

transportTest("TransportContext.stats() counts what goes over its connections, also when they are gone", async (stage) => {
  const uploads = new Uploads();
  const { connection, server, client } = await stage.pair({
    handler: {
      ...uploads.handler,
      streamManager: {
        ...streamsOf({ s: content(100) }),
        getChunk: (_, index) => index === 0 ? new BytesManagedBuffer(content(1_000)) : undefined,
      },
    },
  });
  await ask(connection, "a");
  connection.send(bytesOf("one way"));
  await ReceivedStream.of(connection, "s").bytes();
  await ReceivedStream.of(connection, "none").failure();
  await FetchedChunks.of(connection, 1n, [0, 1]);
  await upload(connection, "u", new CountedBuffer(content(50)));
  await failureOf(upload(connection, "fail/exception-oncomplete", new CountedBuffer(content(50))));
  const [there, here] = [server.context.stats(), client.context.stats()];
  assertEquals([there.streamsSent, there.chunksSent, there.transfersFailed], [1, 1, 2]);
  assertEquals([there.uploadsReceived, there.uploadsFailed], [1, 1]);
  assertEquals([there.framesRead, there.framesWritten], [8, 7]);
  assertEquals([here.framesWritten, here.framesRead], [8, 7]);
  assertEquals([here.bytesWritten, here.bytesRead], [there.bytesRead, there.bytesWritten]);
  assertEquals([here.connections, here.outstandingRequests, there.unansweredRequests, here.queuedBytes], [1, 0, 0, 0]);
  connection.close();
  await Promise.all([client.connections(0), server.connections(0)]);
  const after = server.context.stats();
  assertEquals([after.connections, after.connectionsOpened, after.connectionsClosed], [0, 1, 1]);
  assertEquals([after.bytesRead, after.framesRead, after.chunksSent], [there.bytesRead, 8, 1]);
});

transportTest("TransportContext.stats() counts connections that broke, were silent, or never came to be", async (stage) => {
  const server = stage.end({ handler: echo });
  const listening = await server.listen();
  const attacker = await dialRaw(stage, listening);
  attacker.write(new Uint8Array(8));
  await attacker.closedByOther();
  await server.connections(0);
  assertEquals([server.context.stats().connectionsBroken, server.context.stats().connectionsClosed], [1, 1]);
  const idle = stage.end({ conf: { connectionTimeout: "1s" }, closeIdleConnections: true });
  await idle.dial(listening);
  stage.clock.advance(1_000);
  await idle.connections(0);
  assertEquals(idle.context.stats().connectionsTimedOut, 1);
  await listening.close();
  await failureOf(idle.dial(listening));
  const { dialsFailed, connectionsOpened, connectionsBroken } = idle.context.stats();
  assertEquals([dialsFailed, connectionsOpened, connectionsBroken], [1, 1, 0]);
});

transportTest("TransportContext.stats() times requests, one at a time per connection", async (stage) => {
  const held = new Held();
  const { connection, client, server } = await stage.pair({ handler: held });
  const latency = () => {
    const { count, sumMs } = client.context.stats().requestLatency;
    return [count, Math.round(sumMs)];
  };
  const answer = async (nth: number, afterMs: number): Promise<void> => {
    await held.count(nth);
    // The clock is read once per turn, so the answer has to come in another.
    await stage.turns(2);
    stage.clock.advance(afterMs);
    held.requests[nth - 1]!.responder.onSuccess(bytesOf("x"));
  };
  const first = ask(connection, "a");
  await answer(1, 40);
  await first;
  assertEquals(latency(), [1, 40]);
  const second = ask(connection, "b");
  await answer(2, 0);
  await second;
  assertEquals(latency(), [2, 40]);
  // One that is forgotten is not timed, and does not keep the next from being.
  const id = connection.sendRpc(bytesOf("c"), waiter());
  await held.count(3);
  connection.removeRpcRequest(id);
  const last = ask(connection, "d");
  await answer(4, 7);
  await last;
  assertEquals(latency(), [3, 47]);
  assertEquals(server.context.stats().requestLatency.count, 0, "what comes at the other end are no answers");
});

test("PrometheusText writes what a scraper reads: help and type once, labels escaped, steps added up", () => {
  const text = new PrometheusText({ env: 'a"b\\c\nd' });
  text.gauge("g", "A gauge.", [{ value: 1 }, { labels: { x: "y" }, value: 2.5 }]);
  text.counter("c_total", "A counter.", [{ value: 3 }]);
  text.gauge("none", "Has no samples.", []);
  const histogram = new LatencyHistogram();
  histogram.record(1.5);
  text.histogram("h_seconds", "A histogram.", [{ labels: { m: "rpc" }, stats: histogram.stats() }]);
  const env = 'env="a\\"b\\\\c\\nd"';
  const lines = String(text).split("\n");
  assertEquals(lines.slice(0, 10), [
    "# HELP g A gauge.",
    "# TYPE g gauge",
    `g{${env}} 1`,
    `g{${env},x="y"} 2.5`,
    "# HELP c_total A counter.",
    "# TYPE c_total counter",
    `c_total{${env}} 3`,
    "# HELP h_seconds A histogram.",
    "# TYPE h_seconds histogram",
    `h_seconds_bucket{${env},m="rpc",le="0.0001"} 0`,
  ]);
  assert(lines.includes(`h_seconds_bucket{${env},m="rpc",le="0.0016"} 1`));
  assert(lines.includes(`h_seconds_bucket{${env},m="rpc",le="+Inf"} 1`));
  assert(lines.includes(`h_seconds_sum{${env},m="rpc"} 0.0015`));
  assertEquals(lines.at(-1), "");
});

transportTest("writeTransportMetrics() writes each number of each context once", async (stage) => {
  const { server, client } = await stage.pair({ handler: echo });
  const text = new PrometheusText();
  writeTransportMetrics(text, [server.context.stats(), { ...client.context.stats(), module: "files" }]);
  const lines = String(text).trimEnd().split("\n");
  const samples = lines.filter((line) => !line.startsWith("#"));
  for (const sample of samples) {
    assert(/^[a-z_]+\{module="(rpc|files)"(,le="[^"]+")?\} [0-9.e+-]+$/.test(sample), sample);
  }
  assertEquals(new Set(samples.map((sample) => sample.slice(0, sample.indexOf("}")))).size, samples.length);
  assert(samples.includes('sparkwire_connections{module="files"} 1'));
  const types = lines.filter((line) => line.startsWith("# TYPE "));
  assertEquals(types.length, new Set(types).size);
  assertEquals(types.length, Object.keys(server.context.stats()).length - 1, "each number but the module's name");
  for (const line of types) assertEquals(line.endsWith("_total counter"), line.endsWith(" counter"), line);
});
