/**
 * Endpoints that come and go, and endpoints that do not keep up.
 *
 * @module
 */

import type { RpcEndpointRef } from "../../../src/rpc/rpc_endpoint_ref.ts";
import { codeOf } from "../ledger.ts";
import { type SimulatedNode, STANDING } from "../node.ts";
import { echo, type Question } from "../requests.ts";
import { PATIENCE_MS, type Stage } from "../stage.ts";
import type { Subject } from "../subject.ts";

/** Endpoints of one name are set up and stopped, again and again, while others look for them, ask them and send to them. */
export async function endpointChurn(stage: Stage): Promise<void> {
  const { dice } = stage;
  const passing: Passing = {
    server: dice.pick(stage.servers),
    name: `passing-${stage.ledger.nextId()}`,
    subject: undefined,
    isOver: false,
  };
  const users = Array.from({ length: dice.int(1, 3) }, () => useWhileThere(stage, passing));
  for (let lives = dice.int(1, 8); lives > 0; lives--) {
    const subject = setUp(stage, passing.server, passing.name);
    passing.subject = subject;
    await stage.sleep(dice.small(0, 300));
    passing.subject = undefined;
    if (subject !== undefined) stop(stage, passing.server, subject);
    // An endpoint of the same name may be set up while its predecessor still handles what it was sent.
    if (dice.chance(0.6)) await stage.sleep(dice.small(0, 100));
  }
  passing.isOver = true;
  await Promise.all(users);
}

/** What there is under one name. */
interface Passing {
  readonly server: SimulatedNode;
  readonly name: string;
  /** The endpoint that is there at the moment. */
  subject: Subject | undefined;
  isOver: boolean;
}

/** An endpoint that does not go on is flooded: what it has no room for is refused, and nobody else is kept waiting by it. */
export async function fullInbox(stage: Stage): Promise<void> {
  const { dice } = stage;
  const [node, server] = [dice.pick(stage.nodes), dice.pick(stage.servers)];
  const name = `gate-${stage.ledger.nextId()}`;
  const gate = setUp(stage, server, name);
  const ref = await stage.lookUp(node, server, gate === undefined ? "safe" : name);
  const bystander = await stage.lookUp(node, server, "plain");
  if (ref === undefined || bystander === undefined || gate === undefined) return gate?.openGate();
  const stream = stage.openStream(node, ref);
  const flood = Array.from({ length: dice.int(10, 150) }, () => {
    if (dice.chance(0.3)) stage.send(stream, dice.small(0, 500));
    return stage.ask(node, ref, { op: "gate" }, { timeoutMs: PATIENCE_MS });
  });
  for (let asks = dice.int(1, 10); asks > 0; asks--) {
    const timeoutMs = stage.strict ? PATIENCE_MS : dice.int(100, 10_000);
    await stage.ask(node, bystander, echo(asks, 100, 100), { timeoutMs });
  }
  gate.openGate();
  await Promise.all(flood);
}

async function useWhileThere(stage: Stage, passing: Passing): Promise<void> {
  const { dice } = stage;
  const { server, name } = passing;
  const node = dice.pick(stage.nodes);
  while (!passing.isOver) {
    const looked = await stage.lookUpOnce(node, server.address, name, ["NOT_FOUND"]);
    if (!looked.ok) {
      await stage.sleep(dice.int(1, 50));
      continue;
    }
    const stream = stage.openStream(node, looked.value);
    let isThere = true;
    for (let rounds = dice.int(1, 8); rounds > 0 && isThere; rounds--) {
      const asks = Array.from({ length: dice.small(1, 8) }, async () => {
        if (dice.chance(0.5)) stage.send(stream, dice.small(0, 100));
        isThere = await usePassing(stage, node, passing, looked.value) && isThere;
      });
      await Promise.all(asks);
    }
    await stage.sleep(dice.int(0, 20));
  }
}

/** Asks an endpoint that may go at any time. Whatever has been sent when it is stopped is handled, or refused at once. */
async function usePassing(stage: Stage, node: SimulatedNode, passing: Passing, ref: RpcEndpointRef): Promise<boolean> {
  const { dice } = stage;
  const question: Question = dice.chance(0.5)
    ? echo(1, dice.small(0, 100), 10)
    : { op: "slow", ms: dice.small(0, 50), by: dice.pick(["return", "reply"]) };
  const timeoutMs = stage.strict ? PATIENCE_MS : dice.int(20, 5_000);
  const { subject } = passing;
  const outcome = await stage.ask(node, ref, question, { timeoutMs, mayFail: ["NOT_FOUND", "STOPPED"] });
  if (!outcome.ok && stage.strict && subject !== undefined && passing.subject === subject) {
    stage.ledger.fail(`${passing.name} was there all the time and could not be asked: ${outcome.error}`);
  }
  return outcome.ok;
}

function setUp(stage: Stage, server: SimulatedNode, name: string): Subject | undefined {
  try {
    return server.setup(name, stage.dice.pick(STANDING), stage.dice.pick([0, 0, stage.dice.int(1, 30)]));
  } catch (thrown) {
    if (codeOf(thrown) !== "STOPPED") throw thrown;
    return undefined;
  }
}

function stop(stage: Stage, server: SimulatedNode, subject: Subject): void {
  const ref = server.env.endpointRef(subject);
  // After a restart of the node the endpoint belongs to a life that is over.
  if (ref === undefined) return;
  server.env.stop(ref);
  if (stage.dice.chance(0.2)) server.env.stop(ref);
}
