/**
 * One seed, played: blocks are fetched and uploaded while the network does its worst; each is told of once, and nothing is left.
 *
 * @module
 */

import { AssertionError } from "../../../src/base/assert.ts";
import { toError } from "../../../src/base/errors.ts";
import { silentLogger } from "../../../src/base/logger.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { SparkConf } from "../../../src/base/spark_conf.ts";
import { NettyBlockTransferService } from "../../../src/block/netty_block_transfer_service.ts";
import { SimulatedWorld } from "../../../src/rpc/simulated_world.ts";
import type { SimulatedFaults } from "../../../src/socket/sim.ts";
import { Dice } from "../dice.ts";
import { PROFILES } from "../profiles.ts";
import { WatchedDriver } from "../watched_driver.ts";
import { BlockClient, type Tally, type Transfer } from "./block_client.ts";
import { blockFault, type BlockMode, SimulatedBlocks } from "./simulated_blocks.ts";

const RUN_LIMITS = { maxEvents: 2_000_000, maxMs: 10 * 3_600_000 };
const SERVER = { host: "server", port: 7078, execId: "1" } as const;
const MODES: readonly BlockMode[] = ["memory", "memory", "pieces", "slow", "late", "missing", "broken"];
const KINDS = ["fetch", "fetch", "fetchToFiles", "upload", "upload"] as const;

/** What happens. */
export interface BlocksPlan {
  readonly seed: number;
  readonly profile: string;
  readonly faults: SimulatedFaults;
  /** Whether nothing may fail but what was meant to. */
  readonly strict: boolean;
  /** Of each client: its transfers and when they begin, and when it is closed before its time. */
  readonly clients: readonly {
    readonly transfers: readonly (Transfer & { readonly atMs: number })[];
    readonly closeAtMs: number | undefined;
  }[];
}

/** What came of a seed. */
export interface BlocksResult extends Tally {
  readonly plan: BlocksPlan;
  /** Stands for all that was sent and read, and when. */
  readonly hash: string;
  readonly events: number;
  readonly virtualMs: number;
}

/** A run in which something was wrong: its text has all that is needed to repeat it. */
export class BlocksFailure extends Error {
  override readonly name = "BlocksFailure";
}

/** In one line. */
export function describeBlocksPlan({ profile, strict, clients }: BlocksPlan): string {
  const transfers = clients.reduce((sum, client) => sum + client.transfers.length, 0);
  return `${profile} network${strict ? ", nothing may fail by itself" : ""}, ${clients.length} clients, ${transfers} transfers`;
}

/** Draws what happens. */
export function planBlocks(seed: number): BlocksPlan {
  const dice = new Dice(seededRandom(seed ^ 0xb10c));
  const { name, harmless, draw } = dice.pick(PROFILES);
  const faults = draw(dice);
  // What cannot be read closes a connection that others use too, and so do those who give up none but their own.
  const mayBreak = dice.chance(0.4);
  const transfer = () => {
    const kind = dice.pick(KINDS);
    const count = kind === "upload" ? 1 : dice.small(1, 12);
    // One that is missing fails all that are fetched with it.
    const isBad = dice.chance(0.2);
    const modes = MODES.filter((mode) => (isBad || mode !== "missing") && (isBad && mayBreak || mode !== "broken"));
    const blocks = Array.from({ length: count }, () => ({
      seed: dice.int(1, 1_000_000),
      size: dice.small(0, 400_000),
      mode: dice.pick(modes),
    }));
    return { kind, blocks, abortAfterMs: dice.chance(0.2) ? dice.small(0, 2_000) : undefined, atMs: dice.small(0, 20_000) };
  };
  const clients = Array.from({ length: dice.int(1, 3) }, () => ({
    transfers: Array.from({ length: dice.int(1, 8) }, transfer),
    closeAtMs: dice.chance(0.15) ? dice.small(0, 20_000) : undefined,
  }));
  const strict = harmless && !mayBreak && clients.every(({ closeAtMs }) => closeAtMs === undefined);
  return { seed, profile: name, faults, strict, clients };
}

/** Plays a seed. Rejects with all that is needed to repeat it if anything was wrong. */
export async function runBlocks(seed: number, plan: BlocksPlan = planBlocks(seed)): Promise<BlocksResult> {
  const world = new SimulatedWorld({ seed, faults: plan.faults });
  const run = new BlocksRun(world, plan);
  try {
    await world.settle(run.play(), RUN_LIMITS);
    await world.run(undefined, RUN_LIMITS);
    run.checkNothingLeft();
  } catch (thrown) {
    const { message, stack } = toError(thrown);
    const report = message.includes("the last ones:") ? "" : `\n${world.report()}`;
    const what = `Blocks ${seed} failed (${describeBlocksPlan(plan)})\n${stack ?? message}${report}`;
    throw new BlocksFailure(`${what}\n\nRepeat it: deno task sim ${seed} --blocks`, { cause: thrown });
  }
  const { trace, clock } = world;
  return { plan, hash: trace.hash, events: clock.eventCount, virtualMs: clock.now(), ...run.tally() };
}

/** A run under way. */
class BlocksRun {
  readonly #world: SimulatedWorld;
  readonly #plan: BlocksPlan;
  readonly #blocks: SimulatedBlocks;
  readonly #server: NettyBlockTransferService;
  readonly #clients: BlockClient[];
  #fault: string | undefined;
  readonly #fail = (text: string): void => void (this.#fault ??= text);

  constructor(world: SimulatedWorld, plan: BlocksPlan) {
    this.#world = world;
    this.#plan = plan;
    this.#blocks = new SimulatedBlocks(world.host(SERVER.host).clock);
    this.#server = this.#makeService(SERVER.host);
    this.#clients = plan.clients.map((_, i) => {
      const host = `client${i}`;
      const expectations = { strict: plan.strict, fail: this.#fail };
      return new BlockClient(this.#makeService(host), world.host(host).clock, SERVER, expectations);
    });
  }

  async play(): Promise<void> {
    await this.#server.init(this.#blocks);
    await Promise.all(this.#clients.map((client, i) => this.#playClient(client, i)));
    this.#world.heal();
    for (const { service, tally } of this.#clients) {
      await service.close();
      const { transfers, connections } = service.stats();
      if (transfers + connections.length > 0) this.#fail(`A client has ${transfers} transfers after its end`);
      if (tally.succeeded + tally.failed + tally.aborted === 0) this.#fail("Nothing happened");
    }
    await this.#serverForgets();
    await this.#checkUploads();
    await this.#server.close();
    const parts = await this.#blocks.leftParts();
    if (parts.length > 0) this.#fail(`Parts of uploads are left: ${parts.join(", ")}`);
    for (const client of this.#clients) {
      const files = await client.leftFiles();
      if (files.length > 0) this.#fail(`Files are left: ${files.join(", ")}`);
    }
  }

  tally(): Tally {
    const sum = { succeeded: 0, failed: 0, aborted: 0 };
    for (const { tally } of this.#clients) {
      sum.succeeded += tally.succeeded;
      sum.failed += tally.failed;
      sum.aborted += tally.aborted;
    }
    return sum;
  }

  checkNothingLeft(): void {
    const { openSocketCount, listenerCount, clock } = this.#world.network;
    const left: Record<string, number> = { sockets: openSocketCount, listeners: listenerCount, timers: clock.timerCount };
    left["buffers of the server"] = this.#blocks.held;
    for (const { held } of this.#clients) left["buffers of clients"] = (left["buffers of clients"] ?? 0) + held;
    for (const [what, count] of Object.entries(left)) if (count > 0) this.#fail(`${count} ${what} are left at the end`);
    if (this.#fault !== undefined) throw new AssertionError(this.#fault);
  }

  async #playClient(client: BlockClient, index: number): Promise<void> {
    const { transfers, closeAtMs } = this.#plan.clients[index]!;
    const { clock } = this.#world;
    if (closeAtMs !== undefined) clock.setTimer(closeAtMs, () => void client.service.close());
    await Promise.all(transfers.map(async (transfer) => {
      await new Promise<void>((resolve) => clock.setTimer(transfer.atMs, resolve));
      await client.run(transfer);
    }));
    if (closeAtMs !== undefined) return;
    // Once all is well, everything works, over whichever connection there is.
    this.#world.heal();
    const blocks = [{ seed: index + 1, size: 1_000, mode: "memory" }] as const;
    const before = client.tally.succeeded;
    await client.run({ kind: "fetch", blocks, abortAfterMs: undefined });
    if (client.tally.succeeded !== before + 1) this.#fail("A fetch failed in a healed world");
  }

  /** The clients are gone: all that they opened and did not read is forgotten. */
  async #serverForgets(): Promise<void> {
    const counts = () => {
      const { connections, transfers, streams, openBlocks, chunksBeingTransferred, uploads } = this.#server.stats();
      return { connections: connections.length, transfers, streams, openBlocks, chunksBeingTransferred, uploads };
    };
    for (let waitedMs = 0; waitedMs < 300_000; waitedMs += 1_000) {
      if (Object.values(counts()).every((count) => count === 0)) return;
      await new Promise<void>((resolve) => this.#world.clock.setTimer(1_000, resolve));
    }
    this.#fail(`The server has not forgotten its clients: ${JSON.stringify(counts())}`);
  }

  /** What was said to be there is there, as it was sent. What failed may be there too, and then whole. */
  async #checkUploads(): Promise<void> {
    const names = new Set(this.#clients.flatMap(({ uploaded }) => uploaded));
    for (const name of new Set([...names, ...this.#blocks.puts.keys()])) {
      const bytes = await this.#blocks.uploaded(name);
      if (bytes === undefined) this.#fail(`Upload ${name} is not there`);
      const fault = bytes && blockFault(name, bytes);
      if (fault !== undefined) this.#fail(`Upload ${name} is wrong: ${fault}`);
      if (names.has(name) && this.#blocks.puts.get(name) !== 1) this.#fail(`Upload ${name} was put more than once`);
    }
  }

  #makeService(name: string): NettyBlockTransferService {
    const host = this.#world.host(name);
    const conf = new SparkConf({ "spark.network.maxRemoteBlockSizeFetchToMem": "20k" });
    return new NettyBlockTransferService(conf, {
      host: name,
      port: SERVER.port,
      driver: new WatchedDriver(host.driver, this.#fail),
      clock: host.clock,
      random: seededRandom(Math.imul(this.#world.seed, 31) + name.length + name.charCodeAt(name.length - 1)),
      logger: silentLogger,
    });
  }
}
