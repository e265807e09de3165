/**
 * The header of a request between environments: who sends, and to which endpoint. The content follows it, to the end of the body.
 *
 * Spark: core/…/rpc/netty/NettyRpcEnv.scala RequestMessage. There header and content are written and read together; here the
 * header's bytes are made once for each reference, and found again without being decoded.
 *
 * @module
 */

import { ByteReader } from "../base/byte_reader.ts";
import { ByteSink, MAX_MODIFIED_UTF8_BYTES } from "../base/byte_sink.ts";
import { ProtocolError } from "../base/errors.ts";
import { RpcAddress } from "./rpc_address.ts";

/** What stands before a request's content. */
export interface RequestHeader {
  /** Where the sender's environment listens; undefined if it is in client mode. */
  readonly senderAddress: RpcAddress | undefined;
  /** The address in the reference that was used; it need not be ours, as only the name routes. */
  readonly receiverAddress: RpcAddress | undefined;
  /** The endpoint that is meant. */
  readonly name: string;
  /** Where the content begins, as an index into the memory that was read. */
  readonly contentStart: number;
}

/**
 * The bytes of a header.
 *
 * @param sender Where this environment listens; undefined in client mode.
 * @param receiver The address in the reference; undefined for a reference to an environment in client mode.
 * @param name The endpoint's name.
 * @throws RangeError if name or host take more than 65,535 bytes.
 */
export function encodeRequestHeader(
  sender: RpcAddress | undefined,
  receiver: RpcAddress | undefined,
  name: string,
): Uint8Array {
  const out = new ByteSink(64);
  writeAddress(out, sender);
  writeAddress(out, receiver);
  writeUtf(out, name, "Endpoint name");
  return out.copy();
}

/**
 * Reads the header of a request in `[start, end)`. Hosts and ports are taken as the sender wrote them.
 *
 * @param memory The memory that the request lies in.
 * @param start Where the request begins.
 * @param end Where it ends.
 * @throws ProtocolError if it is cut or no modified UTF-8; its offset counts from `start`.
 */
export function parseRequestHeader(memory: Uint8Array, start = 0, end: number = memory.length): RequestHeader {
  const fail = (message: string, offset: number) => new ProtocolError(message, { offset: offset - start });
  const reader = new ByteReader(memory, fail, start, end);
  const senderAddress = readAddress(reader, "Sender");
  const receiverAddress = readAddress(reader, "Receiver");
  const name = readUtf(reader, "Endpoint name");
  return { senderAddress, receiverAddress, name, contentStart: reader.position };
}

/**
 * Where the content of the request in `[start, end)` begins, found by lengths alone: the bytes before it are the key under which
 * a connection remembers their route.
 *
 * @param memory The memory that the request lies in.
 * @param start Where the request begins.
 * @param end Where it ends.
 * @returns An index into `memory`, or -1 if the header is cut.
 */
export function requestHeaderEnd(memory: Uint8Array, start = 0, end: number = memory.length): number {
  let at = start;
  for (let addresses = 0; addresses < 2; addresses++) {
    if (memory[at++] !== 0) at += 2 + ((memory[at]! << 8) | memory[at + 1]!) + 4;
  }
  // Whatever was read beyond the end, it only led further away.
  at += 2 + ((memory[at]! << 8) | memory[at + 1]!);
  return at > end ? -1 : at;
}

function writeAddress(out: ByteSink, address: RpcAddress | undefined): void {
  if (address === undefined) {
    out.writeUint8(0);
    return;
  }
  out.writeUint8(1);
  writeUtf(out, address.host, "Host");
  out.writeInt32(address.port);
}

function writeUtf(out: ByteSink, text: string, what: string): void {
  const start = out.position;
  out.writeUint16(0);
  const length = out.writeModifiedUtf8(text);
  if (length > MAX_MODIFIED_UTF8_BYTES) {
    throw new RangeError(`${what} takes ${length} bytes, more than ${MAX_MODIFIED_UTF8_BYTES}: ${text.slice(0, 32)}…`);
  }
  out.bytes[start] = length >>> 8;
  out.bytes[start + 1] = length;
}

function readAddress(reader: ByteReader, whose: string): RpcAddress | undefined {
  // As Java's readBoolean: any byte but 0 is true.
  if (reader.readUint8(`${whose} address`) === 0) return undefined;
  const host = readUtf(reader, `${whose} host`);
  return new RpcAddress(host, reader.readInt32(`${whose} port`), { asWritten: true });
}

function readUtf(reader: ByteReader, what: string): string {
  return reader.readModifiedUtf8(reader.readUint16(`Length of ${what.toLowerCase()}`), what);
}
