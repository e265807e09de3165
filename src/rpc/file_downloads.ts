/**
 * The downloads of an environment: each has a connection for as long as it lasts, apart from those that messages go over.
 *
 * Spark: openChannel and downloadClient in core/…/rpc/netty/NettyRpcEnv.scala. Difference: there all downloads from one peer share
 * a connection and wait for each other; here each has one of its own, so that a reader which stalls or goes holds up nobody else,
 * and a connection whose download is complete is kept for the next.
 *
 * @module
 */

import { RpcOverloadedError, RpcStoppedError, StreamError } from "../base/errors.ts";
import type { SparkConf } from "../base/spark_conf.ts";
import { BodyChannel, type BodyFailure, type BodySink } from "../transport/body_channel.ts";
import { noOpRpcHandler } from "../transport/rpc_handler.ts";
import type { TransportChannelHandler } from "../transport/transport_channel_handler.ts";
import type { TransportClient } from "../transport/transport_client.ts";
import type { TransportClientFactory } from "../transport/transport_client_factory.ts";
import { TransportConf } from "../transport/transport_conf.ts";
import { TransportContext } from "../transport/transport_context.ts";
import type { TransportSurroundings } from "../transport/transport_context.ts";
import type { TransportStats } from "../transport/transport_metrics.ts";
import { RpcAddress } from "./rpc_address.ts";
import { roleOf } from "./rpc_conf.ts";
import { decodeEscapes, invalidAddress, parseUri } from "./spark_uri.ts";

/** How many connections to one peer are kept for later downloads; one idle for `spark.files.io.connectionTimeout` is closed. */
const MAX_IDLE_PER_PEER = 4;

/** What {@linkcode FileDownloads} is made with. */
export interface FileDownloadsOptions extends TransportSurroundings {
  /** How many downloads may be under way at once. */
  readonly maxDownloads: number;
}

/** What is downloaded, and from where. */
export interface DownloadTarget {
  readonly address: RpcAddress;
  /** The URI's path, without percent-encoding. */
  readonly streamId: string;
}

/**
 * Takes the URI of a file apart.
 *
 * @throws RpcError INVALID_ADDRESS, in Spark's words where it has any.
 */
export function parseDownloadUri(uri: string): DownloadTarget {
  const authority = /^[^:/?#]*:\/\/(?:[^@/?#]*@)?([^/?#]*)/.exec(uri)?.[1] ?? "";
  if (authority === "" || authority.startsWith(":")) throw invalidAddress("requirement failed: Host name must be defined.");
  const { scheme, host, port, rest } = parseUri(uri);
  if (scheme !== "spark") throw invalidAddress(`Expected scheme spark but got ${scheme}`);
  if (port === undefined || port === 0) throw invalidAddress("requirement failed: Port must be defined.");
  if (rest === "") throw invalidAddress("requirement failed: Path must be defined.");
  // Spark ignores them, and then a file name that should have been encoded is another file's.
  if (/[?#]/.test(rest)) throw invalidAddress(`Expected neither query nor fragment (? is %3F and # is %23): ${rest}`);
  return { address: new RpcAddress(host, port), streamId: decodeEscapes(rest) };
}

/** All downloads of an environment, and their connections. */
export class FileDownloads {
  readonly #context: TransportContext;
  readonly #factory: TransportClientFactory;
  readonly #maxDownloads: number;
  readonly #downloads = new Set<BodyChannel>();
  /** Connections that wait for the next download, by their peer. */
  readonly #idle = new Map<string, TransportClient[]>();
  #stopped: Error | undefined;

  /** @param conf The environment's configuration. @param options What connections are made with. */
  constructor(conf: SparkConf, options: FileDownloadsOptions) {
    // Spark: closeIdleConnections is on for downloads, and nowhere else.
    this.#context = new TransportContext(filesConf(conf), noOpRpcHandler, { ...options, closeIdleConnections: true });
    this.#factory = this.#context.createClientFactory();
    this.#maxDownloads = options.maxDownloads;
  }

  /** How many downloads are under way. */
  get size(): number {
    return this.#downloads.size;
  }

  /** What its connections do and have done. */
  stats(): TransportStats {
    return this.#context.stats();
  }

  /** The open connections. */
  get connections(): ReadonlySet<TransportChannelHandler> {
    return this.#context.connections;
  }

  /**
   * Starts a download; whatever goes wrong from here on fails it.
   *
   * @param target What and from where.
   * @param sink Who takes it; nothing of it is called within this call.
   * @param signal Cancels it.
   */
  open({ address, streamId }: DownloadTarget, sink: BodySink, signal?: AbortSignal): BodyChannel {
    const dial = new AbortController();
    let client: TransportClient | undefined;
    const onAbort = (): void => channel.cancel(signal?.reason);
    const channel = new BodyChannel(streamId, sink, (failure) => {
      this.#downloads.delete(channel);
      signal?.removeEventListener("abort", onAbort);
      if (client === undefined) dial.abort();
      else if (failure === undefined || isAnswer(failure)) this.#giveBack(address, client);
      else client.channel.abort(new StreamError(`Download of ${streamId} ended`, streamId, { cause: failure.reason }));
    });
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#connect(address, dial.signal, channel, signal).then((connected) => {
      client = connected;
      if (channel.hasEnded) this.#giveBack(address, client);
      else client.stream(streamId, channel);
    }).catch((thrown) => channel.cancel(thrown));
    return channel;
  }

  /** Fails all downloads and closes all connections. */
  async close(reason: Error): Promise<void> {
    this.#stopped = reason;
    for (const channel of [...this.#downloads]) channel.cancel(reason);
    this.#idle.clear();
    await this.#factory.close(reason);
    await this.#context.close(reason);
  }

  async #connect(
    address: RpcAddress,
    dial: AbortSignal,
    channel: BodyChannel,
    signal: AbortSignal | undefined,
  ): Promise<TransportClient> {
    if (signal?.aborted === true) throw signal.reason;
    if (this.#stopped !== undefined) throw new RpcStoppedError();
    if (this.#downloads.size >= this.#maxDownloads) {
      const message = `Cannot download ${channel.streamId}: ${this.#maxDownloads} downloads are under way (maxDownloads)`;
      throw new RpcOverloadedError(message, "downloads", this.#maxDownloads);
    }
    this.#downloads.add(channel);
    return this.#takeIdle(address) ?? await this.#dial(address, dial);
  }

  async #dial(address: RpcAddress, signal: AbortSignal): Promise<TransportClient> {
    const client = await this.#factory.createUnmanagedClient(address, { signal });
    client.channel.socket.closed.then(() => this.#forget(address.hostPort, client));
    return client;
  }

  #takeIdle(address: RpcAddress): TransportClient | undefined {
    const key = address.hostPort;
    for (let client = this.#idle.get(key)?.at(-1); client !== undefined; client = this.#idle.get(key)?.at(-1)) {
      this.#forget(key, client);
      if (client.isActive) return client;
    }
    return undefined;
  }

  #giveBack(address: RpcAddress, client: TransportClient): void {
    if (!client.isActive) return;
    const key = address.hostPort;
    const idle = this.#idle.get(key);
    if (this.#stopped !== undefined || idle?.length === MAX_IDLE_PER_PEER) client.close();
    else if (idle !== undefined) idle.push(client);
    else this.#idle.set(key, [client]);
  }

  /** It waits no more. */
  #forget(key: string, client: TransportClient): void {
    const idle = this.#idle.get(key);
    const at = idle?.indexOf(client) ?? -1;
    if (idle === undefined || at < 0) return;
    idle.splice(at, 1);
    if (idle.length === 0) this.#idle.delete(key);
  }
}

/**
 * Whether the peer said so, in good order, and its connection can be used again. Who gives up a download may do so for the answer to
 * another: then the rest of this one is still to come.
 */
function isAnswer({ reason, cancelled }: BodyFailure): boolean {
  return !cancelled && reason instanceof StreamError && reason.cause === undefined;
}

/** The module's own settings, and those of `rpc` where it has none. Spark: downloadClient. */
function filesConf(conf: SparkConf): TransportConf {
  const own = conf.clone();
  for (const [key, value] of conf.getAll()) {
    const suffix = /^spark\.rpc\.io\.(.+)$/.exec(key)?.[1];
    if (suffix !== undefined && !conf.contains(`spark.files.io.${suffix}`)) own.set(`spark.files.io.${suffix}`, value);
  }
  const numUsableCores = conf.getInt("spark.files.io.threads", 1);
  return new TransportConf("files", own, { numUsableCores, role: roleOf(conf) });
}
