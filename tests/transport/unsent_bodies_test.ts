import { assertEquals } from "@std/assert";
import { RpcError } from "../../src/base/errors.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { SocketError } from "../../src/socket/socket.ts";
import { UnsentBodies } from "../../src/transport/unsent_bodies.ts";
import { test } from "../_harness.ts";

test("UnsentBodies.log() tells the stack of each body that fails, and once, without one, that the reader has gone", () => {
  const lines: unknown[][] = [];
  const unsent = new UnsentBodies({ ...silentLogger, warning: (...line: unknown[]) => lines.push(line) }, {
    remote: "127.0.0.1:1024",
  });
  const gone = new SocketError("BROKEN_PIPE", "the peer does not read any more");
  const failed = new Error("disk is gone");
  const short = new RpcError("STREAM", "a buffer of 2 bytes read 0 of 2");
  const closed = new RpcError("DISCONNECTED", "The connection is closed");
  unsent.log("stream r", failed);
  for (let i = 0; i < 1_000; i++) unsent.log(`stream ${i}`, gone);
  unsent.log("stream s", closed);
  for (const error of [failed, short]) unsent.log("stream t", error);
  assertEquals(lines, [
    ["Error sending stream r to 127.0.0.1:1024: disk is gone", failed],
    ["Error sending stream 0 to 127.0.0.1:1024: the peer does not read any more"],
    ["Error sending stream t to 127.0.0.1:1024: disk is gone", failed],
    ["Error sending stream t to 127.0.0.1:1024: a buffer of 2 bytes read 0 of 2", short],
  ]);
});
