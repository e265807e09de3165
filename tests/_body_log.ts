/**
 * A sink that keeps a record of what it hears.
 *
 * @module
 */

import type { BodySink } from "../src/transport/body_channel.ts";

/** A sink that is full after each chunk, unless it is told otherwise. */
export class BodyLog implements BodySink {
  readonly events: string[] = [];
  bytes = 0;
  isFull = true;
  failure: unknown;

  onSize(bytes: number): void {
    this.events.push(`size ${bytes}`);
  }

  onData(chunk: Uint8Array): boolean {
    this.bytes += chunk.length;
    if (this.events.at(-1) !== "data") this.events.push("data");
    return !this.isFull;
  }

  onComplete(): void {
    this.events.push("complete");
  }

  onFailure(reason: unknown): void {
    this.events.push("failure");
    this.failure = reason;
  }
}
