import { assertEquals } from "@std/assert";
import { RpcError } from "../../src/base/errors.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { SocketError } from "../../src/socket/socket.ts";
import { logUnsent } from "../../src/transport/unsent_body.ts";
import { test } from "../_harness.ts";

test("logUnsent() tells the stack of a body that fails, not of a reader that has gone", () => {
  const lines: unknown[][] = [];
  const logger = { ...silentLogger, warning: (...line: unknown[]) => lines.push(line) };
  const gone = new SocketError("BROKEN_PIPE", "the peer does not read any more");
  const failed = new Error("disk is gone");
  const closed = new RpcError("DISCONNECTED", "The connection is closed");
  logUnsent(logger, "stream s", "127.0.0.1:1024", gone);
  logUnsent(logger, "stream s", "127.0.0.1:1024", closed);
  logUnsent(logger, "stream s", "127.0.0.1:1024", failed);
  assertEquals(lines, [
    ["Error sending stream s to 127.0.0.1:1024: the peer does not read any more"],
    ["Error sending stream s to 127.0.0.1:1024: The connection is closed"],
    ["Error sending stream s to 127.0.0.1:1024: disk is gone", failed],
  ]);
});
