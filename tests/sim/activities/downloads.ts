/**
 * Files between environments: several are fetched at once, by readers that stall now and then, and some are given up on the way.
 *
 * @module
 */

import { RpcError, StreamError } from "../../../src/base/errors.ts";
import { parseDownloadUri } from "../../../src/rpc/file_downloads.ts";
import { NettyRpcEnv } from "../../../src/rpc/netty_rpc_env.ts";
import { CountedBuffer } from "../counted_buffer.ts";
import { DownloadReader, type ExpectedBytes } from "../download_reader.ts";
import { codeOf } from "../ledger.ts";
import type { SimulatedNode } from "../node.ts";
import { makePayload } from "../payload.ts";
import { PATIENCE_MS, type Stage } from "../stage.ts";

/** Something that can be asked for. */
interface Served {
  readonly uri: string;
  /** What comes; undefined if there is no such file. */
  readonly bytes: ExpectedBytes | undefined;
}

/** What a download that was interrupted fails with. */
const EXPLAINED = ["DISCONNECTED", "STREAM", "SOCKET", "STOPPED", "OVERLOADED"];

const GIVEN_UP = new RpcError("STREAM", "Given up on purpose");

/** One environment serves, several fetch. */
export async function downloads(stage: Stage): Promise<void> {
  const { dice } = stage;
  const served = await serve(stage, dice.pick(stage.servers));
  await Promise.all(Array.from({ length: dice.int(1, 3) }, async () => {
    const node = dice.pick(stage.nodes);
    for (let rounds = dice.int(1, 4); rounds > 0; rounds--) {
      const picked = Array.from({ length: dice.int(1, 6) }, () => dice.pick(served));
      await Promise.all(picked.map((one) => fetchOne(stage, node, one)));
      await stage.sleep(dice.small(0, 2_000));
    }
  }));
}

/** A file, a jar, a folder and a source, under names that nobody else has. */
async function serve(stage: Stage, server: SimulatedNode): Promise<readonly Served[]> {
  const { dice, ledger, world } = stage;
  const { fileServer } = server.env;
  const files = world.files(server.name);
  const id = ledger.nextId();
  const folder = `/srv/${id}`;
  const write = (name: string): ExpectedBytes => {
    const size = dice.chance(0.1) ? 0 : dice.small(1, dice.chance(0.1) ? 3_000_000 : 300_000);
    const { seed, bytes } = makePayload(ledger.nextId(), size);
    files.write(`${folder}/${name}`, bytes);
    return { seed, size };
  };
  const [plain, jar, below] = [write(`plain ${id}`), write(`${id}.jar`), write("below/it")];
  files.write("/etc/passwd", new Uint8Array(10));
  files.link(`${folder}/out`, "/etc");
  const part = { seed: ledger.nextId(), size: dice.small(1, 300_000) };
  const mode = dice.pick(["memory", "pieces", "slow"] as const);
  fileServer.addSource(`/parts/${id}`, (rest) => {
    return rest === "0" ? new CountedBuffer(part.seed, part.size, mode, server.clock) : undefined;
  });
  const root = `spark://${server.name}:${server.port}`;
  const directory = await fileServer.addDirectory(`/folder${id}`, folder);
  return [
    { uri: await fileServer.addFile(`${folder}/plain ${id}`), bytes: plain },
    { uri: await fileServer.addJar(`${folder}/${id}.jar`), bytes: jar },
    { uri: `${directory}/below/it`, bytes: below },
    { uri: `${root}/parts/${id}/0`, bytes: part },
    { uri: `${root}/parts/${id}/1`, bytes: undefined },
    { uri: `${directory}/out/passwd`, bytes: undefined },
    { uri: `${directory}/../../etc/passwd`, bytes: undefined },
  ];
}

async function fetchOne(stage: Stage, node: SimulatedNode, { uri, bytes }: Served): Promise<void> {
  const { dice, ledger } = stage;
  const { env } = node;
  if (!(env instanceof NettyRpcEnv)) throw new TypeError("The environment is none of this project's");
  const what = `Download of ${uri} by ${node.name}`;
  const reader = new DownloadReader(node.clock, bytes ?? { seed: 0, size: 0 }, (fault) => ledger.fail(`${what} ${fault}`));
  const giveUp = new AbortController();
  const givesUp = dice.chance(0.2);
  reader.channel = env.downloads.open(parseDownloadUri(uri), reader, giveUp.signal);
  if (givesUp) stage.world.clock.setTimer(dice.small(0, 1_000), () => giveUp.abort(GIVEN_UP));
  const outcome = await ledger.settled(node.clock, what, PATIENCE_MS, reader.ended);
  if (outcome.ok) {
    if (bytes === undefined) ledger.fail(`${what} came`);
    return;
  }
  const { error } = outcome;
  if (givesUp && error === GIVEN_UP) return;
  const isMeant = bytes === undefined && error instanceof StreamError && error.message.endsWith("was not found.");
  if (!isMeant && (stage.strict || !EXPLAINED.includes(codeOf(error)))) ledger.fail(`${what} failed: ${error}`);
}
