/**
 * A reference that knows its endpoint's contract: the compiler checks tags, payloads and answers.
 *
 * Spark: core/…/rpc/RpcEndpointRef.scala, whose messages are Any. It is no Proxy: tags are texts that can be searched for.
 *
 * @module
 */

import type { RpcAddress } from "../rpc/rpc_address.ts";
import type { AskOptions, RpcEndpointRef } from "../rpc/rpc_endpoint_ref.ts";
import { ENCODED_REF, TypedMessage } from "../serializer/serializer.ts";
import type { Args, Asks, Contract, Reply, Sends } from "./contract.ts";
import { reservedTagError } from "./tag.ts";

/**
 * Sends messages of contract `C` to one endpoint. Made by {@linkcode typedRef}.
 *
 * It does not travel in messages; its `ref` does, and the receiver makes a typed reference of that. It is none of another
 * contract: a tag would go to an endpoint that does not have it, a payload to one that wants more.
 */
export interface Ref<C> {
  /** The reference that travels in messages, and that an environment stops. */
  readonly ref: RpcEndpointRef<C>;
  /** The endpoint's name. */
  readonly name: string;
  /** Where its environment listens; undefined if that is in client mode. */
  readonly address: RpcAddress | undefined;
  /**
   * Sends a message and waits for the answer, as {@linkcode RpcEndpointRef.ask}: it never throws, its promise rejects.
   *
   * A payload whose type has a type parameter of generic code is said to be {@linkcode Travels}.
   *
   * @param tag A method of the contract's `receiveAndReply`.
   * @param args Its payload, `undefined` where options follow and it takes none; then timeout and signal.
   */
  ask<T extends keyof Asks<C> & string>(
    tag: T,
    ...args: Args<Asks<C>[T], [options?: AskOptions]>
  ): Promise<Awaited<Reply<Asks<C>[T]>>>;
  /**
   * Sends a message that wants no answer, as {@linkcode RpcEndpointRef.send}.
   *
   * @param tag A method of the contract's `receive`.
   * @param args Its payload, if it takes one.
   * @throws {SerializerError} If the payload cannot be encoded.
   * @throws {RangeError} If the tag begins with `sparkwire:`.
   * @throws {RpcError} If a local endpoint does not exist.
   */
  send<T extends keyof Sends<C> & string>(tag: T, ...args: Args<Sends<C>[T]>): void;
  /** Whether `other` is a typed reference that leads to the same address and name. */
  equals(other: unknown): boolean;
  /** As the untyped reference prints itself: `NettyRpcEndpointRef(spark://name@host:port)`. */
  toString(): string;
}

class TypedRef<C> implements Ref<C> {
  readonly ref: RpcEndpointRef<C>;

  constructor(ref: RpcEndpointRef<C>) {
    this.ref = ref;
  }

  get name(): string {
    return this.ref.name;
  }

  get address(): RpcAddress | undefined {
    return this.ref.address;
  }

  /** What a codec asks for that finds it in a message. */
  get [ENCODED_REF](): never {
    throw new TypeError("A typed reference does not travel in messages; send its untyped one: .ref");
  }

  // What the contract says of the answer is taken on trust, as what it says of a payload is at the other end.
  ask<T extends keyof Asks<C> & string>(
    tag: T,
    ...args: Args<Asks<C>[T], [options?: AskOptions]>
  ): Promise<Awaited<Reply<Asks<C>[T]>>>;
  ask(tag: string, payload?: unknown, options?: AskOptions): Promise<unknown> {
    const reserved = reservedTagError(tag);
    if (reserved !== undefined) return Promise.reject(reserved);
    return this.ref.ask(new TypedMessage(tag, payload), options);
  }

  send<T extends keyof Sends<C> & string>(tag: T, ...args: Args<Sends<C>[T]>): void;
  send(tag: string, payload?: unknown): void {
    const reserved = reservedTagError(tag);
    if (reserved !== undefined) throw reserved;
    this.ref.send(new TypedMessage(tag, payload));
  }

  equals(other: unknown): boolean {
    return other instanceof TypedRef && this.ref.equals(other.ref);
  }

  toString(): string {
    return this.ref.toString();
  }
}

/**
 * Gives a reference its endpoint's contract: by inference for one that came in a message of a contract, by name for one that was
 * looked up, where nothing but your word says what is behind it.
 *
 * @param ref The untyped reference.
 * @returns A typed one that sends over it.
 *
 * @example
 * ```ts
 * import { endpoint, RpcEnv, typedRef } from "@sparkwire/sparkwire";
 *
 * interface Calculator {
 *   receiveAndReply: { Add(m: { a: number; b: number }): number };
 * }
 * const server = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0 });
 * server.setupEndpoint("Calculator", endpoint<Calculator>(() => ({ receiveAndReply: { Add: ({ a, b }) => a + b } })));
 *
 * const client = await RpcEnv.create({ name: "client" });
 * const calculator = typedRef<Calculator>(await client.setupEndpointRef(`spark://Calculator@${server.address}`));
 * if (await calculator.ask("Add", { a: 1, b: 2 }) !== 3) throw new Error("wrong sum");
 *
 * await client.shutdown();
 * await server.shutdown();
 * ```
 */
export function typedRef<C extends Contract>(ref: RpcEndpointRef<C> | RpcEndpointRef): Ref<C> {
  // The parameter of the type is a phantom: a reference without a contract is given one here, at the caller's word.
  return new TypedRef(ref as RpcEndpointRef<C>);
}
