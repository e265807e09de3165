/**
 * Large messages: over every size at which a buffer ends, and in both directions until all buffers are full.
 *
 * @module
 */

import type { SimulatedNode } from "../node.ts";
import type { RpcEndpointRef } from "../../../src/rpc/rpc_endpoint_ref.ts";
import { echo, MAX_MESSAGE_BYTES, type Question } from "../requests.ts";
import { PATIENCE_MS, type Stage } from "../stage.ts";
import { ownRef } from "./refs.ts";

/** Where reads, gather buffers, pooled buffers and the network's own buffers end. */
const EDGES = [16 * 1024, 64 * 1024, 128 * 1024, 256 * 1024];

/** Messages about as large as one buffer or another, and some much larger. */
export async function largeMessages(stage: Stage): Promise<void> {
  const { dice } = stage;
  const node = dice.pick(stage.nodes);
  const ref = await stage.lookUp(node, dice.pick(stage.servers), dice.pick(["plain", "safe"]));
  if (ref === undefined) return;
  const stream = stage.openStream(node, ref);
  const size = () => dice.chance(0.2) ? dice.small(0, 600_000) : dice.pick(EDGES) + dice.int(-150, 10);
  for (let rounds = dice.int(1, 4); rounds > 0; rounds--) {
    const asks = Array.from({ length: dice.int(1, 3) }, () => {
      if (dice.chance(0.3)) stage.send(stream, size());
      const timeoutMs = stage.strict ? PATIENCE_MS : dice.int(100, 100_000);
      return stage.ask(node, ref, echo(stage.ledger.nextId(), dice.chance(0.7) ? size() : 10, size()), { timeoutMs });
    });
    await Promise.all(asks);
  }
  await stage.fence(node, stream, PATIENCE_MS);
}

/** Two nodes ask each other at once, with more bytes than fit between them, and answer with as many. */
export async function flood(stage: Stage): Promise<void> {
  const { dice } = stage;
  const [one, other] = dice.some(stage.servers, 2);
  const count = dice.int(4, 24);
  const bytes = dice.int(20_000, 120_000);
  if (one === undefined || other === undefined || dice.chance(0.3)) {
    return await floodOneConnection(stage, dice.pick(stage.nodes), dice.pick(stage.servers), count, bytes);
  }
  await Promise.all([[one, other], [other, one]].map(async ([node, server]) => {
    const ref = await stage.lookUp(node!, server!, stage.dice.pick(["plain", "safe", "isolated"]));
    if (ref !== undefined) await askMuch(stage, node!, ref, count, () => echo(count, bytes, bytes));
  }));
}

/** The same, but both ask over the connection that one of them has made. */
async function floodOneConnection(
  stage: Stage,
  node: SimulatedNode,
  server: SimulatedNode,
  count: number,
  bytes: number,
): Promise<void> {
  const ref = await stage.lookUp(node, server, "plain");
  const own = ownRef(stage, node);
  if (ref === undefined || own === undefined) return;
  await Promise.all([
    askMuch(stage, node, ref, count, () => echo(count, bytes, bytes)),
    askMuch(stage, node, ref, count, () => ({ op: "callBack", ref: own, times: 2, messages: 1, bytes })),
  ]);
}

async function askMuch(
  stage: Stage,
  node: SimulatedNode,
  ref: RpcEndpointRef,
  count: number,
  question: () => Question,
): Promise<void> {
  const asks: Promise<unknown>[] = [];
  while (asks.length < count) asks.push(stage.ask(node, ref, question(), { timeoutMs: PATIENCE_MS }));
  await Promise.all(asks);
}

/** Asks and answers beyond the limit of a message: each fails by itself, and nothing around it. */
export async function tooLarge(stage: Stage): Promise<void> {
  const { dice } = stage;
  const node = dice.pick(stage.nodes);
  const ref = await stage.lookUp(node, dice.pick(stage.servers), dice.pick(["plain", "safe"]));
  if (ref === undefined) return;
  const stream = stage.openStream(node, ref);
  const asks: Promise<unknown>[] = [];
  for (let rounds = dice.int(1, 4); rounds > 0; rounds--) {
    const bytes = dice.pick([10, MAX_MESSAGE_BYTES - 1_000, MAX_MESSAGE_BYTES + 1]);
    const replyBytes = dice.pick([10, MAX_MESSAGE_BYTES + 1]);
    stage.send(stream, 100);
    asks.push(stage.ask(node, ref, echo(rounds, bytes, replyBytes), { timeoutMs: PATIENCE_MS }));
    asks.push(stage.ask(node, ref, echo(rounds, 100, 100), { timeoutMs: PATIENCE_MS }));
    if (dice.chance(0.5)) await stage.sleep(dice.int(0, 100));
  }
  await Promise.all(asks);
  await stage.fence(node, stream, PATIENCE_MS);
}
