/**
 * Sparkwire's side of the comparison: an environment whose endpoints echo; `compare.ts` starts it.
 *
 * @module
 */

import { type RpcEndpoint, RpcEnv } from "../mod.ts";
import { serve } from "./bench_process.ts";
import { BENCH_ENDPOINT, BENCH_HOST } from "./frames.ts";
import { SMALL_OBJECT_ENDPOINTS } from "./workloads.ts";

let oneWayMessages = 0;

/** The handler that PEERS.md measured: async, and one message at a time. */
function echo(): RpcEndpoint {
  return {
    threadSafe: true,
    receive() {
      oneWayMessages++;
    },
    // deno-lint-ignore require-await
    async receiveAndReply(message) {
      return message;
    },
  };
}

const env = await RpcEnv.create({ name: "bench", host: BENCH_HOST, port: 0 });
for (const name of [BENCH_ENDPOINT, ...SMALL_OBJECT_ENDPOINTS]) env.setupEndpoint(name, echo());
serve(env.address!.port, () => oneWayMessages);
