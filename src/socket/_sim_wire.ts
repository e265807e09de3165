/**
 * One direction of a simulated connection: what left the sender arrives at the receiver later, in order, in other pieces, or not
 * at all.
 *
 * @module
 */

import type { SimulatedClock } from "../base/simulated_clock.ts";
import { toSteps } from "../base/simulated_clock.ts";
import type { SimulatedHostClock } from "../base/simulated_host_clock.ts";
import type { FaultDice } from "./_sim_faults.ts";
import type { SimulatedTrace, TraceKind } from "./_sim_trace.ts";
import { digestOf } from "./_sim_trace.ts";

/** What leaves after an event, when its microtasks have drained. */
export interface Departure {
  /** Those of lower numbers leave first. */
  readonly id: number;
  /** Lets it leave. No callback of the core runs here. */
  depart(): void;
}

/** What all parts of a simulated network share. */
export interface SimulatedMedium {
  readonly clock: SimulatedClock;
  readonly dice: FaultDice;
  readonly trace: SimulatedTrace;
  /** How many bytes fit between a sender's queue and a receiver's read. */
  readonly bufferBytes: number;
  /** How long a sender tries before it gives a silent peer up. */
  readonly retransmitTimeoutMs: number;
  /** Where bytes are read into that no handler has memory for. */
  readonly readBuffer: Uint8Array;
  /** Lets `departure` leave at the end of this event. */
  touch(departure: Departure): void;
}

/** A host, as far as a connection knows it. */
export interface WireHost {
  readonly name: string;
  readonly clock: SimulatedHostClock;
  /** Cut off from all others. */
  readonly silent: boolean;
  /** Lets nothing happen on it for `ms`. */
  freeze(ms: number): void;
  /** Moves its clock ahead by `ms`. */
  jumpClock(ms: number): void;
}

/** Where a wire ends: a socket, or an attempt to connect. */
export interface WireEnd {
  dataArrived(parts: readonly Uint8Array[]): void;
  finArrived(): void;
  resetArrived(): void;
  /** The peer did not confirm what was sent. */
  timedOut(): void;
  /** There is room for more. */
  roomMade(): void;
  /** Nobody is there any more. */
  readonly isOver: boolean;
}

/** Two wires that live and die together. */
export interface WirePair {
  /** Nothing passes any more. */
  readonly silent: boolean;
  /** How much slower than others this connection is. */
  readonly extraDelayMs: number;
  /** Lets nothing pass any more. */
  fallSilent(): void;
  /** Tells both ends that the connection is gone. */
  resetBoth(): void;
}

/** One direction of a connection. */
export class SimulatedWire {
  /** Who sends; undefined as long as there is nobody. */
  sender: WireEnd | undefined;
  /** Who receives. */
  receiver: WireEnd | undefined;
  readonly #medium: SimulatedMedium;
  readonly #pair: WirePair;
  readonly #from: WireHost;
  readonly #to: WireHost;
  readonly #id: number;
  readonly #who: string;
  #unread = 0;
  #lastArrivalMs = 0;
  /** The last piece under way, which the next one may catch up with. */
  #tail: Uint8Array[] | undefined;
  #isCut = false;
  #isTrying = false;
  /** Something was lost: what follows must not arrive, or the receiver would take it for the next bytes. */
  #hasGap = false;
  /** Whether its receiver is a slow reader. */
  readonly hasSlowReader: boolean;

  /** @param id Number of the sending socket. @param who Its name in the trace. */
  constructor(medium: SimulatedMedium, pair: WirePair, from: WireHost, to: WireHost, id: number, who: string) {
    this.#medium = medium;
    this.#pair = pair;
    this.#from = from;
    this.#to = to;
    this.#id = id;
    this.#who = who;
    this.hasSlowReader = medium.dice.chance(medium.dice.faults.slowReaderProbability);
  }

  /** How many more bytes may leave the sender. */
  get room(): number {
    return this.#medium.bufferBytes - this.#unread;
  }

  /**
   * How many bytes of more than there is room for may leave: as in TCP, none as long as that is less than half of the buffer, or
   * small reads would make for small runs, and those for smaller reads.
   */
  get roomForPart(): number {
    return this.room * 2 >= this.#medium.bufferBytes ? this.room : 0;
  }

  /** Writes a line of the trace in the sender's name. */
  record(kind: TraceKind, count?: number, digest?: number): void {
    this.#medium.trace.record(this.#medium.clock.now(), this.#id, this.#who, kind, count, digest);
  }

  /** The receiver has read `count` bytes. */
  confirm(count: number): void {
    this.#unread -= count;
    this.sender?.roomMade();
  }

  /** Takes a run of bytes from the sender. This is where faults strike. */
  send(run: Uint8Array): void {
    const { dice } = this.#medium;
    const { faults } = dice;
    this.record("sends", run.length, digestOf(run));
    this.#unread += run.length;
    this.#disturbHosts();
    if (dice.chance(faults.silenceProbability)) this.#pair.fallSilent();
    if (this.#pair.silent) return this.keepTrying();
    if (this.#isCut) return this.#swallow(run);
    if (dice.chance(faults.resetProbability)) {
      this.#sendPieces(run.subarray(0, dice.below(run.length + 1)));
      return this.#pair.resetBoth();
    }
    if (dice.chance(faults.finProbability)) {
      const end = dice.below(run.length + 1);
      this.#sendPieces(run.subarray(0, end));
      this.sendFin();
      this.#isCut = true;
      return this.#swallow(run.subarray(end));
    }
    this.#sendPieces(run);
  }

  /** Lets the receiver know that nothing more comes. */
  sendFin(): void {
    if (this.#isCut) return;
    this.record("sends FIN");
    if (this.#pair.silent) return this.keepTrying();
    this.carry(() => this.receiver?.finArrived());
  }

  /** Breaks the receiver's end. */
  sendReset(): void {
    this.record("sends RST");
    this.carry(() => this.receiver?.resetArrived(), true);
  }

  /**
   * Lets `arrive` happen at the receiver's host, after everything that was sent before.
   *
   * @param pastGap Whether it still means something to a receiver that has missed what came before.
   */
  carry(arrive: () => void, pastGap = false): void {
    const { clock, dice } = this.#medium;
    const delayMs = toSteps(dice.delayMs() + this.#pair.extraDelayMs);
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, clock.now() + delayMs);
    this.#tail = undefined;
    this.#to.clock.schedule(this.#lastArrivalMs - clock.now(), () => {
      if (this.#pair.silent) this.#hasGap = true;
      else if (pastGap || !this.#hasGap) arrive();
    });
  }

  /** Starts the time after which the sender gives up, since nothing that it sent is confirmed. */
  keepTrying(): void {
    this.#hasGap = true;
    if (this.#isTrying) return;
    this.#isTrying = true;
    this.#from.clock.schedule(this.#medium.retransmitTimeoutMs, () => {
      this.#isTrying = false;
      if (this.#pair.silent) this.sender?.timedOut();
    });
  }

  /** Whether the sender waits for its bytes to be read. */
  get hasUnread(): boolean {
    return this.#unread > 0;
  }

  #disturbHosts(): void {
    const { dice } = this.#medium;
    const { faults } = dice;
    const pick = (): WireHost => dice.below(2) === 0 ? this.#from : this.#to;
    if (dice.chance(faults.freezeProbability)) pick().freeze(faults.freezeMs);
    if (dice.chance(faults.clockJumpProbability)) pick().jumpClock(faults.clockJumpMs);
  }

  /** Drops bytes as if they had been read: the sender does not know that nobody does. */
  #swallow(run: Uint8Array): void {
    if (this.receiver === undefined || this.receiver.isOver) return this.#pair.resetBoth();
    this.confirm(run.length);
  }

  #sendPieces(run: Uint8Array): void {
    let start = 0;
    for (const end of [...this.#medium.dice.cuts(run.length), run.length]) {
      if (end > start) this.#sendPiece(run.subarray(start, end));
      start = end;
    }
  }

  #sendPiece(piece: Uint8Array): void {
    const { dice } = this.#medium;
    if (this.#tail !== undefined && dice.chance(dice.faults.mergeProbability)) {
      this.#tail.push(piece);
      return;
    }
    const parts = [piece];
    this.carry(() => {
      if (this.#tail === parts) this.#tail = undefined;
      this.receiver?.dataArrived(parts);
    });
    this.#tail = parts;
  }
}
