/**
 * A simulated cluster and the books of what it does: what activities are played on.
 *
 * @module
 */

import { RpcError, RpcRemoteError } from "../../src/base/errors.ts";
import type { RpcEndpointRef } from "../../src/rpc/rpc_endpoint_ref.ts";
import { SimulatedWorld } from "../../src/rpc/simulated_world.ts";
import type { SimulatedNetworkOptions } from "../../src/socket/sim.ts";
import { Dice } from "./dice.ts";
import { codeOf, Ledger, type Outcome } from "./ledger.ts";
import { MessageStream } from "./message_stream.ts";
import { type NodeOptions, SimulatedNode } from "./node.ts";
import { type Answer, asAnswer, type Ask, echo, type Question } from "./requests.ts";

/** How long is waited for what must come where no fault is more than a nuisance. */
export const PATIENCE_MS = 4 * 3_600_000;

/** How long asks wait that do not say. */
export const DEFAULT_ASK_MS = 120_000;

/** Failures that the network, a limit or the end of a node explain. */
const EXPLAINED: ReadonlySet<string> = new Set(["TIMEOUT", "DISCONNECTED", "SOCKET", "STOPPED", "OVERLOADED", "NOT_FOUND"]);

/** What `spark.rpc.message.maxSize` is set to on all nodes, in bytes; asks are a little less or a good deal more. */
export const MAX_MESSAGE_BYTES: number = 1024 * 1024;

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
}

/** How {@linkcode Stage.ask} asks. */
export interface StageAskOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Gives up by the future's own method when this aborts. */
  readonly abortedBy?: AbortSignal;
  /** Called while the ask is being encoded, if it is. */
  readonly whileEncoding?: () => void;
  /** A failure is all right even where nothing goes wrong: the asker may be late, or its endpoint gone. */
  readonly mayFail?: boolean;
}

/** A cluster in a simulated world. */
export class Stage {
  readonly world: SimulatedWorld;
  readonly dice: Dice;
  readonly ledger: Ledger;
  /** Nothing may go wrong: the world has no faults, or none any more. */
  strict: boolean;
  readonly tight: boolean;
  readonly nodes: readonly SimulatedNode[];
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
    while (this.ledger.unsettled.length > 0 || this.nodes.some((node) => !node.idle)) await this.sleep(1_000);
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
    if (!outcome.ok) {
      const fault = this.#failureFault(ask, outcome.error, options);
      if (fault !== undefined) this.ledger.fail(`${what} failed: ${fault}`);
      return outcome;
    }
    const answer = asAnswer(outcome.value);
    const isLocal = isWithin(node, ref);
    if (answer?.id !== id) this.ledger.fail(`${what} was given another answer: ${String(answer?.id)}`);
    else if (neverAnswers(ask) && !(isLocal && cannotTravel(ask))) this.ledger.fail(`${what} was answered`);
    else if (ask.op === "echo") this.ledger.check(`the answer to ${what}`, answer.payload, ask.replyBytes);
    return { ok: true, value: answer };
  }

  /**
   * Looks an endpoint of a server up, more than once if need be.
   *
   * @returns Undefined if it cannot be had.
   */
  async lookUp(node: SimulatedNode, server: SimulatedNode, name: string): Promise<RpcEndpointRef | undefined> {
    for (let tries = 0; tries < 5; tries++) {
      const timeoutMs = this.strict ? PATIENCE_MS : this.dice.int(50, 20_000);
      const what = `Look-up of ${name} on ${server.name} by ${node.name}`;
      const promise = node.env.setupEndpointRef({ address: server.address, name }, { timeoutMs });
      const outcome = await this.ledger.settled(node.clock, what, timeoutMs, promise);
      if (outcome.ok) return outcome.value;
      const { error } = outcome;
      // Look-ups are in Java, where a refusal is a text.
      const explained = EXPLAINED.has(codeOf(error)) ||
        (this.tight && error instanceof RpcRemoteError && / \(max[A-Z]/.test(error.message));
      if (this.strict || !explained) this.ledger.fail(`${what} failed: ${error}`);
      await this.sleep(this.dice.int(1, 2_000));
    }
    return undefined;
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

  /** What is wrong with a failure; undefined if nothing is. */
  #failureFault(ask: Ask, error: unknown, { signal, abortedBy, mayFail }: StageAskOptions): string | undefined {
    for (const aborted of [signal, abortedBy]) if (aborted?.aborted === true && error === aborted.reason) return undefined;
    const code = codeOf(error);
    if (ask.op === "fail" && error instanceof RpcError && error.code === "REMOTE") {
      return error.message === ask.text ? undefined : `its text is not ${ask.text}: ${error.message}`;
    }
    if (ask.op === "watch" && error instanceof RpcError && error.message === "Given up") return undefined;
    if (ask.op === "unhandled" && code === "UNSUPPORTED_MESSAGE") return undefined;
    if (cannotTravel(ask) && (ask.op === "badAnswer" ? code === "SERIALIZER" : isLimitError(error))) return undefined;
    const explained = EXPLAINED.has(code) || (error instanceof RpcRemoteError && EXPLAINED.has(error.remoteClass ?? ""));
    if (!explained) return String(error);
    if (!this.strict || mayFail === true || (code === "TIMEOUT" && neverAnswers(ask))) return undefined;
    return String(error);
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

function neverAnswers(ask: Ask): boolean {
  return ["never", "watch", "fail", "unhandled"].includes(ask.op) || cannotTravel(ask);
}

/** Whether the ask or its answer cannot be sent; within an environment that is no matter. */
function cannotTravel(ask: Ask): boolean {
  return ask.op === "badAnswer" || (ask.op === "echo" && Math.max(ask.bytes, ask.replyBytes) > MAX_MESSAGE_BYTES);
}

/** An ask that is too large is refused here, an answer that is too large there. */
function isLimitError(error: unknown): boolean {
  if (error instanceof RpcRemoteError) return error.remoteClass === "ProtocolError";
  return codeOf(error) === "PROTOCOL";
}
