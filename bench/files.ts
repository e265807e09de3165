/**
 * A file by `openChannel` beside a plain read-and-write loop of the same file over a raw socket: both sides in turn, in processes
 * of their own, best of rounds.
 *
 * `deno run -A bench/files.ts [--runtimes node,deno,bun] [--rounds 5] [--mib 256] [--times 4] [--pin free]`; README.md has the
 * method.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { BULK_FLAGS, compareBulk, positive, readBulkOptions, runBulk } from "./bulk.ts";

/** How much of the raw loop must be left. */
const FLOOR = 0.6;

const NAME = "file.bin";

const { values } = parseArgs({
  args: Deno.args[0] === "--" ? Deno.args.slice(1) : Deno.args,
  options: { ...BULK_FLAGS, mib: { type: "string", default: "256" } },
});
const options = readBulkOptions(values);
const bytes = positive("--mib", values.mib) * 1024 * 1024;

await runBulk(async (folder) => {
  const path = `${folder}/${NAME}`;
  const file = await Deno.open(path, { write: true, createNew: true });
  const piece = new Uint8Array(1024 * 1024).map((_, i) => (i * 131) ^ (i >> 8));
  for (let written = 0; written < bytes;) written += await file.write(piece);
  file.close();
  const workload = { name: NAME, bytes, floor: FLOOR, raw: "raw_file", ours: "sparkwire_file", serverArgs: [path] } as const;
  return await compareBulk([workload], options);
});
