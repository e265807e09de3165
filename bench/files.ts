/**
 * A file by `openChannel` beside a plain read-and-write loop of the same file over a raw socket: both sides in turn, in processes
 * of their own, best of rounds.
 *
 * README.md has the method.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { readArguments } from "../tests/_tasks/arguments.ts";
import { BULK_FLAGS, BULK_USAGE, compareBulk, readBulkOptions, runBulk } from "./bulk.ts";
import { wholeNumber } from "./flags.ts";

/** How much of the raw loop must be left. */
const FLOOR = 0.6;

const NAME = "file.bin";

const USAGE = `deno task bench files [FLAG…]${BULK_USAGE}
  --mib        how long the file is; 256 without`;

const { bytes, ...options } = readArguments(USAGE, (args) => {
  const { values } = parseArgs({ args, options: { ...BULK_FLAGS, mib: { type: "string", default: "256" } } });
  return { ...readBulkOptions(values), bytes: wholeNumber("--mib", values.mib) * 1024 * 1024 };
});

await runBulk(async (folder) => {
  const path = `${folder}/${NAME}`;
  const file = await Deno.open(path, { write: true, createNew: true });
  const piece = new Uint8Array(1024 * 1024).map((_, i) => (i * 131) ^ (i >> 8));
  for (let written = 0; written < bytes;) written += await file.write(piece);
  file.close();
  const workload = { name: NAME, bytes, floor: FLOOR, raw: "raw_file", ours: "sparkwire_file", serverArgs: [path] } as const;
  return await compareBulk([workload], options);
});
