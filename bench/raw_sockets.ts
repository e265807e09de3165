/**
 * The fastest socket of each runtime, with no more around it than the raw echo needs.
 *
 * Deno: one read buffer for good, one write in flight while the next pool fills. Bun: the unwritten tail is kept until `drain`.
 * node:net: `onread` with a buffer of ours where it can be had, which is on the outgoing side only; a pool is used again at
 * once if the system took it whole.
 *
 * @module
 */

import { BENCH_HOST } from "./frames.ts";
import { type Pool, poolOf, type RawPeer, type RawSocket } from "./raw_echo.ts";

/** Opens raw connections in one runtime. */
export interface RawRuntime {
  /** Connects `peer` to a port. */
  connect(port: number, peer: RawPeer): Promise<void>;
  /** Listens on a port that the system chooses, with a new peer for each connection, and returns the port. */
  listen(makePeer: () => RawPeer): Promise<number>;
}

/** Size of the read buffer where it is ours: 16 KiB halves the bulk rate. */
const READ_BYTES = 128 * 1024;

/** Pools that were filled and wait for the system, and pools that are free. */
class PoolQueue {
  readonly #waiting: { pool: Pool; length: number }[] = [];
  readonly #free: Pool[] = [];
  readonly #make: () => Pool;

  constructor(make: () => Pool) {
    this.#make = make;
  }

  take(): Pool {
    return this.#free.pop() ?? this.#make();
  }

  giveBack(pool: Pool): void {
    this.#free.push(pool);
  }

  push(pool: Pool, length: number): void {
    this.#waiting.push({ pool, length });
  }

  shift(): { pool: Pool; length: number } | undefined {
    return this.#waiting.shift();
  }
}

class DenoSocket implements RawSocket {
  readonly #connection: Deno.TcpConn;
  readonly #peer: RawPeer;
  readonly #pools: PoolQueue;
  busy = false;

  constructor(connection: Deno.TcpConn, peer: RawPeer) {
    this.#connection = connection;
    this.#peer = peer;
    this.#pools = new PoolQueue(() => poolOf(new Uint8Array(peer.poolBytes)));
    connection.setNoDelay(true);
    peer.attach(this, this.#pools.take());
    void this.#read();
  }

  send(pool: Pool, length: number): Pool {
    if (this.busy) this.#pools.push(pool, length);
    else void this.#write(pool, length);
    return this.#pools.take();
  }

  async #write(pool: Pool, length: number): Promise<void> {
    this.busy = true;
    for (let next: { pool: Pool; length: number } | undefined = { pool, length }; next; next = this.#pools.shift()) {
      for (let at = 0; at < next.length;) at += await this.#connection.write(next.pool.bytes.subarray(at, next.length));
      this.#pools.giveBack(next.pool);
    }
    this.busy = false;
    this.#peer.flush();
  }

  async #read(): Promise<void> {
    const { bytes, view } = poolOf(new Uint8Array(READ_BYTES));
    try {
      for (let count = await this.#connection.read(bytes); count !== null; count = await this.#connection.read(bytes)) {
        this.#peer.onData(bytes, view, count);
      }
      this.#connection.close();
    } catch (error) {
      // A client that ends with the benchmark resets its connection; anything else is a mistake here.
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
  }

  close(): void {
    void this.#connection.closeWrite();
  }
}

const denoRuntime: RawRuntime = {
  async connect(port, peer) {
    new DenoSocket(await Deno.connect({ hostname: BENCH_HOST, port }), peer);
  },
  listen(makePeer) {
    const listener = Deno.listen({ hostname: BENCH_HOST, port: 0 });
    void (async () => {
      for await (const connection of listener) new DenoSocket(connection, makePeer());
    })();
    return Promise.resolve(listener.addr.port);
  },
};

interface BunConnection {
  data: BunSocket;
  write(bytes: Uint8Array, byteOffset: number, byteLength: number): number;
  setNoDelay(on: boolean): void;
  end(): void;
}

interface BunHandler {
  open(connection: BunConnection): void;
  data(connection: BunConnection, chunk: Uint8Array): void;
  drain(connection: BunConnection): void;
  close(): void;
}

/** The members of Bun that are called here. */
declare const Bun: {
  connect(options: { hostname: string; port: number; socket: BunHandler }): Promise<unknown>;
  listen(options: { hostname: string; port: number; socket: BunHandler }): { readonly port: number };
};

class BunSocket implements RawSocket {
  readonly #connection: BunConnection;
  readonly #peer: RawPeer;
  readonly #pools: PoolQueue;
  #tail: { pool: Pool; at: number; length: number } | undefined;
  busy = false;

  constructor(connection: BunConnection, peer: RawPeer) {
    this.#connection = connection;
    this.#peer = peer;
    this.#pools = new PoolQueue(() => poolOf(new Uint8Array(peer.poolBytes)));
    connection.setNoDelay(true);
    peer.attach(this, this.#pools.take());
  }

  send(pool: Pool, length: number): Pool {
    if (this.busy) {
      this.#pools.push(pool, length);
      return this.#pools.take();
    }
    const written = this.#connection.write(pool.bytes, 0, length);
    if (written === length) return pool;
    this.#tail = { pool, at: written, length };
    this.busy = true;
    return this.#pools.take();
  }

  onData(chunk: Uint8Array): void {
    this.#peer.onData(chunk, new DataView(chunk.buffer, chunk.byteOffset, chunk.length), chunk.length);
  }

  onDrain(): void {
    while (this.#tail !== undefined) {
      const { pool, at, length } = this.#tail;
      const written = this.#connection.write(pool.bytes, at, length - at);
      if (at + written < length) {
        this.#tail.at = at + written;
        return;
      }
      this.#pools.giveBack(pool);
      const next = this.#pools.shift();
      this.#tail = next && { pool: next.pool, at: 0, length: next.length };
    }
    this.busy = false;
    this.#peer.flush();
  }

  close(): void {
    this.#connection.end();
  }
}

function bunHandler(makePeer: () => RawPeer): BunHandler {
  return {
    open(connection) {
      connection.data = new BunSocket(connection, makePeer());
    },
    data: (connection, chunk) => connection.data.onData(chunk),
    drain: (connection) => connection.data.onDrain(),
    close() {},
  };
}

const bunRuntime: RawRuntime = {
  async connect(port, peer) {
    await Bun.connect({ hostname: BENCH_HOST, port, socket: bunHandler(() => peer) });
  },
  listen(makePeer) {
    return Promise.resolve(Bun.listen({ hostname: BENCH_HOST, port: 0, socket: bunHandler(makePeer) }).port);
  },
};

/** The members of a node:net socket that are called here. */
interface NodeConnection {
  readonly writableLength: number;
  on(event: "drain", listener: () => void): unknown;
  write(bytes: Uint8Array): boolean;
  end(): void;
  setNoDelay(on: boolean): void;
}

class NodeSocket implements RawSocket {
  readonly #connection: NodeConnection;
  readonly #pools: PoolQueue;
  busy = false;

  constructor(connection: NodeConnection, peer: RawPeer, alloc: (bytes: number) => Uint8Array) {
    this.#connection = connection;
    this.#pools = new PoolQueue(() => poolOf(alloc(peer.poolBytes)));
    connection.setNoDelay(true);
    connection.on("drain", () => {
      // It comes after each large write, also after one that the system took whole.
      if (!this.busy) return;
      this.busy = false;
      peer.flush();
    });
    peer.attach(this, this.#pools.take());
  }

  send(pool: Pool, length: number): Pool {
    const connection = this.#connection;
    const isTaken = connection.write(pool.bytes.subarray(0, length));
    if (connection.writableLength > 0) {
      this.busy = !isTaken;
      this.#pools.push(pool, length);
      return this.#pools.take();
    }
    // Writes finish in order, so all pools that waited are free as well.
    for (let waited = this.#pools.shift(); waited; waited = this.#pools.shift()) this.#pools.giveBack(waited.pool);
    return pool;
  }

  close(): void {
    this.#connection.end();
  }
}

async function loadNodeRuntime(): Promise<RawRuntime> {
  const [net, { Buffer }] = await Promise.all([import("node:net"), import("node:buffer")]);
  // A Uint8Array would be wrapped in a Buffer at each write.
  const alloc = (bytes: number): Uint8Array => Buffer.allocUnsafeSlow(bytes);
  return {
    connect(port, peer) {
      const read = poolOf(new Uint8Array(READ_BYTES));
      const callback = (count: number): boolean => {
        peer.onData(read.bytes, read.view, count);
        return true;
      };
      return new Promise((resolve, reject) => {
        const connection = net.connect({ host: BENCH_HOST, port, onread: { buffer: read.bytes, callback } }, () => {
          new NodeSocket(connection, peer, alloc);
          resolve();
        }).on("error", reject);
      });
    },
    listen(makePeer) {
      const listener = net.createServer((connection) => {
        const peer = makePeer();
        new NodeSocket(connection, peer, alloc);
        connection.on("data", (chunk: Uint8Array) => {
          peer.onData(chunk, new DataView(chunk.buffer, chunk.byteOffset, chunk.length), chunk.length);
        }).on("error", () => connection.destroy());
      });
      return new Promise((resolve) => {
        listener.listen(0, BENCH_HOST, () => resolve((listener.address() as { port: number }).port));
      });
    },
  };
}

/** The raw sockets of the runtime that this runs in. */
export function loadRawRuntime(): Promise<RawRuntime> {
  if ("Deno" in globalThis) return Promise.resolve(denoRuntime);
  if ("Bun" in globalThis) return Promise.resolve(bunRuntime);
  return loadNodeRuntime();
}
