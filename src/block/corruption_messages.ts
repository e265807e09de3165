/**
 * The messages by which a reader asks what made a shuffle block corrupt.
 *
 * Spark: DiagnoseCorruption and CorruptionCause in common/network-shuffle/…/protocol, Cause in …/checksum/Cause.java.
 *
 * @module
 */

import type { ByteReader } from "../base/byte_reader.ts";
import type { ByteSink } from "../base/byte_sink.ts";
import { ProtocolError } from "../base/errors.ts";
import { readString, writeString } from "../protocol/encoders.ts";
import { BlockTransferMessageType } from "./block_transfer_message_type.ts";

/** What made a block corrupt. */
export type Cause =
  | "DISK_ISSUE"
  | "NETWORK_ISSUE"
  | "UNKNOWN_ISSUE"
  | "CHECKSUM_VERIFY_PASS"
  | "UNSUPPORTED_CHECKSUM_ALGORITHM";

/** By their numbers. */
const CAUSES: readonly Cause[] = [
  "DISK_ISSUE",
  "NETWORK_ISSUE",
  "UNKNOWN_ISSUE",
  "CHECKSUM_VERIFY_PASS",
  "UNSUPPORTED_CHECKSUM_ALGORITHM",
];

/** Asks what made a block corrupt; the answer is a {@linkcode CorruptionCause}. */
export interface DiagnoseCorruption {
  /** Which message this is. */
  readonly type: typeof BlockTransferMessageType.DiagnoseCorruption;
  /** The application. */
  readonly appId: string;
  /** The executor whose block it is. */
  readonly execId: string;
  /** The shuffle. */
  readonly shuffleId: number;
  /** The map task. */
  readonly mapId: bigint;
  /** The part. */
  readonly reduceId: number;
  /** The checksum of what the reader got. */
  readonly checksum: bigint;
  /** How it was computed: `ADLER32`, `CRC32`, `CRC32C`. */
  readonly algorithm: string;
}

/** Says what made a block corrupt. */
export interface CorruptionCause {
  /** Which message this is. */
  readonly type: typeof BlockTransferMessageType.CorruptionCause;
  /** What did. */
  readonly cause: Cause;
}

/** Appends the fields of a message. */
export function writeDiagnoseCorruption(out: ByteSink, message: DiagnoseCorruption): void {
  writeString(out, message.appId);
  writeString(out, message.execId);
  out.writeInt32(message.shuffleId);
  out.writeBigInt64(message.mapId);
  out.writeInt32(message.reduceId);
  out.writeBigInt64(message.checksum);
  writeString(out, message.algorithm);
}

/** Reads the fields of a message. */
export function readDiagnoseCorruption(reader: ByteReader): DiagnoseCorruption {
  return {
    type: BlockTransferMessageType.DiagnoseCorruption,
    appId: readString(reader, "application id"),
    execId: readString(reader, "executor id"),
    shuffleId: reader.readInt32("shuffle id"),
    mapId: reader.readInt64("map id"),
    reduceId: reader.readInt32("reduce id"),
    checksum: reader.readInt64("checksum"),
    algorithm: readString(reader, "algorithm"),
  };
}

/** Appends the fields of a message. */
export function writeCorruptionCause(out: ByteSink, { cause }: CorruptionCause): void {
  out.writeUint8(CAUSES.indexOf(cause));
}

/** Reads the fields of a message. */
export function readCorruptionCause(reader: ByteReader): CorruptionCause {
  const offset = reader.position;
  const ordinal = reader.readUint8("cause");
  const cause = CAUSES[ordinal];
  if (cause === undefined) throw new ProtocolError(`Unknown cause of a corruption: ${ordinal}`, { offset });
  return { type: BlockTransferMessageType.CorruptionCause, cause };
}
