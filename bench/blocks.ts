/**
 * Blocks beside a raw socket that moves the same bytes: 64 chunks of 4 MiB and one stream out of memory, one stream out of a file.
 *
 * `deno run -A bench/blocks.ts [--runtimes node,deno,bun] [--workloads chunks,stream,file] [--rounds 5] [--times 4] [--pin free]`;
 * README.md has the method.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { ALL_BYTES, allBytes, BLOCK_FLOORS, isBlockWorkload } from "./block_plan.ts";
import { BULK_FLAGS, compareBulk, readBulkOptions, runBulk } from "./bulk.ts";

const { values } = parseArgs({
  args: Deno.args[0] === "--" ? Deno.args.slice(1) : Deno.args,
  options: { ...BULK_FLAGS, workloads: { type: "string", default: Object.keys(BLOCK_FLOORS).join() } },
});
const options = readBulkOptions(values);
const names = values.workloads.split(",").filter(isBlockWorkload);
if (names.length === 0) throw new RangeError("--workloads has no name that is known");

await runBulk(async (folder) => {
  if (names.includes("file")) await Deno.writeFile(`${folder}/file`, allBytes());
  const workloads = names.map((name) => ({
    name,
    bytes: ALL_BYTES,
    floor: BLOCK_FLOORS[name],
    raw: "raw_blocks" as const,
    ours: "sparkwire_blocks" as const,
    serverArgs: [name, folder],
  }));
  return await compareBulk(workloads, options);
});
