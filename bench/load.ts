/**
 * The load: what a client of either side does, once it can ask and send.
 *
 * Both sides run these very loops, so that what they cost is in both figures.
 *
 * @module
 */

/** What kind of load a workload is. */
export type LoadKind = "roundtrip" | "pipelined" | "oneway";

/** What a client is told to do. */
export interface LoadPlan {
  /** One request at a time, many, or messages without an answer. */
  readonly kind: LoadKind;
  /** How many requests are outstanding. */
  readonly outstanding: number;
  /** Size of the body of each. */
  readonly bodyBytes: number;
  /** Whether the body is the small object instead, to four endpoints in turn. */
  readonly smallObject: boolean;
  /** How long the timed part is to last, about. */
  readonly seconds: number;
  /** How long to warm up, at least. */
  readonly warmUpSeconds: number;
}

/** What can be loaded. */
export interface LoadTarget {
  /** Sends one request. */
  ask(): Promise<unknown>;
  /** Sends one message that nobody answers. */
  send(): void;
  /** Asks once and throws unless what came back equals what was sent. */
  verify(): Promise<void>;
}

/** What a client measured. */
export interface LoadResult {
  /** How many requests or messages were handled. */
  readonly requests: number;
  /** How long it took. */
  readonly seconds: number;
  /** The median of a round trip, in microseconds. */
  readonly p50Micros?: number;
}

/** So many messages go out before an ask makes sure that the peer has handled them: no queue grows past a few batches. */
const ONE_WAY_BATCH = 8192;

/** So many batches are on their way at once, so that neither side waits for the other. */
const ONE_WAY_BATCHES = 4;

/** Verifies, warms up, and returns a function that runs the timed part. */
export async function prepare(target: LoadTarget, plan: LoadPlan): Promise<() => Promise<LoadResult>> {
  await Promise.all(Array.from({ length: Math.max(2, plan.outstanding) }, () => target.verify()));
  let count = 64;
  let warmedSeconds = 0;
  let perSecond = 0;
  while (warmedSeconds < plan.warmUpSeconds) {
    const { seconds, requests } = await run(target, plan, count);
    warmedSeconds += seconds;
    perSecond = requests / seconds;
    count = Math.min(count * 4, Math.ceil(perSecond * plan.warmUpSeconds / 2));
  }
  const timed = Math.ceil(perSecond * plan.seconds);
  return () => run(target, plan, timed);
}

function run(target: LoadTarget, plan: LoadPlan, count: number): Promise<LoadResult> {
  switch (plan.kind) {
    case "roundtrip":
      return runRoundTrips(target, count);
    case "pipelined":
      return runPipelined(target, count, plan.outstanding);
    case "oneway":
      return runOneWay(target, count);
  }
}

async function runRoundTrips(target: LoadTarget, count: number): Promise<LoadResult> {
  const micros = new Float64Array(count);
  const start = performance.now();
  let before = start;
  for (let i = 0; i < count; i++) {
    await target.ask();
    const now = performance.now();
    micros[i] = (now - before) * 1000;
    before = now;
  }
  micros.sort();
  return { requests: count, seconds: (before - start) / 1000, p50Micros: micros[count >>> 1]! };
}

async function runPipelined(target: LoadTarget, count: number, outstanding: number): Promise<LoadResult> {
  let left = count;
  const loop = async (): Promise<void> => {
    while (left-- > 0) await target.ask();
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: outstanding }, loop));
  return { requests: count, seconds: (performance.now() - start) / 1000 };
}

async function runOneWay(target: LoadTarget, count: number): Promise<LoadResult> {
  const batches = Math.ceil(count / ONE_WAY_BATCH);
  let left = batches;
  const loop = async (): Promise<void> => {
    while (left-- > 0) {
      for (let i = 0; i < ONE_WAY_BATCH; i++) target.send();
      await target.ask();
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: ONE_WAY_BATCHES }, loop));
  return { requests: batches * ONE_WAY_BATCH, seconds: (performance.now() - start) / 1000 };
}
