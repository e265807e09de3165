/**
 * Numbered messages in order, over connections that break.
 *
 * @module
 */

import { CLOSE_LINGER_MS } from "../../../src/transport/channel.ts";
import type { MessageStream } from "../message_stream.ts";
import { type SimulatedNode, STANDING } from "../node.ts";
import { PATIENCE_MS, type Stage } from "../stage.ts";

/** Several senders, each with several streams of messages, and asks between them that show what has arrived. */
export async function orderedSends(stage: Stage): Promise<void> {
  const { dice } = stage;
  await Promise.all(Array.from({ length: dice.int(1, 8) }, async () => {
    const node = dice.pick(stage.nodes);
    await sendStream(stage, node, dice.pick(stage.servers), dice.pick(STANDING));
  }));
}

/** Messages with large ones between small ones, so that reads end in every part of a frame. */
async function sendStream(stage: Stage, node: SimulatedNode, server: SimulatedNode, name: string): Promise<void> {
  const { dice } = stage;
  const ref = await stage.lookUp(node, server, name);
  if (ref === undefined) return;
  const stream = stage.openStream(node, ref);
  for (let bursts = dice.int(1, 20); bursts > 0; bursts--) {
    for (let messages = dice.small(1, 60); messages > 0; messages--) {
      stage.send(stream, dice.chance(0.02) ? dice.int(60_000, 70_000) : dice.small(0, 2_000));
      // Within one turn, in later microtasks, in later turns.
      if (dice.chance(0.2)) await undefined;
      else if (dice.chance(0.05)) await stage.sleep(dice.small(0, 50));
    }
    const timeoutMs = stage.strict ? PATIENCE_MS : dice.int(10, 30_000);
    if (dice.chance(0.5)) await stage.fence(node, stream, timeoutMs);
    else await stage.sleep(dice.small(0, 500));
  }
  await stage.fence(node, stream, PATIENCE_MS);
}

/**
 * Nodes that send and then leave at once: what they sent is not lost, whether the connection that it takes is there already or
 * only being dialled.
 */
export async function lastWords(stage: Stage): Promise<void> {
  const { dice } = stage;
  await Promise.all(Array.from({ length: dice.int(1, 4) }, async () => {
    const guest = await stage.guest();
    const [near, far] = [dice.pick(stage.servers), dice.pick(stage.servers)];
    const ref = await stage.lookUp(guest, near, "plain");
    const streams: MessageStream[] = [];
    if (ref !== undefined) {
      streams.push(stage.openStream(guest, ref));
      const timeoutMs = stage.strict ? PATIENCE_MS : 60_000;
      const question = { op: "lookUp", ...far.address, name: dice.pick(STANDING) } as const;
      const outcome = await stage.ask(guest, ref, question, { timeoutMs });
      if (outcome.ok && outcome.value?.ref !== undefined) streams.push(stage.openStream(guest, outcome.value.ref));
    }
    for (let messages = dice.int(1, 40); messages > 0 && streams.length > 0; messages--) {
      stage.send(dice.pick(streams), dice.chance(0.05) ? 70_000 : dice.small(0, 1_000));
    }
    const begunAt = guest.clock.now();
    await guest.stop(stage.strict ? PATIENCE_MS : dice.small(0, 10_000));
    // A connection that is closed has so much time and no more to get rid of what was sent.
    if (!stage.strict || guest.clock.now() - begunAt >= CLOSE_LINGER_MS) return;
    // They have come, and wait for their turn perhaps.
    await stage.inboxesEmpty();
    for (const { missing, ref } of streams) {
      if (missing > 0) stage.ledger.fail(`${missing} last words of ${guest.name} to ${ref} were lost`);
    }
  }));
}
