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
