/**
 * The sockets of Bun: chunks are passed on as they come, and what `write` did not take waits for `drain`.
 *
 * What Bun 1.4 does otherwise than the contract has it: `terminate` calls `close` before it returns; `drain` comes unasked; if our
 * FIN went first, the peer's comes as a `close` without `end`; a reset that a `write` runs into (it returns -1) is never told as an
 * error; `end(data)` loses data, so `shutdown` is the only way out; a connect can be neither aborted nor bounded in time: one that
 * is given up, since nobody answers at its address, keeps its descriptor and the process until the system gives it up (two minutes
 * on Linux).
 * TLS goes through `node.ts`: here a rogue client certificate counts as a handshake that succeeded.
 *
 * @module
 */

import { BaseSocket, checkSocketOptions, socketAddress } from "./_base_socket.ts";
import type { BunHandlers, BunListener, BunRuntime, BunSocket as Native } from "./_runtime_types.ts";
import type {
  AttachSocket,
  ConnectOptions,
  ListenOptions,
  Socket,
  SocketAddress,
  SocketDriver,
  SocketListener,
  SocketOptions,
} from "./socket.ts";
import { formatAddress, socketError, toSocketError } from "./socket_errors.ts";
import { WriteQueue } from "./write_queue.ts";

/** What hangs on a native socket: ours, from `open` on. */
type Data = BunSocket | undefined;

class BunSocket extends BaseSocket {
  readonly #native: Native<Data>;
  readonly #queue = new WriteQueue();

  constructor(native: Native<Data>, remote: SocketAddress, options: SocketOptions) {
    super({ local: socketAddress(native.localAddress, native.localPort), remote }, options);
    this.#native = native;
  }

  override get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** Bun reads from `open` on. */
  protected override begin(): void {}

  protected override stopReading(): void {
    this.#native.pause();
  }

  protected override startReading(): void {
    this.#native.resume();
  }

  protected override enqueue(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      if (this.#queue.bytes > 0) {
        this.#queue.push(chunk);
        continue;
      }
      const taken = this.#native.write(chunk);
      if (taken === chunk.length) continue;
      if (taken < 0) return this.#writeFailed();
      this.#queue.push(chunk.subarray(taken));
    }
  }

  protected override finishWriting(): void {
    if (this.#queue.bytes === 0) this.#native.shutdown();
  }

  protected override release(): undefined {
    this.#queue.clear();
    this.#native.terminate();
  }

  /** Passes the events of native sockets on to ours; `open` makes ours. */
  static handlers(open: (native: Native<Data>) => void): BunHandlers<Data> {
    return {
      binaryType: "uint8array",
      open,
      // In memory that is never used again.
      data: (native, chunk) => native.data?.received(chunk, true),
      drain: (native) => native.data?.onDrain(),
      end: (native) => native.data?.ended(),
      close: (native, error) => native.data?.onClose(error),
      error: (native, error) => native.data?.onClose(error),
    };
  }

  /** There is room again. */
  onDrain(): void {
    try {
      for (let chunk = this.#queue.first; chunk !== undefined; chunk = this.#queue.first) {
        const taken = this.#native.write(chunk);
        if (taken < 0) return this.#writeFailed();
        this.#queue.take(taken);
        if (taken < chunk.length) break;
      }
    } catch (thrown) {
      return this.broke(thrown);
    }
    if (this.isShut && this.#queue.bytes === 0) this.#native.shutdown();
    this.drained();
  }

  /** The native socket is closed, by itself or by us. */
  onClose(error: Error | undefined): void {
    if (error === undefined) this.gone();
    else this.broke(error);
  }

  /** The reset behind it is told nowhere else: `close` would come without an error. */
  #writeFailed(): void {
    this.broke(socketError("BROKEN_PIPE", `Connection with ${formatAddress(this.remoteAddress)}`));
  }
}

/** Ours for a native socket; undefined, and that one is cut off, if its peer has reset it by now: it has no address any more. */
function makeSocket(native: Native<Data>, options: SocketOptions): BunSocket | undefined {
  const { remoteAddress, remotePort } = native;
  // Either may be the first to be asked for after the reset.
  if (remoteAddress === undefined || remotePort === undefined) {
    native.terminate();
    return undefined;
  }
  native.setNoDelay(options.noDelay ?? true);
  if (options.keepAlive === true) native.setKeepAlive(true);
  return native.data = new BunSocket(native, socketAddress(remoteAddress, remotePort), options);
}

class Listener implements SocketListener {
  readonly address: SocketAddress;
  readonly #listener: BunListener;

  constructor(listener: BunListener) {
    this.address = socketAddress(listener.hostname, listener.port);
    this.#listener = listener;
  }

  close(): Promise<void> {
    this.#listener.stop();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function connect(address: SocketAddress, attach: AttachSocket, options: ConnectOptions = {}): Promise<Socket> {
  checkSocketOptions(address, options);
  if (options.tls !== undefined) return await (await import("./node.ts")).nodeSocketDriver.connect(address, attach, options);
  options.signal?.throwIfAborted();
  return await new Promise<Socket>((resolve, reject) => dial(address, attach, options, resolve, reject));
}

/** Races the attempt, which cannot be called off, against the signal: a socket that comes too late is cut off. */
function dial(
  address: SocketAddress,
  attach: AttachSocket,
  options: ConnectOptions,
  resolve: (socket: Socket) => void,
  reject: (reason: unknown) => void,
): void {
  const { signal } = options;
  const what = `Cannot connect to ${formatAddress(address)}`;
  const onAbort = () => reject(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const socket = BunSocket.handlers((native) => {
    signal?.removeEventListener("abort", onAbort);
    if (signal?.aborted) {
      native.terminate();
      return;
    }
    const made = makeSocket(native, options);
    const error = made === undefined ? socketError("CONNECTION_RESET", what) : made.open(attach);
    if (made !== undefined && error === undefined) resolve(made);
    else reject(error);
  });
  const failed = (thrown: unknown) => {
    signal?.removeEventListener("abort", onAbort);
    reject(toSocketError(thrown, what));
  };
  try {
    bun().connect({ hostname: address.host, port: address.port, allowHalfOpen: true, socket }).catch(failed);
  } catch (thrown) {
    failed(thrown);
  }
}

async function listen(address: SocketAddress, attach: AttachSocket, options: ListenOptions = {}): Promise<SocketListener> {
  checkSocketOptions(address, options);
  if (options.tls !== undefined) return await (await import("./node.ts")).nodeSocketDriver.listen(address, attach, options);
  const { backlog } = options;
  const target = { hostname: address.host, port: address.port, allowHalfOpen: true as const };
  try {
    const socket = BunSocket.handlers((native) => void makeSocket(native, options)?.open(attach));
    return new Listener(bun().listen({ ...target, socket, ...(backlog === undefined ? {} : { backlog }) }));
  } catch (thrown) {
    throw toSocketError(thrown, `Cannot listen on ${formatAddress(address)}`);
  }
}

function bun(): BunRuntime {
  return (globalThis as unknown as { readonly Bun: BunRuntime }).Bun;
}

/**
 * Up to here JavaScriptCore copies a part faster than it makes a view and collects it later: asks of 64 bytes, 1,024 at once, take an
 * eighth less CPU (Bun 1.4). Node and Deno need 1.5 to 10 times as long for a copy.
 */
const COPIED_BYTES = 256;

/** The native sockets of Bun. */
export const bunSocketDriver: SocketDriver = { name: "bun", copiedBytes: COPIED_BYTES, connect, listen };
