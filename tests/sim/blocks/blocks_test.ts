import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { OneForOneStreamManager } from "../../../src/block/one_for_one_stream_manager.ts";
import { commandFor } from "../../_entry_points.ts";
import { runtimeName, test, within } from "../../_harness.ts";
import { startProcess } from "../../_process.ts";
import { PROFILES } from "../profiles.ts";
import { BlocksFailure, planBlocks, runBlocks } from "./run_blocks.ts";

const SEEDS = runtimeName === "deno" ? 200 : 100;
const SEEDS_PER_TEST = 50;
const COMPARED_SEEDS = 25;

/** A slow machine that does something else beside takes so long for the seeds that are compared. */
const DEADLINE_MS = 100_000;

for (let first = 1; first <= SEEDS; first += SEEDS_PER_TEST) {
  const last = first + SEEDS_PER_TEST - 1;
  test(`Simulated blocks are fetched and uploaded, or fail, once, and nothing is left: seeds ${first} to ${last}`, async () => {
    for (let seed = first; seed <= last; seed++) await runBlocks(seed);
  });
}

test("The runs of this test have every kind of network and end among them", async () => {
  const profiles = new Set<string>();
  const sum = { succeeded: 0, failed: 0, aborted: 0 };
  for (let seed = 1; seed <= 50; seed++) {
    profiles.add(planBlocks(seed).profile);
    const { succeeded, failed, aborted } = await runBlocks(seed);
    sum.succeeded += succeeded;
    sum.failed += failed;
    sum.aborted += aborted;
  }
  assertEquals(PROFILES.filter(({ name }) => !profiles.has(name)), []);
  assertEquals(Object.entries(sum).filter(([, count]) => count < 10), []);
});

test("runBlocks() repeats a run exactly", async () => {
  for (let seed = 1; seed <= 10; seed++) assertEquals((await runBlocks(seed)).hash, (await runBlocks(seed)).hash);
});

const deno = commandFor("tests/sim/main.ts", "deno");
const skip = deno === undefined ? "it was not started by the task test, which knows where Deno is" : undefined;
test(`Blocks have the same traces on ${runtimeName} as in another process on Deno`, async (context) => {
  const flags = ["1", "--seeds", String(COMPARED_SEEDS), "--hashes", "--blocks"];
  const program = startProcess(context, deno!.command, [...deno!.args, ...flags]);
  const hashes: string[] = [];
  for (let seed = 1; seed <= COMPARED_SEEDS; seed++) hashes.push(`${seed} ${(await runBlocks(seed)).hash}`);
  assertEquals(await within(program.exited, "the other process", DEADLINE_MS), 0, program.stdout + program.stderr);
  assertEquals(program.stdout.trim().split("\n"), hashes);
}, { skip });

test("runBlocks() finds a server that does not forget, and says how to repeat it", async () => {
  const { connectionTerminated } = OneForOneStreamManager.prototype;
  OneForOneStreamManager.prototype.connectionTerminated = () => {};
  try {
    const seeds = Array.from({ length: 30 }, (_, i) => i + 1);
    const { message } = await assertRejects(async () => {
      for (const seed of seeds) await runBlocks(seed);
    }, BlocksFailure);
    assertStringIncludes(message, "The server has not forgotten its clients");
    assertStringIncludes(message, "the last ones:");
    assertStringIncludes(message, "Repeat it: deno task sim ");
  } finally {
    OneForOneStreamManager.prototype.connectionTerminated = connectionTerminated;
  }
});
