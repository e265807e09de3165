/**
 * The messages by which a reader asks what made a shuffle block corrupt.
 *
 * Spark: DiagnoseCorruption and CorruptionCause in common/network-shuffle/…/protocol, Cause in …/checksum/Cause.java.
 *
 * @module
 */

import { ProtocolError } from "../base/errors.ts";
import { BlockTransferMessageType } from "./block_transfer_message_type.ts";
import { always, appId, execId, type Field, int, long, record, text } from "./message_fields.ts";

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

/** The fields of a message. */
export const diagnoseCorruption: Field<DiagnoseCorruption> = record({
  type: always(BlockTransferMessageType.DiagnoseCorruption),
  appId,
  execId,
  shuffleId: int("shuffle id"),
  mapId: long("map id"),
  reduceId: int("reduce id"),
  checksum: long("checksum"),
  algorithm: text("algorithm"),
});

const cause: Field<Cause> = {
  write: (out, value) => out.writeUint8(CAUSES.indexOf(value)),
  read(reader) {
    const offset = reader.position;
    const ordinal = reader.readUint8("cause");
    const value = CAUSES[ordinal];
    if (value === undefined) throw new ProtocolError(`Unknown cause of a corruption: ${ordinal}`, { offset });
    return value;
  },
};

/** The fields of a message. */
export const corruptionCause: Field<CorruptionCause> = record({
  type: always(BlockTransferMessageType.CorruptionCause),
  cause,
});
