import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { ByteSink } from "../../src/base/byte_sink.ts";
import { ProtocolError } from "../../src/base/errors.ts";
import { BlockTransferMessageType } from "../../src/block/block_transfer_message_type.ts";
import {
  type BlockTransferMessage,
  decodeBlockTransferMessage,
  encodeBlockTransferMessage,
  MAX_MESSAGE_BYTES,
  UnknownMessageTypeError,
  writeBlockTransferMessage,
} from "../../src/block/block_transfer_messages.ts";
import type { FetchShuffleBlocks } from "../../src/block/fetch_messages.ts";
import { MAX_LIST_LENGTH } from "../../src/protocol/encoders.ts";
import { MAX_COLLIDING_TEXTS } from "../../src/serializer/key_collisions.ts";
import { fromHex, test, toHex } from "../_harness.ts";
import { pattern, readVectors } from "../_vectors.ts";

const Type = BlockTransferMessageType;
const who = { appId: "app-1", execId: "1" } as const;

/** What Spark wrote, by the vector's name. */
const MESSAGES: Readonly<Record<string, BlockTransferMessage>> = {
  OpenBlocks_0: { type: Type.OpenBlocks, appId: "app-1", execId: "exec-é", blockIds: [] },
  OpenBlocks_1: { type: Type.OpenBlocks, ...who, blockIds: ["shuffle_0_1_2", "rdd_3_4"] },
  UploadBlock_2: { type: Type.UploadBlock, ...who, blockId: "rdd_0_0", metadata: pattern(5, 1), blockData: pattern(300, 2) },
  RegisterExecutor_3: {
    type: Type.RegisterExecutor,
    ...who,
    executorInfo: {
      localDirs: ["/a", "/b"],
      subDirsPerLocalDir: 64,
      shuffleManager: "org.apache.spark.shuffle.sort.SortShuffleManager",
    },
  },
  StreamHandle_4: { type: Type.StreamHandle, streamId: 1234605616436508552n, numChunks: 5 },
  UploadBlockStream_5: { type: Type.UploadBlockStream, blockId: "rdd_0_0", metadata: pattern(5, 1) },
  RemoveBlocks_6: { type: Type.RemoveBlocks, ...who, blockIds: ["rdd_0_0", "rdd_0_1"] },
  BlocksRemoved_7: { type: Type.BlocksRemoved, numRemovedBlocks: 2 },
  FetchShuffleBlocks_8: {
    type: Type.FetchShuffleBlocks,
    ...who,
    shuffleId: 3,
    mapIds: [7n, -1n],
    reduceIds: [[0, 1], [2]],
    batchFetchEnabled: false,
  },
  FetchShuffleBlocks_9: {
    type: Type.FetchShuffleBlocks,
    ...who,
    shuffleId: 3,
    mapIds: [7n],
    reduceIds: [[0, 10]],
    batchFetchEnabled: true,
  },
  GetLocalDirsForExecutors_10: { type: Type.GetLocalDirsForExecutors, appId: "app-1", execIds: ["0", "1"] },
  LocalDirsForExecutors_11: {
    type: Type.LocalDirsForExecutors,
    localDirsByExec: new Map([["0", ["/a", "/b"]], ["1", ["/c"]]]),
  },
  FetchShuffleBlockChunks_15: {
    type: Type.FetchShuffleBlockChunks,
    ...who,
    shuffleId: 1,
    shuffleMergeId: 2,
    reduceIds: [0, 1],
    chunkIds: [[0, 1], [2]],
  },
  DiagnoseCorruption_16: {
    type: Type.DiagnoseCorruption,
    ...who,
    shuffleId: 1,
    mapId: 2n,
    reduceId: 3,
    checksum: 0xdeadbeefn,
    algorithm: "ADLER32",
  },
  CorruptionCause_17: { type: Type.CorruptionCause, cause: "NETWORK_ISSUE" },
};

const MERGED = /^(PushBlockStream|FinalizeShuffleMerge|MergeStatuses|BlockPushReturnCode|RemoveShuffleMerge)_/;
const vectors = readVectors("shuffle").filter(({ name }) => !MERGED.test(name));

function bytes(write: (out: ByteSink) => void): Uint8Array {
  const out = new ByteSink();
  write(out);
  return out.copy();
}

// Spark: BlockTransferMessagesSuite "serializeOpenShuffleBlocks"; BlockTransferMessagesSuite "testLocalDirsMessages";
// Spark: FetchShuffleBlocksSuite "testFetchShuffleBlockEncodeDecode"; FetchShuffleBlockChunksSuite "testFetchShuffleBlockChunksEncodeDecode".
test("Block messages are written and read as Spark does", () => {
  assertEquals(vectors.map(({ name }) => name), Object.keys(MESSAGES));
  for (const { name, hex } of vectors) {
    const message = MESSAGES[name]!;
    assertEquals(toHex(encodeBlockTransferMessage(message)), hex, name);
    assertEquals(decodeBlockTransferMessage(fromHex(hex)), message, name);
  }
});

test("writeBlockTransferMessage() appends to what is there", () => {
  const written = bytes((out) => {
    out.writeUint8(0xff);
    writeBlockTransferMessage(out, MESSAGES["BlocksRemoved_7"]!);
  });
  assertEquals(toHex(written), "ff0800000002");
});

test("decodeBlockTransferMessage() refuses every message that was cut, and one byte too many", () => {
  for (const { name, hex } of vectors) {
    const whole = fromHex(hex);
    for (let length = 0; length < whole.length; length++) {
      assertThrows(
        () => decodeBlockTransferMessage(whole.subarray(0, length)),
        ProtocolError,
        undefined,
        `${name} at ${length}`,
      );
    }
    const longer = new Uint8Array(whole.length + 1);
    longer.set(whole);
    const { message } = assertThrows(() => decodeBlockTransferMessage(longer), ProtocolError, "bytes are left over");
    assertEquals(message, `1 bytes are left over behind a block message of type ${whole[0]}`);
  }
});

test("decodeBlockTransferMessage() throws nothing but a ProtocolError, whatever byte is wrong", () => {
  for (const { name, hex } of vectors) {
    const whole = fromHex(hex);
    for (let at = 0; at < whole.length; at++) {
      for (const byte of [0x00, 0x7f, 0x80, 0xff]) {
        const changed = whole.slice();
        changed[at] = byte;
        try {
          decodeBlockTransferMessage(changed);
        } catch (thrown) {
          assertInstanceOf(thrown, ProtocolError, `${name} with ${byte} at ${at}: ${thrown}`);
        }
      }
    }
  }
});

test("decodeBlockTransferMessage() names a type that it does not know, reserved and merged ones too", () => {
  for (
    const [byte, shown] of [[4, "4"], [5, "5"], [12, "12"], [13, "13"], [14, "14"], [18, "18"], [19, "19"], [
      255,
      "-1",
    ]] as const
  ) {
    const { message, offset } = assertThrows(
      () => decodeBlockTransferMessage(Uint8Array.of(byte)),
      UnknownMessageTypeError,
    ) as UnknownMessageTypeError;
    assertEquals([message, offset], [`Unknown message type: ${shown}`, 0]);
  }
});

test("decodeBlockTransferMessage() refuses negative and overlong lengths and counts before it makes room", () => {
  const head = (type: number, out: ByteSink) => {
    out.writeUint8(type);
    out.writeInt32(0);
    out.writeInt32(0);
  };
  const cases: readonly (readonly [string, (out: ByteSink) => void])[] = [
    ["Length of application id is negative: -5", (out) => (out.writeUint8(Type.OpenBlocks), out.writeInt32(-5))],
    ["Length of block ids is negative: -1", (out) => (head(Type.OpenBlocks, out), out.writeInt32(-1))],
    ["block ids needs 8589934588 bytes, but 0 are left", (out) => (head(Type.RemoveBlocks, out), out.writeInt32(2 ** 31 - 1))],
    ["Length of block data is negative: -2147483648", (out) => {
      head(Type.UploadBlock, out);
      out.writeInt32(0);
      out.writeInt32(0);
      out.writeInt32(-(2 ** 31));
    }],
    [
      "map ids needs 8 bytes, but 0 are left",
      (out) => (head(Type.FetchShuffleBlocks, out), out.writeInt32(0), out.writeInt32(1)),
    ],
    ["Length of reduce ids is negative: -7", (out) => {
      head(Type.FetchShuffleBlocks, out);
      out.writeInt32(0);
      out.writeInt32(0);
      out.writeInt32(-7);
    }],
    ["reduce ids needs 4000000 bytes, but 0 are left", (out) => {
      head(Type.FetchShuffleBlocks, out);
      out.writeInt32(0);
      out.writeInt32(0);
      out.writeInt32(1_000_000);
    }],
  ];
  for (const [text, write] of cases) {
    assertThrows(() => decodeBlockTransferMessage(bytes(write)), ProtocolError, text);
  }
});

test("decodeBlockTransferMessage() refuses numbers of folders that do not add up", () => {
  for (const counts of [[1], [2, 1], [-1, 2], [1, 1, 0], []]) {
    const wrong = bytes((out) => {
      out.writeUint8(Type.LocalDirsForExecutors);
      // Two executors, two folders.
      for (const list of [["0", "1"], counts, ["/a", "/b"]] as const) {
        out.writeInt32(list.length);
        for (const value of list) {
          if (typeof value === "number") {
            out.writeInt32(value);
            continue;
          }
          out.writeInt32(value.length);
          out.writeUtf8(value);
        }
      }
    });
    assertThrows(() => decodeBlockTransferMessage(wrong), ProtocolError, "2 executors have 2 folders, but their numbers are");
  }
});

test("decodeBlockTransferMessage() refuses executors whose names were chosen to lie in one place of a table", () => {
  // V8 takes each for an index, and that for its hash.
  const execIds = Array.from({ length: MAX_COLLIDING_TEXTS + 1 }, (_, i) => String((i + 1) << 15));
  const message = (ids: readonly string[]): BlockTransferMessage => ({
    type: Type.LocalDirsForExecutors,
    localDirsByExec: new Map(ids.map((id) => [id, []])),
  });
  const allowed = message(execIds.slice(1));
  assertEquals(decodeBlockTransferMessage(encodeBlockTransferMessage(allowed)), allowed);
  const error = `More than ${MAX_COLLIDING_TEXTS} of 2049 texts are in one place`;
  assertThrows(() => decodeBlockTransferMessage(encodeBlockTransferMessage(message(execIds))), ProtocolError, error);
});

// Spark: …/shuffle/checksum/Cause.java, whose order is the number on the wire.
test("Each cause of a corruption has its number", () => {
  const causes = [
    "DISK_ISSUE",
    "NETWORK_ISSUE",
    "UNKNOWN_ISSUE",
    "CHECKSUM_VERIFY_PASS",
    "UNSUPPORTED_CHECKSUM_ALGORITHM",
  ] as const;
  for (const [number, cause] of causes.entries()) {
    const message = { type: Type.CorruptionCause, cause } as const;
    assertEquals(encodeBlockTransferMessage(message), Uint8Array.of(17, number));
    assertEquals(decodeBlockTransferMessage(Uint8Array.of(17, number)), message);
  }
});

test("decodeBlockTransferMessage() takes any byte but 0 for a batch, as the JVM does", () => {
  const message: FetchShuffleBlocks = {
    type: Type.FetchShuffleBlocks,
    ...who,
    shuffleId: 0,
    mapIds: [],
    reduceIds: [],
    batchFetchEnabled: true,
  };
  const written = encodeBlockTransferMessage(message).slice();
  for (const flag of [0, 1, 2, 255]) {
    written[written.length - 1] = flag;
    assertEquals(decodeBlockTransferMessage(written), { ...message, batchFetchEnabled: flag !== 0 });
  }
});

test("decodeBlockTransferMessage() refuses a cause that it does not know", () => {
  const text = "Unknown cause of a corruption: 5";
  assertThrows(() => decodeBlockTransferMessage(Uint8Array.of(Type.CorruptionCause, 5)), ProtocolError, text);
});

/** A message of zeros from its first list on, which says that it has `count` of them. */
function zeros(type: number, beforeList: number, count: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes[0] = type;
  new DataView(bytes.buffer).setInt32(beforeList, count);
  return bytes;
}

test("decodeBlockTransferMessage() refuses lists that are longer than any that can be granted, before it makes them", () => {
  const most = MAX_LIST_LENGTH;
  const names = (count: number) => decodeBlockTransferMessage(zeros(Type.OpenBlocks, 9, count, 13 + 4 * count));
  const lists = (count: number) => decodeBlockTransferMessage(zeros(Type.FetchShuffleBlocks, 17, count, 22 + 4 * count));
  const one = names(most);
  assertEquals(one.type === Type.OpenBlocks && one.blockIds.length, most);
  const two = lists(most);
  assertEquals(two.type === Type.FetchShuffleBlocks && two.reduceIds.length, most);
  assertThrows(() => names(most + 1), ProtocolError, `block ids has ${most + 1} elements, more than ${most}`);
  assertThrows(() => lists(most + 1), ProtocolError, `reduce ids has ${most + 1} elements, more than ${most}`);
});

test("decodeBlockTransferMessage() counts the numbers of all lists of a message together", () => {
  const half = MAX_LIST_LENGTH / 2;
  const reduceIds = [new Array<number>(half).fill(0), new Array<number>(half + 1).fill(0)];
  const message = {
    type: Type.FetchShuffleBlocks,
    ...who,
    shuffleId: 0,
    mapIds: [0n, 1n],
    reduceIds,
    batchFetchEnabled: false,
  };
  const bytes = encodeBlockTransferMessage(message as BlockTransferMessage);
  assertThrows(
    () => decodeBlockTransferMessage(bytes),
    ProtocolError,
    `reduce ids has ${half + 1} elements, more than ${half}`,
  );
});

test("decodeBlockTransferMessage() refuses messages that are larger than any list needs, but uploads", () => {
  const large = new Uint8Array(MAX_MESSAGE_BYTES + 1);
  assertThrows(() => decodeBlockTransferMessage(large), ProtocolError, `A block message of type 0 has ${large.length} bytes`);
  const upload = { type: Type.UploadBlock, ...who, blockId: "a", metadata: pattern(1, 1), blockData: large } as const;
  const message = decodeBlockTransferMessage(encodeBlockTransferMessage(upload));
  assertEquals(message.type === Type.UploadBlock && message.blockData.length, large.length);
});
