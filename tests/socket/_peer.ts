/**
 * One end of a connection under test: it sends a known sequence of bytes, checks what arrives against it, and keeps a record of
 * every callback that the contract forbids.
 *
 * @module
 */

import { seededRandom } from "../../src/base/random.ts";
import type { Socket, SocketError, SocketHandler } from "../../src/socket/socket.ts";

/** A prime, so that no buffer size divides it: bytes that arrive at the wrong place do not fit. */
const PERIOD = 65_521;
const sequence = makeSequence();

function makeSequence(): Uint8Array {
  const random = seededRandom(1);
  const bytes = new Uint8Array(2 * PERIOD);
  for (let i = 0; i < PERIOD; i++) bytes[i] = bytes[i + PERIOD] = random() * 256;
  return bytes;
}

/** Fills `memory` with the sequence from `offset` on. */
export function fillWithSequence(memory: Uint8Array, offset: number): void {
  for (let at = 0; at < memory.length; at += PERIOD) {
    const start = (offset + at) % PERIOD;
    memory.set(sequence.subarray(start, start + Math.min(PERIOD, memory.length - at)), at);
  }
}

function isSequence(memory: Uint8Array, offset: number): boolean {
  for (let i = 0, at = offset % PERIOD; i < memory.length; i++, at = at + 1 === PERIOD ? 0 : at + 1) {
    if (memory[i] !== sequence[at]) return false;
  }
  return true;
}

/** What a case does in callbacks, besides the record that is kept anyway. */
export interface PeerHooks {
  /** The other end does not send the sequence. */
  readonly hearsOther?: boolean;
  /** In `attach`, where the socket is known and its handler not yet. */
  attach?(peer: Peer): void;
  allocate?(peer: Peer): Uint8Array | undefined;
  onData?(peer: Peer, chunk: Uint8Array, owned: boolean): void;
  onDrain?(peer: Peer): void;
  onEnd?(peer: Peer): void;
  onClose?(peer: Peer, error: SocketError | undefined): void;
}

/** A handler that checks the contract, and the socket that it handles. */
export class Peer implements SocketHandler {
  readonly socket: Socket;
  /** Names of the callbacks, in order; runs of onData count once. */
  readonly events: string[] = [];
  /** What must not happen and did. */
  readonly violations: string[] = [];
  readonly allocate?: (socket: Socket) => Uint8Array | undefined;
  sentBytes = 0;
  receivedBytes = 0;
  drains = 0;
  error: SocketError | undefined;
  readonly #hooks: PeerHooks;
  readonly #owned: { readonly chunk: Uint8Array; readonly offset: number }[] = [];
  #waiting: { readonly holds: () => boolean; readonly resolve: () => void }[] = [];
  /** The call into the socket that is under way. */
  #inside: string | undefined;
  #isPaused = false;
  #reserved: Uint8Array | undefined;

  constructor(socket: Socket, hooks: PeerHooks = {}) {
    this.socket = socket;
    this.#hooks = hooks;
    const { allocate } = hooks;
    if (allocate !== undefined) {
      this.allocate = () => {
        this.#forbid(this.#reserved !== undefined, "allocate() was called while its memory was reserved");
        this.#note("allocate");
        const memory = allocate.call(hooks, this);
        this.#reserved = memory;
        return memory;
      };
    }
    socket.closed.then(() => {
      this.#forbid(!this.isClosed, "closed settled before onClose");
      this.events.push("closed");
      this.#wake();
    });
    hooks.attach?.(this);
  }

  get hasEnded(): boolean {
    return this.events.includes("end");
  }

  get isClosed(): boolean {
    return this.events.includes("close");
  }

  /** Writes the next `count` bytes of the sequence, in chunks of `size`. */
  send(count: number, size: number = count): boolean {
    const chunks: Uint8Array[] = [];
    for (let left = count; left > 0; left -= size) {
      const chunk = new Uint8Array(Math.min(size, left));
      fillWithSequence(chunk, this.sentBytes);
      this.sentBytes += chunk.length;
      chunks.push(chunk);
    }
    return this.write(chunks);
  }

  write(chunks: readonly Uint8Array[]): boolean {
    return this.#call("write", () => this.socket.write(chunks));
  }

  pause(): void {
    this.#call("pause", () => this.socket.pause());
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#call("resume", () => this.socket.resume());
  }

  shutdown(): void {
    this.#call("shutdown", () => this.socket.shutdown());
  }

  abort(reason?: unknown): void {
    this.#call("abort", () => this.socket.abort(reason));
  }

  /** Resolves once `holds`, which is asked again after every callback. */
  when(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ holds, resolve }));
  }

  /** Looks once more at all memory that was handed over. */
  checkOwned(): void {
    for (const { chunk, offset } of this.#owned) {
      this.#forbid(!isSequence(chunk, offset), `owned memory changed after onData, at byte ${offset}`);
    }
  }

  onData(socket: Socket, chunk: Uint8Array, owned: boolean): void {
    this.#note("data", socket);
    const isInPlace = chunk.buffer === this.#reserved?.buffer;
    this.#forbid(isInPlace && !owned, "memory of allocate() came as borrowed, which is copied");
    this.#reserved = undefined;
    this.#forbid(this.#isPaused, "onData after pause()");
    this.#forbid(this.hasEnded, "onData after onEnd");
    this.#forbid(Object.getPrototypeOf(chunk) !== Uint8Array.prototype, "chunk is not a plain Uint8Array");
    const fits = this.#hooks.hearsOther || isSequence(chunk, this.receivedBytes);
    this.#forbid(!fits, `wrong bytes in ${chunk.length} at ${this.receivedBytes}`);
    if (owned && !this.#hooks.hearsOther && this.#owned.length < 64) this.#owned.push({ chunk, offset: this.receivedBytes });
    this.receivedBytes += chunk.length;
    this.#hooks.onData?.(this, chunk, owned);
    this.#wake();
  }

  onDrain(socket: Socket): void {
    this.drains++;
    this.#note("drain", socket);
    this.#hooks.onDrain?.(this);
    this.#wake();
  }

  onEnd(socket: Socket): void {
    this.#forbid(this.hasEnded, "a second onEnd");
    this.#note("end", socket);
    this.#hooks.onEnd?.(this);
    this.#wake();
  }

  onClose(socket: Socket, error: SocketError | undefined): void {
    this.#note("close", socket);
    this.error = error;
    this.#forbid(error === undefined && !this.hasEnded, "onClose without error and without onEnd");
    this.#forbid(socket.queuedBytes !== 0, "bytes are queued after the close");
    this.#hooks.onClose?.(this, error);
    this.#wake();
  }

  #note(event: string, socket = this.socket): void {
    this.#forbid(this.#inside !== undefined, `${event} inside ${this.#inside}()`);
    this.#forbid(this.isClosed, `${event} after onClose`);
    this.#forbid(socket !== this.socket, `${event} with another socket`);
    if (event !== "allocate" && (event !== "data" || this.events.at(-1) !== "data")) this.events.push(event);
  }

  #call<T>(name: string, body: () => T): T {
    const outer = this.#inside;
    this.#inside = name;
    try {
      return body();
    } finally {
      this.#inside = outer;
    }
  }

  #forbid(happened: boolean, what: string): void {
    if (happened) this.violations.push(what);
  }

  #wake(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ holds }) => !holds());
    for (const waiter of waiting) if (!this.#waiting.includes(waiter)) waiter.resolve();
  }
}
