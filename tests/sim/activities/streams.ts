/**
 * Streams between two hosts, with requests between them on the same connection.
 *
 * @module
 */

import { StreamError } from "../../../src/base/errors.ts";
import type { TransportClient } from "../../../src/transport/transport_client.ts";
import { codeOf } from "../ledger.ts";
import type { SimulatedNode } from "../node.ts";
import { makePayload, payloadFault } from "../payload.ts";
import { PATIENCE_MS, type Stage } from "../stage.ts";
import { makeTransport, SimulatedStreams, StreamConsumer, type StreamName } from "../stream_service.ts";

/** However long hosts stand still, by then every stream has been opened. */
const MAX_OPENING_S = 600;

/** One host serves, others fetch. When all is closed nobody holds a buffer any more. */
export async function streams(stage: Stage): Promise<void> {
  const { dice, ledger } = stage;
  const server = dice.pick(stage.servers);
  const manager = new SimulatedStreams(server.clock);
  const serving = makeTransport(stage, server, manager);
  const listening = await serving.context.createServer(0, { host: server.name });
  const address = { host: server.name, port: listening.port };
  await Promise.all(Array.from({ length: dice.int(1, 3) }, () => fetchAll(stage, dice.pick(stage.nodes), address)));
  await listening.close();
  await serving.context.close();
  // A stream that was being opened when its connection closed is released when it is open.
  for (let seconds = 0; manager.held > 0 && seconds < MAX_OPENING_S; seconds++) await stage.sleep(1_000);
  if (manager.held > 0) ledger.fail(`${manager.held} buffers were not released, or more than once`);
  if (manager.underWay !== 0) ledger.fail(`${manager.underWay} streams are under way at the end`);
  if (serving.driver.openSockets + serving.clock.pendingTimers > 0) ledger.fail("A closed transport has sockets or timers");
}

async function fetchAll(stage: Stage, node: SimulatedNode, address: { host: string; port: number }): Promise<void> {
  const { dice, ledger } = stage;
  const { context, driver, clock } = makeTransport(stage, node);
  const factory = context.createClientFactory();
  for (let rounds = dice.int(1, 3); rounds > 0; rounds--) {
    const dialled = await ledger.settled(node.clock, `Dial of ${node.name}`, PATIENCE_MS, factory.createClient(address));
    if (!dialled.ok) {
      if (stage.strict || codeOf(dialled.error) !== "SOCKET") ledger.fail(`${node.name} could not dial: ${dialled.error}`);
      await stage.sleep(dice.int(1, 1_000));
      continue;
    }
    const waiting: Promise<void>[] = [];
    const order: number[] = [];
    for (let count = dice.int(1, 12); count > 0; count--) {
      waiting.push(dice.chance(0.7) ? fetchOne(stage, node, dialled.value, order) : echoOne(stage, node, dialled.value));
      if (dice.chance(0.2)) await stage.sleep(dice.small(0, 100));
    }
    await Promise.all(waiting);
    if (order.some((number, index) => index > 0 && number < order[index - 1]!)) ledger.fail(`Streams ended as ${order}`);
  }
  await factory.close();
  await context.close();
  if (driver.openSockets + clock.pendingTimers > 0) ledger.fail("A closed factory has sockets or timers");
}

/** Fetches a stream, and notes its number when it has ended. */
async function fetchOne(stage: Stage, node: SimulatedNode, client: TransportClient, order: number[]): Promise<void> {
  const { dice, ledger } = stage;
  const seed = ledger.nextId();
  const modes = ["memory", "pieces", "slow", "late", "missing"] as const;
  // One that breaks takes its connection along.
  const mode = stage.strict || dice.chance(0.9) ? dice.pick(modes) : "broken";
  const name: StreamName = { seed, size: dice.chance(0.1) ? 0 : dice.small(1, 400_000), mode };
  const consumer = new StreamConsumer(stage, node.clock, name);
  const what = `Stream ${seed} (${mode}) of ${node.name}`;
  client.stream(JSON.stringify(name), consumer);
  const outcome = await ledger.settled(node.clock, what, PATIENCE_MS, consumer.ended);
  order.push(seed);
  if (outcome.ok) {
    if (mode === "missing" || (mode === "broken" && name.size > 0)) ledger.fail(`${what} came`);
    return;
  }
  const { error } = outcome;
  const meant = mode === "missing" && error instanceof StreamError && error.message.endsWith("was not found.");
  const explained = ["DISCONNECTED", "STREAM", "SOCKET"].includes(codeOf(error));
  if (!meant && (stage.strict || !explained)) ledger.fail(`${what} failed: ${error}`);
}

/** Asks for an answer between streams. */
async function echoOne(stage: Stage, node: SimulatedNode, client: TransportClient): Promise<void> {
  const { dice, ledger } = stage;
  const { seed, bytes } = makePayload(ledger.nextId(), dice.small(1, 5_000));
  const answer = new Promise<Uint8Array>((resolve, reject) => {
    client.sendRpc(bytes.slice(), {
      deadline: Infinity,
      onSuccess: (body) => resolve(body.take()),
      onFailure: reject,
      onTimeout: () => reject(new Error("Timed out")),
    });
  });
  const what = `Request ${seed} of ${node.name}`;
  const outcome = await ledger.settled(node.clock, what, PATIENCE_MS, answer);
  if (!outcome.ok) {
    if (stage.strict || codeOf(outcome.error) !== "DISCONNECTED") ledger.fail(`${what} failed: ${outcome.error}`);
    return;
  }
  const fault = payloadFault({ seed, bytes: outcome.value }, bytes.length);
  if (fault !== undefined) ledger.fail(`The answer to ${what}: ${fault}`);
}
