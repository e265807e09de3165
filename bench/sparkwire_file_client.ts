/**
 * The process that fetches a file by `openChannel`; `files.ts` starts it.
 *
 * @module
 */

import { RpcEnv } from "../mod.ts";
import { fetchOnCommand } from "./file_client.ts";
import { BENCH_HOST } from "./frames.ts";

await fetchOnCommand(async ({ port, name, size }) => {
  const env = await RpcEnv.create({ name: "bench-client" });
  return async () => {
    let count = 0;
    const reader = env.openChannel(`spark://${BENCH_HOST}:${port}/files/${name}`).getReader();
    for (let { value } = await reader.read(); value !== undefined; { value } = await reader.read()) count += value.length;
    if (count !== size) throw new Error(`${count} bytes came, but the file has ${size}`);
  };
});
