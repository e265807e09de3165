/**
 * A simulated cluster and the books of what it does: what activities are played on.
 *
 * @module
 */

import type { RpcEndpointRef } from "../../src/rpc/rpc_endpoint_ref.ts";
import { SimulatedWorld } from "../../src/rpc/simulated_world.ts";
import type { SimulatedNetworkOptions } from "../../src/socket/sim.ts";
import type { SocketAddress } from "../../src/socket/socket.ts";
import { Dice } from "./dice.ts";
import { codeOf, Ledger, type Outcome } from "./ledger.ts";
import { MessageStream } from "./message_stream.ts";
import { type NodeOptions, SimulatedNode } from "./node.ts";
import { type Answer, asAnswer, type Ask, echo, type Question } from "./requests.ts";
import { answerFault, failureFault, isExplained } from "./verdict.ts";

/** How long is waited for what must come where no fault is more than a nuisance. */
export const PATIENCE_MS = 4 * 3_600_000;

/** How long asks wait that do not say. */
export const DEFAULT_ASK_MS = 120_000;

/** Queues are looked at after this many asks and messages. */
const LOOK_EVERY = 16;

/** What a stage is like. */
export interface StageOptions {
  readonly network: SimulatedNetworkOptions;
  readonly nodes: readonly NodeOptions[];
  /** Nothing may go wrong: the faults are harmless, limits are wide and nobody is disturbed. */
  readonly strict: boolean;
  /** Limits are so narrow that messages are refused. */
  readonly tight: boolean;
  /** Nobody stands still, and no clock jumps. */
  readonly steady: boolean;
}

/** How {@linkcode Stage.ask} asks. */
export interface StageAskOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Gives up by the future's own method when this aborts. */
  readonly abortedBy?: AbortSignal;
  /** Called while the ask is being encoded, if it is. */
  readonly whileEncoding?: () => void;
  /** Codes of failures that are all right even where nothing goes wrong: the asker may be late, or its endpoint gone. */
  readonly mayFail?: readonly string[];
}

/** A cluster in a simulated world. */
export class Stage {
  readonly world: SimulatedWorld;
  readonly dice: Dice;
  readonly ledger: Ledger;
  /** Nothing may go wrong: the world has no faults, or none any more. */
  strict: boolean;
  readonly tight: boolean;
  /** Nobody stands still, and no clock jumps. */
  readonly steady: boolean;
  readonly nodes: readonly SimulatedNode[];
  /** Nodes that come for an activity and leave at its end. */
  readonly guests: SimulatedNode[] = [];
  /** The most bytes that one message had. */
  largestBytes = 0;
  readonly #streams = new Map<number, MessageStream>();
  #untilLook = LOOK_EVERY;

  /** Makes the nodes; they are not started. */
  constructor(options: StageOptions) {
    this.world = new SimulatedWorld(options.network);
    this.dice = new Dice(this.world.random);
    this.ledger = new Ledger(this.world.clock);
    this.strict = options.strict;
    this.tight = options.tight;
    this.steady = options.steady;
    this.nodes = options.nodes.map((node) => new SimulatedNode(this, node));
  }

  /** Those that listen. */
  get servers(): readonly SimulatedNode[] {
    return this.nodes.filter(({ port }) => port !== undefined);
  }

  /** Those that do not. */
  get clients(): readonly SimulatedNode[] {
    return this.nodes.filter(({ port }) => port === undefined);
  }

  /** Resolves when no ask is open, and no message waits or is being handled. */
  async idle(): Promise<void> {
    while (this.ledger.unsettled.length > 0 || this.nodes.some((node) => node.busy)) await this.sleep(1_000);
  }

  /** Resolves when no message waits. */
  async inboxesEmpty(): Promise<void> {
    while (this.nodes.some((node) => node.queuedMessages > 0)) await this.sleep(1_000);
  }

  /** A node in client mode that nobody disturbs. Whoever wants it stops it. */
  async guest(): Promise<SimulatedNode> {
    const { conf, limits, localMessages } = this.nodes[0]!;
    const guest = new SimulatedNode(this, { name: `guest${this.guests.length}`, port: undefined, conf, limits, localMessages });
    this.guests.push(guest);
    await guest.start();
    return guest;
  }

  /** Lets virtual time pass for one of its activities. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.world.clock.setTimer(ms, resolve));
  }

  /**
   * Asks, and enters it into the books.
   *
   * @returns How it ended; that has been found to be possible. Never rejects.
   */
  async ask(
    node: SimulatedNode,
    ref: RpcEndpointRef,
    question: Question,
    options: StageAskOptions,
  ): Promise<Outcome<Answer | undefined>> {
    const id = this.ledger.nextId();
    const ask: Ask = { ...question, id };
    const what = `Ask ${id} (${ask.op}) of ${node.name} to ${ref}`;
    const { timeoutMs, whileEncoding } = options;
    if ("bytes" in ask) this.#sized(Math.max(ask.bytes, ask.op === "echo" ? ask.replyBytes : 0));
    const message = whileEncoding === undefined ? ask : { ...ask, nested: { toJSON: whileEncoding } };
    const promise = this.#send(ref, message, options);
    const outcome = await this.ledger.settled(node.clock, what, timeoutMs, promise);
    this.#look();
    const circumstances = { isLocal: isWithin(node, ref), strict: this.strict, mayFail: options.mayFail ?? [] };
    if (!outcome.ok) {
      const fault = isGivenUp(outcome.error, options) ? undefined : failureFault(ask, outcome.error, circumstances);
      if (fault !== undefined) this.ledger.fail(`${what} ${fault}`);
      return outcome;
    }
    const answer = asAnswer(outcome.value);
    const fault = answerFault(ask, answer, circumstances);
    if (fault !== undefined) this.ledger.fail(`${what} ${fault}`);
    else if (ask.op === "echo") this.ledger.check(`the answer to ${what}`, answer?.payload, ask.replyBytes);
    return { ok: true, value: answer };
  }

  /**
   * Looks an endpoint of a server up, more than once if need be.
   *
   * @returns Undefined if it cannot be had.
   */
  async lookUp(node: SimulatedNode, server: SimulatedNode, name: string): Promise<RpcEndpointRef | undefined> {
    for (let tries = 0; tries < 5; tries++) {
      const outcome = await this.lookUpOnce(node, server.address, name);
      if (outcome.ok) return outcome.value;
      await this.sleep(this.dice.int(1, 2_000));
    }
    return undefined;
  }

  /**
   * Looks an endpoint up, and enters it into the books.
   *
   * @param mayFail Codes of failures that are all right even where nothing goes wrong.
   * @returns How it ended; never rejects.
   */
  async lookUpOnce(
    node: SimulatedNode,
    address: SocketAddress,
    name: string,
    mayFail: readonly string[] = [],
  ): Promise<Outcome<RpcEndpointRef>> {
    const timeoutMs = this.strict ? PATIENCE_MS : this.dice.int(50, 20_000);
    const what = `Look-up of ${name} on ${address.host} by ${node.name}`;
    const promise = node.env.setupEndpointRef({ address, name }, { timeoutMs });
    const outcome = await this.ledger.settled(node.clock, what, timeoutMs, promise);
    if (outcome.ok) return outcome;
    const { error } = outcome;
    const explained = this.strict ? mayFail.includes(codeOf(error)) : isExplained(error);
    if (!explained) this.ledger.fail(`${what} failed: ${error}`);
    return outcome;
  }

  /** A new stream of messages. A bound reference uses one connection only. */
  openStream(node: SimulatedNode, ref: RpcEndpointRef, bound = false): MessageStream {
    const { address } = ref;
    const { driver } = node;
    const dials = bound || address === undefined ? () => 0 : () => driver.dialsTo(address);
    const stream = new MessageStream(this.ledger.nextId(), this.ledger, { ref, dials });
    this.#streams.set(stream.id, stream);
    return stream;
  }

  /** Sends the next message of a stream. */
  send(stream: MessageStream, bytes: number): void {
    this.#sized(bytes);
    stream.send(bytes);
    this.#look();
  }

  /** All messages of `stream` that were sent before must have arrived when an ask after them is answered. */
  async askBehind(
    node: SimulatedNode,
    stream: MessageStream,
    question: Question,
    options: StageAskOptions,
  ): Promise<Outcome<Answer | undefined>> {
    const missing = stream.fence();
    const outcome = await this.ask(node, stream.ref, question, options);
    // A full inbox drops messages, and says so to nobody but its own hook.
    if (!outcome.ok || this.tight) return outcome;
    const count = missing();
    if (count > 0) this.ledger.fail(`${count} messages of stream ${stream.id} to ${stream.ref} were lost before an ask`);
    return outcome;
  }

  /** Nothing but a small ask behind what was sent. */
  async fence(node: SimulatedNode, stream: MessageStream, timeoutMs: number): Promise<void> {
    await this.askBehind(node, stream, echo(this.ledger.nextId(), 1, 1), { timeoutMs });
  }

  /** The stream of that number. */
  streamOf(id: number): MessageStream {
    const stream = this.#streams.get(id);
    if (stream === undefined) throw new Error(`There is no stream ${id}`);
    return stream;
  }

  /** Asks in one of the ways that there are. */
  #send(ref: RpcEndpointRef, message: object, { timeoutMs, signal, abortedBy }: StageAskOptions): Promise<unknown> {
    if (timeoutMs === DEFAULT_ASK_MS && signal === undefined) return ref.ask(message);
    if (abortedBy === undefined) return ref.ask(message, { timeoutMs, signal });
    const { future, abort } = ref.askAbortable(message, { timeoutMs });
    abortedBy.addEventListener("abort", () => abort(abortedBy.reason), { once: true });
    return future;
  }

  #sized(bytes: number): void {
    this.largestBytes = Math.max(this.largestBytes, bytes + 1024);
  }

  #look(): void {
    if (--this.#untilLook > 0) return;
    this.#untilLook = LOOK_EVERY;
    for (const node of this.nodes) node.checkLimits();
  }
}

/** Whether the endpoint lives in the environment of `node`. */
export function isWithin(node: SimulatedNode, { address }: RpcEndpointRef): boolean {
  return address !== undefined && address.equals(node.env.address);
}

function isGivenUp(error: unknown, { signal, abortedBy }: StageAskOptions): boolean {
  return [signal, abortedBy].some((aborted) => aborted?.aborted === true && error === aborted.reason);
}
