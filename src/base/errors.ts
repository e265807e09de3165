/**
 * The tree of errors: every failure of this project is an {@linkcode RpcError} with a code, its values and its cause.
 *
 * Spark: core/…/SparkException.scala, rpc/RpcEnvStoppedException.scala, rpc/RpcEndpointNotFoundException.scala and
 * rpc/RpcTimeoutException.scala. There they share no base class and are told apart by text; here by `code`.
 *
 * @module
 */

import type { AskPhase, RpcErrorCode } from "./error_codes.ts";

const BRAND = Symbol.for("sparkwire.RpcError");

/**
 * The base of every error that this project throws or rejects with, except for wrong arguments (TypeError, RangeError),
 * cancellations (the reason of the caller's own signal), what the system says of files, and a simulation that fails.
 *
 * @example
 * ```ts
 * import { RpcError } from "@sparkwire/sparkwire";
 *
 * const error: unknown = new RpcError("NOT_FOUND", "Cannot find endpoint: spark://a@127.0.0.1:1");
 * if (RpcError.is(error) && error.code !== "NOT_FOUND") throw error;
 * ```
 */
export class RpcError extends Error {
  /** The class's name; kept when code is minified. */
  override readonly name: string = "RpcError";
  /** What kind of failure this is. */
  readonly code: RpcErrorCode;

  /**
   * Makes the error.
   *
   * @param code What kind of failure this is.
   * @param message One sentence with the values in it.
   * @param options The cause, if another error led here.
   */
  constructor(code: RpcErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Marks the class across copies of this module. No field, since consoles print those with every error. */
  get [BRAND](): true {
    return true;
  }

  /** Whether `value` is an RpcError, also one of another copy of this module. */
  static is(value: unknown): value is RpcError {
    return typeof value === "object" && value !== null && BRAND in value;
  }
}

/** What {@linkcode RpcTimeoutError} carries. */
export interface RpcTimeoutErrorOptions extends ErrorOptions {
  /** How long was waited, in milliseconds. */
  readonly timeoutMs: number;
  /** The configuration key that set the limit, or the option that did: `timeoutMs`. */
  readonly key: string;
  /** The address that was asked, as `host:port`, if it is known. */
  readonly peer?: string | undefined;
  /** How far the ask had come. */
  readonly phase: AskPhase;
}

/**
 * No answer came in time. Spark: RpcTimeoutException; the message says which key controls the limit.
 *
 * @example
 * ```ts
 * import { RpcEnv, RpcTimeoutError } from "@sparkwire/sparkwire";
 *
 * const env = await RpcEnv.create({ name: "local", host: "127.0.0.1", port: 0 });
 * const silent = env.setupEndpoint("Silent", { receiveAndReply: (_, { later }) => later });
 * const error = await silent.ask("Anybody?", { timeoutMs: 10 }).catch((thrown) => thrown);
 * if (!(error instanceof RpcTimeoutError) || error.timeoutMs !== 10) throw error;
 * await env.shutdown();
 * ```
 */
export class RpcTimeoutError extends RpcError {
  /** The class's name; kept when code is minified. */
  override readonly name: string = "RpcTimeoutError";
  /** How long was waited, in milliseconds. */
  readonly timeoutMs: number;
  /** The configuration key that set the limit, or the option that did: `timeoutMs`. */
  readonly key: string;
  /** The address that was asked, as `host:port`, if it is known. */
  readonly peer: string | undefined;
  /** How far the ask had come. */
  readonly phase: AskPhase;

  /**
   * Makes the error.
   *
   * @param message The whole sentence.
   * @param options The values behind it.
   */
  constructor(message: string, options: RpcTimeoutErrorOptions) {
    super("TIMEOUT", message, options);
    this.timeoutMs = options.timeoutMs;
    this.key = options.key;
    this.peer = options.peer;
    this.phase = options.phase;
  }
}

/**
 * There is no endpoint of that name at that address. Spark: RpcEndpointNotFoundException.
 *
 * @example
 * ```ts
 * import { RpcEndpointNotFoundError, RpcEnv } from "@sparkwire/sparkwire";
 *
 * const env = await RpcEnv.create({ name: "local", host: "127.0.0.1", port: 0 });
 * const uri = `spark://Nobody@${env.address}`;
 * const error = await env.setupEndpointRef(uri).catch((thrown) => thrown);
 * if (!(error instanceof RpcEndpointNotFoundError) || error.endpoint !== uri) throw error;
 * await env.shutdown();
 * ```
 */
export class RpcEndpointNotFoundError extends RpcError {
  /** The class's name; kept when code is minified. */
  override readonly name: string = "RpcEndpointNotFoundError";
  /** What was looked for: a URI, or an endpoint's name. */
  readonly endpoint: string;

  /**
   * Makes the error.
   *
   * @param message The whole sentence.
   * @param endpoint What was looked for.
   */
  constructor(message: string, endpoint: string, options?: ErrorOptions) {
    super("NOT_FOUND", message, options);
    this.endpoint = endpoint;
  }
}

/** The environment, the endpoint or the outbox has been stopped. Spark: RpcEnvStoppedException. */
export class RpcStoppedError extends RpcError {
  /** The class's name; kept when code is minified. */
  override readonly name: string = "RpcStoppedError";

  /**
   * Makes the error.
   *
   * @param message The sentence; the default is Spark's.
   */
  constructor(message: string = "RpcEnv already stopped.", options: ErrorOptions = {}) {
    super("STOPPED", message, options);
  }
}

/** What {@linkcode RpcRemoteError} carries. */
export interface RpcRemoteErrorOptions extends ErrorOptions {
  /** The class of the error at the other end, such as `RangeError` or `java.lang.IllegalStateException`. */
  readonly remoteClass?: string | undefined;
  /** The stack at the other end, if it chose to send it. */
  readonly remoteStack?: string | undefined;
  /** The error's own fields at the other end that are no objects, such as the `code` of a system error. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * The other end answered with a failure.
 *
 * @example
 * ```ts
 * import { RpcEnv, RpcRemoteError } from "@sparkwire/sparkwire";
 *
 * const server = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0 });
 * server.setupEndpoint("Calendar", { receiveAndReply: (day) => Promise.reject(new RangeError(`No such day: ${day}`)) });
 * const client = await RpcEnv.create({ name: "client" });
 * const calendar = await client.setupEndpointRef(`spark://Calendar@${server.address}`);
 * const error = await calendar.ask("Someday").catch((thrown) => thrown);
 * if (!(error instanceof RpcRemoteError) || error.remoteClass !== "RangeError") throw error;
 * await client.shutdown();
 * await server.shutdown();
 * ```
 */
export class RpcRemoteError extends RpcError {
  /** The class's name; kept when code is minified. */
  override readonly name: string = "RpcRemoteError";
  /** The class of the error at the other end, if it was said. */
  readonly remoteClass: string | undefined;
  /** The stack at the other end, if it was sent. */
  readonly remoteStack: string | undefined;
  /** The error's own fields at the other end that are no objects, such as the `code` of a system error. */
  readonly data: Readonly<Record<string, unknown>> | undefined;

  /**
   * Makes the error.
   *
   * @param message What the other end said.
   * @param options Class, stack and fields of the error there.
   */
  constructor(message: string, options: RpcRemoteErrorOptions = {}) {
    super("REMOTE", message, options);
    this.remoteClass = options.remoteClass;
    this.remoteStack = options.remoteStack;
    this.data = options.data;
  }
}

/** What {@linkcode ProtocolError} carries. */
export interface ProtocolErrorOptions extends ErrorOptions {
  /** Where in the frame the fault is, in bytes. */
  readonly offset?: number | undefined;
  /** The limit that was passed, in bytes. */
  readonly limit?: number | undefined;
}

/** The bytes on a connection are not Spark's protocol; the connection closes. */
export class ProtocolError extends RpcError {
  /** The class's name; kept when code is minified. */
  override readonly name: string = "ProtocolError";
  /** Where in the frame the fault is, in bytes, if it is known. */
  readonly offset: number | undefined;
  /** The limit that was passed, in bytes, if one was. */
  readonly limit: number | undefined;

  /**
   * Makes the error.
   *
   * @param message What is wrong with the bytes.
   * @param options Where, and which limit.
   */
  constructor(message: string, options: ProtocolErrorOptions = {}) {
    super("PROTOCOL", message, options);
    this.offset = options.offset;
    this.limit = options.limit;
  }
}

/** What {@linkcode SerializerError} carries. */
export interface SerializerErrorOptions extends ErrorOptions {
  /** Whether a value could not be written or bytes could not be read. */
  readonly direction: "encode" | "decode";
  /** Where in the value, such as `.workers[3].id`; of encoding. */
  readonly path?: string | undefined;
  /** Where in the content, in bytes; of decoding. */
  readonly offset?: number | undefined;
}

/**
 * A value cannot be encoded, or content cannot be decoded. It fails its own message only.
 *
 * @example
 * ```ts
 * import { RpcEnv, SerializerError } from "@sparkwire/sparkwire";
 *
 * const env = await RpcEnv.create({ name: "local", host: "127.0.0.1", port: 0, localMessages: "clone" });
 * const echo = env.setupEndpoint("Echo", { receiveAndReply: (message) => message });
 * const error = await echo.ask({ job: { run: () => {} } }).catch((thrown) => thrown);
 * if (!(error instanceof SerializerError) || error.path !== ".job.run") throw error;
 * await env.shutdown();
 * ```
 */
export class SerializerError extends RpcError {
  /** The class's name; kept when code is minified. */
  override readonly name: string = "SerializerError";
  /** Whether a value could not be written or bytes could not be read. */
  readonly direction: "encode" | "decode";
  /** Where in the value, of encoding. */
  readonly path: string | undefined;
  /** Where in the content, in bytes, of decoding. */
  readonly offset: number | undefined;

  /**
   * Makes the error.
   *
   * @param message What is wrong.
   * @param options Which way, and where.
   */
  constructor(message: string, options: SerializerErrorOptions) {
    super("SERIALIZER", message, options);
    this.direction = options.direction;
    this.path = options.path;
    this.offset = options.offset;
  }
}

/**
 * An endpoint got a message that it does not take. Spark: `Unsupported message …`.
 *
 * @example
 * ```ts
 * import { RpcEnv, unhandled, UnsupportedMessageError } from "@sparkwire/sparkwire";
 *
 * const env = await RpcEnv.create({ name: "local", host: "127.0.0.1", port: 0 });
 * const choosy = env.setupEndpoint("Choosy", { receiveAndReply: (message) => message === "yes" ? message : unhandled });
 * const error = await choosy.ask("no").catch((thrown) => thrown);
 * if (!(error instanceof UnsupportedMessageError)) throw error;
 * await env.shutdown();
 * ```
 */
export class UnsupportedMessageError extends RpcError {
  /** The class's name; kept when code is minified. */
  override readonly name: string = "UnsupportedMessageError";

  /**
   * Makes the error.
   *
   * @param message The whole sentence.
   */
  constructor(message: string, options?: ErrorOptions) {
    super("UNSUPPORTED_MESSAGE", message, options);
  }
}

/**
 * A named limit was reached, here or at the other end, so the message was refused. It was not sent or not handled, unless `queue` is
 * of answers: then it may be its answer that found no room.
 *
 * @example
 * ```ts
 * import { RpcEnv, RpcOverloadedError, silentLogger } from "@sparkwire/sparkwire";
 *
 * const env = await RpcEnv.create({ name: "local", host: "127.0.0.1", port: 0, logger: silentLogger, limits: { maxInboxMessages: 9 } });
 * const echo = env.setupEndpoint("Echo", { receiveAndReply: (message) => message });
 * const answers = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => echo.ask(i)));
 * const refused = answers.find((answer) => answer.status === "rejected")?.reason;
 * if (!(refused instanceof RpcOverloadedError) || refused.queue !== "inbox of Echo") throw refused;
 * await env.shutdown();
 * ```
 */
export class RpcOverloadedError extends RpcError {
  /** The class's name; kept when code is minified. */
  override readonly name: string = "RpcOverloadedError";
  /** The queue that is full, such as `inbox of Master` or `outbox to 127.0.0.1:7077`. */
  readonly queue: string;
  /** Its limit, in the unit of that limit's option. */
  readonly limit: number;

  /**
   * Makes the error.
   *
   * @param message The whole sentence.
   * @param queue The queue that is full.
   * @param limit Its limit.
   */
  constructor(message: string, queue: string, limit: number, options?: ErrorOptions) {
    super("OVERLOADED", message, options);
    this.queue = queue;
    this.limit = limit;
  }
}

/** A stream could not be opened or broke off. */
export class StreamError extends RpcError {
  /** The class's name; kept when code is minified. */
  override readonly name: string = "StreamError";
  /** The stream's id, as asked for. */
  readonly streamId: string;

  /**
   * Makes the error.
   *
   * @param message The whole sentence.
   * @param streamId The stream's id.
   */
  constructor(message: string, streamId: string, options?: ErrorOptions) {
    super("STREAM", message, options);
    this.streamId = streamId;
  }
}

/** Whether `value` is an Error, be it of another realm: under Jest, whatever the runtime made. */
export function isError(value: unknown): value is Error {
  if (value instanceof Error) return true;
  return Object.prototype.toString.call(value) === "[object Error]" && typeof (value as Error).message === "string";
}

/** Turns what was thrown into an Error, so that it has a message and can be a cause. Never throws. */
export function toError(thrown: unknown): Error {
  try {
    if (isError(thrown)) return thrown;
    if (typeof thrown === "string") return new Error(thrown, { cause: thrown });
    // What a peer has sent may be arrays in arrays whose text is longer than memory.
    const text = Array.isArray(thrown) ? `an array of ${thrown.length}` : String(thrown);
    return new Error(`Thrown: ${text}`, { cause: thrown });
  } catch {
    // Object.create(null) has no text, and a revoked Proxy has not even a class.
    return new Error("Thrown: a value without text", { cause: thrown });
  }
}
