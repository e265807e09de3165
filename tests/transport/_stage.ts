/**
 * What tests of the transport stand on: contexts over real sockets and time by hand, all closed and checked at the end.
 *
 * @module
 */

import { assertEquals, AssertionError, assertRejects } from "@std/assert";
import { systemClock } from "../../src/base/clock.ts";
import { SparkConf } from "../../src/base/spark_conf.ts";
import { BytesManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import type { MessageBody } from "../../src/base/message_body.ts";
import { defaultSocketDriver } from "../../src/socket/default.ts";
import { nodeSocketDriver } from "../../src/socket/node.ts";
import type { SocketDriver } from "../../src/socket/socket.ts";
import { noOpRpcHandler, type RpcHandler } from "../../src/transport/rpc_handler.ts";
import type { RpcResponder, RpcResponseCallback } from "../../src/transport/rpc_response_callback.ts";
import type { StreamManager } from "../../src/transport/stream_manager.ts";
import type { TransportClientBootstrap } from "../../src/transport/transport_client_bootstrap.ts";
import type { TransportClientFactory } from "../../src/transport/transport_client_factory.ts";
import type { TransportClient } from "../../src/transport/transport_client.ts";
import { TransportConf } from "../../src/transport/transport_conf.ts";
import { TransportContext, type TransportSurroundings } from "../../src/transport/transport_context.ts";
import type { TransportServer } from "../../src/transport/transport_server.ts";
import { HandTime } from "../_hand_time.ts";
import { runtimeName, test, type TestContext, until, within } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";

/** The drivers that each test runs over: the runtime's own, and `node:net` everywhere. */
const drivers: readonly { readonly name: string; readonly load: () => Promise<SocketDriver> }[] = runtimeName === "node"
  ? [{ name: "node:net", load: defaultSocketDriver }]
  : [
    { name: `${runtimeName}'s own sockets`, load: defaultSocketDriver },
    { name: "node:net", load: () => Promise.resolve(nodeSocketDriver) },
  ];

/** Registers a test once per driver. */
export function transportTest(name: string, body: (stage: Stage) => Promise<void>): void {
  for (const { name: driverName, load } of drivers) {
    test(`${name} [${driverName}]`, async (context) => await body(new Stage(context, await load())));
  }
}

/** What one end is like. */
export interface EndOptions extends Partial<TransportSurroundings> {
  /** Whose settings `conf` has. */
  readonly module?: string;
  /** The configuration; a value without `spark.` belongs to the module's `io`. */
  readonly conf?: Readonly<Record<string, string>>;
  /** What is done with requests; what is left out is as in `noOpRpcHandler`. */
  readonly handler?: Partial<RpcHandler>;
}

/** One end: a context with its log. */
export class End {
  readonly context: TransportContext;
  readonly logger: MemoryLogger;
  readonly #stage: Stage;
  #factory: TransportClientFactory | undefined;

  constructor(stage: Stage, options: EndOptions) {
    const { module = "rpc", conf = {}, handler = {} } = options;
    const values = Object.entries(conf).map((
      [key, value],
    ) => [key.startsWith("spark.") ? key : `spark.${module}.io.${key}`, value]);
    this.#stage = stage;
    this.logger = new MemoryLogger();
    this.context = new TransportContext(
      new TransportConf(module, new SparkConf(Object.fromEntries(values))),
      { ...noOpRpcHandler, ...handler },
      { driver: stage.driver, clock: stage.clock, logger: this.logger, random: Math.random, ...options },
    );
  }

  get factory(): TransportClientFactory {
    return this.#factory ??= this.makeFactory();
  }

  makeFactory(bootstraps: readonly TransportClientBootstrap[] = []): TransportClientFactory {
    const factory = this.context.createClientFactory(bootstraps);
    this.#stage.defer("the factory", () => factory.close());
    return factory;
  }

  async listen(): Promise<TransportServer> {
    const server = await within(this.context.createServer(), "to listen");
    this.#stage.defer("the server", () => server.close());
    return server;
  }

  dial({ port }: { readonly port: number }): Promise<TransportClient> {
    return within(this.factory.createClient({ host: "127.0.0.1", port }), "to connect");
  }

  /** Waits until it has `count` connections. */
  async connections(count: number): Promise<void> {
    await until(() => this.context.connections.size === count, `${count} connections`);
  }

  /** The requests of peers that have not been answered. */
  get unanswered(): number {
    return [...this.context.connections].reduce((sum, handler) => sum + handler.stats().unansweredRequests, 0);
  }
}

/** A test's ends, which must be without connections and timers when it is over. */
export class Stage {
  readonly driver: SocketDriver;
  readonly clock: HandTime = new HandTime();
  readonly test: TestContext;
  readonly #ends: End[] = [];

  constructor(context: TestContext, driver: SocketDriver) {
    this.driver = driver;
    this.test = context;
    context.defer(() => this.#check());
  }

  end(options: EndOptions = {}): End {
    const end = new End(this, options);
    this.#ends.push(end);
    this.defer("the context", () => end.context.close());
    return end;
  }

  /** A server, an end that dials, and its connection. */
  async pair(server: EndOptions = {}, client: EndOptions = {}): Promise<Pair> {
    const [serverEnd, clientEnd] = [this.end(server), this.end(client)];
    const listening = await serverEnd.listen();
    return { server: serverEnd, client: clientEnd, listening, connection: await clientEnd.dial(listening) };
  }

  /** Lets the runtime see to its sockets `count` times: what must not happen has had its chance then. */
  async turns(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await new Promise<void>((resolve) => systemClock.setTimer(0, resolve));
  }

  defer(what: string, close: () => Promise<void>): void {
    this.test.defer(() => within(close(), `${what} to close at the end`));
  }

  async #check(): Promise<void> {
    for (const end of this.#ends) await end.connections(0);
    assertEquals(this.clock.timers, [], "timers are left");
  }
}

/** Two ends and the connection between them. */
export interface Pair {
  readonly server: End;
  readonly client: End;
  readonly listening: TransportServer;
  readonly connection: TransportClient;
}

const utf8 = new TextEncoder();

/** A text as the content of a message. */
export function bytesOf(text: string): Uint8Array {
  return utf8.encode(text);
}

/** The text of a message's body. */
export function textOf(body: MessageBody): string {
  return new TextDecoder().decode(body.bytes);
}

/** Sends a request; the promise is of the answer's bytes. */
export function askBytes(client: TransportClient, content: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    client.sendRpc(content, waiter((body) => resolve(body.take().slice()), reject));
  });
}

/** Sends a text; the promise is of the answer's text. */
export async function ask(client: TransportClient, text: string): Promise<string> {
  return new TextDecoder().decode(await within(askBytes(client, bytesOf(text)), `the answer to ${text}`));
}

/** The error of a request; fails if it succeeds, or is not over in time. */
export async function failureOf(asking: Promise<unknown>): Promise<Error> {
  const error = await within(assertRejects(() => asking, Error), "the failure");
  // A test's own deadline is no request's failure.
  if (error instanceof AssertionError) throw error;
  return error;
}

/** A callback without a deadline. */
export function waiter(
  onSuccess: (body: MessageBody) => void = () => {},
  onFailure: (error: Error) => void = () => {},
): RpcResponseCallback {
  return { deadline: Infinity, onSuccess, onFailure, onTimeout() {} };
}

/** Answers each request with its own bytes. */
export const echo: Partial<RpcHandler> = {
  receive: (_, body, responder) => void responder.onSuccess(body.take()),
};

/** Answers nothing by itself: the test does. */
export class Held {
  readonly requests: { readonly text: string; readonly responder: RpcResponder }[] = [];
  readonly receive: RpcHandler["receive"] = (_, body, responder) => {
    this.requests.push({ text: textOf(body), responder });
  };

  /** Waits until `count` requests have come. */
  async count(count: number): Promise<void> {
    await until(() => this.requests.length === count, `${count} requests`);
  }
}

/** Writes down what an application hears of its connections. */
export class Life {
  readonly events: string[] = [];
  readonly handler: Partial<RpcHandler> = {
    ...echo,
    channelActive: () => void this.events.push("active"),
    channelInactive: (client) => void this.events.push(`inactive ${client.isActive}`),
    exceptionCaught: () => void this.events.push("exception"),
  };
}

/** Streams that are in memory, by name. */
export function streamsOf(streams: Readonly<Record<string, Uint8Array>>): StreamManager {
  return {
    openStream: (name) => Object.hasOwn(streams, name) ? new BytesManagedBuffer(streams[name]!) : undefined,
  };
}
