/**
 * Bytes out of memory over a raw socket, as plainly as it can be fast: for each byte that arrives all of them are written.
 *
 * Each runtime's fastest socket, as in `raw_file.ts`, which has the client too.
 *
 * @module
 */

import { createServer } from "node:net";
import { BENCH_HOST } from "./frames.ts";

/** How much is written at once. */
const PIECE_BYTES = 1024 * 1024;

/** Listens, and sends `bytes` for each byte that arrives; returns the port. */
export function serveRawMemory(bytes: Uint8Array): Promise<number> {
  if ("Deno" in globalThis) return serveOnDeno(bytes);
  return "Bun" in globalThis ? serveOnBun(bytes) : serveOnNode(bytes);
}

async function serveOnDeno(bytes: Uint8Array): Promise<number> {
  const listener = Deno.listen({ hostname: BENCH_HOST, port: 0 });
  const serve = async (connection: Deno.TcpConn): Promise<void> => {
    connection.setNoDelay(true);
    const request = new Uint8Array(1);
    while (await connection.read(request) !== null) {
      for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at, at + PIECE_BYTES));
    }
    connection.close();
  };
  void (async () => {
    for await (const connection of listener) void serve(connection);
  })();
  return await Promise.resolve(listener.addr.port);
}

/** The members of Bun that are called here. */
interface BunConnection {
  write(bytes: Uint8Array): number;
  setNoDelay(on: boolean): void;
}

interface BunHandler {
  open(connection: BunConnection): void;
  data(connection: BunConnection): void;
  drain(connection: BunConnection): void;
}

declare const Bun: {
  listen(options: { hostname: string; port: number; socket: BunHandler }): { readonly port: number };
};

function serveOnBun(bytes: Uint8Array): Promise<number> {
  const sent = new Map<BunConnection, number>();
  const push = (connection: BunConnection): void => {
    let at = sent.get(connection);
    if (at === undefined) return;
    for (let count = -1; at < bytes.length && count !== 0; at += count) {
      count = connection.write(bytes.subarray(at, at + PIECE_BYTES));
    }
    if (at < bytes.length) sent.set(connection, at);
    else sent.delete(connection);
  };
  const socket: BunHandler = {
    open: (connection) => connection.setNoDelay(true),
    data(connection) {
      sent.set(connection, 0);
      push(connection);
    },
    drain: push,
  };
  return Promise.resolve(Bun.listen({ hostname: BENCH_HOST, port: 0, socket }).port);
}

function serveOnNode(bytes: Uint8Array): Promise<number> {
  const server = createServer((connection) => {
    connection.setNoDelay(true);
    const send = (at: number): void => {
      if (at < bytes.length) connection.write(bytes.subarray(at, at + PIECE_BYTES), () => send(at + PIECE_BYTES));
    };
    connection.on("data", () => send(0)).on("error", () => connection.destroy());
  });
  return new Promise((resolve) => {
    server.listen(0, BENCH_HOST, () => resolve((server.address() as { port: number }).port));
  });
}
