/**
 * Reads one simulated download, checks every byte, and now and then is not as fast as it comes.
 *
 * @module
 */

import type { Clock } from "../../src/base/clock.ts";
import type { BodyChannel, BodySink } from "../../src/transport/body_channel.ts";
import { payloadFault } from "./payload.ts";

/** What is read, as its maker knows it. */
export interface ExpectedBytes {
  readonly seed: number;
  readonly size: number;
}

/** Takes one download. */
export class DownloadReader implements BodySink {
  /** Resolves at the end of the download; rejects with what it failed with. */
  readonly ended: Promise<void>;
  /** What it reads from; set when that has been opened. */
  channel: BodyChannel | undefined;
  readonly #clock: Clock;
  readonly #expected: ExpectedBytes;
  readonly #bytes: Uint8Array;
  readonly #fail: (what: string) => void;
  #received = 0;
  #isFull = false;
  #hasEnded = false;
  #resolve: () => void = () => {};
  #reject: (reason: unknown) => void = () => {};

  /** @param clock The reader's. @param fail Hears what is wrong. */
  constructor(clock: Clock, expected: ExpectedBytes, fail: (what: string) => void) {
    this.#clock = clock;
    this.#expected = expected;
    this.#bytes = new Uint8Array(expected.size);
    this.#fail = fail;
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  onSize(bytes: number): void {
    if (this.channel === undefined) this.#fail("began within the call that opened it");
    if (bytes !== this.#expected.size) this.#fail(`has ${bytes} bytes instead of ${this.#expected.size}`);
  }

  onData(chunk: Uint8Array): boolean {
    if (this.#isFull) this.#fail("went on though its reader was full");
    if (this.#hasEnded) this.#fail("went on after its end");
    if (this.#received + chunk.length > this.#bytes.length) {
      this.#fail("has more bytes than were served");
      return true;
    }
    this.#bytes.set(chunk, this.#received);
    this.#received += chunk.length;
    // No numbers are drawn here: the bytes decide.
    if (chunk[0]! % 4 !== 0) return true;
    this.#isFull = true;
    this.#clock.setTimer(chunk[0]! / 8, () => {
      this.#isFull = false;
      this.channel?.resume();
    });
    return false;
  }

  onComplete(): void {
    this.#end();
    const { seed, size } = this.#expected;
    const fault = payloadFault({ seed, bytes: this.#bytes.subarray(0, this.#received) }, size);
    if (fault !== undefined) this.#fail(`is wrong: ${fault}`);
    this.#resolve();
  }

  onFailure(reason: unknown): void {
    this.#end();
    this.#reject(reason);
  }

  #end(): void {
    if (this.#hasEnded) this.#fail("ended twice");
    this.#hasEnded = true;
  }
}
