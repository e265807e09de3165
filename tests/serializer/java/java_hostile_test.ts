import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { ByteSink } from "../../../src/base/byte_sink.ts";
import { RpcRemoteError, SerializerError } from "../../../src/base/errors.ts";
import { seededRandom } from "../../../src/base/random.ts";
import {
  MAX_BIGINT_BYTES,
  MAX_BLOCKS,
  MAX_DEPTH,
  MAX_HANDLES,
  MAX_IDENTITIES,
} from "../../../src/serializer/java/java_limits.ts";
import { JavaObject } from "../../../src/serializer/java/java_object.ts";
import { memoryMeter } from "../../_garbage.ts";
import { fromHex, test, toHex } from "../../_harness.ts";
import { classHex, decode, decodeHex, decodeSafely, decodeVector, encode, nameHex, vector, vectors } from "./_java.ts";

const OBJECT_ARRAY = `7572${nameHex("[Ljava.lang.Object;")}90ce589f1073296c02000078 70`;
/** What the class of an ArraySeq of objects is said to have. */
const ARRAY_SEQ_FIELDS = `00015b${nameHex("unsafeArray")}74${nameHex("[Ljava/lang/Object;")}`;

/** Longer ones are cut at their ends and at every 4 KiB. */
const ALL_CUTS = 8192;

test("java.decode() throws a SerializerError at every cut of every vector", () => {
  for (const { name, hex } of vectors) {
    // Its last byte says only that the writer began anew.
    if (name === "reset_after") continue;
    const content = fromHex(hex);
    for (let end = 0; end < content.length; end++) {
      if (content.length > ALL_CUTS && end > 256 && end < content.length - 64 && end % 4096 !== 0) continue;
      const cut = content.subarray(0, end);
      assertInstanceOf(decodeSafely(cut), SerializerError, `${name} cut at ${end}`);
    }
  }
});

test("java.decode() throws nothing but SerializerError, whichever byte is another", () => {
  for (const { hex } of vectors) {
    const content = fromHex(hex);
    if (content.length > 1024) continue;
    for (let at = 0; at < content.length; at++) {
      const before = content[at]!;
      for (const other of [before ^ 1, before ^ 0x80, 0x70]) {
        content[at] = other;
        decodeSafely(content);
      }
      content[at] = before;
    }
  }
});

test("java.decode() throws nothing but SerializerError, whatever is put together out of vectors", () => {
  const random = seededRandom(7);
  const below = (limit: number) => Math.floor(random() * limit);
  const contents = vectors.map(({ hex }) => fromHex(hex)).filter(({ length }) => length < 4096);
  for (let round = 0; round < 6000; round++) {
    const [one, other] = [contents[below(contents.length)]!, contents[below(contents.length)]!];
    const out = new ByteSink(64);
    out.writeBytes(one.subarray(0, 4 + below(one.length - 3)));
    out.writeBytes(other.subarray(4 + below(other.length - 3)));
    for (let i = below(4); i > 0 && out.position > 4; i--) out.bytes[4 + below(out.position - 4)] = below(256);
    const value = decodeSafely(out.copy());
    // What could be read can be written, and is then the same.
    if (value instanceof JavaObject) assertEquals(toHex(encode(decode(encode(value)))), toHex(encode(value)));
  }
});

test("java.decode() throws nothing but SerializerError for random bytes", () => {
  const random = seededRandom(11);
  const tags = [0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x7b, 0x7c, 0x7d, 0x7e];
  for (let round = 0; round < 20_000; round++) {
    const content = new Uint8Array(4 + Math.floor(random() * 64));
    content.set([0xac, 0xed, 0, 5]);
    for (let i = 4; i < content.length; i++) {
      const draw = random();
      content[i] = draw < 0.5 ? tags[Math.floor(random() * tags.length)]! : draw < 0.8 ? 0 : Math.floor(random() * 256);
    }
    decodeSafely(content);
  }
});

test("java.decode() says what is wrong with a stream, and where", () => {
  const cases: readonly [string, string][] = [
    ["", "Kind of value needs 1 bytes, but 0 are left, at byte 4"],
    ["00", "Unknown kind of value: 0x00, at byte 4"],
    ["7070", "1 bytes follow the value, at byte 5"],
    ["71007e0000", "Reference to nothing: 0, at byte 5"],
    ["71007dffff", "Reference to nothing: -1"],
    ["7100000000", "Reference to nothing"],
    ["7370", "Class of object is null"],
    ["7374000161", "Unknown kind of class description: 0x74"],
    [`73${classHex("a.B", { flags: "00" })}`, "Objects of a.B cannot be serialised"],
    [`73${classHex("a.B", { flags: "04" })}`, "Cannot find the end of an object of a.B, which is written in its own way"],
    [`73${classHex("a.B", { fields: "000151000161" })}`, 'Unknown type of field a: "Q"'],
    [`73${classHex("a.B", { fields: "00014c00016170" })}`, "Type of field a is not a string"],
    [`73${classHex("a.B", { fields: "00014c00016174000149" })}`, "Type of field a is not L: I"],
    [`73${classHex("a.B", { parent: "71007e0000" })}`, "Class inherits from itself: a.B"],
    [
      `73${classHex("a.B", { fields: "00014c000161740003 4c613b", parent: "71007e0001" })}`,
      "Reference is not to a class description",
    ],
    ["73 72 0001 61 0000000000000001 02 0000 73 71007e0000 78 70", "Class of object is not there yet: a"],
    [`75${classHex("a.B")}00000000`, "Array of a class that is none: a.B"],
    [
      `73${classHex("scala.collection.immutable.ArraySeq$ofRef", { uid: "0000000000000003", fields: ARRAY_SEQ_FIELDS })}70`,
      "ArraySeq has no array",
    ],
    [`${OBJECT_ARRAY}ffffffff`, "Length of array is negative: -1"],
    [`${OBJECT_ARRAY}7fffffff`, "Array of 2147483647 elements, but 0 bytes are left"],
    [`7572${nameHex("[J")}0000000000000001020000 78 70 7fffffff`, "Array needs 17179869176 bytes, but 0 are left"],
    [`7572${nameHex("[B")}0000000000000001020000 78 70 7fffffff`, "Array needs 2147483647 bytes, but 0 are left"],
    ["7c7fffffffffffffff", "String needs 9223372036854776000 bytes, but 0 are left"],
    ["7cffffffffffffffff", "Length of String is negative: -1"],
    ["740002c341", "String is not modified UTF-8, at byte 7"],
    [`7e${classHex("a.B")}74000161`, "a.B is no enum"],
    [`7e${classHex("a.B", { flags: "12" })}70`, "Name of an enum's constant is not a string"],
    [
      `${OBJECT_ARRAY}00000002 74000161 7e${classHex("a.B", { flags: "12" })}71007e0002`,
      "Name of an enum's constant is not a string",
    ],
    ["7670", "Class is null"],
    [`75${classHex("[I")}00000000 79 70`, "1 bytes follow the value"],
    ["7a00000001ff", "Bytes of an object where a value is expected"],
    [`${OBJECT_ARRAY}00000001 79 70`, "Unknown kind of value: 0x79"],
    [`${OBJECT_ARRAY}00000001 71007e0000`, "Reference is to a class description, not to a value"],
  ];
  for (const [hex, message] of cases) {
    const error = assertThrows(() => decodeHex(hex), SerializerError, message);
    assertEquals([error.direction, typeof error.offset], ["decode", "number"], hex);
  }
  const decodeOther = () => decode(Uint8Array.of(0xac, 0xed, 0, 6, 0x70));
  assertEquals(assertThrows(decodeOther, SerializerError, "Invalid Java stream header: aced0006").offset, 0);
});

test("java.decode() refuses objects of known classes whose data are not theirs", () => {
  const cases: readonly [string, string, string, string][] = [
    ["java_ArrayList", "770400000002", "770400000002 70", "Collection of 2 has 3 elements"],
    ["java_ArrayList", "770400000002", "770300000002", "Unknown kind of value"],
    ["java_ArrayList", "770400000002", "77050000000200", "Data of an object go on after their end"],
    ["java_List_of", "770400000002", "770400000003", "Collection of 3 has 2 elements"],
    ["java_HashMap", "77080000000200000001", "77080000000200000002", "Collection of 4 has 2 elements"],
    ["java_HashMap", "77080000000200000001", "77080000000200000002 74000178 7701ff", "Collection has bytes among its elements"],
    ["java_HashSet", "770c000000103f40000000000001", "770c000000103f40000000000002", "Collection of 2 has 1 elements"],
    ["linkedList", "770400000002", "770400000003", "Collection of 3 has 2 elements"],
    ["java_TreeMap_2", "770400000002", "770400000003", "Collection of 6 has 4 elements"],
    ["java_TreeSet_2", "770400000002", "770400000001", "Collection of 1 has 2 elements"],
    ["java_ConcurrentHashMap_0", "707078", "7701ff740001617070 78", "Collection has bytes among its elements"],
    ["bigInteger_small", "fffffffe00000001", "fffffffe00000000", "BigInteger has a sign that does not fit its magnitude"],
    ["scala_List_1", "7704ffffffff", "770400000003", "Collection of 3 has 2 elements"],
    ["scala_Vector_3", "770400000003", "7704ffffffff", "Collection has no end"],
    ["Integer_42", "12e2a0a4f7818738", "12e2a0a4f7818739", "java.lang.Integer has the serialVersionUID 1360826667806852921"],
  ];
  for (const [name, before, after, message] of cases) {
    const hex = toHex(vector(name));
    assertEquals(hex.split(before).length, 2, `${name} has ${before} once`);
    assertThrows(() => decode(fromHex(hex.replace(before, after.replaceAll(" ", "")))), SerializerError, message, name);
  }
});

test("a Date that is later than those of JavaScript stays inert, and goes back whole", () => {
  const never = toHex(vector("java_Date")).replace("77080000000000000000", "77087fffffffffffffff");
  const date = decode(fromHex(never));
  assertInstanceOf(date, JavaObject);
  assertEquals([date.className, toHex(encode(date))], ["java.util.Date", never]);
});

test("java.decode() refuses a map or a set that would lose an entry", () => {
  const twice = toHex(encode(new Map([["a", 1], ["b", 2]]))).replace("740001 62".replace(" ", ""), "71007e0003");
  assertThrows(() => decode(fromHex(twice)), SerializerError, "Map has the same key twice");
  const set = toHex(encode(new Set(["a", "b"]))).replace("74000162", "71007e0003");
  assertThrows(() => decode(fromHex(set)), SerializerError, "Set has the same element twice");
});

test(`java.decode() reads ${MAX_DEPTH} levels and no more, whatever they are made of`, () => {
  const array = (levels: number) => decodeHex(OBJECT_ARRAY + "00000001" + "7571007e0000 00000001".repeat(levels - 1) + "70");
  array(MAX_DEPTH);
  assertThrows(() => array(MAX_DEPTH + 1), SerializerError, `Content has more than ${MAX_DEPTH} levels`);
  assertThrows(() => array(100_000), SerializerError, `Content has more than ${MAX_DEPTH} levels`);
  const classes = (levels: number) => decodeHex("76" + `72${nameHex("C")}0000000000000001020000 78`.repeat(levels) + "70");
  assertThrows(() => classes(MAX_DEPTH), SerializerError, "Content has more than 512 levels of classes");
  const annotations = `72${nameHex("C")}0000000000000001020000 76`;
  assertThrows(() => decodeHex("76" + annotations.repeat(100_000)), SerializerError, "Content has more than 512 levels");
});

test("java.decode() refuses a line of super classes that is too long, also one put together by references", () => {
  const parts: string[] = [OBJECT_ARRAY, "00000258"];
  const className = (i: number) => nameHex(`C${i}`);
  for (let i = 0; i < 600; i++) {
    // Class i extends class i - 1, by its handle: the array's class and the array have the first two, then class and Class alternate.
    const parent = i === 0 ? "70" : `71${(0x7e0000 + 2 + 2 * (i - 1)).toString(16).padStart(8, "0")}`;
    parts.push(`7672${className(i)}0000000000000001020000 78 ${parent}`);
  }
  assertThrows(() => decodeHex(parts.join("")), SerializerError, "C512 has more than 511 super classes");
});

test(`java.decode() reads ${MAX_HANDLES} objects and no more`, () => {
  const content = (count: number) => {
    const out = new ByteSink(3 * count + 64);
    out.writeBytes(fromHex(("aced0005" + OBJECT_ARRAY).replaceAll(" ", "")));
    out.writeInt32(count);
    for (let i = 0; i < count; i++) out.writeBytes(Uint8Array.of(0x74, 0, 0));
    return out.view();
  };
  // The class and the array have one each.
  assertEquals((decode(content(MAX_HANDLES - 2)) as unknown[]).length, MAX_HANDLES - 2);
  assertThrows(() => decode(content(MAX_HANDLES - 1)), SerializerError, `Content has more than ${MAX_HANDLES} objects`);
});

test(`java.decode() reads ${MAX_BLOCKS} blocks of bytes and no more`, () => {
  const content = (count: number) => {
    const out = new ByteSink(2 * count + 64);
    out.writeBytes(fromHex(`aced000573${classHex("A", { flags: "03" })}`));
    for (let i = 0; i < count; i++) out.writeBytes(Uint8Array.of(0x77, 0));
    out.writeUint8(0x78);
    return out.view();
  };
  assertInstanceOf(decode(content(MAX_BLOCKS)), JavaObject);
  assertThrows(() => decode(content(MAX_BLOCKS + 1)), SerializerError, `Content has more than ${MAX_BLOCKS} blocks of bytes`);
});

test(`java.decode() remembers ${MAX_IDENTITIES} times that a string is not the same as an equal one, and then no more`, () => {
  const count = MAX_IDENTITIES + 2;
  const out = new ByteSink(5 * count + 64);
  out.writeBytes(fromHex(("aced0005" + OBJECT_ARRAY).replaceAll(" ", "")));
  out.writeInt32(count + 2);
  // The same text twice, and then the second of the two over and over; itself counts too.
  out.writeBytes(fromHex("74000161".repeat(2)));
  for (let i = 0; i < count; i++) out.writeBytes(fromHex("71007e0003"));
  const content = out.copy();
  const written = encode(decode(content));
  const end = content.length - 5 * 3;
  assertEquals(toHex(written.subarray(end)), "71007e0002".repeat(3));
  assertEquals(toHex(written.subarray(end - 5, end)), "71007e0003");
});

test("java.decode() does no more work than four parts for each byte, and 65,536 besides", () => {
  // 500 classes without fields, and then objects of the last: six bytes for each, but 500 parts.
  const parts: string[] = [OBJECT_ARRAY, "00001388"];
  const names = Array.from({ length: 500 }, (_, i) => `72${nameHex(`C${i}`)}0000000000000001020000 78`);
  parts.push(`73${names.join("")}70`);
  parts.push("7371007e0002".repeat(4999));
  assertThrows(() => decodeHex(parts.join("")), SerializerError, "Content has more parts than its size allows");
});

test(`java.decode() reads a BigInteger of ${MAX_BIGINT_BYTES} bytes and no more`, () => {
  const largest = (1n << BigInt(8 * MAX_BIGINT_BYTES)) - 1n;
  assertEquals(decode(encode(largest)), largest);
  assertThrows(() => encode(largest + 1n), SerializerError, "Cannot encode a bigint of 65537 bytes (the most is 65536)");
  const length = (count: number) => count.toString(16).padStart(8, "0");
  const hex = toHex(encode(largest)).replace(`${length(MAX_BIGINT_BYTES)}ff`, `${length(MAX_BIGINT_BYTES + 1)}ffff`);
  assertThrows(() => decode(fromHex(hex)), SerializerError, "BigInteger has 65537 bytes, more than 65536");
});

test("java.decode() shows no more than 200 characters of a class name", () => {
  const name = "x".repeat(60_000);
  const error = assertThrows(() => decodeHex(`73${classHex(name, { flags: "00" })}`), SerializerError);
  assertEquals(error.message.length < 300, true);
});

test("java.decode() reads what collides in a HashMap of Java as any other", () => {
  // All of these have the same hash code in Java.
  const keys = Array.from(
    { length: 1024 },
    (_, i) => i.toString(2).padStart(10, "0").replaceAll("0", "Aa").replaceAll("1", "BB"),
  );
  const map = new Map(keys.map((key, i) => [key, i]));
  assertEquals(decode(encode(map)), map);
});

test("java.decode() follows a ring of causes to its end, and lets it go on as it was", () => {
  const outer = decodeVector("ring_of_causes") as Error;
  const inner = outer.cause as Error;
  assertEquals([outer.message, inner.message, inner.cause], ["a", "b", undefined]);
});

/** Nearly as many fields as a class can have, each of them a boolean. */
const WIDE = 60_000;
const WIDE_FIELDS = WIDE.toString(16) + Array.from({ length: WIDE }, (_, i) => `5a${nameHex(`f${i}`)}`).join("");

/** Exceptions' own class, with the text alone. */
const THROWABLE = `72${nameHex("java.lang.Throwable")}d5c635273977b8cb030001` + `4c${nameHex("detailMessage")}` +
  `74${nameHex("Ljava/lang/String;")}7870`;

test("java.decode() takes an exception with 60,000 fields, and keeps 64", () => {
  const hex = `7372${nameHex("Wide")}000000000000000102${WIDE_FIELDS}78${THROWABLE}` + "74000161" + "78" + "01".repeat(WIDE);
  const error = decodeHex(hex) as RpcRemoteError;
  assertEquals([error.message, error.remoteClass, Object.keys(error.data ?? {}).length], ["a", "Wide", 64]);
});

test("java.decode() looks at no more fields of a stack's elements than the content's size allows", () => {
  const stack = `${nameHex("stackTrace")}74${nameHex("[Ljava/lang/StackTraceElement;")}`;
  const throwable = `72${nameHex("java.lang.Throwable")}d5c635273977b8cb030001 5b${stack}7870`;
  const element = `7372${nameHex("Wide")}000000000000000102${WIDE_FIELDS}7870${"00".repeat(WIDE)}`;
  const elements = `7572${nameHex("[Ljava.lang.StackTraceElement;")}02462a3c3cfd2239020000 7870`;
  // Before the element there are Throwable's class and its field's type, the exception, the array's class, the array, and Wide.
  const exception = (count: number) => {
    return `73${throwable}${elements}${count.toString(16).padStart(8, "0")}${element}${"71007e0006".repeat(count - 1)}78`;
  };
  assertInstanceOf(decodeHex(exception(10)), RpcRemoteError);
  assertThrows(() => decodeHex(exception(1000)), SerializerError, "Content has more parts than its size allows");
});

test("java.decode() makes no room for indexes that an exception's fields are named", () => {
  const fields = `0002 49${nameHex("999")} 49${nameHex("1999")}`;
  const hex = `7372${nameHex("Far")}000000000000000102${fields}78${THROWABLE} 74000161 78 00000001 00000002`;
  const memoryBytes = memoryMeter();
  const before = memoryBytes();
  const kept = Array.from({ length: 5000 }, () => decodeHex(hex) as RpcRemoteError);
  const bytes = memoryBytes() - before;
  assertEquals(kept[4999]!.data, { "999": 1, "1999": 2 });
  // Room for all of them would be 100 MB more on V8.
  assert(bytes < 60_000_000, `${bytes} bytes`);
});

test("java.decode() takes views with 60,000 fields, and leaves them inert", () => {
  const view = `72${nameHex("java.util.Collections$UnmodifiableList")}fc0f2531b5ec8e1002${WIDE_FIELDS}7870`;
  const values = "00".repeat(WIDE);
  const list = decodeHex(`${OBJECT_ARRAY}00000014 73${view}${values}` + `7371007e0002${values}`.repeat(19)) as unknown[];
  assertEquals(list.length, 20);
  assertInstanceOf(list[19], JavaObject);
});

test("java.decode() takes the text of Throwable where an exception has a field of that name too", () => {
  const field = `00014c${nameHex("detailMessage")}74${nameHex("Ljava/lang/String;")}`;
  const hex = `7372${nameHex("Sub")}000000000000000102${field}78${THROWABLE}` + "74000161" + "78" + "74000162";
  const error = decodeHex(hex) as RpcRemoteError;
  assertEquals([error.message, error.remoteClass], ["a", "Sub"]);
});
