/**
 * Failures of handlers: `["sparkwire:failure", { class, message, code, data, stack, cause }]` under tag 27.
 *
 * Spark: rpc/netty/RpcFailure, which holds the serialised exception itself. Here it arrives as an RpcRemoteError that says
 * what it was, or as the class of this project that it was where the asker may want to catch it. Of the error's own fields
 * those travel that are no objects: what a failure drags along by accident (a request, a socket) is not for the peer.
 *
 * @module
 */

import type { RpcErrorCode } from "../base/error_codes.ts";
import {
  isError,
  RpcEndpointNotFoundError,
  RpcError,
  RpcOverloadedError,
  RpcRemoteError,
  RpcStoppedError,
  SerializerError,
  StreamError,
  UnsupportedMessageError,
} from "../base/errors.ts";
import { failureText } from "./serializer_errors.ts";

/** A failure as it travels. */
interface FailureFields {
  /** The error's class. */
  readonly class: string;
  /** Its message. */
  readonly message: string;
  /** What kind of RpcError it is, if it is one. */
  readonly code?: string;
  /** Its own fields. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** Where it was made, if that may be told. */
  readonly stack?: string;
  /** What led to it. */
  readonly cause?: FailureFields;
}

/** How many causes travel: a chain can be a circle. */
const MAX_CAUSES = 16;

/** Fields that have a place of their own. */
const NOT_DATA = new Set(["name", "message", "stack", "cause", "code", "remoteClass", "remoteStack", "data"]);

/** What of `error` travels. Throws whatever its getters throw. */
export function failureFields(error: Error, exposeStack: boolean, causes = MAX_CAUSES): object {
  const { stack, cause } = error;
  const fields: Record<string, unknown> = { class: className(error), message: String(error.message) };
  const own = RpcError.is(error);
  if (own) fields.code = error.code;
  const data = error instanceof RpcRemoteError ? error.data : dataOf(error, own);
  if (data !== undefined) fields.data = data;
  const told = error instanceof RpcRemoteError ? error.remoteStack ?? stack : stack;
  if (exposeStack && typeof told === "string") fields.stack = told;
  if (isError(cause) && causes > 0) fields.cause = failureFields(cause, exposeStack, causes - 1);
  return fields;
}

/** What of `error` travels if nothing else can be had of it: its text. */
export function leastFailureFields(error: unknown): object {
  return { class: "Error", message: failureText(error) };
}

function className(error: Error): string {
  if (error instanceof RpcRemoteError) return error.remoteClass ?? error.name;
  const name = String(error.name);
  return name === "Error" ? String(error.constructor?.name ?? name) : name;
}

function dataOf(error: Error, own: boolean): object | undefined {
  // Without a prototype, `__proto__` is a key like any other.
  const data: Record<string, unknown> = Object.create(null);
  let found = false;
  for (const key of Object.keys(error)) {
    if (NOT_DATA.has(key) && (own || key !== "code")) continue;
    const value: unknown = Reflect.get(error, key);
    if (value === undefined || typeof value === "symbol" || typeof value === "function") continue;
    if (typeof value === "object" && value !== null) continue;
    data[key] = value;
    found = true;
  }
  return found ? data : undefined;
}

/** The error that `fields` stand for; undefined if they stand for none. */
export function failureOf(fields: unknown, causes = MAX_CAUSES): Error | undefined {
  if (!isFailure(fields)) return undefined;
  const { class: remoteClass, message, data = {} } = fields;
  const cause = fields.cause === undefined || causes === 0 ? undefined : failureOf(fields.cause, causes - 1);
  const options: ErrorOptions = cause === undefined ? {} : { cause };
  return ownError(fields.code, message, data, options) ??
    new RpcRemoteError(message, {
      ...options,
      remoteClass,
      remoteStack: fields.stack,
      data: fields.data && plainOf(fields.data),
    });
}

/** Those of the fields that are no objects, as they are sent: an object in many fields could take a log for ever. */
function plainOf(data: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => typeof value !== "object" || value === null));
}

/**
 * The error of this project's own that `code` names, if an asker would catch it by class. Timeouts and broken connections
 * are not among them: those an asker has are its own, and another's must not be taken for them.
 */
function ownError(
  code: string | undefined,
  message: string,
  data: Readonly<Record<string, unknown>>,
  options: ErrorOptions,
): Error | undefined {
  const { endpoint, queue, limit, streamId, direction, path, offset } = data;
  switch (code as RpcErrorCode | undefined) {
    case "NOT_FOUND":
      return typeof endpoint === "string" ? new RpcEndpointNotFoundError(message, endpoint, options) : undefined;
    case "STOPPED":
      return new RpcStoppedError(message, options);
    case "UNSUPPORTED_MESSAGE":
      return new UnsupportedMessageError(message, options);
    case "OVERLOADED":
      if (typeof queue !== "string" || typeof limit !== "number") return undefined;
      return new RpcOverloadedError(message, queue, limit, options);
    case "STREAM":
      return typeof streamId === "string" ? new StreamError(message, streamId, options) : undefined;
    case "SERIALIZER":
      if (direction !== "encode" && direction !== "decode") return undefined;
      return new SerializerError(message, {
        ...options,
        direction,
        path: typeof path === "string" ? path : undefined,
        offset: typeof offset === "number" ? offset : undefined,
      });
    default:
      return undefined;
  }
}

function isFailure(value: unknown): value is FailureFields {
  if (!isRecord(value)) return false;
  return typeof value.class === "string" && typeof value.message === "string" && isTextOrAbsent(value.code) &&
    isTextOrAbsent(value.stack) && (value.data === undefined || isRecord(value.data));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function isTextOrAbsent(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}
