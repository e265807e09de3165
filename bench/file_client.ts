/**
 * What a process that fetches files does, of either side: fetch once to warm up, then several times per line of stdin.
 *
 * @module
 */

import process from "node:process";
import { onCommand, say } from "./bench_process.ts";

/** What is fetched. */
export interface FilePlan {
  readonly port: number;
  readonly name: string;
  readonly size: number;
  /** How often it is fetched to warm up, and each time that it is timed. */
  readonly warmUp: number;
  readonly times: number;
}

/** What one command gave. */
export interface FileReport {
  readonly seconds: number;
  /** CPU time of the client, user and system. */
  readonly cpuMicros: number;
}

/** Runs the process. `connect` gives a function that fetches the file once and throws unless it came whole. */
export async function fetchOnCommand(connect: (plan: FilePlan) => Promise<() => Promise<void>>): Promise<void> {
  const plan = JSON.parse(process.argv[2] ?? "") as FilePlan;
  const prepared = connect(plan).then(async (fetchOnce) => {
    for (let i = 0; i < plan.warmUp; i++) await fetchOnce();
    return fetchOnce;
  });
  onCommand(async () => {
    const fetchOnce = await prepared;
    const cpu = process.cpuUsage();
    const begun = performance.now();
    for (let i = 0; i < plan.times; i++) await fetchOnce();
    const seconds = (performance.now() - begun) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    say<FileReport>({ seconds, cpuMicros: user + system });
  });
  await prepared;
  say({ ready: true });
}
