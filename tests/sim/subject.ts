/**
 * An endpoint under observation: onStart comes first and onStop last, and it has no more messages in hand than it may.
 *
 * @module
 */

import { RpcError, RpcOverloadedError } from "../../src/base/errors.ts";
import type { RpcAddress } from "../../src/rpc/rpc_address.ts";
import { type RpcCallContext, unhandled } from "../../src/rpc/rpc_call_context.ts";
import type { RpcEndpoint } from "../../src/rpc/rpc_endpoint.ts";
import { codeOf } from "./ledger.ts";
import { makePayload } from "./payload.ts";
import { type Answer, asAsk, type Ask, asNotice, echo } from "./requests.ts";
import { isWithin, PATIENCE_MS, type Stage } from "./stage.ts";
import type { SimulatedNode } from "./node.ts";

/** What an endpoint promises about the messages in its hands. */
export type SubjectKind = "plain" | "safe" | "isolated" | "pair";

type State = "new" | "starting" | "running" | "stopping" | "stopped";

type LookUp = Extract<Ask, { op: "lookUp" }>;
type CallBack = Extract<Ask, { op: "callBack" }>;

/** How long an endpoint waits for itself. */
const SELF_ASK_MS = 100;

/** How long asks may take that one endpoint makes of another, where not all is well. */
const CALL_BACK_MS = 30_000;

/** An endpoint that answers {@linkcode Ask}s and counts messages. */
export class Subject implements RpcEndpoint {
  readonly name: string;
  readonly threadSafe: boolean;
  readonly threadCount?: () => number;
  readonly #stage: Stage;
  readonly #node: SimulatedNode;
  /** Whether it takes one message at a time. */
  readonly #isAlone: boolean;
  readonly #maxInHand: number;
  readonly #startMs: number;
  #state: State = "new";
  #inHand = 0;
  /** By address: how many connections to or from it there are. */
  readonly #connections = new Map<string, number>();
  #waiting: (() => void)[] = [];
  #gateIsOpen = false;
  /** Signals of asks that were never answered. */
  readonly signals: AbortSignal[] = [];

  readonly #isFirst: boolean;

  /** @param startMs How long its onStart and its onStop take. */
  constructor(stage: Stage, node: SimulatedNode, name: string, kind: SubjectKind, startMs = 0) {
    this.#isFirst = node.driver.connections === 0;
    this.name = name;
    this.#stage = stage;
    this.#node = node;
    this.#startMs = startMs;
    this.threadSafe = kind === "safe";
    if (kind === "isolated") this.threadCount = () => 1;
    if (kind === "pair") this.threadCount = () => 2;
    this.#isAlone = kind === "safe" || kind === "isolated";
    this.#maxInHand = this.#isAlone ? 1 : node.limits.maxConcurrentMessages ?? Infinity;
  }

  /** How far it has come in its life. */
  get state(): State {
    return this.#state;
  }

  onStart(): void | Promise<void> {
    this.#move("new", "starting");
    if (this.#startMs > 0) return this.#moveLater("starting", "running");
    this.#move("starting", "running");
  }

  onStop(): void | Promise<void> {
    if (this.#inHand > 0) this.#fail(`was stopped with ${this.#inHand} messages in hand`);
    this.#move("running", "stopping");
    if (this.#startMs > 0) return this.#moveLater("stopping", "stopped");
    this.#move("stopping", "stopped");
  }

  onError(error: Error): void {
    // What handlers throw on purpose ends here too; anything else is a bug of the handler or of the core.
    if (!(error instanceof RpcError)) this.#fail(`was given an error: ${error}`);
  }

  onConnected({ hostPort }: RpcAddress): void {
    this.#enter()();
    this.#connections.set(hostPort, (this.#connections.get(hostPort) ?? 0) + 1);
  }

  onDisconnected({ hostPort }: RpcAddress): void {
    this.#enter()();
    const left = (this.#connections.get(hostPort) ?? 0) - 1;
    this.#connections.set(hostPort, left);
    // One that came later knows nothing of the connections before.
    if (left < 0 && this.#isFirst) this.#fail(`heard more often that ${hostPort} has gone than that it has come`);
  }

  onNetworkError(): void {
    this.#enter()();
  }

  receive(message: unknown): unknown {
    const leave = this.#enter();
    try {
      const notice = asNotice(message);
      switch (notice?.op) {
        case "count":
          this.#stage.streamOf(notice.stream).arrived(notice.seq, this);
          this.#stage.ledger.check(`message ${notice.seq} of stream ${notice.stream}`, notice.payload, notice.bytes);
          return undefined;
        case "fail":
          throw new RpcError("REMOTE", notice.text);
        case "shutDown":
          // From within a handler, which must not await it.
          void this.#node.env.shutdown({ deadlineMs: notice.deadlineMs });
          return undefined;
        default:
          this.#fail(`received ${String(message)}`);
          return unhandled;
      }
    } finally {
      leave();
    }
  }

  receiveAndReply(message: unknown, context: RpcCallContext): unknown {
    const ask = asAsk(message);
    if (ask === undefined) {
      this.#fail(`was asked ${String(message)}`);
      return unhandled;
    }
    this.#stage.ledger.tally.questions++;
    const leave = this.#enter();
    let result: unknown;
    try {
      result = this.#answer(ask, context);
    } catch (thrown) {
      leave();
      throw thrown;
    }
    if (result instanceof Promise) return leaveAfter(result, leave);
    leave();
    return result;
  }

  /** Lets those go on who wait at the gate, and all who come later. */
  openGate(): void {
    this.#gateIsOpen = true;
    for (const pass of this.#waiting.splice(0)) pass();
  }

  #answer(ask: Ask, context: RpcCallContext): unknown {
    const { id } = ask;
    switch (ask.op) {
      case "echo":
        this.#stage.ledger.check(`ask ${id}`, ask.payload, ask.bytes);
        return { id, payload: makePayload(id, ask.replyBytes) };
      case "slow":
        return this.#answerSlowly(ask.by, ask.ms, { id }, context);
      case "fail":
        if (ask.ms > 0) return this.#failSlowly(ask.ms, ask.text);
        throw new RpcError("REMOTE", ask.text);
      case "never":
        return context.later;
      case "watch":
        this.#watch(context);
        return context.later;
      case "unhandled":
        return unhandled;
      case "badAnswer":
        return { id, answer: () => {} };
      case "callBack":
        return this.#callBack(ask);
      case "askSelf":
        return this.#askSelf(id);
      case "lookUp":
        return this.#lookUp(ask);
      case "gate":
        return this.#gateIsOpen ? { id } : this.#wait(id);
    }
  }

  #answerSlowly(by: "return" | "reply" | "later", ms: number, answer: Answer, context: RpcCallContext): unknown {
    if (by === "later") {
      this.#node.clock.setTimer(ms, () => this.#reply(context, answer));
      return context.later;
    }
    return this.#sleep(ms).then(() => {
      if (by === "return") return answer;
      this.#reply(context, answer);
      return undefined;
    });
  }

  /**
   * An answer may come at any time, whatever has become of the asker and the environment; but it may come only once. One that finds no
   * room is no answer, and its asker is told why.
   */
  #reply(context: RpcCallContext, answer: Answer): void {
    try {
      context.reply(answer);
    } catch (thrown) {
      if (thrown instanceof RpcOverloadedError) context.sendFailure(thrown);
      else this.#fail(`could not answer: ${thrown}`);
    }
    try {
      context.reply(answer);
      this.#fail("could answer twice");
    } catch (thrown) {
      if (!(thrown instanceof RpcError) || thrown.code !== "STOPPED") this.#fail(`could not answer twice: ${thrown}`);
    }
  }

  async #failSlowly(ms: number, text: string): Promise<never> {
    await this.#sleep(ms);
    throw new RpcError("REMOTE", text);
  }

  #watch(context: RpcCallContext): void {
    const { signal } = context;
    this.signals.push(signal);
    const giveUp = () => context.sendFailure(new RpcError("REMOTE", "Given up"));
    if (signal.aborted) giveUp();
    else signal.addEventListener("abort", giveUp, { once: true });
  }

  async #callBack({ id, ref, times, messages, bytes }: CallBack): Promise<Answer> {
    // One without address belongs to whoever made the connection that it came by, and is of use on that one only.
    const stream = this.#stage.openStream(this.#node, ref, ref.address === undefined);
    // One that asks itself may wait for its own answer.
    const isLocal = isWithin(this.#node, ref);
    const timeoutMs = this.#stage.strict && !isLocal ? PATIENCE_MS : CALL_BACK_MS;
    const mayFail = isLocal ? ["TIMEOUT"] : [];
    for (let i = 0; i < times; i++) {
      for (let sent = 0; sent < messages; sent++) this.#stage.send(stream, bytes);
      const question = echo(id + i, bytes, bytes);
      const outcome = await this.#stage.askBehind(this.#node, stream, question, { timeoutMs, mayFail });
      if (!outcome.ok) return { id, failure: String(outcome.error) };
    }
    return { id };
  }

  /** One that takes a message at a time waits in vain, and is told so. */
  async #askSelf(id: number): Promise<Answer> {
    const self = this.#node.env.endpointRef(this);
    if (self === undefined) return { id, failure: "It has been stopped" };
    const options = { timeoutMs: SELF_ASK_MS, mayFail: ["TIMEOUT"] };
    const outcome = await this.#stage.ask(this.#node, self, echo(id, 10, 10), options);
    if (!this.#isAlone) return { id };
    if (outcome.ok) this.#fail("answered itself with a message in hand");
    else if (codeOf(outcome.error) !== "TIMEOUT") return { id };
    else if (!String(outcome.error).includes("when it should have answered itself")) this.#fail(`was told: ${outcome.error}`);
    return { id };
  }

  async #lookUp({ id, name, ...address }: LookUp): Promise<Answer> {
    const outcome = await this.#stage.lookUpOnce(this.#node, address, name);
    return outcome.ok ? { id, ref: outcome.value } : { id, failure: String(outcome.error) };
  }

  async #wait(id: number): Promise<Answer> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return { id };
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#node.clock.setTimer(ms, resolve));
  }

  #enter(): () => void {
    if (this.#state !== "running") this.#fail(`was given a message while ${this.#state}`);
    if (++this.#inHand > this.#maxInHand) this.#fail(`has ${this.#inHand} messages in hand, more than ${this.#maxInHand}`);
    return () => {
      this.#inHand--;
    };
  }

  #move(from: State, to: State): void {
    if (this.#state !== from) this.#fail(`went from ${this.#state} to ${to}`);
    this.#state = to;
  }

  async #moveLater(from: State, to: State): Promise<void> {
    await this.#sleep(this.#startMs);
    this.#move(from, to);
  }

  #fail(what: string): void {
    this.#stage.ledger.fail(`Endpoint ${this.name} on ${this.#node.name} ${what}`);
  }
}

async function leaveAfter(result: Promise<unknown>, leave: () => void): Promise<unknown> {
  try {
    return await result;
  } finally {
    leave();
  }
}
