import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import type { ByteSink } from "../../../src/base/bytes.ts";
import { RpcRemoteError, SerializerError } from "../../../src/base/errors.ts";
import { readRpcFailure } from "../../../src/serializer/java/failure_reader.ts";
import {
  bytesOf,
  ClassFlag,
  Tag,
  writeClassDesc,
  writeReference,
  writeStreamHeader,
  writeString,
} from "../../../src/serializer/java/stream_format.ts";
import { test } from "../../_harness.ts";

const FAILURE = {
  name: "org.apache.spark.rpc.netty.RpcFailure",
  uid: 1n,
  flags: ClassFlag.Serializable,
  fields: [{ name: "e", type: "L", signature: "Ljava/lang/Throwable;" }],
} as const;

/** Handles that each of these streams gives out first: the failure's class, the signature, the failure. */
const FIRST_FREE = 3;

/** An RpcFailure whose exception `write` writes. */
function failureOf(write: (out: ByteSink) => void): Uint8Array {
  return bytesOf((out) => {
    writeStreamHeader(out);
    out.writeUint8(Tag.Object);
    writeClassDesc(out, FAILURE);
    out.writeUint8(Tag.Null);
    write(out);
  });
}

/** The class of an exception with a cause and a text, directly below Object. */
function writeException(out: ByteSink, name: string): void {
  out.writeUint8(Tag.Object);
  writeClassDesc(out, {
    name,
    uid: 1n,
    flags: ClassFlag.Serializable,
    fields: [
      { name: "cause", type: "L", signature: 1 },
      { name: "detailMessage", type: "L", signature: 1 },
    ],
  });
  out.writeUint8(Tag.Null);
}

function refuses(bytes: Uint8Array, message: string): void {
  const error = assertThrows(() => readRpcFailure(bytes), SerializerError, message);
  assertEquals([error.direction, error.offset !== undefined], ["decode", true]);
}

test("readRpcFailure() steps over every kind of value on its way to the text", () => {
  const bytes = failureOf((out) => {
    out.writeUint8(Tag.Object);
    writeClassDesc(out, {
      name: "E",
      uid: 1n,
      flags: ClassFlag.Serializable | ClassFlag.WriteMethod,
      fields: [
        ..."BCDFIJSZ".split("").map((type) => ({ name: `p${type}`, type })),
        { name: "array", type: "[", signature: "[I" },
        { name: "cause", type: "L", signature: 1 },
        { name: "detailMessage", type: "L", signature: 1 },
        { name: "clazz", type: "L", signature: 1 },
        { name: "kind", type: "L", signature: 1 },
        { name: "proxy", type: "L", signature: 1 },
        { name: "external", type: "L", signature: 1 },
      ],
    });
    out.writeUint8(Tag.Null);
    out.writeBytes(new Uint8Array(1 + 2 + 8 + 4 + 4 + 8 + 2 + 1).fill(Tag.Null));
    // array: two ints
    out.writeUint8(Tag.Array);
    writeClassDesc(out, { name: "[I", uid: 1n, flags: ClassFlag.Serializable });
    out.writeUint8(Tag.Null);
    out.writeInt32(2);
    out.writeInt64(1, 2);
    // cause: an array of objects, which is no exception
    out.writeUint8(Tag.Array);
    writeClassDesc(out, { name: "[Ljava.lang.Object;", uid: 1n, flags: ClassFlag.Serializable });
    out.writeUint8(Tag.Null);
    out.writeInt32(2);
    writeString(out, "an element");
    out.writeUint8(Tag.Null);
    writeString(out, "x".repeat(70_000));
    // clazz, kind
    out.writeUint8(Tag.Class);
    writeClassDesc(out, { name: "java.lang.Void", uid: 0n, flags: 0 });
    out.writeUint8(Tag.Null);
    out.writeUint8(Tag.Enum);
    writeClassDesc(out, { name: "Kind", uid: 0n, flags: ClassFlag.Serializable });
    out.writeUint8(Tag.Null);
    writeString(out, "BIG");
    // proxy: one interface
    out.writeUint8(Tag.Object);
    out.writeUint8(Tag.ProxyClassDesc);
    out.writeInt32(1);
    out.writeUint16(1);
    out.writeUint8(0x49);
    out.writeUint8(Tag.EndBlockData);
    out.writeUint8(Tag.Null);
    // external: blocks and objects up to the mark
    out.writeUint8(Tag.Object);
    writeClassDesc(out, { name: "X", uid: 1n, flags: ClassFlag.Externalizable | ClassFlag.BlockData });
    out.writeUint8(Tag.Null);
    out.writeUint8(Tag.BlockData);
    out.writeUint8(3);
    out.writeBytes(new Uint8Array(3).fill(Tag.EndBlockData));
    out.writeUint8(Tag.BlockDataLong);
    out.writeInt32(2);
    out.writeBytes(new Uint8Array(2));
    writeString(out, "in between");
    out.writeUint8(Tag.EndBlockData);
    // what the class's own write method added
    writeString(out, "more");
    out.writeUint8(Tag.EndBlockData);
  });
  const error = readRpcFailure(bytes);
  assertEquals([error.message, error.remoteClass, error.cause], ["x".repeat(70_000), "E", undefined]);
  // Each cut of the stream, but for the long text, is refused.
  for (let cut = 4; cut < bytes.length; cut += bytes.length - cut > 1_000 && cut > 600 ? 1_000 : 1) {
    assertThrows(() => readRpcFailure(bytes.slice(0, cut)), SerializerError);
  }
});

test("readRpcFailure() follows causes, but not in a ring, and not beyond 64", () => {
  const chainOf = (length: number, end: (out: ByteSink) => void) =>
    failureOf((out) => {
      for (let i = 0; i < length; i++) writeException(out, `E${i}`);
      end(out);
      for (let i = length - 1; i >= 0; i--) writeString(out, `text ${i}`);
    });
  const depthOf = (error: RpcRemoteError) => {
    let depth = 0;
    for (let at: unknown = error; at instanceof RpcRemoteError; at = at.cause) {
      assertEquals([at.remoteClass, at.message], [`E${depth}`, `text ${depth}`]);
      depth++;
    }
    return depth;
  };
  assertEquals(depthOf(readRpcFailure(chainOf(3, (out) => out.writeUint8(Tag.Null)))), 3);
  // Class, then object: the outermost exception has the second free handle.
  assertEquals(depthOf(readRpcFailure(chainOf(3, (out) => writeReference(out, FIRST_FREE + 1)))), 3);
  assertEquals(depthOf(readRpcFailure(chainOf(100, (out) => out.writeUint8(Tag.Null)))), 64);
});

test("readRpcFailure() refuses values that are nested deeper than 512", () => {
  const nested = (depth: number) =>
    failureOf((out) => {
      writeException(out, "E");
      out.writeUint8(Tag.Array);
      writeClassDesc(out, { name: "[Ljava.lang.Object;", uid: 1n, flags: ClassFlag.Serializable });
      out.writeUint8(Tag.Null);
      // Handles: class and object of E, then the array's class.
      for (let i = 0; i < depth; i++) {
        out.writeInt32(1);
        out.writeUint8(Tag.Array);
        writeReference(out, FIRST_FREE + 2);
      }
      out.writeInt32(0);
      writeString(out, "deep");
    });
  assertEquals(readRpcFailure(nested(500)).message, "deep");
  refuses(nested(520), "Values are nested deeper than 512");
  refuses(nested(100_000), "Values are nested deeper than 512");
});

test("readRpcFailure() refuses a stream that takes more steps than its size allows", () => {
  const bytes = failureOf((out) => {
    writeException(out, "E");
    // Six bytes for each object of a class with 400 others above it.
    const lineLength = 400;
    out.writeUint8(Tag.Array);
    writeClassDesc(out, { name: "[Ljava.lang.Object;", uid: 1n, flags: ClassFlag.Serializable });
    out.writeUint8(Tag.Null);
    const objects = 20_000;
    out.writeInt32(objects + 1);
    out.writeUint8(Tag.Object);
    for (let i = 0; i < lineLength; i++) writeClassDesc(out, { name: "C", uid: 1n, flags: ClassFlag.Serializable });
    out.writeUint8(Tag.Null);
    for (let i = 0; i < objects; i++) {
      out.writeUint8(Tag.Object);
      // Handles: class and object of E, class and array, then the lowest class.
      writeReference(out, FIRST_FREE + 4);
    }
    writeString(out, "wide");
  });
  refuses(bytes, "Stream takes more steps than its size allows");
});

test("readRpcFailure() keeps no more than a million objects, classes and fields", () => {
  const bytes = failureOf((out) => {
    writeException(out, "E");
    out.writeUint8(Tag.Array);
    writeClassDesc(out, { name: "[Ljava.lang.Object;", uid: 1n, flags: ClassFlag.Serializable });
    out.writeUint8(Tag.Null);
    out.writeInt32(1_000_001);
    for (let i = 0; i < 1_000_001; i++) writeString(out, "");
    writeString(out, "many");
  });
  refuses(bytes, "Stream holds more than 1000000 objects, classes and fields");
});

test("readRpcFailure() refuses what has no meaning", () => {
  const afterClass = (write: (out: ByteSink) => void) =>
    failureOf((out) => {
      writeException(out, "E");
      write(out);
    });
  const cases: [string, Uint8Array][] = [
    ["Failure holds no exception", failureOf((out) => out.writeUint8(Tag.Null))],
    ["Failure holds no exception", failureOf((out) => writeString(out, "text"))],
    ["Reference to nothing: 99", failureOf((out) => writeReference(out, 99))],
    ["Reference to nothing: -1", failureOf((out) => writeReference(out, -1))],
    ["Value has no class", failureOf((out) => out.writeBytes(Uint8Array.of(Tag.Object, Tag.Null)))],
    ["Unknown kind of value: 0x7b", afterClass((out) => out.writeUint8(0x7b))],
    ["Unknown kind of value: 0x78", afterClass((out) => out.writeUint8(Tag.EndBlockData))],
    ["Unknown kind of class description: 0x0", afterClass((out) => out.writeBytes(Uint8Array.of(Tag.Object, 0)))],
    [
      "Reference is not to a class description",
      afterClass((out) => {
        out.writeUint8(Tag.Object);
        writeReference(out, 1);
      }),
    ],
    [
      "Length of array is negative: -1",
      afterClass((out) => {
        out.writeUint8(Tag.Array);
        writeClassDesc(out, { name: "[I", uid: 1n, flags: ClassFlag.Serializable });
        out.writeUint8(Tag.Null);
        out.writeInt32(-1);
      }),
    ],
    [
      "Unknown type of field f: Q",
      failureOf((out) => {
        out.writeUint8(Tag.Object);
        writeClassDesc(out, { name: "E", uid: 1n, flags: ClassFlag.Serializable, fields: [{ name: "f", type: "Q" }] });
      }),
    ],
    [
      "Class inherits from itself: E",
      failureOf((out) => {
        out.writeUint8(Tag.Object);
        writeClassDesc(out, { name: "E", uid: 1n, flags: ClassFlag.Serializable });
        writeReference(out, FIRST_FREE);
      }),
    ],
    [
      "Cannot walk E, which is written in its own way",
      failureOf((out) => {
        out.writeUint8(Tag.Object);
        writeClassDesc(out, { name: "E", uid: 1n, flags: ClassFlag.Externalizable });
        out.writeUint8(Tag.Null);
      }),
    ],
  ];
  for (const [message, bytes] of cases) refuses(bytes, message);
});

test("readRpcFailure() takes the super class's field where two have one name", () => {
  const bytes = failureOf((out) => {
    const fields = [{ name: "detailMessage", type: "L", signature: 1 }] as const;
    out.writeUint8(Tag.Object);
    writeClassDesc(out, { name: "Sub", uid: 1n, flags: ClassFlag.Serializable, fields });
    writeClassDesc(out, { name: "java.lang.Throwable", uid: 1n, flags: ClassFlag.Serializable, fields });
    out.writeUint8(Tag.Null);
    writeString(out, "of Throwable");
    writeString(out, "of Sub");
  });
  const error = readRpcFailure(bytes);
  assertInstanceOf(error, RpcRemoteError);
  assertEquals([error.message, error.remoteClass], ["of Throwable", "Sub"]);
});
