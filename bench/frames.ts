/**
 * The frames of the benchmark: what an `ask` and a `send` of N bytes look like on the wire, byte for byte.
 *
 * The raw echo sends these frames, so that both sides of the comparison move the same bytes. They are what `ref.ask(bytes)`
 * sends from an environment in client mode to the endpoint `Echo` on 127.0.0.1.
 *
 * Spark: RequestMessage.java of core/…/rpc/netty/NettyRpcEnv.scala, common/network-common/…/protocol/MessageEncoder.java
 *
 * @module
 */

/** The host that the server listens on. */
export const BENCH_HOST = "127.0.0.1";

/** The endpoint that echoes. */
export const BENCH_ENDPOINT = "Echo";

/** The type byte of a request that wants an answer. */
export const TYPE_REQUEST = 3;

/** The type byte of an answer. */
export const TYPE_RESPONSE = 4;

/** The type byte of a request without an answer. */
export const TYPE_ONE_WAY = 9;

/** Length of the frame header of a request or response: length, type, id, body size. */
export const RPC_HEADER_BYTES = 8 + 1 + 8 + 4;

/** Length of the frame header of a one-way message: length, type, body size. */
export const ONE_WAY_HEADER_BYTES = 8 + 1 + 4;

/** Where a request or response has its id. */
export const ID_OFFSET = 9;

/** Length of the RequestMessage header: no sender, then the receiver's host, port and name. */
export const ROUTE_BYTES = 1 + 1 + 2 + BENCH_HOST.length + 4 + 2 + BENCH_ENDPOINT.length;

const CBOR_PREFIX = [0xd9, 0xd9, 0xf7];

/** A byte string of CBOR behind the prefix that marks content as CBOR. */
function content(body: Uint8Array): Uint8Array {
  const size = body.length;
  let head: number[];
  if (size < 24) head = [0x40 | size];
  else if (size < 0x100) head = [0x58, size];
  else if (size < 0x10000) head = [0x59, size >>> 8, size & 0xff];
  else head = [0x5a, ...int32(size)];
  return join([...CBOR_PREFIX, ...head], body);
}

/** A whole request with id 0: header, route, content. */
export function requestFrame(body: Uint8Array, port: number): Uint8Array {
  return frame(TYPE_REQUEST, true, join(route(port), content(body)));
}

/** A whole response with id 0: header, content. */
export function responseFrame(body: Uint8Array): Uint8Array {
  return frame(TYPE_RESPONSE, true, content(body));
}

/** A whole one-way message: header, route, content. */
export function oneWayFrame(body: Uint8Array, port: number): Uint8Array {
  return frame(TYPE_ONE_WAY, false, join(route(port), content(body)));
}

/** The body of the benchmark: bytes that show any that is lost or moved. */
export function patternBody(size: number): Uint8Array {
  const body = new Uint8Array(size);
  for (let i = 0; i < size; i++) body[i] = (i * 167 + (i >>> 8)) & 0xff;
  return body;
}

function route(port: number): number[] {
  return [0, 1, ...utf(BENCH_HOST), ...int32(port), ...utf(BENCH_ENDPOINT)];
}

function frame(type: number, withId: boolean, body: Uint8Array): Uint8Array {
  const length = (withId ? RPC_HEADER_BYTES : ONE_WAY_HEADER_BYTES) + body.length;
  return join([0, 0, 0, 0, ...int32(length), type, ...(withId ? [0, 0, 0, 0, 0, 0, 0, 0] : []), ...int32(body.length)], body);
}

function utf(ascii: string): number[] {
  return [ascii.length >>> 8, ascii.length & 0xff, ...new TextEncoder().encode(ascii)];
}

function int32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

function join(head: ArrayLike<number>, tail: ArrayLike<number>): Uint8Array {
  const joined = new Uint8Array(head.length + tail.length);
  joined.set(head);
  joined.set(tail, head.length);
  return joined;
}
