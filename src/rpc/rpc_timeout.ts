/**
 * A time limit and the configuration key that sets it, so that whoever runs into the limit is told which key to turn.
 *
 * Spark: core/…/rpc/RpcTimeout.scala and util/RpcUtils.scala. There limits from configuration are cut off to whole seconds, so that
 * `500ms` is no time at all; here milliseconds count. A negative limit is refused. No failure but a timeout is wrapped.
 *
 * @module
 */

import { type Clock, systemClock } from "../base/clock.ts";
import { WatchTimer } from "../base/watch_timer.ts";
import type { AskPhase } from "../base/error_codes.ts";
import { isError, RpcError, RpcTimeoutError } from "../base/errors.ts";
import { checkDuration } from "../base/limits.ts";
import { illegalValue, type SparkConf } from "../base/spark_conf.ts";
import { parseTime } from "../base/spark_units.ts";

const ASK_KEYS = ["spark.rpc.askTimeout", "spark.network.timeout"] as const;
const LOOKUP_KEYS = ["spark.rpc.lookupTimeout", "spark.network.timeout"] as const;
const DEFAULT_TIMEOUT = "120s";

/** What is known of an ask when its time is up. */
export interface TimedOutAsk extends ErrorOptions {
  /** The address that was asked, as `host:port`, if it is known. */
  readonly peer?: string | undefined;
  /** How far the ask had come. */
  readonly phase: AskPhase;
}

/**
 * A time limit and the key that controls it.
 *
 * @example
 * ```ts
 * import { RpcTimeout, SparkConf } from "@sparkwire/sparkwire";
 *
 * const conf = new SparkConf({ "spark.network.timeout": "2min" });
 * const timeout = RpcTimeout.ask(conf);
 * if (timeout.durationMs !== 120_000 || timeout.timeoutProp !== "spark.network.timeout") throw new Error("not so");
 * ```
 */
export class RpcTimeout {
  /** No limit at all. Spark: RpcUtils.INFINITE_TIMEOUT. */
  static readonly infinite: RpcTimeout = new RpcTimeout(Infinity, "infinite");

  /** The limit, in milliseconds; Infinity for none. */
  readonly durationMs: number;
  /** The configuration key that controls it, or what else does. */
  readonly timeoutProp: string;

  /**
   * A limit and what controls it.
   *
   * @param durationMs The limit, in milliseconds; Infinity for none.
   * @param timeoutProp The configuration key that controls it, or what else does.
   * @throws RangeError if the limit is negative or not a number.
   */
  constructor(durationMs: number, timeoutProp: string) {
    checkDuration(durationMs, `Timeout of ${timeoutProp}`);
    this.durationMs = durationMs;
    this.timeoutProp = timeoutProp;
  }

  /**
   * The limit that configuration sets: that of the first key that is set, else the default, under the name of the first key.
   *
   * @param conf The configuration.
   * @param keys The key, or several of them, the most important one first. A bare number is in seconds.
   * @param defaultValue The limit where no key is set.
   * @throws RangeError if no key is set and there is no default, or if a value is no duration.
   */
  static fromConf(conf: SparkConf, keys: string | readonly string[], defaultValue?: string): RpcTimeout {
    const candidates = typeof keys === "string" ? [keys] : keys;
    const key = candidates.find((candidate) => conf.contains(candidate)) ?? candidates[0];
    if (key === undefined) throw new RangeError("Expected at least one configuration key");
    const text = conf.get(key, defaultValue);
    return new RpcTimeout(readSeconds(key, text), key);
  }

  /** The limit of an ask: `spark.rpc.askTimeout`, then `spark.network.timeout`; default 120s. Spark: RpcUtils.askRpcTimeout. */
  static ask(conf: SparkConf): RpcTimeout {
    return RpcTimeout.fromConf(conf, ASK_KEYS, DEFAULT_TIMEOUT);
  }

  /** The limit of a lookup: `spark.rpc.lookupTimeout`, then `spark.network.timeout`; default 120s. Spark: RpcUtils.lookupRpcTimeout. */
  static lookup(conf: SparkConf): RpcTimeout {
    return RpcTimeout.fromConf(conf, LOOKUP_KEYS, DEFAULT_TIMEOUT);
  }

  /** The limit in words, as Scala prints it: `120 seconds`, `1 second`, `10 milliseconds`. */
  get duration(): string {
    return formatDuration(this.durationMs);
  }

  /**
   * The error of this limit, whose text ends with the key. Spark: createRpcTimeoutException.
   *
   * @param message What did not happen in time, without full stop.
   * @param ask What is known of the ask.
   */
  timeoutError(message: string, ask: TimedOutAsk): RpcTimeoutError {
    return new RpcTimeoutError(`${message}. This timeout is controlled by ${this.timeoutProp}`, {
      ...ask,
      timeoutMs: this.durationMs,
      key: this.timeoutProp,
    });
  }

  /** The error of an ask that got no reply: `Cannot receive any reply from <peer> in <duration>`, and the key. */
  noReplyError(ask: TimedOutAsk): RpcTimeoutError {
    return this.timeoutError(`Cannot receive any reply from ${ask.peer ?? null} in ${this.duration}`, ask);
  }

  /**
   * Gives a timeout the key that controls it. An RpcTimeoutError has one already; every other error is not a timeout. Both are
   * given back as they are.
   *
   * @param error What was thrown.
   */
  addMessageIfTimeout(error: unknown): unknown {
    if (!isTimeout(error) || error instanceof RpcTimeoutError || error.name === "RpcTimeoutError") return error;
    return this.timeoutError(error.message, { phase: "waiting", cause: error });
  }

  /**
   * Waits for `promise`, but no longer than the limit.
   *
   * @param promise What to wait for; it goes on after the limit, and what becomes of it then is ignored.
   * @param clock Whose time counts.
   * @returns Its value; rejects with an RpcTimeoutError, or with its own error as it is.
   */
  awaitResult<T>(promise: Promise<T>, clock: Clock = systemClock): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = this.durationMs === Infinity ? undefined : new WatchTimer(clock, this.durationMs, () => {
        reject(this.timeoutError(`Future timed out after [${this.duration}]`, { phase: "waiting" }));
      });
      promise.then((value) => {
        timer?.cancel();
        resolve(value);
      }, (error) => {
        timer?.cancel();
        reject(this.addMessageIfTimeout(error));
      });
    });
  }
}

/** A duration in words, as Scala's FiniteDuration prints it; whole seconds as such. */
export function formatDuration(durationMs: number): string {
  if (durationMs === Infinity) return "Duration.Inf";
  const inSeconds = durationMs % 1000 === 0;
  const length = inSeconds ? durationMs / 1000 : durationMs;
  const unit = inSeconds ? "second" : "millisecond";
  return `${length} ${unit}${length === 1 ? "" : "s"}`;
}

/** A duration whose bare number is in seconds, as milliseconds. */
function readSeconds(key: string, text: string): number {
  try {
    const bare = /^\s*-?[0-9]+\s*$/.test(text);
    const durationMs = parseTime(bare ? `${text.trim()}s` : text, "ms");
    if (durationMs < 0) throw new RangeError("Time must not be negative");
    return durationMs;
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw illegalValue(key, text, cause.message, cause);
  }
}

/** Whether it is a failure for lack of time: ours, or one of a signal made by `AbortSignal.timeout`. */
function isTimeout(error: unknown): error is Error {
  if (RpcError.is(error)) return error.code === "TIMEOUT";
  return isError(error) && error.name === "TimeoutError";
}
