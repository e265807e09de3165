import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { SerializerError } from "../../../src/base/errors.ts";
import { java } from "../../../src/rpc/java_serializer.ts";
import { defineJavaClass } from "../../../src/serializer/java/define_java_class.ts";
import { JavaNumber } from "../../../src/serializer/java/java_numbers.ts";
import { asJava, javaTypes } from "../../../src/serializer/java/java_types.ts";
import { fromHex, test, toHex } from "../../_harness.ts";
import { decode, encode, exact } from "./_java.ts";

const TUPLE2 = "7872000c7363616c612e5475706c653201fbddcd22e7347a0200024c00025f317400124c6a6176612f6c616e672f4f626a6563743b" +
  "4c00025f3271007e0002787070";

/** What a Spark 4.2 with Scala 2.13 wrote for a pair of primitives. */
const written = {
  // (1, 2L)
  ints: `aced0005737200147363616c612e5475706c6532246d63494a247370492c17a9d53209490200024900095f31246d63492473704a00095f` +
    `32246d634a247370${TUPLE2}70000000010000000000000002`,
  // ('c', 3.0)
  chars: `aced0005737200147363616c612e5475706c6532246d634344247370cbb2e3729181f23d0200024300095f31246d63432473704400095f` +
    `32246d6344247370${TUPLE2}7000634008000000000000`,
  // (true, false)
  booleans: `aced0005737200147363616c612e5475706c6532246d635a5a247370ee402ecb823a1dcb0200025a00095f31246d635a2473705a0009` +
    `5f32246d635a247370${TUPLE2}700100`,
};

test("a pair of Scala's is an array whatever class Scala has for it, and goes back as what it was", () => {
  const c = new JavaNumber("char", "c");
  const pairs = { ints: [1, 2n], chars: [c, 3], booleans: [true, false] };
  for (const [name, hex] of Object.entries(written)) {
    const pair = decode(fromHex(hex));
    assertEquals<unknown>(pair, pairs[name as keyof typeof pairs]);
    assertEquals(toHex(encode(pair)), hex, name);
    const exactPair = decode(fromHex(hex), exact);
    assertEquals(toHex(encode(exactPair, exact)), hex, name);
  }
  assertEquals<unknown>(decode(fromHex(written.chars), exact), [c, new JavaNumber("double", 3)]);
});

test("a pair of primitives that was changed to hold something else is an ordinary pair", () => {
  const pair = decode(fromHex(written.ints)) as unknown[];
  pair[0] = 7;
  const head = written.ints.slice(0, -24);
  assertEquals(toHex(encode(pair)), `${head}000000070000000000000002`);
  for (const other of ["text", 1.5, null, new JavaNumber("short", 7), 7n]) {
    pair[0] = other;
    assertEquals(toHex(encode(pair)), toHex(encode(asJava([other, 2n], javaTypes.tuple("Object", "long")))));
  }
  const chars = decode(fromHex(written.chars)) as unknown[];
  chars[0] = "c";
  assertEquals(toHex(encode(chars)), toHex(encode(asJava(["c", 3], javaTypes.tuple("String", "int")))));
  chars.push(1);
  assertThrows(() => encode(chars), SerializerError, "3 elements as a tuple of 2");
});

test("a field of pairs takes one of primitives", () => {
  const Held = defineJavaClass("com.example.Held", { serialVersionUID: 1n, fields: { pair: javaTypes.tuple("int", "long") } });
  const Any = defineJavaClass("com.example.Held", {
    serialVersionUID: 1n,
    fields: { pair: javaTypes.declaredAs("scala.Tuple2", "Object") },
  });
  const content = encode(new Any({ pair: decode(fromHex(written.ints)) }), java.with({ classes: [Any] }));
  const held = decode(content, java.with({ classes: [Held] }));
  assertInstanceOf(held, Held);
  assertEquals(held.pair, [1, 2n]);
});

/** What the same wrote for tuples of other sizes. */
const ofOtherSizes: readonly (readonly [string, readonly unknown[]])[] = [
  [
    "aced00057372000c7363616c612e5475706c6531deccff006f57f87a0200014c00025f317400124c6a6176612f6c616e672f4f626a656374" +
    "3b787074000161",
    ["a"],
  ],
  [
    "aced00057372000c7363616c612e5475706c6534ac5a1edab07f806c0200044c00025f317400124c6a6176612f6c616e672f4f626a656374" +
    "3b4c00025f3271007e00014c00025f3371007e00014c00025f3471007e0001787074000161737200116a6176612e6c616e672e496e746567" +
    "657212e2a0a4f781873802000149000576616c7565787200106a6176612e6c616e672e4e756d62657286ac951d0b94e08b02000078700000" +
    "0001707372000e6a6176612e6c616e672e4c6f6e673b8be490cc8f23df0200014a000576616c75657871007e00050000000000000002",
    ["a", 1, null, 2n],
  ],
  [
    "aced00057372000d7363616c612e5475706c65323229f0c9d4f31674cf0200164c00025f317400124c6a6176612f6c616e672f4f626a6563" +
    "743b4c00035f313071007e00014c00035f313171007e00014c00035f313271007e00014c00035f313371007e00014c00035f313471007e00" +
    "014c00035f313571007e00014c00035f313671007e00014c00035f313771007e00014c00035f313871007e00014c00035f313971007e0001" +
    "4c00025f3271007e00014c00035f323071007e00014c00035f323171007e00014c00035f323271007e00014c00025f3371007e00014c0002" +
    "5f3471007e00014c00025f3571007e00014c00025f3671007e00014c00025f3771007e00014c00025f3871007e00014c00025f3971007e00" +
    "017870737200116a6176612e6c616e672e496e746567657212e2a0a4f781873802000149000576616c7565787200106a6176612e6c616e67" +
    "2e4e756d62657286ac951d0b94e08b0200007870000000017371007e00030000000a7371007e00030000000b7371007e00030000000c7371" +
    "007e00030000000d7371007e00030000000e7371007e00030000000f7371007e0003000000107371007e0003000000117371007e00030000" +
    "00127371007e0003000000137371007e0003000000027371007e0003000000147371007e0003000000157371007e0003000000167371007e" +
    "0003000000037371007e0003000000047371007e0003000000057371007e0003000000067371007e0003000000077371007e000300000008" +
    "7371007e000300000009",
    Array.from({ length: 22 }, (_, i) => i + 1),
  ],
];

/** And for those of one primitive. */
const ofOnePrimitive: readonly (readonly [string, readonly unknown[]])[] = [
  [
    "aced0005737200137363616c612e5475706c6531246d634924737091d3c5b8ed3a304e0200014900095f31246d63492473707872000c7363" +
    "616c612e5475706c6531deccff006f57f87a0200014c00025f317400124c6a6176612f6c616e672f4f626a6563743b78707000000007",
    [7],
  ],
  [
    "aced0005737200137363616c612e5475706c6531246d634a24737048789a967b15daa20200014a00095f31246d634a2473707872000c7363" +
    "616c612e5475706c6531deccff006f57f87a0200014c00025f317400124c6a6176612f6c616e672f4f626a6563743b787070000000000000" +
    "0007",
    [7n],
  ],
  [
    "aced0005737200137363616c612e5475706c6531246d6344247370878ba4005a92f8d70200014400095f31246d63442473707872000c7363" +
    "616c612e5475706c6531deccff006f57f87a0200014c00025f317400124c6a6176612f6c616e672f4f626a6563743b787070400800000000" +
    "0000",
    [3],
  ],
];

test("a tuple of Scala's is an array, of one element as of twenty-two, and goes back as what it was", () => {
  for (const [hex, values] of [...ofOtherSizes, ...ofOnePrimitive]) {
    const tuple = decode(fromHex(hex));
    assertEquals<unknown>(tuple, values);
    assertEquals(toHex(encode(tuple)), hex);
    assertEquals(toHex(encode(decode(fromHex(hex), exact), exact)), hex);
  }
});

test("javaTypes.tuple() is of one element to twenty-two", () => {
  for (const [hex, values] of ofOtherSizes) {
    assertEquals(toHex(encode(asJava(values, javaTypes.tuple(...values.map(() => "Object" as const))))), hex);
  }
});

test("a field of tuples of one takes one of a primitive", () => {
  const Held = defineJavaClass("com.example.Held", { serialVersionUID: 1n, fields: { tuple: javaTypes.tuple("Object") } });
  const told = java.with({ classes: [Held] });
  for (const [hex, [value]] of ofOnePrimitive) {
    const held = decode(encode(new Held({ tuple: decode(fromHex(hex)) as [unknown] }), told), told);
    assertInstanceOf(held, Held);
    assertEquals<unknown>(held.tuple, [value]);
  }
});
