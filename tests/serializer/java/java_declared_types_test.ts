import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { SerializerError } from "../../../src/base/errors.ts";
import { java } from "../../../src/rpc/java_serializer.ts";
import { defineJavaClass } from "../../../src/serializer/java/define_java_class.ts";
import { JavaNumber } from "../../../src/serializer/java/java_numbers.ts";
import { JavaObject } from "../../../src/serializer/java/java_object.ts";
import type { JavaTypeLike } from "../../../src/serializer/java/java_type.ts";
import { asJava, javaTypes } from "../../../src/serializer/java/java_types.ts";
import { MAX_COLLIDING_KEYS } from "../../../src/serializer/key_collisions.ts";
import { test, toHex } from "../../_harness.ts";
import { decode, decodeVector, encode } from "./_java.ts";

// A field of a JVM takes only what is an instance of its type; everything else is a ClassCastException there.

const { array, declaredAs, list, map, scalaList, scalaMap, scalaSet, seq, set, tuple, vector } = javaTypes;

/** Each field's value as it goes on from a peer that does not know the class: what it was written as. */
function written(fields: Record<string, JavaTypeLike>, values: Record<string, unknown>): Record<string, unknown> {
  const Held = defineJavaClass("com.example.Held", { serialVersionUID: 1n, fields });
  const inert = decode(encode(new Held(values), java.with({ classes: [Held] })));
  if (!(inert instanceof JavaObject)) throw new Error("The class is known");
  return Object.fromEntries(Object.keys(fields).map((name) => [name, inert.get(name)]));
}

function hexOf(value: unknown): string {
  return toHex(encode(value));
}

test("java.decode() refuses boxed numbers of a Set or a Map of which a field makes plain ones that are the same, or in one place", () => {
  const crowd = Array.from({ length: MAX_COLLIDING_KEYS + 1 }, (_, i) => new JavaNumber("BigInt", (BigInt(i) << 64n) + 5n));
  const zeros = [0, -0].map((zero) => new JavaNumber("float", zero));
  const cases = [
    { name: "BigInt", boxes: crowd.slice(1), message: undefined },
    { name: "BigInt", boxes: crowd, message: `More than ${MAX_COLLIDING_KEYS} of ` },
    { name: "Float", boxes: zeros, message: " twice" },
  ] as const;
  const holding = (type: JavaTypeLike) => defineJavaClass("com.example.Held", { serialVersionUID: 1n, fields: { held: type } });
  const Loose = holding("Object");
  const loosely = java.with({ classes: [Loose] });
  for (const { name, boxes, message } of cases) {
    for (const type of [set(name), scalaSet(name), map(name, "String"), scalaMap(name, "String")]) {
      const held = type.signature.includes("Set") ? new Set<unknown>(boxes) : new Map(boxes.map((box) => [box, "value"]));
      const content = encode(new Loose({ held }), loosely);
      const read = () => decode(content, java.with({ classes: [holding(type)] })) as { held: ReadonlySet<unknown> };
      if (message === undefined) assertEquals(read().held.size, boxes.length);
      else assertThrows(read, SerializerError, message);
    }
  }
});

test("java.encode() writes the same collection once for each of the classes that fields declare", () => {
  const names = ["a", "b"];
  const { a, b, c, d, e, f } = written(
    { a: list("String"), b: seq("String"), c: vector("String"), d: seq("String"), e: list("String"), f: "Object" },
    { a: names, b: names, c: names, d: names, e: names, f: names },
  );
  assertEquals([a, b, c].map(hexOf), [
    hexOf(names),
    hexOf(asJava(names, seq("String"))),
    hexOf(asJava(names, vector("String"))),
  ]);
  // Where the class is the same, or none was asked for, it is the same object.
  assertStrictEquals(d, b);
  assertStrictEquals(e, a);
  assertStrictEquals(f, a);
});

test("java.encode() refers to each of several collections that were written in declared classes", () => {
  const [one, two, three] = [["one"], ["two"], ["three"]];
  const { a, c, d, e } = written(
    { a: seq("String"), b: seq("String"), c: vector("String"), d: seq("String"), e: "Object" },
    { a: one, b: two, c: three, d: one, e: three },
  );
  assertStrictEquals(d, a);
  assertStrictEquals(e, c);
});

test("java.encode() writes an array that came as an array as one, whatever it was written as before", () => {
  const came = decode(encode(asJava(["a", "b"], array("String"))));
  const { a, b, c, d } = written({ a: list("String"), b: array("String"), c: "Object", d: list("String") }, {
    a: came,
    b: came,
    c: came,
    d: came,
  });
  assertEquals([a, b].map(hexOf), [hexOf(["a", "b"]), hexOf(came)]);
  assertStrictEquals(c, b);
  assertStrictEquals(d, a);
});

test("java.encode() refers to what was written in a declared class where no class is declared", () => {
  const entries = new Map([["a", 1]]);
  const { a, b, c } = written({ a: scalaMap("String", "int"), b: "Object", c: map("String", "int") }, {
    a: entries,
    b: entries,
    c: entries,
  });
  assertStrictEquals(b, a);
  assertEquals([hexOf(a), hexOf(c)], [hexOf(asJava(entries, scalaMap("String", "int"))), hexOf(entries)]);
});

test("java.encode() writes one literal as an object of each class that fields declare", () => {
  const One = defineJavaClass("com.example.One", { serialVersionUID: 1n, fields: { id: "int" } });
  const Two = defineJavaClass("com.example.Two", { serialVersionUID: 1n, fields: { id: "int" } });
  const literal = { id: 1 };
  const { one, two } = written({ one: One, two: Two }, { one: literal, two: literal });
  assertEquals([one, two].map((value) => (value as JavaObject).className), ["com.example.One", "com.example.Two"]);
});

test("javaTypes: a collection goes on as what it came as where the field can hold that, else as the field has it", () => {
  const came = <T>(value: T, type: JavaTypeLike): T => decode(encode(asJava(value as never, type))) as T;
  const [aList, aVector] = [came(["a"], seq("String")), came(["a"], vector("String"))];
  const cases: readonly [JavaTypeLike, unknown, unknown][] = [
    [seq("String"), aVector, aVector],
    [scalaList("String"), aVector, asJava(["a"], scalaList("String"))],
    [vector("String"), aList, asJava(["a"], vector("String"))],
    [vector("String"), aVector, aVector],
    [seq("String"), came(["a", "b"], tuple("String", "String")), asJava(["a", "b"], seq("String"))],
    [list("String"), aList, ["a"]],
    [list("Object"), decodeVector("linkedList"), decodeVector("linkedList")],
    [scalaSet("String"), came(new Set(["a"]), set("String")), asJava(new Set(["a"]), scalaSet("String"))],
    [scalaSet("String"), came(new Set(["a"]), scalaSet("String")), came(new Set(["a"]), scalaSet("String"))],
    [scalaMap("String", "int"), came(new Map(), scalaMap("String", "int")), asJava(new Map(), scalaMap("String", "int"))],
    [scalaSet("String"), came(new Set(), scalaSet("String")), asJava(new Set<string>(), scalaSet("String"))],
    [declaredAs("scala.collection.Set", scalaSet("int")), came(new Set(), scalaSet("int")), came(new Set(), scalaSet("int"))],
    [set("int"), came(new Set(), scalaSet("int")), new Set()],
    [map("int", "int"), came(new Map(), scalaMap("int", "int")), new Map()],
    [declaredAs("scala.collection.Seq", vector("String")), aList, aList],
    [declaredAs("scala.collection.Seq", seq("String")), ["a"], asJava(["a"], seq("String"))],
  ];
  for (const [i, [type, value, expected]] of cases.entries()) {
    const { held } = written({ held: type }, { held: value });
    assertEquals(hexOf(held), hexOf(expected), `case ${i}`);
  }
});

test("java.encode() writes whole numbers of a class that is not known as the Doubles and BigIntegers that its fields declare", () => {
  const Held = defineJavaClass("com.example.Held", {
    serialVersionUID: 1n,
    fields: {
      double: "Double",
      big: "BigInteger",
      doubles: array("Double"),
      bigs: array("BigInteger"),
      table: array(array("Double")),
      nothing: javaTypes.nullable("Double"),
    },
  });
  const held = new Held({ double: 3, big: 3n, doubles: [1, 2.5, -0], bigs: [0n], table: [[4], []], nothing: null });
  const content = encode(held, java.with({ classes: [Held] }));
  assertEquals(hexOf(decode(content)), toHex(content));
});
