import { assertEquals } from "@std/assert";
import { RpcError, RpcTimeoutError } from "../../src/base/errors.ts";
import type { BlockFetchingListener } from "../../src/block/block_fetching_listener.ts";
import { blockFetchErrorHandler, STALE_SHUFFLE_BLOCK_FETCH } from "../../src/block/error_handler.ts";
import {
  type BlockTransferStarter,
  RetryingBlockTransferor,
  type RetryOptions,
} from "../../src/block/retrying_block_transferor.ts";
import { BytesManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import { HandClock } from "../_hand_clock.ts";
import { deferred, test, within } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";

const MAX_RETRIES = 2;
const RETRY_WAIT_MS = 5_000;

const block0 = new BytesManagedBuffer(new Uint8Array(13));
const block1 = new BytesManagedBuffer(new Uint8Array(7));
const block2 = new BytesManagedBuffer(new Uint8Array(19));

const lost = () => new RpcError("DISCONNECTED", "Connection failed or something");
const refused = () => new Error("Ouch!");
const saslTimeout = () =>
  new RpcTimeoutError("SASL timeout", { timeoutMs: 30_000, key: "spark.network.auth.rpcTimeout", phase: "handshake" });

/** What one attempt says of each block that it is asked for, in order. */
type Interaction = Readonly<Record<string, BytesManagedBuffer | Error>>;

interface Run {
  readonly transferor: RetryingBlockTransferor;
  /** What the listener heard, in order. */
  readonly heard: readonly string[];
  readonly clock: HandClock;
  readonly logger: MemoryLogger;
}

function blockName(data: unknown): string {
  return ["block0", "block1", "block2"][[block0, block1, block2].indexOf(data as BytesManagedBuffer)] ?? "another";
}

function listenerOf(heard: string[]): BlockFetchingListener {
  return {
    onBlockFetchSuccess: (blockId, data) => void heard.push(`${blockId}: ${blockName(data)}`),
    onBlockFetchFailure: (blockId, error) => void heard.push(`${blockId} failed: ${error.message}`),
  };
}

function makeRun(start: BlockTransferStarter, blockIds: readonly string[], options: Partial<RetryOptions> = {}): Run {
  const heard: string[] = [];
  const clock = new HandClock();
  const logger = new MemoryLogger();
  const all = { maxRetries: MAX_RETRIES, retryWaitMs: RETRY_WAIT_MS, clock, logger, ...options };
  return { transferor: new RetryingBlockTransferor(start, blockIds, listenerOf(heard), all), heard, clock, logger };
}

/** Goes through the attempts, each of which must ask for exactly the blocks of its interaction; the time between them passes. */
function perform(interactions: readonly Interaction[], options: Partial<RetryOptions> = {}): Run {
  const waiting = [...interactions];
  const blockIds = [...new Set(interactions.flatMap((interaction) => Object.keys(interaction)))];
  const run = makeRun(
    (asked, listener) => {
      const interaction = waiting.shift() ?? {};
      assertEquals(asked, Object.keys(interaction));
      for (const [blockId, value] of Object.entries(interaction)) {
        if (value instanceof Error) listener.onBlockFetchFailure(blockId, value);
        else listener.onBlockFetchSuccess(blockId, value);
      }
    },
    blockIds,
    options,
  );
  run.transferor.start();
  for (let i = 0; i < interactions.length && run.clock.timers.length > 0; i++) {
    assertEquals(run.clock.timers, [run.clock.now() + RETRY_WAIT_MS]);
    run.clock.advance(RETRY_WAIT_MS);
  }
  assertEquals([run.clock.timers, run.transferor.numOutstanding, waiting], [[], 0, []]);
  return run;
}

// Spark: RetryingBlockTransferorSuite "testNoFailures".
test("RetryingBlockTransferor tells of blocks that are there at once", () => {
  const { heard, transferor } = perform([{ b0: block0, b1: block1 }]);
  assertEquals([heard, transferor.retryCount], [["b0: block0", "b1: block1"], 0]);
});

// Spark: RetryingBlockTransferorSuite "testUnrecoverableFailure".
test("RetryingBlockTransferor does not retry what was refused", () => {
  const { heard, transferor, logger } = perform([{ b0: refused(), b1: block1 }]);
  assertEquals([heard, transferor.retryCount], [["b0 failed: Ouch!", "b1: block1"], 0]);
  assertEquals(logger.lines, ["error: Failed to fetch block b0, and will not retry (0 retries) (Ouch!)"]);
});

// Spark: RetryingBlockTransferorSuite "testSingleIOExceptionOnFirst".
test("RetryingBlockTransferor asks for both when the first was lost", () => {
  const { heard, logger } = perform([{ b0: lost(), b1: block1 }, { b0: block0, b1: block1 }]);
  assertEquals(heard, ["b0: block0", "b1: block1"]);
  assertEquals(logger.lines, ["info: Retrying fetch (1/2) for 2 outstanding blocks after 5000 ms"]);
});

test("RetryingBlockTransferor that is cancelled by who reads its log tells of each block once, and leaves no timer", () => {
  for (const level of ["error", "warning", "info"] as const) {
    const begin = (listener: BlockFetchingListener): void => {
      if (level === "warning") throw lost();
      for (const id of ["b0", "b1"]) listener.onBlockFetchFailure(id, level === "error" ? refused() : lost());
    };
    const logger = Object.assign(new MemoryLogger(), { [level]: () => run.transferor.cancel(new Error("enough")) });
    const run: Run = makeRun((_, listener) => begin(listener), ["b0", "b1"], { logger });
    run.transferor.start();
    const first = level === "error" ? "Ouch!" : "enough";
    assertEquals([[...run.heard].sort(), run.clock.timers], [[`b0 failed: ${first}`, "b1 failed: enough"], []]);
  }
});

// Spark: RetryingBlockTransferorSuite "testSingleIOExceptionOnSecond".
test("RetryingBlockTransferor asks for the second alone when that was lost", () => {
  assertEquals(perform([{ b0: block0, b1: lost() }, { b1: block1 }]).heard, ["b0: block0", "b1: block1"]);
});

// Spark: RetryingBlockTransferorSuite "testTwoIOExceptions".
test("RetryingBlockTransferor counts attempts, not blocks", () => {
  const run = perform([{ b0: lost(), b1: lost() }, { b0: block0, b1: lost() }, { b1: block1 }]);
  assertEquals([run.heard, run.transferor.retryCount], [["b0: block0", "b1: block1"], 2]);
});

// Spark: RetryingBlockTransferorSuite "testThreeIOExceptions".
test("RetryingBlockTransferor gives up after the last retry", () => {
  const { heard } = perform([{ b0: lost(), b1: lost() }, { b0: block0, b1: lost() }, { b1: lost() }]);
  assertEquals(heard, ["b0: block0", "b1 failed: Connection failed or something"]);
});

// Spark: RetryingBlockTransferorSuite "testRetryAndUnrecoverable".
test("RetryingBlockTransferor ignores what an attempt says after another was decided on", () => {
  const { heard } = perform([
    { b0: lost(), b1: refused(), b2: block2 },
    { b0: block0, b1: refused(), b2: lost() },
    { b2: block2 },
  ]);
  assertEquals(heard, ["b0: block0", "b1 failed: Ouch!", "b2: block2"]);
});

test("RetryingBlockTransferor tells of each block once, whatever an attempt says of it later", () => {
  const { transferor, heard, clock } = makeRun((_, listener) => {
    listener.onBlockFetchSuccess("b0", block0);
    listener.onBlockFetchFailure("b0", lost());
    listener.onBlockFetchSuccess("b0", block1);
    listener.onBlockFetchFailure("b1", refused());
    listener.onBlockFetchFailure("b1", refused());
    listener.onBlockFetchSuccess("b1", block1);
  }, ["b0", "b1"]);
  transferor.start();
  assertEquals([heard, clock.timers, transferor.retryCount], [["b0: block0", "b1 failed: Ouch!"], [], 0]);
});

// Spark: RetryingBlockTransferorSuite "testSaslTimeoutFailure".
test("RetryingBlockTransferor does not retry an authentication that timed out, unless it was told to", () => {
  const { heard, transferor } = perform([{ b0: saslTimeout() }]);
  assertEquals([heard, transferor.retryCount], [["b0 failed: SASL timeout"], 0]);
});

// Spark: RetryingBlockTransferorSuite "testRetryOnSaslTimeout".
test("RetryingBlockTransferor forgets retries for authentication when it succeeds", () => {
  const { heard, transferor } = perform([{ b0: saslTimeout() }, { b0: block0 }], { enableSaslRetries: true });
  assertEquals([heard, transferor.retryCount], [["b0: block0"], 0]);
});

// Spark: RetryingBlockTransferorSuite "testRepeatedSaslRetryFailures".
test("RetryingBlockTransferor gives up authentication after the last retry", () => {
  const interactions = [{ b0: saslTimeout() }, { b0: saslTimeout() }, { b0: saslTimeout() }];
  const { heard, transferor } = perform(interactions, { enableSaslRetries: true });
  assertEquals([heard, transferor.retryCount], [["b0 failed: SASL timeout"], MAX_RETRIES]);
});

// Spark: RetryingBlockTransferorSuite "testBlockTransferFailureAfterSasl".
test("RetryingBlockTransferor counts the retry after authentication has succeeded as the first", () => {
  const interactions = [{ b0: saslTimeout(), b1: block1 }, { b0: block0, b1: lost() }, { b1: block1 }];
  const { heard, transferor } = perform(interactions, { enableSaslRetries: true });
  assertEquals([heard, transferor.retryCount], [["b0: block0", "b1: block1"], 1]);
});

// Spark: RetryingBlockTransferorSuite "testIOExceptionFailsConnectionEvenWithSaslException".
test("RetryingBlockTransferor has all its retries for lost connections after those for authentication", () => {
  const interactions = [{ b0: saslTimeout() }, { b0: saslTimeout() }, { b0: lost() }, { b0: lost() }, { b0: lost() }];
  const { heard, transferor } = perform(interactions, { enableSaslRetries: true });
  assertEquals([heard, transferor.retryCount], [["b0 failed: Connection failed or something"], MAX_RETRIES]);
});

// Spark: RetryingBlockTransferorSuite "testRetryInitiationFailure".
test("RetryingBlockTransferor fails what is left when no retry can be begun", () => {
  class NoTimers extends HandClock {
    override setTimer(): never {
      throw new Error("No memory");
    }
  }
  const run = perform([{ b0: lost(), b1: block1 }], { clock: new NoTimers() });
  assertEquals(run.heard, ["b0 failed: No memory", "b1 failed: No memory"]);
  assertEquals(run.logger.has("Exception while trying to initiate retry (No memory)"), true);
});

test("RetryingBlockTransferor retries an attempt that cannot begin, and fails what is left after the last", async () => {
  for (const isAsync of [false, true]) {
    let attempts = 0;
    const { transferor, heard, clock, logger } = makeRun(
      (_, listener) => {
        attempts++;
        if (attempts === 2) listener.onBlockFetchSuccess("b0", block0);
        if (isAsync) return Promise.reject(lost());
        throw lost();
      },
      ["b0", "b1", "b1"],
    );
    transferor.start();
    for (let i = 1; i <= MAX_RETRIES; i++) {
      await within(turnsUntil(() => clock.timers.length === 1), "the retry");
      clock.advance(RETRY_WAIT_MS);
    }
    await within(turnsUntil(() => transferor.numOutstanding === 0), "the end");
    assertEquals([attempts, heard], [3, ["b0: block0", "b1 failed: Connection failed or something"]]);
    const begin = "Exception while beginning fetch of";
    assertEquals(logger.lines.filter((line) => line.includes(begin)), [
      `warning: ${begin} 2 outstanding blocks`,
      `warning: ${begin} 1 outstanding blocks (after 1 retries)`,
      `error: ${begin} 1 outstanding blocks (after 2 retries) (Connection failed or something)`,
    ]);
  }
});

test("RetryingBlockTransferor.cancel() fails what is left at once, and hears nothing more", () => {
  let late: BlockFetchingListener | undefined;
  const { transferor, heard, clock } = makeRun((_, listener) => {
    late ??= listener;
    listener.onBlockFetchSuccess("b0", block0);
    listener.onBlockFetchFailure("b1", lost());
  }, ["b0", "b1", "b2"]);
  transferor.start();
  assertEquals(clock.timers.length, 1);
  transferor.cancel(new Error("No longer wanted"));
  assertEquals(clock.timers, []);
  late?.onBlockFetchSuccess("b1", block1);
  late?.onBlockFetchFailure("b2", refused());
  transferor.cancel(new Error("Again"));
  assertEquals(heard, ["b0: block0", "b1 failed: No longer wanted", "b2 failed: No longer wanted"]);
});

test("RetryingBlockTransferor asks its error handler, and logs what that lets it", () => {
  const stale = new RpcError("DISCONNECTED", STALE_SHUFFLE_BLOCK_FETCH);
  const { heard, logger } = perform([{ b0: stale }], { errorHandler: blockFetchErrorHandler });
  assertEquals(heard, [`b0 failed: ${STALE_SHUFFLE_BLOCK_FETCH}`]);
  assertEquals(logger.lines, ["debug: Failed to fetch block b0, and will not retry (0 retries)"]);
});

test("RetryingBlockTransferor goes on when its listener throws", () => {
  const heard: string[] = [];
  const logger = new MemoryLogger();
  const listener: BlockFetchingListener = {
    onBlockFetchSuccess(blockId) {
      heard.push(blockId);
      throw new Error("Clumsy");
    },
    onBlockFetchFailure() {},
  };
  const options = { maxRetries: 0, retryWaitMs: 0, clock: new HandClock(), logger };
  const start: BlockTransferStarter = (ids, own) => ids.forEach((id) => own.onBlockFetchSuccess(id, block0));
  new RetryingBlockTransferor(start, ["b0", "b1"], listener, options).start();
  assertEquals(heard, ["b0", "b1"]);
  assertEquals(logger.lines[0], "error: A listener of block transfers failed (Clumsy)");
});

/** Lets promises settle until it holds. */
async function turnsUntil(holds: () => boolean): Promise<void> {
  while (!holds()) await Promise.resolve();
}

test("RetryingBlockTransferor does not listen to how an attempt begins that is over", async () => {
  for (const isCancelled of [true, false]) {
    const failed = deferred();
    let attempts = 0;
    const { transferor, heard, clock } = makeRun((_, listener) => {
      if (++attempts > 1) return;
      if (!isCancelled) listener.onBlockFetchFailure("b0", lost());
      return failed.promise;
    }, ["b0"]);
    transferor.start();
    if (isCancelled) transferor.cancel(new Error("No longer wanted"));
    failed.reject(lost());
    for (let i = 0; i < 5; i++) await Promise.resolve();
    assertEquals([transferor.retryCount, clock.timers.length], isCancelled ? [0, 0] : [1, 1]);
    assertEquals(heard, isCancelled ? ["b0 failed: No longer wanted"] : []);
  }
});

test("RetryingBlockTransferor logs a failure once, of however many blocks it is", () => {
  const failure = new Error("x".repeat(65_536));
  const blockIds = Array.from({ length: 1_000 }, (_, i) => `b${i}`);
  const failed = Object.fromEntries(blockIds.map((blockId) => [blockId, failure]));
  const { heard, logger } = perform([{ ...failed, another: refused() }]);
  assertEquals(heard.length, 1_001);
  assertEquals(logger.lines.filter((line) => line.startsWith("error")), [
    `error: Failed to fetch block b0, and will not retry (0 retries) (${failure.message})`,
    "error: Failed to fetch block another, and will not retry (0 retries) (Ouch!)",
  ]);
});
