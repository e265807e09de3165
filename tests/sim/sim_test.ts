import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { commandFor } from "../_entry_points.ts";
import { runtimeName, test, within } from "../_harness.ts";
import { startProcess } from "../_process.ts";
import { ACTIVITIES } from "./activities/all.ts";
import { DISRUPTIONS } from "./disruptions.ts";
import { Ledger } from "./ledger.ts";
import { PROFILES } from "./profiles.ts";
import { planSeed, runSeed, SeedFailure } from "./simulation.ts";

/** `deno task sim` goes on from here. */
const SEEDS = 200;
const SEEDS_PER_TEST = 25;
const COMPARED_SEEDS = 50;

/** A slow machine that does something else beside takes so long for the seeds that are compared. */
const DEADLINE_MS = 100_000;

for (let first = 1; first <= SEEDS; first += SEEDS_PER_TEST) {
  const last = first + SEEDS_PER_TEST - 1;
  test(`A simulated cluster keeps its promises and leaves nothing behind: seeds ${first} to ${last}`, async () => {
    for (let seed = first; seed <= last; seed++) await runSeed(seed);
  });
}

test("The seeds of this test have every kind of network, activity and disruption among them", () => {
  const drawn = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { profile, activities, disruptions } = planSeed(seed);
    for (const name of [profile, ...activities, ...disruptions]) drawn.add(name);
  }
  const all = [...PROFILES.map(({ name }) => name), ...ACTIVITIES.keys(), ...DISRUPTIONS.keys()];
  assertEquals(all.filter((name) => !drawn.has(name)), []);
});

test("Seed 9780001636: a busy endpoint has six events of a connection that came and broke in its inbox, on top of its messages", async () => {
  await runSeed(9780001636);
});

test("runSeed() repeats a run exactly", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const [one, other] = [await runSeed(seed), await runSeed(seed)];
    assertEquals([other.hash, other.events, other.tally], [one.hash, one.events, one.tally]);
  }
});

const deno = commandFor("tests/sim/main.ts", "deno");
const skip = deno === undefined ? "it was not started by the task test, which knows where Deno is" : undefined;
test(`Seeds have the same traces on ${runtimeName} as in another process on Deno`, async (context) => {
  const program = startProcess(context, deno!.command, [...deno!.args, "1", "--seeds", String(COMPARED_SEEDS), "--hashes"]);
  const hashes: string[] = [];
  for (let seed = 1; seed <= COMPARED_SEEDS; seed++) hashes.push(`${seed} ${(await runSeed(seed)).hash}`);
  assertEquals(await within(program.exited, "the other process", DEADLINE_MS), 0, program.stdout + program.stderr);
  assertEquals(program.stdout.trim().split("\n"), hashes);
}, { skip });

test("What plays no seed, or cannot be one kind of world, is refused", async (context) => {
  for (const args of [["--seeds", "0"], ["--job", "--blocks"]]) {
    const program = startProcess(context, deno!.command, [...deno!.args, ...args]);
    assertEquals(await within(program.exited, "the other process", DEADLINE_MS), 2, program.stdout + program.stderr);
    assertStringIncludes(program.stderr, "sim: Expected one");
  }
}, { skip });

test("A failing seed says what it was, what happened last, and how to repeat it", async () => {
  const { settled } = Ledger.prototype;
  // Somebody who finds fault with every ask.
  Ledger.prototype.settled = function (this: Ledger, ...args: Parameters<typeof settled>) {
    this.fail("Something is wrong");
    return settled.apply(this, args);
  } as typeof settled;
  try {
    const { message } = await assertRejects(() => runSeed(1), SeedFailure);
    assertStringIncludes(message, `Seed 1 failed (${planSeed(1).profile} network`);
    assertStringIncludes(message, "Something is wrong");
    assertStringIncludes(message, "the last ones:");
    assertStringIncludes(message, "Repeat it: deno task sim 1");
  } finally {
    Ledger.prototype.settled = settled;
  }
});
