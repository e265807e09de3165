/**
 * The process that echoes raw frames; `compare.ts` starts it.
 *
 * @module
 */

import { serve } from "./bench_process.ts";
import { requestFrame } from "./frames.ts";
import { RawEchoServer } from "./raw_echo.ts";
import { loadRawRuntime } from "./raw_sockets.ts";

/** The largest body that the server can be sent. */
const MAX_BODY_BYTES = 64 * 1024;

const peers: RawEchoServer[] = [];

const runtime = await loadRawRuntime();
const port = await runtime.listen(() => {
  const peer = new RawEchoServer(requestFrame(new Uint8Array(MAX_BODY_BYTES), 0).length);
  peers.push(peer);
  return peer;
});
serve(port, () => peers.reduce((sum, peer) => sum + peer.oneWayMessages, 0));
