/**
 * The few members of Deno and Bun that the drivers call, declared here so that nobody who imports this module needs the types
 * of a runtime that is not theirs.
 *
 * @module
 */

/** `Deno.NetAddr`. */
export interface DenoAddress {
  readonly hostname: string;
  readonly port: number;
}

/** `Deno.TcpConn`. */
export interface DenoConn {
  readonly localAddr: DenoAddress;
  readonly remoteAddr: DenoAddress;
  read(into: Uint8Array): Promise<number | null>;
  write(chunk: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
  setNoDelay(on: boolean): void;
  setKeepAlive(on: boolean): void;
}

/** `Deno.TcpListener`. */
export interface DenoListener {
  readonly addr: DenoAddress;
  accept(): Promise<DenoConn>;
  close(): void;
}

/** The global `Deno`. */
export interface DenoRuntime {
  connect(options: { hostname: string; port: number; signal?: AbortSignal }): Promise<DenoConn>;
  listen(options: { hostname: string; port: number; tcpBacklog?: number }): DenoListener;
}

/** `Bun.Socket`. */
export interface BunSocket<Data> {
  data: Data;
  readonly localAddress: string;
  readonly localPort: number;
  /** Undefined once it is not connected any more, unless it was asked for before. */
  readonly remoteAddress: string | undefined;
  /** Undefined once it is not connected any more. */
  readonly remotePort: number | undefined;
  /** How many bytes were taken; -1 if it is closed. */
  write(chunk: Uint8Array): number;
  pause(): void;
  resume(): void;
  shutdown(): void;
  terminate(): void;
  setNoDelay(on: boolean): boolean;
  setKeepAlive(on: boolean, initialDelayMs?: number): boolean;
}

/** `Bun.SocketHandler`. */
export interface BunHandlers<Data> {
  readonly binaryType: "uint8array";
  open(socket: BunSocket<Data>): void;
  data(socket: BunSocket<Data>, chunk: Uint8Array): void;
  drain(socket: BunSocket<Data>): void;
  end(socket: BunSocket<Data>): void;
  close(socket: BunSocket<Data>, error?: Error): void;
  error(socket: BunSocket<Data>, error: Error): void;
}

/** `Bun.TCPSocketListener`. */
export interface BunListener {
  readonly hostname: string;
  readonly port: number;
  stop(closeOpenSockets?: boolean): void;
}

/** What `Bun.connect` and `Bun.listen` take. */
export interface BunSocketOptions<Data> {
  readonly hostname: string;
  readonly port: number;
  readonly allowHalfOpen: true;
  readonly socket: BunHandlers<Data>;
  readonly backlog?: number;
}

/** The global `Bun`. */
export interface BunRuntime {
  connect<Data>(options: BunSocketOptions<Data>): Promise<BunSocket<Data>>;
  listen<Data>(options: BunSocketOptions<Data>): BunListener;
}
