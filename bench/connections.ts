/**
 * Two thousand idle connections and a hundred busy ones on one server: what each costs it in memory, and what the busy ones get done.
 *
 * README.md has the numbers.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { readArguments } from "../tests/_tasks/arguments.ts";
import { say } from "../tests/_tasks/console.ts";
import { BenchChild, killAll } from "./bench_child.ts";
import type { ConnectionsCommand, ConnectionsReport } from "./connections_client.ts";
import type { ServerMemory } from "./connections_server.ts";
import { someOf, wholeNumber } from "./flags.ts";
import { bundle, canRun, commandOf, programOf } from "./measure.ts";
import { type Runtime, RUNTIMES } from "./workloads.ts";

interface Options {
  readonly runtimes: readonly Runtime[];
  readonly idle: number;
  readonly busy: number;
  readonly seconds: number;
}

const USAGE = `deno task bench connections [FLAG…]
  --runtimes  ${RUNTIMES.join()}, or some of them
  --idle      connections that have asked twice and wait; 2000 without
  --busy      connections with four asks under way each; 100 without
  --seconds   how long these ask; 3 without`;

/** Memory is settled when it has been looked at so often: engines give back late. */
const LOOKS = 5;

function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      runtimes: { type: "string", default: RUNTIMES.join() },
      idle: { type: "string", default: "2000" },
      busy: { type: "string", default: "100" },
      seconds: { type: "string", default: "3" },
    },
  });
  return {
    runtimes: someOf("--runtimes", values.runtimes, RUNTIMES),
    idle: wholeNumber("--idle", values.idle),
    busy: wholeNumber("--busy", values.busy),
    seconds: wholeNumber("--seconds", values.seconds),
  };
}

async function settled(server: BenchChild): Promise<ServerMemory> {
  let memory = await server.request<ServerMemory>("memory");
  for (let look = 1; look < LOOKS; look++) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    memory = await server.request<ServerMemory>("memory");
  }
  return memory;
}

async function measure(runtime: Runtime, { idle, busy, seconds }: Options): Promise<string> {
  const how = { runtime, side: "connections", placement: "free" } as const;
  await using server = new BenchChild(commandOf(how, "server"));
  const { port } = await server.next<ServerMemory>();
  await using client = new BenchChild([...commandOf(how, "client"), String(port)]);
  await client.next();
  const tell = <T>(command: ConnectionsCommand, expected: number): Promise<T> =>
    client.request(JSON.stringify(command), expected);
  const none = await settled(server);
  await tell({ open: idle }, 30);
  const withIdle = await settled(server);
  await tell({ open: busy }, 5);
  const report = await tell<ConnectionsReport>({ askOver: busy, seconds }, seconds);
  const withBusy = await settled(server);
  if (withBusy.connections !== idle + busy) throw new Error(`${withBusy.connections} connections, not ${idle + busy}`);
  const kib = (bytes: number): string => (bytes / 1024).toFixed(1);
  return [
    runtime,
    kib((withIdle.rss - none.rss) / idle),
    kib((withIdle.heapUsed - none.heapUsed) / idle),
    kib((withIdle.external - none.external) / idle),
    kib(Math.max(0, withBusy.rss - withIdle.rss) / busy),
    (withBusy.rss / 1024 / 1024).toFixed(0),
    Math.round(report.asks / report.seconds).toString(),
    report.slowestIdleMs.toFixed(1),
  ].join(" | ");
}

async function main(options: Options): Promise<void> {
  await bundle("connections");
  say(`${options.idle} idle connections, which have asked twice, and ${options.busy} busy ones with four asks under way each`);
  say(
    "| runtime | idle: RSS, KiB each | of it heap | of it buffers | busy: RSS, KiB each | server, MiB | asks/s | slowest idle ask, ms |",
  );
  say("| - | -: | -: | -: | -: | -: | -: | -: |");
  for (const runtime of options.runtimes) {
    if (!await canRun(programOf(runtime), "--version")) say(`${runtime} cannot be run and is left out`);
    else say(`| ${await measure(runtime, options)} |`);
  }
}

Deno.addSignalListener("SIGINT", () => {
  killAll();
  Deno.exit(130);
});
await main(readArguments(USAGE, readOptions));
Deno.exit(0);
