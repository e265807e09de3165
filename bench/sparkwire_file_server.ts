/**
 * The process that serves a file by `fileServer.addFile`; `files.ts` starts it.
 *
 * @module
 */

import process from "node:process";
import { RpcEnv } from "../mod.ts";
import { serve } from "./bench_process.ts";
import { BENCH_HOST } from "./frames.ts";

const env = await RpcEnv.create({ name: "bench", host: BENCH_HOST, port: 0 });
await env.fileServer.addFile(process.argv[2]!);
serve(env.address!.port, () => 0);
