/**
 * The process that loads the raw echo; `compare.ts` starts it.
 *
 * @module
 */

import { load } from "./bench_process.ts";
import { patternBody } from "./frames.ts";
import { RawEchoClient } from "./raw_echo.ts";
import { loadRawRuntime } from "./raw_sockets.ts";

/** More slots than requests outstanding, so that the next id finds its slot free nearly always. */
const RING_SLOTS = 4096;

await load(async (port, plan) => {
  const client = new RawEchoClient(patternBody(plan.bodyBytes), port, RING_SLOTS);
  await (await loadRawRuntime()).connect(port, client);
  return {
    ask: () => client.ask(),
    send: () => client.send(),
    async verify() {
      client.verifying = true;
      await client.ask();
      client.verifying = false;
    },
  };
});
