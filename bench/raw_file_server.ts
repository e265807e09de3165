/**
 * The process that sends a file over a raw socket; `files.ts` starts it.
 *
 * @module
 */

import process from "node:process";
import { serve } from "./bench_process.ts";
import { serveRawFile } from "./raw_file.ts";

serve(await serveRawFile(process.argv[2]!), () => 0);
