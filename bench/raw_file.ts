/**
 * A file over a raw socket, as plainly as it can be fast: two buffers of 1 MiB, one is read while the other is written.
 *
 * The client asks with one byte and counts what comes. Each runtime's fastest socket: Deno's and Bun's own, node:net with `onread`.
 * Files are read by Deno's own call there, by node:fs with callbacks elsewhere.
 *
 * @module
 */

import { type FileHandle, open as openWithPromises } from "node:fs/promises";
import { read as readWithCallback } from "node:fs";
import { connect as connectTcp, createServer } from "node:net";
import { BENCH_HOST } from "./frames.ts";

const PIECE_BYTES = 1024 * 1024;
/** More gains nothing on any of the runtimes. */
const READ_BYTES = 128 * 1024;

/** Fills `into` with what follows in the file. */
type ReadNext = (into: Uint8Array) => Promise<number>;
/** Resolves when `bytes` may be overwritten. */
type Write = (bytes: Uint8Array) => Promise<void>;

/** Listens, and sends the file for each byte that arrives; returns the port. */
export function serveRawFile(path: string): Promise<number> {
  if ("Deno" in globalThis) return serveOnDeno(path);
  return "Bun" in globalThis ? serveOnBun(path) : serveOnNode(path);
}

/** Connects; the function that it returns fetches the file of that size once. */
export async function connectRawFile(port: number, size: number): Promise<() => Promise<void>> {
  const counter = new Counter(size);
  const ask = await ("Deno" in globalThis ? dialOnDeno : "Bun" in globalThis ? dialOnBun : dialOnNode)(port, counter);
  return () => {
    ask();
    return counter.next();
  };
}

/** Resolves whenever as many bytes have come as a file has. */
class Counter {
  readonly #size: number;
  #count = 0;
  #whole: () => void = () => {};

  constructor(size: number) {
    this.#size = size;
  }

  add(bytes: number): void {
    this.#count += bytes;
    if (this.#count < this.#size) return;
    if (this.#count > this.#size) throw new Error(`${this.#count} bytes came, but the file has ${this.#size}`);
    this.#count = 0;
    this.#whole();
  }

  next(): Promise<void> {
    return new Promise((resolve) => this.#whole = resolve);
  }
}

async function sendFile(readNext: ReadNext, write: Write): Promise<void> {
  let [current, other] = [new Uint8Array(PIECE_BYTES), new Uint8Array(PIECE_BYTES)];
  let filled = await readNext(current);
  while (filled > 0) {
    const writing = write(current.subarray(0, filled));
    [filled] = await Promise.all([readNext(other), writing]);
    [current, other] = [other, current];
  }
}

async function serveOnDeno(path: string): Promise<number> {
  const listener = Deno.listen({ hostname: BENCH_HOST, port: 0 });
  const serve = async (connection: Deno.TcpConn): Promise<void> => {
    connection.setNoDelay(true);
    const request = new Uint8Array(1);
    while (await connection.read(request) !== null) {
      const file = await Deno.open(path);
      await sendFile(async (into) => await file.read(into) ?? 0, async (bytes) => {
        for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
      });
      file.close();
    }
    connection.close();
  };
  void (async () => {
    for await (const connection of listener) void serve(connection);
  })();
  return await Promise.resolve(listener.addr.port);
}

async function dialOnDeno(port: number, counter: Counter): Promise<() => void> {
  const connection = await Deno.connect({ hostname: BENCH_HOST, port });
  connection.setNoDelay(true);
  const into = new Uint8Array(READ_BYTES);
  void (async () => {
    for (let count = await connection.read(into); count !== null; count = await connection.read(into)) counter.add(count);
  })();
  return () => void connection.write(new Uint8Array(1));
}

/** The members of Bun that are called here. */
interface BunConnection {
  write(bytes: Uint8Array): number;
  setNoDelay(on: boolean): void;
}

interface BunHandler {
  open(connection: BunConnection): void;
  data(connection: BunConnection, chunk: Uint8Array): void;
  drain(connection: BunConnection): void;
}

declare const Bun: {
  connect(options: { hostname: string; port: number; socket: BunHandler }): Promise<BunConnection>;
  listen(options: { hostname: string; port: number; socket: BunHandler }): { readonly port: number };
};

function serveOnBun(path: string): Promise<number> {
  const rest = new Map<BunConnection, { bytes: Uint8Array; done: () => void }>();
  const push = (connection: BunConnection): void => {
    const waiting = rest.get(connection);
    if (waiting === undefined) return;
    waiting.bytes = waiting.bytes.subarray(connection.write(waiting.bytes));
    if (waiting.bytes.length > 0) return;
    rest.delete(connection);
    waiting.done();
  };
  const socket: BunHandler = {
    open: (connection) => connection.setNoDelay(true),
    data: (connection) =>
      void sendNodeFile(path, (bytes) =>
        new Promise((done) => {
          rest.set(connection, { bytes, done });
          push(connection);
        })),
    drain: push,
  };
  return Promise.resolve(Bun.listen({ hostname: BENCH_HOST, port: 0, socket }).port);
}

async function dialOnBun(port: number, counter: Counter): Promise<() => void> {
  const socket: BunHandler = { open() {}, data: (_, chunk) => counter.add(chunk.length), drain() {} };
  const connection = await Bun.connect({ hostname: BENCH_HOST, port, socket });
  connection.setNoDelay(true);
  return () => void connection.write(new Uint8Array(1));
}

function serveOnNode(path: string): Promise<number> {
  const server = createServer((connection) => {
    connection.setNoDelay(true);
    connection.on("data", () => {
      void sendNodeFile(path, (bytes) => new Promise((done) => void connection.write(bytes, () => done())));
    }).on("error", () => connection.destroy());
  });
  return new Promise((resolve) => {
    server.listen(0, BENCH_HOST, () => resolve((server.address() as { port: number }).port));
  });
}

function dialOnNode(port: number, counter: Counter): Promise<() => void> {
  const callback = (count: number): boolean => {
    counter.add(count);
    return true;
  };
  return new Promise((resolve, reject) => {
    const onread = { buffer: new Uint8Array(READ_BYTES), callback };
    const connection = connectTcp({ host: BENCH_HOST, port, onread }, () => {
      connection.setNoDelay(true);
      resolve(() => void connection.write(new Uint8Array(1)));
    }).on("error", reject);
  });
}

async function sendNodeFile(path: string, write: Write): Promise<void> {
  const file: FileHandle = await openWithPromises(path);
  try {
    await sendFile((into) =>
      new Promise((resolve, reject) => {
        readWithCallback(
          file.fd,
          into,
          0,
          into.length,
          null,
          (error, count) => error === null ? resolve(count) : reject(error),
        );
      }), write);
  } finally {
    await file.close();
  }
}
