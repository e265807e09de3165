import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { SerializerError } from "../../../src/base/errors.ts";
import { java } from "../../../src/rpc/java_serializer.ts";
import { defineJavaClass } from "../../../src/serializer/java/define_java_class.ts";
import { JavaNumber } from "../../../src/serializer/java/java_numbers.ts";
import type { JavaTypeLike } from "../../../src/serializer/java/java_type.ts";
import { asJava, javaTypes } from "../../../src/serializer/java/java_types.ts";
import { fromHex, test, toHex } from "../../_harness.ts";
import { decode, encode, nameHex } from "./_java.ts";

const SUPER = "787200237363616c612e636f6c6c656374696f6e2e696d6d757461626c652e4172726179536571eb182302038ceda002000078707572";

interface Case {
  /** What ArraySeq's class is called. */
  readonly suffix: string;
  /** The class of its array, and the array, as a Spark 4.2 wrote them: two elements. */
  readonly array: readonly [letter: string, hex: string];
  readonly value: unknown;
  readonly element: JavaTypeLike;
  /** What it is in a field of a sequence of such elements. */
  readonly elements: readonly unknown[];
}

const cases: readonly Case[] = [
  {
    ...{ suffix: "ofByte", array: ["B", "acf317f8060854e002000078700000000201ff"] },
    ...{ value: new Int8Array([1, -1]), element: "byte", elements: [1, -1] },
  },
  {
    ...{ suffix: "ofShort", array: ["S", "ef832e06e55db0fa0200007870000000020001ffff"] },
    ...{ value: new Int16Array([1, -1]), element: "short", elements: [1, -1] },
  },
  {
    ...{ suffix: "ofChar", array: ["C", "b02666b0e25d84ac020000787000000002006300e9"] },
    ...{ value: new Uint16Array([0x63, 0xe9]), element: "char", elements: ["c", "\u00e9"] },
  },
  {
    ...{ suffix: "ofInt", array: ["I", "4dba602676eab2a502000078700000000200000001ffffffff"] },
    ...{ value: new Int32Array([1, -1]), element: "int", elements: [1, -1] },
  },
  {
    ...{ suffix: "ofLong", array: ["J", "782004b512b175930200007870000000020000000000000001ffffffffffffffff"] },
    ...{ value: new BigInt64Array([1n, -1n]), element: "long", elements: [1n, -1n] },
  },
  {
    ...{ suffix: "ofFloat", array: ["F", "0b9c818922e00c420200007870000000023fc00000bf800000"] },
    ...{ value: new Float32Array([1.5, -1]), element: "float", elements: [1.5, -1] },
  },
  {
    ...{ suffix: "ofDouble", array: ["D", "3ea68c14ab635a1e0200007870000000023ff8000000000000bff0000000000000"] },
    ...{ value: new Float64Array([1.5, -1]), element: "double", elements: [1.5, -1] },
  },
  {
    ...{ suffix: "ofBoolean", array: ["Z", "578f203914b85de20200007870000000020100"] },
    ...{ value: [true, false], element: "boolean", elements: [true, false] },
  },
];

function written({ suffix, array: [letter, hex] }: Case): Uint8Array {
  const name = nameHex(`scala.collection.immutable.ArraySeq$${suffix}`);
  const field = `5b${nameHex("unsafeArray")}74${nameHex(`[${letter}`)}`;
  return fromHex(`aced00057372${name}0000000000000003020001${field}${SUPER}${nameHex(`[${letter}`)}${hex}`);
}

function heldAs(type: JavaTypeLike) {
  return defineJavaClass("com.example.Held", { serialVersionUID: 1n, fields: { values: type } });
}

const Any = heldAs(javaTypes.declaredAs("scala.collection.immutable.Seq", "Object"));

test("an ArraySeq of each type of primitives is read, and goes back as what it was", () => {
  for (const one of cases) {
    const value = decode(written(one));
    assertEquals(value, one.value, one.suffix);
    const again = encode(value);
    assertEquals(decode(again), one.value, one.suffix);
    assertEquals(toHex(again).includes(nameHex(`scala.collection.immutable.ArraySeq$${one.suffix}`)), true, one.suffix);
    // Its super class has another serialVersionUID in Scala 2.13.17 than before, and Java does without it.
    assertEquals(toHex(again).includes(SUPER), false, one.suffix);
  }
});

test("an ArraySeq of primitives holds an array of them", () => {
  for (const [i, one] of cases.entries()) {
    const [hex, other] = [one, cases[(i + 1) % cases.length]!].map((each) => toHex(written(each)));
    const at = (content: string) => content.indexOf(SUPER) + SUPER.length - "7572".length;
    for (const held of ["70", "740000", other!.slice(at(other!))]) {
      const content = fromHex(hex!.slice(0, at(hex!)) + held);
      assertThrows(() => decode(content), SerializerError, "ArraySeq has no array", one.suffix);
    }
  }
});

test("a field of a sequence takes an ArraySeq of primitives, and writes it as that again", () => {
  for (const one of cases) {
    const content = encode(new Any({ values: decode(written(one)) }), java.with({ classes: [Any] }));
    const Held = heldAs(javaTypes.seq(one.element));
    const known = java.with({ classes: [Held] });
    const held = decode(content, known);
    assertInstanceOf(held, Held);
    assertEquals(held.values, one.elements, one.suffix);
    assertEquals(toHex(encode(held, known)), toHex(content), one.suffix);
    const objects = decode(content, java.with({ classes: [heldAs(javaTypes.seq("Object"))] }));
    assertEquals(Array.from((objects as { values: unknown[] }).values, String), one.elements.map(String), one.suffix);
  }
});

test("an array that came as an ArraySeq of primitives and holds something else now is one of objects", () => {
  const Held = heldAs(javaTypes.seq("Object"));
  const known = java.with({ classes: [Held] });
  const content = encode(new Any({ values: decode(written(cases[3]!)) }), java.with({ classes: [Any] }));
  const { values } = decode(content, known) as { values: unknown[] };
  values.push("text", new JavaNumber("short", 1));
  const back = decode(encode(new Held({ values }), known)) as { get(name: string): unknown };
  assertEquals(back.get("values"), [1, -1, "text", new JavaNumber("short", 1)]);
  assertEquals(toHex(encode(back)).includes(nameHex("scala.collection.immutable.ArraySeq$ofRef")), true);
});

test("a field of a sequence takes no array, which no JVM could put there", () => {
  const content = encode(new Any({ values: new Int32Array(2) }), java.with({ classes: [Any] }));
  const known = java.with({ classes: [heldAs(javaTypes.seq("int"))] });
  assertThrows(
    () => decode(content, known),
    SerializerError,
    "an object of class Int32Array where a scala.collection.immutable.Seq",
  );
  assertEquals(
    toHex(encode(asJava([1], javaTypes.seq("int")))),
    toHex(encode(decode(encode(asJava([1], javaTypes.seq("int")))))),
  );
});
