/**
 * One seed, played: a job is done in spite of all that befalls its processes, or ends with a clear error, and nothing is left.
 *
 * @module
 */

import { AssertionError } from "../../../src/base/assert.ts";
import { toError } from "../../../src/base/errors.ts";
import { SimulatedWorld } from "../../../src/rpc/simulated_world.ts";
import { Ledger } from "../ledger.ts";
import { JobDriver, type JobOutcome } from "./job_driver.ts";
import { type ExitReason, JobExecutor } from "./job_executor.ts";
import { describeJobPlan, type JobPlan, MAX_TASK_FAILURES, type Mishap, planJob } from "./job_plan.ts";
import { DRIVER_HOST, type JobStage } from "./job_process.ts";

/** No job takes nearly as many events or as much virtual time. */
const RUN_LIMITS = { maxEvents: 2_000_000, maxMs: 10 * 3_600_000 };

/** What a connect, a look-up and a registration may take that began before all was healed. */
const START_UP_MS = 300_000;

/** What came of a seed. */
export interface JobResult {
  readonly plan: JobPlan;
  /** Undefined if the driver was killed. */
  readonly outcome: JobOutcome | undefined;
  /** Stands for all that was sent and read, and when. */
  readonly hash: string;
  readonly events: number;
  readonly virtualMs: number;
  readonly executors: readonly JobExecutor[];
  readonly expired: ReadonlySet<string>;
  readonly lost: ReadonlySet<string>;
  readonly ignoredUpdates: number;
}

/** A job in which something was wrong: its text has all that is needed to repeat it. */
export class JobFailure extends Error {
  override readonly name = "JobFailure";
}

/**
 * Plays a seed.
 *
 * @param seed Decides everything, the plan too unless there is one.
 * @param plan What happens, in a test that is about that.
 * @returns What came of it. Rejects with a {@linkcode JobFailure} if anything was wrong.
 */
export async function runJob(seed: number, plan: JobPlan = planJob(seed)): Promise<JobResult> {
  const run = new JobRun(plan);
  const { world } = run.stage;
  try {
    await world.settle(run.play(), RUN_LIMITS);
    await world.run(undefined, RUN_LIMITS);
    run.checkNothingLeft();
    await world.run();
  } catch (thrown) {
    const { message } = toError(thrown);
    const report = message.includes("the last ones:") ? "" : `\n${world.report()}`;
    const what = `Job ${seed} failed (${describeJobPlan(plan)})\n${message}${report}`;
    throw new JobFailure(`${what}\n\nRepeat it: deno task sim ${seed} --job`, { cause: thrown });
  }
  return run.result();
}

/** A job that is being played. */
class JobRun {
  readonly stage: JobStage;
  readonly #driver: JobDriver;
  readonly #executors: JobExecutor[] = [];
  readonly #killed: Promise<undefined>;
  #kill: () => void = () => {};
  #outcome: JobOutcome | undefined;
  #replacements: number;
  #over = false;
  /** Executors that something has befallen. */
  readonly #disturbed = new Set<string>();

  constructor(plan: JobPlan) {
    const world = new SimulatedWorld({ seed: plan.seed, faults: plan.faults });
    this.stage = { world, ledger: new Ledger(world.clock), plan };
    this.#replacements = plan.replacements;
    this.#driver = new JobDriver(this.stage, { replace: () => this.#replace() });
    this.#killed = new Promise((resolve) => {
      this.#kill = () => resolve(undefined);
    });
  }

  async play(): Promise<void> {
    const { world, plan } = this.stage;
    await this.#driver.start();
    for (const atMs of plan.starts) this.#startExecutor(atMs);
    const mishaps = plan.mishaps.map((mishap) => world.clock.setTimer(mishap.atMs, () => this.#befall(mishap)));
    this.#outcome = await Promise.race([this.#driver.outcome, this.#killed]);
    this.#over = true;
    for (const mishap of mishaps) mishap.cancel();
    this.#checkOutcome();
    this.#checkUndisturbed();
    const { ended } = this.#driver.process;
    if (!ended) await this.#driver.stop();
    world.heal();
    await this.#executorsEnd();
    // What those that have ended last have to close.
    await this.#sleep(START_UP_MS);
  }

  checkNothingLeft(): void {
    for (const { process } of [this.#driver, ...this.#executors]) process.checkEnded();
    const { openSocketCount, listenerCount, clock } = this.stage.world.network;
    const left = { sockets: openSocketCount, listeners: listenerCount, timers: clock.timerCount };
    for (const [what, count] of Object.entries(left)) {
      if (count > 0) throw new AssertionError(`${count} ${what} are left at the end`);
    }
  }

  result(): JobResult {
    const { world, plan } = this.stage;
    const { expired, lost, ignoredUpdates } = this.#driver;
    return {
      plan,
      outcome: this.#outcome,
      hash: world.trace.hash,
      events: world.clock.eventCount,
      virtualMs: world.clock.now(),
      executors: this.#executors,
      expired,
      lost,
      ignoredUpdates,
    };
  }

  #startExecutor(atMs: number): void {
    const executor = new JobExecutor(this.stage, String(this.#executors.length));
    this.#executors.push(executor);
    this.stage.world.clock.setTimer(atMs, () => void executor.start());
  }

  #replace(): void {
    if (this.#over || this.#replacements === 0) return;
    this.#replacements--;
    this.#startExecutor(1_000);
  }

  #befall({ kind, forMs, whom }: Mishap): void {
    const { world } = this.stage;
    const living = this.#executors.filter(({ exit }) => exit === undefined);
    const executor = living[whom % Math.max(1, living.length)];
    const host = kind.startsWith("driver") ? DRIVER_HOST : executor?.process.host;
    if (host === undefined) return;
    if (host !== DRIVER_HOST) this.#disturbed.add(executor!.id);
    switch (kind) {
      case "pause":
      case "longPause":
      case "driverPause":
        world.freeze(host, forMs);
        return;
      case "jump":
      case "driverJump":
        world.jumpClock(host, forMs);
        return;
      case "partition":
        world.silence(host);
        world.clock.setTimer(forMs, () => world.host(host).heal());
        return;
      case "powerCut":
        world.silence(host);
        void executor!.end("killed");
        return;
      case "kill":
        void executor!.end("killed");
        return;
      case "driverPowerCut":
        world.silence(host);
        void this.#killDriver();
        return;
      case "driverKill":
        void this.#killDriver();
        return;
    }
  }

  async #killDriver(): Promise<void> {
    await this.#driver.kill();
    this.#kill();
  }

  /** A job that is done has each result once; one that is not says why, and is right. */
  #checkOutcome(): void {
    const { plan, ledger } = this.stage;
    const { counted } = this.#driver;
    const hopeless = plan.tasks.some(({ failures }) => failures >= MAX_TASK_FAILURES);
    if (this.#outcome?.ok === true) {
      const missing = plan.tasks.filter((_, taskId) => !counted.has(taskId)).length;
      if (missing > 0 || hopeless) ledger.fail(`The job is done, but ${missing} results are missing`);
    } else if (this.#outcome !== undefined) {
      const { error } = this.#outcome;
      const isLonely = error === "No executor is left";
      if (isLonely ? plan.strict : !hopeless) ledger.fail(`The job ended though it could have been done: ${error}`);
    }
  }

  /**
   * Where the network loses nothing, those that nothing has befallen are not lost, however long the driver stood still, unless
   * they gave it up. If nothing has befallen anybody, nobody has ended when the job is over.
   */
  #checkUndisturbed(): void {
    const { plan, ledger } = this.stage;
    if (!plan.harmless) return;
    const reasons: (ExitReason | undefined)[] = plan.strict ? [] : ["heartbeats", "no driver"];
    // Whoever waits for an answer, and sends no heartbeats yet, closes a connection that is quiet for so long.
    if (driverPausesMs(plan) >= plan.timeoutMs) reasons.push("disassociated");
    for (const { id, exit } of this.#executors) {
      if (this.#disturbed.has(id)) continue;
      const hasGivenUp = reasons.includes(exit);
      if (this.#driver.lost.has(id) && !hasGivenUp) ledger.fail(`Executor ${id} was lost for no reason (${exit})`);
      if (plan.strict && exit !== undefined) ledger.fail(`Executor ${id} ended for no reason (${exit})`);
    }
  }

  /** The driver is gone, and all is healed: every executor ends by itself, at the latest when its heartbeats have failed. */
  async #executorsEnd(): Promise<void> {
    const { intervalMs, maxFailures } = this.stage.plan;
    const latestMs = START_UP_MS + (maxFailures + 3) * intervalMs;
    const deadlineMs = this.stage.world.clock.now() + latestMs;
    const living = () => this.#executors.filter(({ process }) => !process.ended);
    while (living().length > 0) {
      if (this.stage.world.clock.now() > deadlineMs) {
        this.stage.ledger.fail(`Executors ${living().map(({ id }) => id)} live ${latestMs} ms after their driver`);
        return;
      }
      await this.#sleep(100);
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.stage.world.clock.setTimer(ms, resolve));
  }
}

/** How long the driver stands still in all. */
function driverPausesMs({ mishaps }: JobPlan): number {
  return mishaps.reduce((sum, { kind, forMs }) => kind === "driverPause" ? sum + forMs : sum, 0);
}
