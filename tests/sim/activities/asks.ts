/**
 * Asks of every kind: many at once, late ones, ones that are given up, and ones within an environment.
 *
 * @module
 */

import type { RpcEndpointRef } from "../../../src/rpc/rpc_endpoint_ref.ts";
import type { Dice } from "../dice.ts";
import { type SimulatedNode, STANDING } from "../node.ts";
import { echo, type Question } from "../requests.ts";
import { DEFAULT_ASK_MS, PATIENCE_MS, type Stage } from "../stage.ts";

/** Several askers, each with several asks at once, of several endpoints. */
export async function askStorm(stage: Stage): Promise<void> {
  const { dice } = stage;
  await Promise.all(Array.from({ length: dice.int(1, 8) }, async () => {
    const node = dice.pick(stage.nodes);
    const ref = await stage.lookUp(node, dice.pick(stage.servers), dice.pick(STANDING));
    if (ref === undefined) return;
    for (let rounds = dice.int(1, 30); rounds > 0; rounds--) {
      const asks: Promise<unknown>[] = [];
      for (let count = dice.small(1, 24); count > 0; count--) {
        const timeoutMs = stage.strict ? PATIENCE_MS : dice.pick([1, 20, 1_000, 60_000, DEFAULT_ASK_MS]);
        const nested = anyQuestion(stage);
        const whileEncoding = () => void asks.push(stage.ask(node, ref, nested, { timeoutMs }));
        const options = dice.chance(0.05) ? { timeoutMs, whileEncoding } : { timeoutMs };
        asks.push(stage.ask(node, ref, anyQuestion(stage), options));
      }
      await Promise.all(asks);
      if (dice.chance(0.3)) await stage.sleep(dice.small(0, 200));
    }
  }));
}

/** Asks whose time is about as long as their answers take, and asks that are given up in the midst of it. */
export async function lateAsks(stage: Stage): Promise<void> {
  const { dice } = stage;
  const node = dice.pick(stage.nodes);
  const refs = await lookUpAll(stage, node);
  const mayFail = ["TIMEOUT"];
  for (let rounds = dice.int(1, 12); rounds > 0 && refs.length > 0; rounds--) {
    const shared = new AbortController();
    const never = new AbortController().signal;
    const asks = Array.from({ length: dice.int(1, 12) }, () => {
      const question: Question = dice.chance(0.1)
        ? { op: dice.pick(["never", "watch"]) }
        : { op: "slow", ms: dice.small(0, 400), by: dice.pick(["return", "reply", "later"]) };
      const timeoutMs = dice.small(0, 400);
      if (dice.chance(0.5)) return stage.ask(node, dice.pick(refs), question, { timeoutMs, mayFail });
      const signal = dice.pick([shared.signal, abortedLater(stage, dice), never]);
      const how = dice.chance(0.5) ? { signal } : { abortedBy: signal };
      return stage.ask(node, dice.pick(refs), question, { timeoutMs, mayFail, ...how });
    });
    await stage.sleep(dice.small(0, 200));
    shared.abort(new Error("Enough"));
    await Promise.all(asks);
  }
}

/** Endpoints of one environment that ask each other, and themselves. */
export async function localAsks(stage: Stage): Promise<void> {
  const { dice } = stage;
  const node = dice.pick(stage.servers);
  const refs = await lookUpAll(stage, node, node);
  for (let rounds = dice.int(1, 12); rounds > 0 && refs.length > 0; rounds--) {
    const asks = Array.from({ length: dice.int(1, 8) }, () => {
      const timeoutMs = stage.strict ? PATIENCE_MS : dice.small(1, 60_000);
      const ref = dice.pick(refs);
      // One that asks itself while it may have no other message in hand waits for its own answer.
      const back = dice.pick(refs);
      const question: Question = dice.chance(0.3)
        ? { op: "callBack", ref: back, times: dice.int(1, 3), messages: dice.int(0, 3), bytes: 10 }
        : anyQuestion(stage);
      return stage.ask(node, ref, question, { timeoutMs });
    });
    await Promise.all(asks);
  }
}

/** More at once than are handled in one turn of the event loop. */
export async function burst(stage: Stage): Promise<void> {
  const { dice } = stage;
  const node = dice.pick(stage.nodes);
  const ref = await stage.lookUp(node, dice.pick(stage.servers), dice.pick(STANDING));
  if (ref === undefined) return;
  const stream = stage.openStream(node, ref);
  const asks: Promise<unknown>[] = [];
  for (let messages = dice.int(500, 4_000); messages > 0; messages--) {
    if (dice.chance(0.7)) stage.send(stream, 4);
    else asks.push(stage.ask(node, ref, echo(messages, 4, 4), { timeoutMs: PATIENCE_MS }));
  }
  await stage.fence(node, stream, PATIENCE_MS);
  await Promise.all(asks);
}

/** A question with an answer, most of the time a small one. */
export function anyQuestion(stage: Stage): Question {
  const { dice, ledger } = stage;
  const kind = dice.int(0, 19);
  if (kind === 0) return { op: "fail", text: `Failed on purpose ${ledger.nextId()}`, ms: dice.pick([0, dice.int(1, 50)]) };
  if (kind === 1) return { op: dice.pick(["unhandled", "badAnswer"]) };
  if (kind === 2) return { op: "askSelf" };
  if (kind < 7) return { op: "slow", ms: dice.small(0, 60), by: dice.pick(["return", "reply", "later"]) };
  return echo(ledger.nextId(), dice.small(0, 3_000), dice.small(0, 3_000));
}

async function lookUpAll(stage: Stage, node: SimulatedNode, server?: SimulatedNode): Promise<RpcEndpointRef[]> {
  const found = await Promise.all(STANDING.map((name) => stage.lookUp(node, server ?? stage.dice.pick(stage.servers), name)));
  return found.filter((ref) => ref !== undefined);
}

function abortedLater(stage: Stage, dice: Dice): AbortSignal {
  const controller = new AbortController();
  stage.world.clock.setTimer(dice.small(0, 400), () => controller.abort(new Error("Given up")));
  return controller.signal;
}
