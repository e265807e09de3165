/**
 * What a seed stands for: a job, the executors that do it, the network between them, and what befalls them.
 *
 * @module
 */

import { seededRandom } from "../../../src/base/random.ts";
import type { SimulatedFaults } from "../../../src/socket/sim.ts";
import { Dice } from "../dice.ts";
import { PROFILES } from "../profiles.ts";

/** A task that throws this often ends the job. Spark: spark.task.maxFailures. */
export const MAX_TASK_FAILURES = 4;

/** What may befall an executor, or the driver. */
export const EXECUTOR_MISHAPS = ["kill", "pause", "longPause", "partition", "powerCut", "jump"] as const;
export const DRIVER_MISHAPS = ["driverPause", "driverJump", "driverKill", "driverPowerCut"] as const;

/** Something that happens to somebody. */
export interface Mishap {
  readonly kind: (typeof EXECUTOR_MISHAPS)[number] | (typeof DRIVER_MISHAPS)[number];
  /** When, after the job began. */
  readonly atMs: number;
  readonly forMs: number;
  /** Which of the executors that live then. */
  readonly whom: number;
}

/** A task of the job. */
export interface PlannedTask {
  readonly ms: number;
  readonly bytes: number;
  /** How many of its attempts throw, from the first on. */
  readonly failures: number;
}

/** What a seed stands for. */
export interface JobPlan {
  readonly seed: number;
  readonly profile: string;
  /** Whether the network takes its time, but loses nothing, and lets heartbeats come in time. */
  readonly harmless: boolean;
  /** Whether nothing may go wrong but what tasks do. */
  readonly strict: boolean;
  /** Whether the driver neither stands still nor jumps: then silence is noticed in time. */
  readonly steady: boolean;
  readonly faults: SimulatedFaults;
  /** When each executor starts, after the job began. */
  readonly starts: readonly number[];
  readonly cores: number;
  /** How many executors may be started instead of those that were lost. */
  readonly replacements: number;
  readonly tasks: readonly PlannedTask[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly checkMs: number;
  readonly maxFailures: number;
  readonly mishaps: readonly Mishap[];
}

/** A plan for people, on one line. */
export function describeJobPlan({ profile, starts, tasks, mishaps, replacements }: JobPlan): string {
  const kinds = mishaps.map(({ kind }) => kind).join(", ") || "no mishap";
  return `${profile} network, ${starts.length} executors and ${replacements} to replace them, ${tasks.length} tasks: ${kinds}`;
}

/** Draws what a seed stands for. */
export function planJob(seed: number): JobPlan {
  const dice = new Dice(seededRandom(Math.imul(seed, 0x85ebca6b)));
  const profile = dice.pick(PROFILES);
  const intervalMs = dice.pick([1_000, 3_000, 10_000]);
  const timeoutMs = intervalMs * dice.pick([4, 10]);
  const mishaps = dice.chance(0.3) ? [] : Array.from({ length: dice.int(1, 5) }, () => drawMishap(dice, timeoutMs));
  const faults = profile.draw(dice);
  const { freezeProbability = 0, clockJumpProbability = 0 } = faults;
  const isDriverSteady = mishaps.every(({ kind }) => kind !== "driverPause" && kind !== "driverJump");
  const harmless = profile.harmless && allowsHeartbeats(faults, intervalMs, timeoutMs);
  const strict = harmless && mishaps.length === 0;
  const failing = dice.chance(0.3) ? dice.between(0, 0.3) : 0;
  return {
    seed,
    profile: profile.name,
    harmless,
    strict,
    steady: isDriverSteady && freezeProbability + clockJumpProbability === 0,
    faults,
    starts: Array.from({ length: dice.int(1, 5) }, () => dice.small(0, 20_000)),
    cores: dice.int(1, 4),
    replacements: dice.chance(0.5) ? 0 : dice.int(1, 4),
    tasks: Array.from({ length: dice.int(1, 60) }, () => drawTask(dice, failing)),
    intervalMs,
    timeoutMs,
    checkMs: Math.min(timeoutMs, intervalMs * dice.pick([0.25, 1, 4])),
    // Where delays are longer than intervals, heartbeats fail that arrive all the same.
    maxFailures: strict ? 60 : dice.pick([3, 10, 60]),
    mishaps: [...mishaps].sort((a, b) => a.atMs - b.atMs),
  };
}

/**
 * Whether a first heartbeat, which may take two intervals, comes in time however long the network takes for it and for what is answered
 * before: each is a delay many times the mean one once in very many seeds.
 */
function allowsHeartbeats({ delayMeanMs = 0 }: SimulatedFaults, intervalMs: number, timeoutMs: number): boolean {
  return timeoutMs - 2 * intervalMs >= 20 * delayMeanMs;
}

function drawTask(dice: Dice, failing: number): PlannedTask {
  const failures = dice.chance(failing) ? dice.int(1, MAX_TASK_FAILURES) : 0;
  return { ms: dice.small(0, 60_000), bytes: dice.small(0, 100_000), failures };
}

function drawMishap(dice: Dice, timeoutMs: number): Mishap {
  const kind = dice.pick(dice.chance(0.7) ? EXECUTOR_MISHAPS : DRIVER_MISHAPS);
  return { kind, atMs: dice.small(0, 60_000), forMs: drawDuration(dice, kind, timeoutMs), whom: dice.int(0, 1_000) };
}

function drawDuration(dice: Dice, kind: Mishap["kind"], timeoutMs: number): number {
  if (kind === "longPause") return timeoutMs * dice.between(1.2, 3);
  if (kind === "driverPause" || kind === "driverJump") return timeoutMs * dice.between(0, 3);
  return dice.small(1, 2 * timeoutMs);
}
