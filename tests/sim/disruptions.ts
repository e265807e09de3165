/**
 * What befalls whole nodes while they are busy.
 *
 * @module
 */

import type { SimulatedNode } from "./node.ts";
import type { Stage } from "./stage.ts";

/** Befalls one node, and is over when it is up again. */
export type Disruption = (stage: Stage, node: SimulatedNode) => Promise<void>;

/** A machine that swaps, or a process that was stopped. */
async function freeze(stage: Stage, node: SimulatedNode): Promise<void> {
  const ms = stage.dice.small(1, 20_000);
  stage.world.freeze(node.name, ms);
  await stage.sleep(ms);
}

/** A machine that was asleep; its clock passes deadlines, at times all of them. */
async function jump(stage: Stage, node: SimulatedNode): Promise<void> {
  stage.world.jumpClock(node.name, stage.dice.small(1, 200_000));
  await stage.sleep(1);
}

/** A cable that is pulled: nobody is told, and connections are dead for good. */
async function silence(stage: Stage, node: SimulatedNode): Promise<void> {
  stage.world.silence(node.name);
  await stage.sleep(stage.dice.small(1, 200_000));
  stage.world.host(node.name).heal();
}

/** A process that is killed and started again at the same address. */
async function crash(stage: Stage, node: SimulatedNode): Promise<void> {
  await node.crash();
  await stage.sleep(stage.dice.small(0, 5_000));
  await node.start();
}

/** A machine that loses its power: its peers learn nothing, and its successor knows none of them. */
async function powerCut(stage: Stage, node: SimulatedNode): Promise<void> {
  stage.world.silence(node.name);
  await node.crash();
  await stage.sleep(stage.dice.small(0, 5_000));
  stage.world.host(node.name).heal();
  await node.start();
}

/** A shutdown under load, perhaps by one of the node's own handlers. */
async function restart(stage: Stage, node: SimulatedNode): Promise<void> {
  const { dice } = stage;
  const deadlineMs = dice.pick([0, 10, 1_000, 10_000]);
  if (dice.chance(0.4)) {
    const subject = node.setup(`stopper-${stage.ledger.nextId()}`, "plain");
    node.env.endpointRef(subject)!.send({ op: "shutDown", deadlineMs });
    await stage.sleep(dice.small(0, 50));
  }
  await node.stop(deadlineMs);
  await stage.sleep(dice.small(0, 5_000));
  await node.start();
}

/** The disruptions by name; a new one goes to the end. */
export const DISRUPTIONS: ReadonlyMap<string, Disruption> = new Map(
  Object.entries({ freeze, jump, silence, crash, powerCut, restart }),
);
