/**
 * Endpoints and references with a contract.
 *
 * @module
 */

import { RpcError } from "../../../src/base/errors.ts";
import { endpoint } from "../../../src/typed/endpoint.ts";
import { type Ref, typedRef } from "../../../src/typed/typed_ref.ts";
import { codeOf, type Outcome } from "../ledger.ts";
import type { SimulatedNode } from "../node.ts";
import { makePayload, type Payload } from "../payload.ts";
import { PATIENCE_MS, type Stage } from "../stage.ts";
import { isExplained } from "../verdict.ts";

/** The contract. */
interface Meter {
  receive: { Add(amount: number): void };
  receiveAndReply: {
    Total(): number;
    Echo(m: { readonly payload: Payload; readonly ms: number }): Payload;
    Refuse(text: string): never;
  };
}

/** Several users of one endpoint, whose sums must be right wherever nothing is lost. */
export async function typedEndpoints(stage: Stage): Promise<void> {
  const { dice } = stage;
  const server = dice.pick(stage.servers);
  const name = `meter-${stage.ledger.nextId()}`;
  const { clock } = server;
  let total = 0;
  const meter = endpoint<Meter>(() => ({
    receive: {
      Add(amount) {
        total += amount;
      },
    },
    receiveAndReply: {
      Total: () => total,
      async Echo({ payload, ms }) {
        if (ms > 0) await new Promise<void>((resolve) => clock.setTimer(ms, resolve));
        return payload;
      },
      Refuse(text) {
        throw new RpcError("REMOTE", text);
      },
    },
  }), { threadSafe: dice.chance(0.7) });
  try {
    server.env.setupEndpoint(name, meter);
  } catch (thrown) {
    // The node is going down.
    if (codeOf(thrown) !== "STOPPED") throw thrown;
    return;
  }
  await Promise.all(Array.from({ length: dice.int(1, 4) }, () => useMeter(stage, server, name)));
}

async function useMeter(stage: Stage, server: SimulatedNode, name: string): Promise<void> {
  const { dice, ledger } = stage;
  const node = dice.pick(stage.nodes);
  const looked = await stage.lookUpOnce(node, server.address, name);
  if (!looked.ok) return;
  const meter = typedRef<Meter>(looked.value);
  let added = 0;
  for (let rounds = dice.int(1, 20); rounds > 0; rounds--) {
    for (let count = dice.int(0, 5); count > 0; count--) {
      const amount = dice.int(0, 100);
      if (add(stage, meter, amount)) added += amount;
    }
    const timeoutMs = stage.strict ? PATIENCE_MS : dice.int(1, 10_000);
    const payload = makePayload(ledger.nextId(), dice.small(0, 2_000));
    const ask = dice.chance(0.7)
      ? meter.ask("Echo", { payload, ms: dice.pick([0, dice.int(0, 30)]) }, { timeoutMs })
      : meter.ask("Refuse", "Refused on purpose", { timeoutMs });
    const outcome = await ledger.settled(node.clock, `Typed ask of ${node.name} to ${meter}`, timeoutMs, ask);
    if (outcome.ok) ledger.check("a typed answer", outcome.value, payload.bytes.length);
    else checkFailure(stage, outcome, "Refused on purpose");
  }
  const last = meter.ask("Total", undefined, { timeoutMs: PATIENCE_MS });
  const outcome = await ledger.settled(node.clock, `Total of ${node.name} from ${meter}`, PATIENCE_MS, last);
  if (!outcome.ok) checkFailure(stage, outcome, "");
  else if (stage.strict && outcome.value < added) ledger.fail(`${meter} counts ${outcome.value}, but ${added} was added`);
}

/** Whether the amount was sent. */
function add(stage: Stage, meter: Ref<Meter>, amount: number): boolean {
  try {
    meter.send("Add", amount);
    return true;
  } catch (thrown) {
    if (!["STOPPED", "NOT_FOUND"].includes(codeOf(thrown))) stage.ledger.fail(`Could not add to ${meter}: ${thrown}`);
    return false;
  }
}

function checkFailure(stage: Stage, { error }: Extract<Outcome<unknown>, { ok: false }>, refusal: string): void {
  if (error instanceof RpcError && error.code === "REMOTE" && error.message === refusal) return;
  if (stage.strict || !isExplained(error)) stage.ledger.fail(`Typed ask failed: ${error}`);
}
