/**
 * Picks the sockets of the runtime that this runs on.
 *
 * @module
 */

import type { SocketDriver } from "./socket.ts";

/**
 * The driver for this runtime: Deno's or Bun's own sockets, else those of `node:net`.
 *
 * The paths are literals, so that a bundler follows them, and only the one that is needed is run.
 */
export async function defaultSocketDriver(): Promise<SocketDriver> {
  if ("Deno" in globalThis) return (await import("./deno.ts")).denoSocketDriver;
  if ("Bun" in globalThis) return (await import("./bun.ts")).bunSocketDriver;
  return (await import("./node.ts")).nodeSocketDriver;
}
