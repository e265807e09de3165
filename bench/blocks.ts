/**
 * Blocks beside a raw socket that moves the same bytes: 64 chunks of 4 MiB and one stream out of memory, one stream out of a file.
 *
 * README.md has the method.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { readArguments } from "../tests/_tasks/arguments.ts";
import { ALL_BYTES, allBytes, BLOCK_FLOORS, isBlockWorkload } from "./block_plan.ts";
import { BULK_FLAGS, BULK_USAGE, compareBulk, readBulkOptions, runBulk } from "./bulk.ts";
import { someOf } from "./flags.ts";

const ALL_NAMES = Object.keys(BLOCK_FLOORS).filter(isBlockWorkload);
const USAGE = `deno task bench blocks [FLAG…]${BULK_USAGE}
  --workloads  ${ALL_NAMES.join()}, or some of them`;

const { names, ...options } = readArguments(USAGE, (args) => {
  const workloads = { type: "string", default: ALL_NAMES.join() } as const;
  const { values } = parseArgs({ args, options: { ...BULK_FLAGS, workloads } });
  return { ...readBulkOptions(values), names: someOf("--workloads", values.workloads, ALL_NAMES) };
});

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
