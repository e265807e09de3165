/**
 * What turns messages into bytes and back. Each serializer has a prefix by which content is recognised on arrival.
 *
 * Spark: core/…/serializer/Serializer.scala; there one codec serves all, here several live on one port.
 *
 * @module
 */

import type { ByteSink } from "../base/byte_sink.ts";
import type { MessageBody } from "../base/message_body.ts";
import type { SparkVersion } from "./java/spark_versions.ts";

/** An address as it travels inside a reference to an endpoint. */
export interface RefAddress {
  /** The host as written in the reference; an IPv6 literal is in brackets. */
  readonly host: string;
  /** The TCP port. */
  readonly port: number;
}

/** A reference to an endpoint, as it travels. */
export interface EncodedRef {
  /** The endpoint's name. */
  readonly name: string;
  /** Where its environment listens; undefined for one in client mode. */
  readonly address: RefAddress | undefined;
  /**
   * How long who asks over it waits, and the key that says so; the Java codec sends it along.
   *
   * @default 120 s, by `spark.rpc.askTimeout`
   */
  readonly askTimeout?: { readonly durationMs: number; readonly timeoutProp: string } | undefined;
}

/** How a reference travels, which it says of itself: by this also one of another copy of this module is known. */
export const ENCODED_REF: unique symbol = Symbol.for("sparkwire.encodedRef");

/** Gives the codec what only the environment knows: which values are references, and how to make one. */
export interface SerializerContext {
  /** Name and address of `ref`, if it is a reference to an endpoint. Throws for values that must not travel. */
  encodeRef(ref: object): EncodedRef | undefined;
  /** A reference bound to the environment and to the connection it came over. */
  decodeRef(name: string, address: RefAddress | undefined): object;
  /** Whether failures carry this end's stack traces. False unless the environment was told so. */
  readonly exposeStack: boolean;
  /** The version of Spark whose classes the Java codec writes, such as `4.0`, unless the codec was told of one. */
  readonly sparkVersion?: SparkVersion | undefined;
  /** Hears of each class that Java content describes: what tells the peer's version of Spark. */
  sawJavaClass?(className: string, serialVersionUID: bigint): void;
  /**
   * Hears of each class that the Java codec describes whose serialVersionUID depends on the version of Spark, unless the codec was
   * told of one.
   *
   * @param className The class.
   * @param serialVersionUID What was written.
   * @param at Where its eight bytes are, counted from the content's first; -1 if they are not the codec's to choose, since what came
   * from a Spark goes on as what it was.
   */
  wroteSparkClass?(className: string, serialVersionUID: bigint, at: number): void;
}

/**
 * A codec of message contents.
 *
 * Besides the values of its own it carries {@linkcode TypedMessage}s, or typed endpoints cannot be reached with it, and
 * references, by the context.
 *
 * `encode` and `decode` are synchronous and may be called again from within themselves (a getter or `toJSON` that asks).
 */
export interface Serializer {
  /** A short name: `cbor`, `java`. */
  readonly name: string;
  /** The first bytes of everything that `encode` writes; how content is recognised. */
  readonly prefix: Uint8Array;
  /** Whether what it writes depends on the context's `sparkVersion`. */
  readonly variesBySpark?: boolean;
  /** Appends the prefix and `value` to `out`, the connection's own buffer. Throws a SerializerError that names the path. */
  encode(value: unknown, out: ByteSink, context: SerializerContext): void;
  /** Reads content, prefix included; what is kept of it must be taken. Throws a SerializerError that names the offset. */
  decode(content: MessageBody, context: SerializerContext): unknown;
  /** Appends an answer that says: the handler failed with `error`. Told apart from an Error that was the answer. */
  encodeFailure(error: Error, out: ByteSink, context: SerializerContext): void;
}

/**
 * What `decode` gives for an answer that says the handler failed. Spark: rpc/netty/RpcFailure.
 *
 * @example
 * ```ts
 * import { ByteSink, cborSerializer, MessageBody, RpcFailure } from "@sparkwire/sparkwire";
 *
 * const context = { exposeStack: false, encodeRef: () => undefined, decodeRef: () => ({}) };
 * const out = new ByteSink();
 * cborSerializer.encodeFailure(new RangeError("No such day"), out, context);
 * const answer = cborSerializer.decode(MessageBody.of(out.copy()), context);
 * if (!(answer instanceof RpcFailure) || answer.error.message !== "No such day") throw new Error("not the failure");
 * ```
 */
export class RpcFailure {
  /** The failure, as far as it travelled. */
  readonly error: Error;

  /**
   * Wraps what came.
   *
   * @param error The failure.
   */
  constructor(error: Error) {
    this.error = error;
  }
}

/** What the names of this project's own values begin with where the tag of a typed message could stand; no tag of a contract does. */
export const RESERVED_TAG_PREFIX = "sparkwire:";

const TYPED_MESSAGE = Symbol.for("sparkwire.TypedMessage");

/**
 * A message of a typed endpoint, as an untyped one sees it: its tag and its payload.
 *
 * @example
 * ```ts
 * import { RpcEnv, TypedMessage, typedRef, unhandled } from "@sparkwire/sparkwire";
 *
 * const env = await RpcEnv.create({ name: "local", host: "127.0.0.1", port: 0 });
 * const ref = env.setupEndpoint("Untyped", {
 *   receiveAndReply: (message) => message instanceof TypedMessage ? `${message.tag} ${message.payload}` : unhandled,
 * });
 * const greeter = typedRef<{ receiveAndReply: { Greet(name: string): string } }>(ref);
 * if (await greeter.ask("Greet", "Ada") !== "Greet Ada") throw new Error("not tag and payload");
 * await env.shutdown();
 * ```
 */
export class TypedMessage {
  /** Which method of the contract. */
  readonly tag: string;
  /** Its argument, or undefined. */
  readonly payload: unknown;

  /**
   * Wraps what came.
   *
   * @param tag Which method of the contract.
   * @param payload Its argument.
   */
  constructor(tag: string, payload?: unknown) {
    this.tag = tag;
    this.payload = payload;
  }

  /** Marks the class across copies of this module. */
  get [TYPED_MESSAGE](): true {
    return true;
  }

  /** Whether `value` is a TypedMessage, also one of another copy of this module. */
  static is(value: unknown): value is TypedMessage {
    return typeof value === "object" && value !== null && TYPED_MESSAGE in value;
  }
}
