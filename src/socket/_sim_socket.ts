/**
 * One end of a simulated connection. What it writes is collected until the microtasks of the event have drained; what it reads
 * is borrowed for the time of the callback, and spoiled afterwards.
 *
 * @module
 */

import { assert, AssertionError } from "../base/assert.ts";
import type { Timer } from "../base/clock.ts";
import { BaseSocket, READ_BUFFER_BYTES, type SocketEnds } from "./_base_socket.ts";
import { SimulatedWriteQueue } from "./_sim_write_queue.ts";
import type { Departure, SimulatedMedium, SimulatedWire, WireEnd, WireHost } from "./_sim_wire.ts";
import type { SocketErrorCode, SocketOptions } from "./socket.ts";
import { formatAddress, socketError } from "./socket_errors.ts";

/** What memory is filled with that is not, or not any more, anybody's to read. */
const SPOILED = 0xee;

/** Where borrowed bytes begin in their buffer: whoever takes `chunk.buffer` for the chunk is found out. */
const READ_OFFSET = 8;

/** Size of {@linkcode SimulatedMedium.readBuffer}. */
export const SHARED_READ_BYTES: number = READ_OFFSET + READ_BUFFER_BYTES;

/** What a {@linkcode SimulatedSocket} is made of. */
export interface SimulatedSocketParts {
  readonly id: number;
  readonly medium: SimulatedMedium;
  readonly host: WireHost;
  readonly incoming: SimulatedWire;
  readonly outgoing: SimulatedWire;
  readonly ends: SocketEnds;
  readonly options: SocketOptions;
  /** Called once, when the socket has closed. */
  readonly over: () => void;
}

/** A socket whose bytes never leave the process. */
export class SimulatedSocket extends BaseSocket implements Departure, WireEnd {
  readonly id: number;
  readonly #medium: SimulatedMedium;
  readonly #host: WireHost;
  readonly #incoming: SimulatedWire;
  readonly #outgoing: SimulatedWire;
  readonly #over: () => void;
  readonly #queue = new SimulatedWriteQueue();
  #received: Uint8Array[] = [];
  #receivedBytes = 0;
  #finArrived = false;
  #finLeft = false;
  #resetDue = false;
  #peerKnows = false;
  /** Memory of the handler's that waits for the next bytes; `null` as long as it was not asked. */
  #reserved: Uint8Array | undefined | null = null;
  #nextReadMs = 0;
  #readEvent: Timer | undefined;
  #drainEvent: Timer | undefined;

  constructor(parts: SimulatedSocketParts) {
    super(parts.ends, parts.options);
    this.id = parts.id;
    this.#medium = parts.medium;
    this.#host = parts.host;
    this.#incoming = parts.incoming;
    this.#outgoing = parts.outgoing;
    this.#over = parts.over;
    this.#incoming.receiver = this;
    this.#outgoing.sender = this;
  }

  override get queuedBytes(): number {
    return this.#queue.bytes;
  }

  get isOver(): boolean {
    return this.isClosed;
  }

  /** What was written in an event leaves in one run, as far as there is room. */
  depart(): void {
    if (this.#resetDue) {
      this.#resetDue = false;
      this.#outgoing.sendReset();
    }
    if (this.isClosed) return;
    const count = this.#queue.bytes <= this.#outgoing.room ? this.#queue.bytes : this.#outgoing.roomForPart;
    if (count > 0) this.#outgoing.send(this.#queue.take(count));
    if (this.isDrainDue) this.#drainLater();
    if (this.#queue.bytes > 0 || !this.isShut || this.#finLeft) return;
    this.#finLeft = true;
    this.#outgoing.sendFin();
    this.#closeIfBothEnded();
  }

  dataArrived(parts: readonly Uint8Array[]): void {
    if (this.isClosed) return;
    for (const part of parts) {
      this.#received.push(part);
      this.#receivedBytes += part.length;
    }
    assert(this.#receivedBytes <= this.#medium.bufferBytes, "Wire delivered more than its buffer holds");
    this.#readNowOrLater();
  }

  finArrived(): void {
    this.#finArrived = true;
    this.#readNowOrLater();
  }

  resetArrived(): void {
    this.#breakDown("CONNECTION_RESET");
  }

  timedOut(): void {
    this.#breakDown("TIMED_OUT");
  }

  roomMade(): void {
    if (this.#queue.bytes > 0) this.#medium.touch(this);
  }

  protected override begin(): void {
    this.#reserve();
  }

  protected override startReading(): void {
    this.#readLater();
  }

  protected override enqueue(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.#queue.push(chunk);
    if (this.#queue.bytes > 0) this.#medium.touch(this);
  }

  protected override finishWriting(): void {
    this.#medium.touch(this);
  }

  protected override release(): undefined {
    this.#queue.clear();
    this.#received = [];
    this.#receivedBytes = 0;
    this.#reserved = undefined;
    this.#readEvent?.cancel();
    this.#drainEvent?.cancel();
    if (!this.#peerKnows) {
      this.#resetDue = true;
      this.#medium.touch(this);
    }
    this.#over();
  }

  #breakDown(code: SocketErrorCode): void {
    if (this.isClosed) return;
    this.#peerKnows = true;
    this.#outgoing.record(code === "TIMED_OUT" ? "times out" : "is reset");
    this.broke(socketError(code, `Connection with ${formatAddress(this.remoteAddress)}`));
  }

  #closeIfBothEnded(): void {
    if (!this.#finLeft || !this.hasEnded) return;
    this.#host.clock.schedule(0, () => {
      if (this.isClosed) return;
      this.#peerKnows = true;
      this.#outgoing.record("closes");
      this.gone();
    });
  }

  #drainLater(): void {
    this.#drainEvent ??= this.#host.clock.schedule(0, () => {
      this.#drainEvent = undefined;
      this.drained();
    });
  }

  #readNowOrLater(): void {
    if (this.#readEvent === undefined && this.#nextReadMs <= this.#medium.clock.now()) this.#read();
    else this.#readLater();
  }

  #readLater(): void {
    if (this.#receivedBytes === 0 && (!this.#finArrived || this.hasEnded)) return;
    if (this.#readEvent !== undefined || this.isPaused || this.isClosed) return;
    this.#readEvent = this.#host.clock.schedule(this.#nextReadMs - this.#medium.clock.now(), () => {
      this.#readEvent = undefined;
      this.#read();
    });
  }

  /** One callback at most: what else is there is read in an event of its own. */
  #read(): void {
    if (this.isPaused || this.isClosed) return;
    if (this.#receivedBytes > 0) {
      this.#readBytes();
    } else if (this.#finArrived && !this.hasEnded) {
      this.#outgoing.record("ends");
      this.ended();
      this.#closeIfBothEnded();
    }
    this.#readLater();
  }

  #readBytes(): void {
    if (this.#reserved === null) this.#reserve();
    if (this.isClosed) return;
    const reserved = this.#reserved ?? undefined;
    const target = reserved ?? this.#medium.readBuffer.subarray(READ_OFFSET);
    const count = Math.min(this.#receivedBytes, target.length, this.#readLimit());
    if (reserved !== undefined) this.#checkReserved(reserved, count);
    this.#take(target, count);
    this.#reserved = null;
    this.#outgoing.record("reads", count);
    this.#incoming.confirm(count);
    const chunk = target.subarray(0, count);
    // What was read into the handler's own memory stays there.
    this.received(chunk, reserved !== undefined);
    if (reserved === undefined) chunk.fill(SPOILED);
    if (!this.isClosed && !this.isPaused && this.#reserved === null) this.#reserve();
  }

  #readLimit(): number {
    const { faults } = this.#medium.dice;
    if (!this.#incoming.hasSlowReader || faults.slowReaderProbability === 0) return READ_BUFFER_BYTES;
    this.#nextReadMs = this.#medium.clock.now() + faults.slowReadMs;
    return faults.slowReadBytes;
  }

  /** Asks for memory before the bytes are there, as a pending read does: it must wait untouched. */
  #reserve(): void {
    const memory = this.allocate();
    if (this.isClosed) return;
    this.#reserved = memory;
    memory?.fill(SPOILED, 0, READ_BUFFER_BYTES);
  }

  #checkReserved(memory: Uint8Array, count: number): void {
    for (let i = 0; i < count; i++) {
      if (memory[i] === SPOILED) continue;
      this.#medium.clock.fail(new AssertionError(`Memory given by allocate() was changed while it was reserved: byte ${i}`));
      return;
    }
  }

  #take(target: Uint8Array, count: number): void {
    let filled = 0;
    let used = 0;
    while (filled < count) {
      const part = this.#received[used]!;
      const taken = part.subarray(0, count - filled);
      target.set(taken, filled);
      filled += taken.length;
      if (taken.length === part.length) used++;
      else this.#received[used] = part.subarray(taken.length);
    }
    this.#received.splice(0, used);
    this.#receivedBytes -= count;
  }
}
