/**
 * Writes numbers as Prometheus reads them: text format 0.0.4.
 *
 * @module
 */

import type { LatencyStats } from "./latency_histogram.ts";
import type { TransportStats } from "./transport_metrics.ts";

/** Names and values of labels. */
export type MetricLabels = Readonly<Record<string, string>>;

/** One value of a metric. */
export interface MetricSample {
  readonly labels?: MetricLabels | undefined;
  readonly value: number;
}

const LABEL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A text that grows by one metric at a time. */
export class PrometheusText {
  readonly #labels: MetricLabels;
  #text = "";

  /**
   * @param labels Put to every sample.
   * @throws RangeError if the name of one is none.
   */
  constructor(labels: MetricLabels = {}) {
    for (const name of Object.keys(labels)) {
      if (LABEL_NAME.test(name)) continue;
      throw new RangeError(`Label's name must be letters, digits and _, and begin with no digit: ${name}`);
    }
    this.#labels = labels;
  }

  /** What there is at the moment. */
  gauge(name: string, help: string, samples: readonly MetricSample[]): void {
    this.#metric(name, "gauge", help, samples);
  }

  /** What counts up; its name ends in `_total`. */
  counter(name: string, help: string, samples: readonly MetricSample[]): void {
    this.#metric(name, "counter", help, samples);
  }

  /** Durations, in seconds as Prometheus has them. */
  histogram(
    name: string,
    help: string,
    samples: readonly { readonly labels: MetricLabels; readonly stats: LatencyStats }[],
  ): void {
    this.#head(name, "histogram", help);
    for (const { labels, stats } of samples) {
      for (const { upToMs, count } of stats.steps) this.#sample(`${name}_bucket`, { ...labels, le: seconds(upToMs) }, count);
      this.#sample(`${name}_bucket`, { ...labels, le: "+Inf" }, stats.count);
      this.#sample(`${name}_sum`, labels, stats.sumMs / 1000);
      this.#sample(`${name}_count`, labels, stats.count);
    }
  }

  toString(): string {
    return this.#text;
  }

  #metric(name: string, type: string, help: string, samples: readonly MetricSample[]): void {
    if (samples.length === 0) return;
    this.#head(name, type, help);
    for (const { labels = {}, value } of samples) this.#sample(name, labels, value);
  }

  #head(name: string, type: string, help: string): void {
    this.#text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  }

  #sample(name: string, labels: MetricLabels, value: number): void {
    const pairs = Object.entries({ ...this.#labels, ...labels }).map(([label, text]) => `${label}="${escape(text)}"`);
    this.#text += `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}\n`;
  }
}

/** Appends what contexts tell of themselves, each with its module as a label. */
export function writeTransportMetrics(text: PrometheusText, contexts: readonly TransportStats[]): void {
  const of = (pick: (stats: TransportStats) => number): MetricSample[] =>
    contexts.map((stats) => ({ labels: { module: stats.module }, value: pick(stats) }));
  text.gauge("sparkwire_connections", "Open connections.", of((s) => s.connections));
  text.counter("sparkwire_connections_opened_total", "Connections that were opened.", of((s) => s.connectionsOpened));
  text.counter("sparkwire_connections_closed_total", "Connections that are closed.", of((s) => s.connectionsClosed));
  text.counter("sparkwire_connections_broken_total", "Connections that broke.", of((s) => s.connectionsBroken));
  text.counter(
    "sparkwire_connections_timed_out_total",
    "Connections that were silent for too long.",
    of((s) => s.connectionsTimedOut),
  );
  text.counter("sparkwire_connections_refused_total", "Connections above the limit.", of((s) => s.connectionsRefused));
  text.counter("sparkwire_dials_failed_total", "Dials that came to nothing.", of((s) => s.dialsFailed));
  text.counter("sparkwire_read_bytes_total", "Bytes that have arrived.", of((s) => s.bytesRead));
  text.counter("sparkwire_written_bytes_total", "Bytes that were handed to sockets.", of((s) => s.bytesWritten));
  text.counter("sparkwire_read_frames_total", "Frames that have arrived.", of((s) => s.framesRead));
  text.counter("sparkwire_written_frames_total", "Frames that were sent.", of((s) => s.framesWritten));
  text.gauge("sparkwire_outstanding_requests", "Own requests that wait for their answers.", of((s) => s.outstandingRequests));
  text.gauge(
    "sparkwire_unanswered_requests",
    "Requests of peers that have not been answered.",
    of((s) => s.unansweredRequests),
  );
  text.gauge("sparkwire_queued_bytes", "Bytes that wait to be sent.", of((s) => s.queuedBytes));
  text.counter("sparkwire_streams_sent_total", "Streams that were sent.", of((s) => s.streamsSent));
  text.counter("sparkwire_chunks_sent_total", "Chunks that were sent.", of((s) => s.chunksSent));
  text.counter(
    "sparkwire_transfers_failed_total",
    "Streams and chunks that were refused or broke off.",
    of((s) => s.transfersFailed),
  );
  text.counter("sparkwire_uploads_received_total", "Uploads that came to their ends.", of((s) => s.uploadsReceived));
  text.counter("sparkwire_uploads_failed_total", "Uploads that failed.", of((s) => s.uploadsFailed));
  text.histogram(
    "sparkwire_request_latency_seconds",
    "How long requests waited for their answers, one at a time per connection.",
    contexts.map((stats) => ({ labels: { module: stats.module }, stats: stats.requestLatency })),
  );
}

/** A step's bound, without the digits that binary fractions bring. */
function seconds(ms: number): string {
  return String(Number((ms / 1000).toPrecision(12)));
}

function escape(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
