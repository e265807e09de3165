/**
 * Which failures are worth another attempt, and which are worth a line in the log.
 *
 * Spark: common/network-shuffle/…/shuffle/ErrorHandler.java and …/server/BlockPushNonFatalFailure.java. Java's IOException has no
 * like here; what Spark throws as one is an RpcError of code SOCKET or DISCONNECTED. Its handlers of pushes and of fetches are here
 * too, though nothing in this module pushes blocks.
 *
 * @module
 */

import { RpcError, RpcTimeoutError } from "../base/errors.ts";
import { SocketError } from "../socket/socket.ts";

/** Decides about failures. */
export interface ErrorHandler {
  /** Whether another attempt makes sense. */
  shouldRetryError(error: Error): boolean;
  /** Whether an operator should know. */
  shouldLogError(error: Error): boolean;
}

/** Takes every failure for one that may pass. Spark: NOOP_ERROR_HANDLER. */
export const noopErrorHandler: ErrorHandler = { shouldRetryError: () => true, shouldLogError: () => true };

/** What a server says of a pushed block that it did not take. Spark: BlockPushNonFatalFailure.ReturnCode. */
export type BlockPushReturnCode =
  | "TOO_LATE_BLOCK_PUSH"
  | "BLOCK_APPEND_COLLISION_DETECTED"
  | "STALE_BLOCK_PUSH"
  | "TOO_OLD_ATTEMPT_PUSH";

/** A pushed block was not taken, and nothing is broken. */
export class BlockPushNonFatalFailure extends RpcError {
  /** The class's name; kept when code is minified. */
  override readonly name: string = "BlockPushNonFatalFailure";
  /** Why it was not taken. */
  readonly returnCode: BlockPushReturnCode;

  /** @param returnCode Why it was not taken. @param message The whole sentence. */
  constructor(returnCode: BlockPushReturnCode, message: string) {
    super("REMOTE", message);
    this.returnCode = returnCode;
  }
}

/** For blocks that are pushed: what came too late will not be taken later, and who is not there is not called again. */
export const blockPushErrorHandler: ErrorHandler = {
  shouldRetryError(error) {
    if (isRefusedOrMissing(error.cause)) return false;
    return !(error instanceof BlockPushNonFatalFailure) || error.returnCode === "BLOCK_APPEND_COLLISION_DETECTED";
  },
  shouldLogError: (error) => !(error instanceof BlockPushNonFatalFailure),
};

/** What a server says when a merged block has been replaced by a later attempt's. */
export const STALE_SHUFFLE_BLOCK_FETCH =
  "stale shuffle block fetch request as shuffle blocks of a higher shuffleMergeId for the shuffle is available";

/** For blocks that are fetched: a stale one stays stale. */
export const blockFetchErrorHandler: ErrorHandler = {
  shouldRetryError: (error) => !isStale(error),
  shouldLogError: (error) => !isStale(error),
};

/** Whether a failure is the network's, and so may pass: what Spark throws as an IOException. */
export function isTransient(error: Error): boolean {
  return isOfNetwork(error) || isOfNetwork(error.cause);
}

/** Whether an authentication was not answered in time. Spark: SaslTimeoutException. */
export function isHandshakeTimeout(error: Error): boolean {
  return error instanceof RpcTimeoutError && error.phase === "handshake";
}

function isOfNetwork(thrown: unknown): boolean {
  return RpcError.is(thrown) && (thrown.code === "SOCKET" || thrown.code === "DISCONNECTED");
}

function isStale(error: Error): boolean {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 16; at = at.cause, depth++) {
    if (at.message.includes(STALE_SHUFFLE_BLOCK_FETCH)) return true;
  }
  return false;
}

function isRefusedOrMissing(cause: unknown): boolean {
  if (cause instanceof SocketError) return cause.socketCode === "CONNECTION_REFUSED";
  return RpcError.is(cause) && cause.code === "NOT_FOUND";
}
