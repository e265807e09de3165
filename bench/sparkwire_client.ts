/**
 * Sparkwire's side of the comparison: an environment in client mode that asks and sends; `compare.ts` starts it.
 *
 * @module
 */

import { RpcEnv } from "../mod.ts";
import { load } from "./bench_process.ts";
import { BENCH_ENDPOINT, BENCH_HOST, patternBody } from "./frames.ts";
import { SMALL_OBJECT_ENDPOINTS } from "./workloads.ts";

await load(async (port, plan) => {
  const env = await RpcEnv.create({ name: "client" });
  const lookUp = (name: string) => env.setupEndpointRef({ address: { host: BENCH_HOST, port }, name });
  const body = patternBody(plan.bodyBytes);
  if (!plan.smallObject) {
    const ref = await lookUp(BENCH_ENDPOINT);
    return { ask: () => ref.ask(body), send: () => ref.send(body), verify: async () => assertSame(await ref.ask(body), body) };
  }
  const refs = await Promise.all(SMALL_OBJECT_ENDPOINTS.map(lookUp));
  const task = { taskId: 4711, name: "ShuffleMapTask", data: body };
  let turn = 0;
  return {
    ask: () => refs[turn++ & 3]!.ask(task),
    send: () => refs[turn++ & 3]!.send(task),
    async verify() {
      const reply = await refs[turn++ & 3]!.ask(task) as typeof task;
      if (Object.keys(reply).join() !== Object.keys(task).join() || reply.taskId !== task.taskId || reply.name !== task.name) {
        throw new Error(`The reply is not what was sent: ${JSON.stringify(reply)}`);
      }
      assertSame(reply.data, body);
    },
  };
});

function assertSame(reply: unknown, sent: Uint8Array): void {
  if (!(reply instanceof Uint8Array) || reply.length !== sent.length) throw new Error("The reply is no echo");
  for (let i = 0; i < sent.length; i++) if (reply[i] !== sent[i]) throw new Error(`Byte ${i} of the reply is wrong`);
}
