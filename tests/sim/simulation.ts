/**
 * One seed, played: a cluster, a network and a program are drawn from it, and when all is healed nothing may be left.
 *
 * @module
 */

import { AssertionError } from "../../src/base/assert.ts";
import { toError } from "../../src/base/errors.ts";
import { seededRandom } from "../../src/base/random.ts";
import type { RpcEnvLimits } from "../../src/rpc/rpc_env.ts";
import type { SimulatedFaults } from "../../src/socket/sim.ts";
import { ACTIVITIES } from "./activities/all.ts";
import { Dice } from "./dice.ts";
import { DISRUPTIONS } from "./disruptions.ts";
import type { Tally } from "./ledger.ts";
import type { NodeOptions } from "./node.ts";
import { PROFILES } from "./profiles.ts";
import { echo } from "./requests.ts";
import { PATIENCE_MS, Stage } from "./stage.ts";

/** Longer than a connect is tried, since one that began in a silence cannot know that it is over. */
const HEALED_AFTER_MS = 130_000;

/** No run takes nearly as many events or as much virtual time. */
const RUN_LIMITS = { maxEvents: 2_000_000, maxMs: 100 * 3_600_000 };

const FIRST_PORT = 7077;

/** What a seed stands for. */
export interface Plan {
  readonly seed: number;
  readonly profile: string;
  readonly harmless: boolean;
  readonly faults: SimulatedFaults;
  readonly bufferBytes: number;
  readonly tight: boolean;
  readonly nodes: readonly NodeOptions[];
  readonly activities: readonly string[];
  readonly disruptions: readonly string[];
  /** When all faults are switched off though the activities go on. */
  readonly healAfterMs: number | undefined;
}

/** What came of it. */
export interface SeedResult {
  readonly plan: Plan;
  /** Stands for all that was sent and read, and when. */
  readonly hash: string;
  /** How many events of the clock there were. */
  readonly events: number;
  readonly virtualMs: number;
  readonly tally: Tally;
}

/** A run that failed: its text has all that is needed to repeat it. */
export class SeedFailure extends Error {
  override readonly name = "SeedFailure";
  readonly seed: number;

  /** @param cause What was wrong; the last events are in its text. */
  constructor(plan: Plan, cause: Error) {
    super(`Seed ${plan.seed} failed (${describePlan(plan)})\n${cause.message}\n\nRepeat it: deno task sim ${plan.seed}`, {
      cause,
    });
    this.seed = plan.seed;
  }
}

/** A plan for people, on one line. */
export function describePlan({ profile, tight, nodes, activities, disruptions }: Plan): string {
  const servers = nodes.filter(({ port }) => port !== undefined).length;
  const limits = tight ? "narrow limits" : "default limits";
  return `${profile} network, ${limits}, ${servers} servers, ${nodes.length - servers} clients: ` +
    [...activities, ...disruptions].join(", ");
}

/** Draws what a seed stands for. */
export function planSeed(seed: number): Plan {
  const dice = new Dice(seededRandom(Math.imul(seed, 0x9e3779b1)));
  const profile = dice.pick(PROFILES);
  const tight = dice.chance(0.25);
  const limits = tight ? narrowLimits(dice) : {};
  // A handler that takes its time makes a connection look dead, which is a failure like any other.
  const connectionTimeout = profile.harmless ? "4h" : dice.pick(["5s", "120s"]);
  const conf = {
    "spark.rpc.io.connectionTimeout": connectionTimeout,
    // No handler is behind a download, and nobody but this timeout ends one whose server has gone without a word.
    "spark.files.io.connectionTimeout": profile.harmless ? "120s" : connectionTimeout,
  };
  const servers = dice.int(1, 3);
  const nodes = Array.from({ length: servers + dice.int(0, 3) }, (_, index): NodeOptions => {
    const isServer = index < servers;
    const name = isServer ? `server${index}` : `client${index - servers}`;
    return {
      name,
      port: isServer ? FIRST_PORT + index : undefined,
      conf,
      limits,
      localMessages: dice.pick(["share", "share", "clone"]),
    };
  });
  return {
    seed,
    profile: profile.name,
    harmless: profile.harmless,
    faults: profile.draw(dice),
    bufferBytes: dice.pick([4 * 1024, 64 * 1024]),
    tight,
    nodes,
    activities: dice.some([...ACTIVITIES.keys()], dice.int(1, 3)),
    disruptions: dice.chance(0.4) ? Array.from({ length: dice.int(1, 4) }, () => dice.pick([...DISRUPTIONS.keys()])) : [],
    healAfterMs: dice.chance(0.3) ? dice.small(1, 20_000) : undefined,
  };
}

/**
 * Plays a seed.
 *
 * @returns What came of it. Rejects with a {@linkcode SeedFailure} if anything was wrong.
 */
export async function runSeed(seed: number): Promise<SeedResult> {
  const plan = planSeed(seed);
  const { faults, bufferBytes, harmless, tight, nodes, activities, disruptions } = plan;
  const stage = new Stage({
    network: { seed, faults, bufferBytes },
    nodes,
    strict: harmless && !tight && disruptions.length === 0,
    tight,
    steady: isSteady(plan),
  });
  const { world, ledger } = stage;
  try {
    await world.settle(play(stage, activities, disruptions, plan.healAfterMs), RUN_LIMITS);
    await world.run(undefined, RUN_LIMITS);
    checkNothingLeft(stage);
    await world.run();
  } catch (thrown) {
    throw new SeedFailure(plan, withReport(stage, toError(thrown)));
  }
  const { clock, trace } = world;
  return { plan, hash: trace.hash, events: clock.eventCount, virtualMs: clock.now(), tally: ledger.tally };
}

async function play(
  stage: Stage,
  activities: readonly string[],
  disruptions: readonly string[],
  healAfterMs: number | undefined,
): Promise<void> {
  for (const node of stage.nodes) await node.start();
  const healing = healAfterMs === undefined ? undefined : stage.world.clock.setTimer(healAfterMs, () => stage.world.heal());
  await Promise.all([...activities.map((name) => ACTIVITIES.get(name)!(stage)), disrupt(stage, disruptions)]);
  healing?.cancel();
  stage.world.heal();
  await stage.sleep(HEALED_AFTER_MS);
  await stage.idle();
  stage.strict = true;
  await askEverybody(stage);
  await stage.idle();
  for (const node of stage.nodes) node.checkIdle();
  await endAll(stage);
}

async function disrupt(stage: Stage, disruptions: readonly string[]): Promise<void> {
  for (const name of disruptions) {
    await stage.sleep(stage.dice.small(0, 2_000));
    await DISRUPTIONS.get(name)!(stage, stage.dice.pick(stage.nodes));
  }
}

/** Everything is healed: everybody reaches every server, at the first attempt. */
async function askEverybody(stage: Stage): Promise<void> {
  for (const node of stage.nodes) {
    for (const server of stage.servers) {
      const ref = await stage.lookUp(node, server, "plain");
      if (ref !== undefined) await stage.ask(node, ref, echo(1, 100, 100), { timeoutMs: PATIENCE_MS });
    }
  }
}

/** One after the other, or all at once. */
async function endAll(stage: Stage): Promise<void> {
  const order = stage.dice.some(stage.nodes, stage.nodes.length);
  if (stage.dice.chance(0.5)) await Promise.all(order.map((node) => node.stop(10_000)));
  else for (const node of order) await node.stop(10_000);
  for (const node of [...order, ...stage.guests]) node.checkLives();
  stage.ledger.close();
}

function isSteady({ faults, disruptions }: Plan): boolean {
  const { freezeProbability = 0, clockJumpProbability = 0 } = faults;
  return freezeProbability + clockJumpProbability === 0 && !disruptions.includes("freeze") && !disruptions.includes("jump");
}

function checkNothingLeft({ world }: Stage): void {
  const { openSocketCount, listenerCount, clock } = world.network;
  const left = { sockets: openSocketCount, listeners: listenerCount, timers: clock.timerCount };
  for (const [what, count] of Object.entries(left)) {
    if (count > 0) throw new AssertionError(`${count} ${what} are left at the end`);
  }
}

function narrowLimits(dice: Dice): Partial<RpcEnvLimits> {
  const maxQueuedBytes = dice.small(20_000, 2_000_000);
  return {
    maxInboxMessages: dice.small(4, 100),
    maxConcurrentMessages: dice.small(1, 50),
    maxOutstandingRequests: dice.small(4, 100),
    // Beyond the limit of own messages there is room for answers.
    maxOutboxBytes: Math.min(dice.small(1_000, 500_000), Math.floor(maxQueuedBytes / 2)),
    maxQueuedBytes,
    maxDownloads: 1 + maxQueuedBytes % 8,
  };
}

/** The network's own errors have the report in their text already. */
function withReport({ world }: Stage, error: Error): Error {
  if (error.message.includes("the last ones:")) return error;
  return new Error(`${error.message}\n${world.report()}`, { cause: error });
}
