import { assertEquals } from "@std/assert";
import { RpcError, RpcRemoteError, RpcTimeoutError } from "../../src/base/errors.ts";
import {
  blockFetchErrorHandler,
  blockPushErrorHandler,
  BlockPushNonFatalFailure,
  isHandshakeTimeout,
  isTransient,
  noopErrorHandler,
  STALE_SHUFFLE_BLOCK_FETCH,
} from "../../src/block/error_handler.ts";
import { SocketError } from "../../src/socket/socket.ts";
import { test } from "../_harness.ts";

const codes = ["TOO_LATE_BLOCK_PUSH", "TOO_OLD_ATTEMPT_PUSH", "STALE_BLOCK_PUSH", "BLOCK_APPEND_COLLISION_DETECTED"] as const;
const stale = new RpcRemoteError(`java.lang.RuntimeException: ${STALE_SHUFFLE_BLOCK_FETCH}`);

// Spark: ErrorHandlerSuite "testErrorRetry".
test("ErrorHandler.shouldRetryError() gives up what will fail again", () => {
  const { shouldRetryError } = blockPushErrorHandler;
  assertEquals(codes.map((code) => shouldRetryError(new BlockPushNonFatalFailure(code, ""))), [false, false, false, true]);
  const refused = new SocketError("CONNECTION_REFUSED", "refused");
  assertEquals(shouldRetryError(new RpcError("SOCKET", "no", { cause: refused })), false);
  assertEquals(shouldRetryError(new RpcError("STREAM", "no", { cause: new RpcError("NOT_FOUND", "no file") })), false);
  assertEquals(shouldRetryError(new Error("anything")), true);

  assertEquals(blockFetchErrorHandler.shouldRetryError(stale), false);
  assertEquals(blockFetchErrorHandler.shouldRetryError(new Error("outer", { cause: stale })), false);
  assertEquals(blockFetchErrorHandler.shouldRetryError(new Error("anything")), true);
  const circular = new Error("its own cause");
  circular.cause = circular;
  assertEquals(blockFetchErrorHandler.shouldRetryError(circular), true);
  assertEquals(noopErrorHandler.shouldRetryError(stale), true);
});

// Spark: ErrorHandlerSuite "testErrorLogging".
test("ErrorHandler.shouldLogError() is silent about what is no fault", () => {
  const { shouldLogError } = blockPushErrorHandler;
  assertEquals(codes.map((code) => shouldLogError(new BlockPushNonFatalFailure(code, ""))), [false, false, false, false]);
  assertEquals(shouldLogError(new Error("anything")), true);
  assertEquals(blockFetchErrorHandler.shouldLogError(stale), false);
  assertEquals(blockFetchErrorHandler.shouldLogError(new Error("anything")), true);
  assertEquals(noopErrorHandler.shouldLogError(stale), true);
});

test("isTransient() is true of the network's failures and of what they caused", () => {
  const reset = new SocketError("CONNECTION_RESET", "reset");
  assertEquals([reset, new RpcError("DISCONNECTED", "closed"), new Error("outer", { cause: reset })].map(isTransient), [
    true,
    true,
    true,
  ]);
  assertEquals([new Error("own"), new RpcRemoteError("theirs"), new RpcError("STREAM", "not found")].map(isTransient), [
    false,
    false,
    false,
  ]);
});

test("isHandshakeTimeout() is true of an authentication that was not answered", () => {
  const timeout = (phase: "handshake" | "waiting") => new RpcTimeoutError("late", { timeoutMs: 1, key: "k", phase });
  assertEquals([timeout("handshake"), timeout("waiting"), new Error("late")].map(isHandshakeTimeout), [true, false, false]);
});
