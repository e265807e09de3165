/**
 * What happened in a simulated network: a hash over all of it, by which two runs are compared, and the last events as text.
 *
 * @module
 */

/** How many events are kept as text. */
const TRACE_TAIL = 50;

/** What can happen; the place in this list is what enters the hash, so new kinds are added at the end. */
const KINDS = [
  "dials",
  "accepts",
  "refuses",
  "connects",
  "sends",
  "reads",
  "sends FIN",
  "ends",
  "sends RST",
  "is reset",
  "closes",
  "falls silent",
  "freezes",
  "jumps",
  "times out",
] as const;

/** What can happen in a simulated network. */
export type TraceKind = (typeof KINDS)[number];

const CODES: ReadonlyMap<TraceKind, number> = new Map(KINDS.map((kind, index) => [kind, index]));

interface TraceEntry {
  readonly timeMs: number;
  readonly who: string;
  readonly kind: TraceKind;
  readonly count: number;
  readonly digest: number;
}

/** FNV-1a over bytes: tells two contents apart, nothing more. */
export function digestOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash >>> 0;
}

/** The record of a run. It is made of whole numbers only, so that every engine comes to the same one. */
export class SimulatedTrace {
  readonly #tail: TraceEntry[] = [];
  #count = 0;
  #low = 0x811c9dc5;
  #high = 0x9e3779b9;

  /** How many events were recorded. */
  get count(): number {
    return this.#count;
  }

  /** Sixteen hexadecimal digits that stand for everything recorded so far. */
  get hash(): string {
    return hex(this.#high) + hex(this.#low);
  }

  /** The last events, the oldest first, a line each. */
  get tail(): readonly string[] {
    const oldest = this.#count % TRACE_TAIL;
    const entries = this.#count < TRACE_TAIL ? this.#tail : [...this.#tail.slice(oldest), ...this.#tail.slice(0, oldest)];
    return entries.map(describe);
  }

  /**
   * Records an event.
   *
   * @param timeMs When, in virtual milliseconds.
   * @param id Whose number: of a socket, or of a host.
   * @param who The same for people.
   * @param count Bytes, or another number that belongs to it.
   * @param digest Stands for the bytes.
   * @internal
   */
  record(timeMs: number, id: number, who: string, kind: TraceKind, count = 0, digest = 0): void {
    const micros = Math.round(timeMs * 1000);
    this.#mix(micros % 2 ** 32);
    this.#mix(Math.floor(micros / 2 ** 32));
    this.#mix(id);
    this.#mix(CODES.get(kind)!);
    this.#mix(count);
    this.#mix(digest);
    this.#tail[this.#count++ % TRACE_TAIL] = { timeMs, who, kind, count, digest };
  }

  #mix(value: number): void {
    const low = Math.imul(this.#low ^ value, 0x01000193);
    this.#low = low ^ (low >>> 15);
    const high = Math.imul(this.#high ^ value, 0x85ebca6b);
    this.#high = high ^ (high >>> 13) ^ (low >>> 7);
  }
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}

function describe({ timeMs, who, kind, count, digest }: TraceEntry): string {
  const details = (count === 0 ? "" : ` ${count}`) + (digest === 0 ? "" : ` ${hex(digest)}`);
  return `${timeMs.toFixed(3).padStart(12)} ms  ${who} ${kind}${details}`;
}
