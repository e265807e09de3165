// deno-lint-ignore-file no-console -- a program.
/**
 * Serves the file that its argument names, until it is killed.
 *
 * @module
 */

import process from "node:process";
import { RpcEnv } from "../../mod.ts";

const env = await RpcEnv.create({ name: "file-server", host: "127.0.0.1", port: 0 });
console.log(`READY ${await env.fileServer.addFile(process.argv[2]!)}`);
