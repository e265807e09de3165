/**
 * Large messages: over every size at which a buffer ends, and in both directions until all buffers are full.
 *
 * @module
 */

import type { SimulatedNode } from "../node.ts";
import { echo } from "../requests.ts";
import { PATIENCE_MS, type Stage } from "../stage.ts";

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

/** Two servers ask each other at once, with more bytes than fit between them, and answer with as many. */
export async function flood(stage: Stage): Promise<void> {
  const { dice } = stage;
  const [one, other] = dice.some(stage.servers, 2);
  if (one === undefined || other === undefined) return;
  const count = dice.int(4, 16);
  const bytes = dice.int(40_000, 120_000);
  await Promise.all([askMuch(stage, one, other, count, bytes), askMuch(stage, other, one, count, bytes)]);
}

async function askMuch(
  stage: Stage,
  node: SimulatedNode,
  server: SimulatedNode,
  count: number,
  bytes: number,
): Promise<void> {
  const ref = await stage.lookUp(node, server, stage.dice.pick(["plain", "safe", "isolated"]));
  if (ref === undefined) return;
  const asks = Array.from(
    { length: count },
    (_, index) => stage.ask(node, ref, echo(index, bytes, bytes), { timeoutMs: PATIENCE_MS }),
  );
  await Promise.all(asks);
}
