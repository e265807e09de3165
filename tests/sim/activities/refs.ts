/**
 * References that travel: to whoever asks back, and to a third party.
 *
 * @module
 */

import type { RpcEndpointRef } from "../../../src/rpc/rpc_endpoint_ref.ts";
import { type SimulatedNode, STANDING } from "../node.ts";
import type { Question } from "../requests.ts";
import { PATIENCE_MS, type Stage } from "../stage.ts";

/** An endpoint is given a reference and asks it back, whoever made it and however it came. */
export async function travellingRefs(stage: Stage): Promise<void> {
  const { dice } = stage;
  const [node, server, third] = [dice.pick(stage.nodes), dice.pick(stage.servers), dice.pick(stage.servers)];
  const ref = await stage.lookUp(node, server, "plain");
  const thirdRef = await stage.lookUp(node, third, dice.pick(["plain", "pair"]));
  if (ref === undefined || thirdRef === undefined) return;
  const own = ownRef(stage, node);
  for (let rounds = dice.int(1, 6); rounds > 0; rounds--) {
    const asks = Array.from({ length: dice.int(1, 6) }, () => {
      const back = own !== undefined && dice.chance(0.5) ? own : thirdRef;
      const question: Question = {
        op: "callBack",
        ref: back,
        times: dice.int(1, 4),
        messages: dice.small(0, 5),
        bytes: dice.small(1, 1_000),
      };
      return callBack(stage, node, ref, question);
    });
    await Promise.all(asks);
  }
}

/**
 * What a Spark application does: executors in client mode register with the driver by a reference to themselves, then report
 * to it, and the driver asks them back over the connection that they made.
 */
export async function executors(stage: Stage): Promise<void> {
  const { dice } = stage;
  const driver = dice.pick(stage.servers);
  await Promise.all(stage.clients.map(async (executor) => {
    const ref = await stage.lookUp(executor, driver, "safe");
    const own = ownRef(stage, executor);
    if (ref === undefined || own === undefined) return;
    const reports = stage.openStream(executor, ref);
    for (let tasks = dice.int(1, 10); tasks > 0; tasks--) {
      for (let count = dice.int(0, 5); count > 0; count--) stage.send(reports, dice.small(10, 500));
      await callBack(stage, executor, ref, {
        op: "callBack",
        ref: own,
        times: 1,
        messages: dice.int(0, 3),
        bytes: dice.small(1, 4_000),
      });
      await stage.sleep(dice.small(0, 300));
    }
    await stage.fence(executor, reports, PATIENCE_MS);
  }));
}

async function callBack(stage: Stage, node: SimulatedNode, ref: RpcEndpointRef, question: Question): Promise<void> {
  const timeoutMs = stage.strict ? PATIENCE_MS : stage.dice.int(100, 60_000);
  const outcome = await stage.ask(node, ref, question, { timeoutMs });
  if (stage.strict && outcome.ok && outcome.value?.failure !== undefined) {
    stage.ledger.fail(`Calling back failed: ${outcome.value.failure}`);
  }
}

/** The reference that a new endpoint of this node has of itself. */
export function ownRef(stage: Stage, node: SimulatedNode): RpcEndpointRef | undefined {
  const name = `self-${stage.ledger.nextId()}`;
  try {
    const subject = node.setup(name, stage.dice.pick(STANDING));
    return node.env.endpointRef(subject);
  } catch {
    // The node is going down.
    return undefined;
  }
}
