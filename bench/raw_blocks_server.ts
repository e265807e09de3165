/**
 * The process that sends the bytes of blocks over a raw socket, out of memory or out of a file; `blocks.ts` starts it.
 *
 * @module
 */

import process from "node:process";
import { serve } from "./bench_process.ts";
import { allBytes } from "./block_plan.ts";
import { serveRawFile } from "./raw_file.ts";
import { serveRawMemory } from "./raw_memory.ts";

const [, , workload, folder] = process.argv;
serve(await (workload === "file" ? serveRawFile(`${folder}/file`) : serveRawMemory(allBytes())), () => 0);
