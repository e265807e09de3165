/**
 * What an environment tells of itself, as Prometheus reads it.
 *
 * Spark's RpcEnv has no metrics.
 *
 * @module
 */

import { type MetricLabels, type MetricSample, PrometheusText, writeTransportMetrics } from "../transport/prometheus_text.ts";
import type { EndpointStats, RpcEnvStats } from "./rpc_env_stats.ts";

/**
 * The text of a scrape: every gauge and counter of `env.stats()`. Connections are told of by their module, not one by one, and drops for
 * all endpoints together.
 *
 * @param stats A snapshot.
 * @param labels Put to every sample.
 * @throws RangeError if the name of a label is none: letters, digits and `_`.
 *
 * @example Metrics at a URL
 * ```ts
 * import { prometheusMetrics, RpcEnv } from "@sparkwire/sparkwire";
 *
 * const env = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0 });
 * const scrape = () => new Response(prometheusMetrics(env.stats(), { env: env.name }), { headers: { "content-type": "text/plain" } });
 * const text = await scrape().text();
 * if (!text.includes('sparkwire_connections{env="server",module="rpc"} 0\n')) throw new Error(text);
 * await env.shutdown();
 * ```
 */
export function prometheusMetrics(stats: RpcEnvStats, labels: MetricLabels = {}): string {
  const text = new PrometheusText(labels);
  writeTransportMetrics(text, stats.transports);
  const of = (pick: (endpoint: EndpointStats) => number): MetricSample[] =>
    stats.endpoints.map((endpoint) => ({ labels: { endpoint: endpoint.name }, value: pick(endpoint) }));
  text.gauge("sparkwire_inbox_messages", "Messages that wait for an endpoint.", of((e) => e.queuedMessages));
  text.gauge(
    "sparkwire_inbox_messages_max",
    "The most messages that ever waited for an endpoint.",
    of((e) => e.maxQueuedMessages),
  );
  text.gauge("sparkwire_inbox_bytes", "Bytes of messages that wait for an endpoint or are in its hands.", of((e) => e.bytes));
  text.gauge("sparkwire_messages_in_hand", "Messages whose handlers have not settled.", of((e) => e.messagesInHand));
  text.counter("sparkwire_messages_processed_total", "Messages that were handled.", of((e) => e.processedMessages));
  text.counter("sparkwire_messages_dropped_total", "Messages dropped, or for no inbox.", [{ value: stats.droppedMessages }]);
  text.counter("sparkwire_messages_lost_total", "One-way messages that were lost on their way out.", [{
    value: stats.lostMessages,
  }]);
  text.counter("sparkwire_messages_undecoded_total", "One-way messages that could not be decoded.", [
    { value: stats.undecodedMessages },
  ]);
  const outbox = (pick: (outbox: RpcEnvStats["outboxes"][number]) => number): MetricSample[] =>
    stats.outboxes.map((each) => ({ labels: { address: each.address }, value: pick(each) }));
  text.gauge("sparkwire_outbox_messages", "Messages that wait for a connection.", outbox((o) => o.queuedMessages));
  text.gauge("sparkwire_outbox_bytes", "Bytes of messages that wait for a connection.", outbox((o) => o.queuedBytes));
  text.gauge("sparkwire_local_asks", "Asks of own endpoints that wait.", [{ value: stats.localAsks }]);
  text.gauge("sparkwire_signals", "Signals that asks wait on.", [{ value: stats.signals }]);
  text.gauge("sparkwire_downloads", "Downloads that are under way.", [{ value: stats.downloads }]);
  text.gauge("sparkwire_streams_being_sent", "Streams that peers are being sent.", [{ value: stats.streamsBeingSent }]);
  text.gauge("sparkwire_open_files", "Files that the file server has open.", [{ value: stats.openFiles }]);
  const limits = Object.entries(stats.limits).map(([name, value]) => ({ labels: { limit: name }, value }));
  text.gauge("sparkwire_limit", "The limits in force.", limits);
  return text.toString();
}
