/**
 * An environment over the transport: decides which way a message goes, and owns all that has a life.
 *
 * Spark: core/…/rpc/netty/NettyRpcEnv.scala. Differences: ids, codecs and bounds as the files beside this one say; shutdown
 * sends what was sent before it; and it may be called from a handler.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import { Deadlines } from "../base/deadlines.ts";
import { checkDuration } from "../base/limits.ts";
import { RpcEndpointNotFoundError, RpcStoppedError, toError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import type { SparkConf } from "../base/spark_conf.ts";
import type { Files } from "../platform/files.ts";
import type { MessageBody } from "../base/message_body.ts";
import { CheckExistence } from "../serializer/java/check_existence.ts";
import type { SerializerContext } from "../serializer/serializer.ts";
import type { SocketDriver } from "../socket/socket.ts";
import { CLOSE_LINGER_MS } from "../transport/channel.ts";
import { readableBody } from "../transport/readable_body.ts";
import type { TransferOptions } from "../transport/transfers.ts";
import type { TransportClient } from "../transport/transport_client.ts";
import type { TransportClientFactory } from "../transport/transport_client_factory.ts";
import { TransportConf } from "../transport/transport_conf.ts";
import { TransportContext } from "../transport/transport_context.ts";
import type { TransportServer } from "../transport/transport_server.ts";
import { AbortListeners } from "./abort_listeners.ts";
import type { ContentCodecs } from "./content_codecs.ts";
import { Dispatcher } from "./dispatcher.ts";
import { FileDownloads, parseDownloadUri } from "./file_downloads.ts";
import { LocalMessages } from "./local_messages.ts";
import { parseLookupTarget } from "./lookup_target.ts";
import type { LookupTarget } from "./lookup_target.ts";
import { encodeRef, NettyRpcEndpointRef } from "./netty_rpc_endpoint_ref.ts";
import { NettyRpcHandler } from "./netty_rpc_handler.ts";
import { NettyStreamManager } from "./netty_stream_manager.ts";
import { OneWayOutboxMessage } from "./one_way_outbox_message.ts";
import { Outboxes } from "./outboxes.ts";
import { PendingAsk } from "./pending_ask.ts";
import { RpcAddress } from "./rpc_address.ts";
import { RpcConnection } from "./rpc_connection.ts";
import type { RpcEndpoint } from "./rpc_endpoint.ts";
import type { AbortableRpcFuture, AskOptions, RpcEndpointRef } from "./rpc_endpoint_ref.ts";
import type { LookupOptions, RpcEnv, RpcEnvLimits, RpcEnvOptions, ShutdownOptions } from "./rpc_env.ts";
import type { RpcEnvStats } from "./rpc_env_stats.ts";
import { RpcEndpointVerifier, VERIFIER_NAME } from "./rpc_endpoint_verifier.ts";
import { maxMessageBytes, roleOf, rpcEnvLimitsInForce } from "./rpc_conf.ts";
import { RpcTimeout } from "./rpc_timeout.ts";
import { SparkPeers } from "./spark_peers.ts";

/** How long shutdown waits for endpoints, unless it is told. */
const DEFAULT_SHUTDOWN_MS = 10_000;
/** How long handlers may go on after the beginning of a shutdown before their signals tell them to end; at most half of its deadline. */
const SIGNALS_MS = 1_000;

/** What {@linkcode NettyRpcEnv} is made of: the options, with every default filled in. */
export interface NettyRpcEnvOptions extends RpcEnvOptions {
  readonly conf: SparkConf;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  readonly driver: SocketDriver;
  readonly files: Files;
  readonly codecs: ContentCodecs;
  readonly host: string;
}

/** An environment. Its public face is {@linkcode RpcEnv}; the rest is for the files beside this one. */
export class NettyRpcEnv implements RpcEnv {
  readonly name: string;
  /** The host that others reach it at. */
  readonly host: string;
  readonly conf: SparkConf;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly codecs: ContentCodecs;
  readonly limits: RpcEnvLimits;
  readonly bindForwardedRefs: boolean;
  readonly transportConf: TransportConf;
  readonly deadlines: Deadlines;
  readonly dispatcher: Dispatcher;
  /** The signals that asks wait on. */
  readonly signals = new AbortListeners();
  /** The context in which content is encoded. */
  readonly encoding: SerializerContext;
  /** What is known of the Sparks at the other ends. */
  readonly sparkPeers: SparkPeers;
  /** Messages on their way to addresses that are dialled. */
  readonly outboxes: Outboxes;
  readonly fileServer: NettyStreamManager;
  /** What is fetched from others' file servers. */
  readonly downloads: FileDownloads;
  /** One-way messages that arrived and could not be decoded. */
  undecodedMessages = 0;
  /** How long asks wait that say nothing else; references carry it to a Spark. */
  readonly askTimeout: RpcTimeout;
  readonly #lookupTimeout: RpcTimeout;
  readonly #context: TransportContext;
  readonly #clientFactory: TransportClientFactory;
  readonly #local: LocalMessages;
  #server: TransportServer | undefined;
  #address: RpcAddress | undefined;
  #stopped = false;
  #shutdown: Promise<void> | undefined;

  /** @param options Everything that it needs. */
  constructor(options: NettyRpcEnvOptions) {
    const { conf, clock, logger, driver, random, exposeStack, tls } = options;
    this.name = options.name;
    this.host = options.host;
    this.conf = conf;
    this.clock = clock;
    this.random = random;
    this.logger = logger;
    this.codecs = options.codecs;
    this.bindForwardedRefs = options.bindForwardedRefs ?? false;
    this.limits = rpcEnvLimitsInForce(conf, options.limits);
    const { numUsableCores } = options;
    // One connection per peer, whatever is configured: messages to one peer keep their order.
    const perPeer = Math.min(1, conf.getInt("spark.rpc.io.numConnectionsPerPeer", 1));
    const transportConf = conf.clone().set("spark.rpc.io.numConnectionsPerPeer", perPeer);
    this.transportConf = new TransportConf("rpc", transportConf, { numUsableCores, role: roleOf(conf) });
    this.askTimeout = RpcTimeout.ask(conf);
    this.#lookupTimeout = RpcTimeout.lookup(conf);
    this.deadlines = new Deadlines(clock);
    this.dispatcher = new Dispatcher({ ...this.limits, clock, logger, onDropped: options.onDropped });
    this.fileServer = new NettyStreamManager(this, options.files);
    const surroundings = { driver, clock, logger, random, deadlines: this.deadlines, exposeStack, tls };
    this.#context = new TransportContext(this.transportConf, new NettyRpcHandler(this, this.fileServer), {
      ...surroundings,
      limits: { ...this.limits, maxFrameBytes: maxMessageBytes(conf) },
    });
    this.downloads = new FileDownloads(conf, { ...surroundings, maxDownloads: this.limits.maxDownloads });
    this.#clientFactory = this.#context.createClientFactory();
    this.encoding = {
      exposeStack: options.exposeStack ?? false,
      encodeRef,
      decodeRef: (name, address) => this.#ownRef(name, address),
    };
    const { deadlines, encoding, limits: { maxOutboxBytes } } = this;
    this.sparkPeers = new SparkPeers({ encoding, deadlines, maxOutboxBytes, logger });
    const { maxFrameBytes } = this.#context.limits;
    this.outboxes = new Outboxes({
      maxOutboxBytes,
      maxFrameBytes,
      deadlines,
      logger,
      sparkPeers: this.sparkPeers,
      connect: (address) => this.#clientFactory.createClient(address),
    });
    this.#local = new LocalMessages(this, options.localMessages === "clone" ? maxFrameBytes : undefined);
  }

  get address(): RpcAddress | undefined {
    return this.#address;
  }

  /** Listens and registers the endpoint-verifier. */
  async startServer(bindHost: string, port: number): Promise<void> {
    const bind = new RpcAddress(bindHost, port);
    this.#server = await this.#context.createServer(port, { host: bind.host });
    this.#address = new RpcAddress(this.host, this.#server.port);
    this.#local.sender = this.#address;
    this.setupEndpoint(VERIFIER_NAME, new RpcEndpointVerifier(this.dispatcher));
  }

  setupEndpoint(name: string, endpoint: RpcEndpoint): NettyRpcEndpointRef {
    let made: NettyRpcEndpointRef | undefined;
    this.dispatcher.registerRpcEndpoint(name, endpoint, (inbox) => {
      made = new NettyRpcEndpointRef(this, this.#address, name, { local: true });
      return new NettyRpcEndpointRef(this, this.#address, name, { local: true, selfInbox: inbox });
    });
    // Who set the endpoint up is not the endpoint: only its own `self` is watched for asking itself.
    return made!;
  }

  async setupEndpointRef(target: LookupTarget, options: LookupOptions = {}): Promise<NettyRpcEndpointRef> {
    const { rpcAddress, name, uri } = parseLookupTarget(target);
    const serializer = options.serializer === undefined ? undefined : this.codecs.named(options.serializer);
    const local = rpcAddress.equals(this.#address);
    const verifier = new NettyRpcEndpointRef(this, rpcAddress, VERIFIER_NAME, { local, serializer: this.codecs.lookup });
    const timeout = options.timeoutMs === undefined ? this.#lookupTimeout : new RpcTimeout(options.timeoutMs, "timeoutMs");
    options.signal?.throwIfAborted();
    const lookup = new PendingAsk(this, verifier, new CheckExistence(name), timeout);
    lookup.markLookup();
    const exists = await this.#begin(lookup, verifier, options.signal);
    if (exists !== true) throw new RpcEndpointNotFoundError(`Cannot find endpoint: ${uri}`, uri);
    return new NettyRpcEndpointRef(this, rpcAddress, name, { local, serializer });
  }

  endpointRef(endpoint: RpcEndpoint): RpcEndpointRef | undefined {
    return this.dispatcher.getRpcEndpointRef(endpoint);
  }

  stop<C>(ref: RpcEndpointRef<C>): void {
    // By name alone, as in Spark, a reference to somebody else's endpoint would stop the one that has its name here.
    if (!(ref instanceof NettyRpcEndpointRef && ref.isLocalTo(this))) {
      throw new TypeError(`requirement failed: ${ref} is no reference to an endpoint of this environment`);
    }
    if (!this.dispatcher.stopped) this.dispatcher.unregisterRpcEndpoint(ref.name);
  }

  openChannel(uri: string, { signal, onSize }: TransferOptions = {}): ReadableStream<Uint8Array> {
    const target = parseDownloadUri(uri);
    return readableBody((sink) => this.downloads.open(target, sink, signal), onSize);
  }

  /** Sends a message that wants no answer. */
  send(ref: NettyRpcEndpointRef, message: unknown): void {
    if (message === null || message === undefined) throw new TypeError("requirement failed: Message is null");
    if (this.#stopped || (ref.local && this.dispatcher.stopped)) {
      this.outboxes.lost(ref.address ?? this.#local.sender, new RpcStoppedError());
    } else if (ref.local) {
      this.#local.send(ref, message);
    } else {
      this.outboxes.send(ref, new OneWayOutboxMessage(ref, message));
    }
  }

  /** Sends a message and waits for the answer. */
  ask(ref: NettyRpcEndpointRef, message: unknown, options?: AskOptions): Promise<unknown> {
    if (options !== undefined) return this.askAbortable(ref, message, options).future;
    const ask = new PendingAsk(this, ref, message, this.askTimeout);
    this.#start(ask, ref);
    return ask.promise;
  }

  /** Sends a message and waits for the answer, unless it is aborted. */
  askAbortable(ref: NettyRpcEndpointRef, message: unknown, options: AskOptions = {}): AbortableRpcFuture {
    if (options.signal?.aborted === true) return { future: Promise.reject(options.signal.reason), abort() {} };
    let timeout: RpcTimeout;
    try {
      timeout = this.#timeoutOf(options);
    } catch (thrown) {
      return { future: Promise.reject(thrown), abort() {} };
    }
    const ask = new PendingAsk(this, ref, message, timeout);
    return { future: this.#begin(ask, ref, options.signal), abort: (reason) => ask.abort(reason) };
  }

  /** Forgets an ask that nobody waits for. */
  forget(client: TransportClient | undefined, requestId: number): void {
    if (client === undefined) this.#local.forget(requestId);
    else client.removeRpcRequest(requestId);
  }

  /** Reads an answer that came over `client`. */
  decodeReply(client: TransportClient | undefined, body: MessageBody): unknown {
    const serializer = this.codecs.recogniseReply(body);
    const connection = client?.channel.attachment;
    const context = connection instanceof RpcConnection ? connection.decoding(serializer) : this.encoding;
    return serializer.decode(body, context);
  }

  shutdown(options: ShutdownOptions = {}): Promise<void> {
    const deadlineMs = options.deadlineMs ?? DEFAULT_SHUTDOWN_MS;
    try {
      checkDuration(deadlineMs, "deadlineMs");
    } catch (thrown) {
      return Promise.reject(thrown);
    }
    this.#shutdown ??= this.#end(deadlineMs);
    return this.#shutdown;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  awaitTermination(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    return this.dispatcher.awaitTermination(options.signal);
  }

  stats(): RpcEnvStats {
    const endpoints = [...this.dispatcher.inboxes].map((inbox) => inbox.stats());
    const connections = [...this.#context.connections, ...this.downloads.connections].map((handler) => handler.stats());
    return {
      endpoints,
      connections,
      transports: [this.#context.stats(), this.downloads.stats()],
      outboxes: this.outboxes.stats(),
      localAsks: this.#local.outstandingAsks,
      signals: this.signals.size,
      downloads: this.downloads.size,
      streamsBeingSent: this.fileServer.streamsBeingSent,
      openFiles: this.fileServer.files.openHandles,
      droppedMessages: endpoints.reduce((sum, endpoint) => sum + endpoint.droppedMessages, this.dispatcher.droppedMessages),
      lostMessages: this.outboxes.lostMessages,
      undecodedMessages: this.undecodedMessages,
      limits: { ...this.limits, maxFrameBytes: this.#context.limits.maxFrameBytes },
    };
  }

  #timeoutOf(options: AskOptions): RpcTimeout {
    return options.timeoutMs === undefined ? this.askTimeout : new RpcTimeout(options.timeoutMs, "timeoutMs");
  }

  #begin(ask: PendingAsk, ref: NettyRpcEndpointRef, signal: AbortSignal | undefined): Promise<unknown> {
    if (signal !== undefined) ask.abortBy(signal);
    this.#start(ask, ref);
    return ask.promise;
  }

  #start(ask: PendingAsk, ref: NettyRpcEndpointRef): void {
    try {
      if (this.#stopped) throw new RpcStoppedError();
      // Nearly all asks find the connection that the one before them went over.
      const direct = ref.outbox?.client;
      if (direct !== undefined) {
        ask.sendOver(direct, ask);
      } else if (ref.local) {
        this.#local.ask(ask, ref, ask.takeMessage());
      } else {
        this.outboxes.ask(ref, ask);
      }
    } catch (thrown) {
      ask.onFailure(toError(thrown));
    }
  }

  #ownRef(name: string, address: { readonly host: string; readonly port: number } | undefined): NettyRpcEndpointRef {
    const rpcAddress = address === undefined ? undefined : new RpcAddress(address.host, address.port, { asWritten: true });
    const local = rpcAddress === undefined || rpcAddress.equals(this.#address);
    return new NettyRpcEndpointRef(this, rpcAddress, name, { local });
  }

  /** Endpoints first, so that none of them hears of the connections that are closed after. */
  async #end(deadlineMs: number): Promise<void> {
    const endsAt = this.clock.now() + deadlineMs;
    let giveUp = (): void => {};
    const late = new Promise<void>((resolve) => {
      giveUp = resolve;
    });
    const timer = this.clock.setTimer(deadlineMs, () => {
      this.dispatcher.abandon();
      giveUp();
    });
    const reason = new RpcStoppedError();
    // A handler that waits on its signal would wait for this, and this for it.
    const signalling = this.clock.setTimer(Math.min(SIGNALS_MS, deadlineMs / 2), () => this.#endSignals(reason));
    await this.dispatcher.stop();
    signalling.cancel();
    this.#stopped = true;
    // What was sent before the shutdown still waits for its connection, perhaps.
    await Promise.race([this.outboxes.connected(), late]);
    timer.cancel();
    this.outboxes.stop(reason);
    this.#local.stop(reason);
    this.#endSignals(reason);
    // All at once, and with the time that is left: by themselves they have as much as a peer needs that is well.
    const lingerMs = Math.max(CLOSE_LINGER_MS, endsAt - this.clock.now());
    for (const { channel } of this.#context.connections) channel.close(reason, lingerMs);
    await this.downloads.close(reason);
    await this.#server?.close(reason);
    await this.#clientFactory.close(reason);
    await this.#context.close(reason);
  }

  #endSignals(reason: Error): void {
    this.#local.endSignals(reason);
    for (const { channel } of this.#context.connections) {
      if (channel.attachment instanceof RpcConnection) channel.attachment.signals.end(reason);
    }
  }
}
