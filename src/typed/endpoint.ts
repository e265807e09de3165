/**
 * An endpoint made of one handler per message of its contract.
 *
 * Spark: core/…/rpc/RpcEndpoint.scala, whose partial functions match on classes; here a message names its handler by its tag.
 *
 * @module
 */

import type { RpcAddress } from "../rpc/rpc_address.ts";
import type { RpcCallContext } from "../rpc/rpc_call_context.ts";
import { unhandled } from "../rpc/rpc_call_context.ts";
import type { TypedEndpoint } from "../rpc/rpc_endpoint.ts";
import type { RpcEndpointRef } from "../rpc/rpc_endpoint_ref.ts";
import { TypedMessage } from "../serializer/serializer.ts";
import type { Asks, Contract, EndpointCallbacks, Handlers, Payload, Sends } from "./contract.ts";
import type { StandardSchema } from "./standard_schema.ts";
import { validatePayload } from "./standard_schema.ts";
import { reservedTagError } from "./tag.ts";
import type { Ref } from "./typed_ref.ts";
import { typedRef } from "./typed_ref.ts";

/** A schema per tag of contract `C`, for payloads that come from outside. */
export type Schemas<C> =
  & { readonly [T in keyof Sends<C>]?: StandardSchema<Payload<Sends<C>[T]>> }
  & { readonly [T in keyof Asks<C>]?: StandardSchema<Payload<Asks<C>[T]>> };

/** How a typed endpoint takes its messages. */
export interface EndpointOptions<C> {
  /**
   * Checks payloads before their handlers see them; the handler gets the value that the schema makes. A payload that is not
   * valid fails its ask with an {@linkcode UnsupportedMessageError}, and is reported to onError. A schema for a tag without
   * handler is refused: it would be a misspelt one's, whose payloads went unchecked.
   *
   * @default none: the contract is taken on trust
   */
  readonly validate?: Schemas<C> | undefined;
  /**
   * One message at a time, in order of arrival, across `await`.
   *
   * @default true
   */
  readonly threadSafe?: boolean | undefined;
  /**
   * Gives the endpoint a loop of its own, so that a busy one keeps nobody waiting.
   *
   * @default false
   */
  readonly isolated?: boolean | undefined;
}

/** A handler after its types have done their work: the second argument is the sender's address, or the context of an ask. */
type Handler = (payload: unknown, rest: RpcAddress | RpcCallContext) => unknown;

type HandlerTable = ReadonlyMap<string, Handler>;

/** The callbacks that an inbox looks for; one that the user has not given must not be there. */
const CALLBACKS = ["onStart", "onStop", "onError", "onConnected", "onDisconnected", "onNetworkError"] as const;

/** Until it is set up, and if its maker throws, it takes no message. */
class HandlerEndpoint<C extends Contract> implements TypedEndpoint<C> {
  readonly threadSafe: boolean;
  readonly threadCount?: () => number;
  receive?: (message: unknown, senderAddress: RpcAddress) => unknown;
  receiveAndReply?: (message: unknown, context: RpcCallContext) => unknown;
  onStart?: () => unknown;
  onStop?: () => unknown;
  onError?: (error: Error) => unknown;
  onConnected?: (remoteAddress: RpcAddress) => unknown;
  onDisconnected?: (remoteAddress: RpcAddress) => unknown;
  onNetworkError?: (error: Error, remoteAddress: RpcAddress) => unknown;
  readonly #make: (self: Ref<C>) => Handlers<C>;
  readonly #schemas: ReadonlyMap<string, StandardSchema<unknown>>;
  #made = false;

  constructor(make: (self: Ref<C>) => Handlers<C>, options: EndpointOptions<C>) {
    this.#make = make;
    this.#schemas = schemasOf(options.validate ?? {});
    this.threadSafe = options.threadSafe ?? true;
    // Spark counts threads; all that matters here is whether there is more than one.
    if (options.isolated === true) this.threadCount = () => this.threadSafe ? 1 : 2;
  }

  onRegistered(self: RpcEndpointRef): void {
    // Handlers close over one `self` and one state: a second registration would have them serve two endpoints.
    if (this.#made) throw new TypeError(`Cannot set up ${self.name}: this typed endpoint has been set up before`);
    this.#made = true;
    const handlers = this.#make(typedRef<C>(self));
    const receive = this.#tableOf("receive", handlers.receive);
    const receiveAndReply = this.#tableOf("receiveAndReply", handlers.receiveAndReply);
    for (const tag of this.#schemas.keys()) {
      if (receive?.has(tag) || receiveAndReply?.has(tag)) continue;
      throw new TypeError(`Schema for ${tag}: endpoint ${self.name} has no handler of that tag`);
    }
    if (receive !== undefined) this.receive = (message, sender) => give(receive, message, sender);
    if (receiveAndReply !== undefined) this.receiveAndReply = (message, context) => give(receiveAndReply, message, context);
    Object.assign(this, boundCallbacks(handlers));
  }

  /** A Map, so that a peer's `constructor` or `__proto__` finds nothing that nobody put there. */
  #tableOf(kind: string, handlers: object | undefined): HandlerTable | undefined {
    if (handlers === undefined) return undefined;
    const prototype: object | null = Object.getPrototypeOf(handlers);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      throw new TypeError(`Handlers in ${kind} must be own members of an object literal, not methods of a class`);
    }
    const table = new Map<string, Handler>();
    for (const [tag, handler] of Object.entries(handlers)) {
      checkTag(tag);
      if (!isHandler(handler)) throw new TypeError(`Handler ${tag} in ${kind} is not a function: ${typeof handler}`);
      table.set(tag, this.#validated(tag, handler.bind(handlers)));
    }
    return table;
  }

  #validated(tag: string, handler: Handler): Handler {
    const schema = this.#schemas.get(tag);
    if (schema === undefined) return handler;
    return (payload, rest) => {
      const valid = validatePayload(schema, tag, payload);
      return valid instanceof Promise ? valid.then((value) => handler(value, rest)) : handler(valid, rest);
    };
  }
}

/** Gives a message to its handler; one that is not of a typed reference, or has a tag that nobody has, is not taken. */
function give(table: HandlerTable, message: unknown, rest: RpcAddress | RpcCallContext): unknown {
  if (!TypedMessage.is(message)) return unhandled;
  const handler = table.get(message.tag);
  return handler === undefined ? unhandled : handler(message.payload, rest);
}

function schemasOf(schemas: object): ReadonlyMap<string, StandardSchema<unknown>> {
  const table = new Map<string, StandardSchema<unknown>>(Object.entries(schemas));
  for (const tag of table.keys()) checkTag(tag);
  return table;
}

function checkTag(tag: string): void {
  const reserved = reservedTagError(tag);
  if (reserved !== undefined) throw reserved;
}

function isHandler(value: unknown): value is Handler {
  return typeof value === "function";
}

/** Those of the callbacks that were given, with their `this`. */
function boundCallbacks(callbacks: EndpointCallbacks): EndpointCallbacks {
  const bound: { [name: string]: unknown } = {};
  for (const name of CALLBACKS) {
    if (callbacks[name] !== undefined) bound[name] = callbacks[name].bind(callbacks);
  }
  return bound;
}

/**
 * Makes an endpoint of contract `C` for {@linkcode RpcEnv.setupEndpoint}, which calls `make` before it returns.
 *
 * A message that has no handler, or did not come from a typed reference, is answered with Spark's `Unsupported message`. What is
 * thrown in a handler fails its ask and reaches onError. `make` may use `self`; what it sends to itself comes after onStart.
 *
 * @param make Gives the handlers, as own members of object literals. It is given the endpoint's own reference.
 * @param options Validation, and how messages are taken.
 * @returns An endpoint that can be set up once.
 * @throws {RangeError} If a tag begins with `sparkwire:`; from `setupEndpoint` if it is a handler's.
 * @throws {TypeError} From `setupEndpoint`, if it is set up a second time, if handlers are not functions in an object literal, or if
 * there is a schema for a tag without handler.
 *
 * @example
 * ```ts
 * import { endpoint, RpcEnv, typedRef } from "@sparkwire/sparkwire";
 *
 * interface Counter {
 *   receive: { Add(amount: number): void };
 *   receiveAndReply: { Get(): number };
 * }
 * const env = await RpcEnv.create({ name: "local", host: "127.0.0.1", port: 0 });
 * const ref = env.setupEndpoint("Counter", endpoint<Counter>(() => {
 *   let count = 0;
 *   return {
 *     receive: { Add(amount) { count += amount; } },
 *     receiveAndReply: { Get: () => count },
 *   };
 * }));
 * const counter = typedRef(ref);
 * counter.send("Add", 2);
 * if (await counter.ask("Get") !== 2) throw new Error("did not count");
 * await env.shutdown();
 * ```
 */
export function endpoint<C extends Contract>(
  make: (self: Ref<C>) => Handlers<C>,
  options: EndpointOptions<C> = {},
): TypedEndpoint<C> {
  return new HandlerEndpoint(make, options);
}
