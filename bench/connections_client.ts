/**
 * The process that has many connections to one server: idle ones that have asked once, and busy ones that ask all the time.
 *
 * @module
 */

import process from "node:process";
import { type RpcEndpointRef, RpcEnv } from "../mod.ts";
import { onCommand, say } from "./bench_process.ts";
import { BENCH_ENDPOINT, BENCH_HOST } from "./frames.ts";

/** What is asked of the process, one after the other: a JSON line each. */
export type ConnectionsCommand =
  | { readonly open: number }
  | { readonly askOver: number; readonly seconds: number };

/** What an `askOver` gave. */
export interface ConnectionsReport {
  readonly asks: number;
  readonly seconds: number;
  /** The longest that an idle connection took to be answered meanwhile. */
  readonly slowestIdleMs: number;
}

/** How many are dialled at once. */
const AT_ONCE = 50;
/** How many asks each busy connection has under way. */
const OUTSTANDING = 4;

const port = Number(process.argv[2]);
const refs: RpcEndpointRef[] = [];

/** An environment has one connection per peer, so each connection has an environment of its own. */
async function openOne(): Promise<void> {
  const env = await RpcEnv.create({ name: `client ${refs.length}` });
  const ref = await env.setupEndpointRef(`spark://${BENCH_ENDPOINT}@${BENCH_HOST}:${port}`);
  if (await ref.ask("hello") !== "hello") throw new Error("Not an echo");
  refs.push(ref);
}

async function open(count: number): Promise<{ readonly open: number }> {
  for (let left = count; left > 0; left -= AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(left, AT_ONCE) }, openOne));
  }
  return { open: refs.length };
}

/** Asks over the last `count` connections, and now and then over one of the others. */
async function askOver(count: number, seconds: number): Promise<ConnectionsReport> {
  const begun = performance.now();
  const end = begun + seconds * 1000;
  let asks = 0;
  const worker = async (ref: RpcEndpointRef): Promise<void> => {
    while (performance.now() < end) {
      await ref.ask(asks++);
    }
  };
  const workers = refs.slice(-count).flatMap((ref) => Array.from({ length: OUTSTANDING }, () => worker(ref)));
  let slowestIdleMs = 0;
  const idle = refs.slice(0, -count);
  for (let i = 0; performance.now() < end && idle.length > 0; i++) {
    const asked = performance.now();
    await idle[(i * 7919) % idle.length]!.ask("still there?");
    slowestIdleMs = Math.max(slowestIdleMs, performance.now() - asked);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await Promise.all(workers);
  return { asks, seconds: (performance.now() - begun) / 1000, slowestIdleMs };
}

onCommand(async (line: string) => {
  const command = JSON.parse(line) as ConnectionsCommand;
  say(await ("open" in command ? open(command.open) : askOver(command.askOver, command.seconds)));
});
say({ ready: true });
