import { assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { SerializerError } from "../../../src/base/errors.ts";
import { java } from "../../../src/rpc/java_serializer.ts";
import { defineJavaClass } from "../../../src/serializer/java/define_java_class.ts";
import { javaTypes } from "../../../src/serializer/java/java_types.ts";
import { test, toHex } from "../../_harness.ts";
import { decode, decodeVector, encode, nameHex, roundTrip } from "./_java.ts";

const { declaredAs, list, map, set } = javaTypes;

test("sorted maps and sets of Java are Maps and Sets in their order, and go on with what sorts them", () => {
  const values: readonly [string, Map<unknown, unknown> | Set<unknown>][] = [
    ["java_TreeMap_0", new Map()],
    ["java_TreeMap_2", new Map([["a", 1], ["b", 2]])],
    ["java_TreeMap_comparator", new Map([["a", 1], ["B", 2]])],
    ["java_TreeSet_0", new Set()],
    ["java_TreeSet_2", new Set(["a", "b"])],
    ["java_TreeSet_reverse", new Set(["b", "a"])],
  ];
  for (const [name, expected] of values) {
    const value = decodeVector(name);
    assertEquals(value, expected, name);
    assertEquals([...value as Iterable<unknown>], [...expected], name);
  }
  for (
    const [name, sorter] of [["java_TreeMap_comparator", "CaseInsensitive"], ["java_TreeSet_reverse", "ReverseComparator"]]
  ) {
    const value = decodeVector(name!) as { clear(): void };
    value.clear();
    assertStringIncludes(toHex(encode(value)), nameHex(sorter!).slice(4), name);
    assertEquals(roundTrip(value), value, name);
  }
});

test("collections of Java with one element or none are what larger ones are, which they become when they grow", () => {
  const values: readonly [string, unknown][] = [
    ["java_emptyMap", new Map()],
    ["java_emptySet", new Set()],
    ["java_singletonList", ["a"]],
    ["java_singleton", new Set(["a"])],
    ["java_singletonMap", new Map([["a", 1]])],
  ];
  for (const [name, expected] of values) assertEquals(decodeVector(name), expected, name);
  const grownList = decodeVector("java_singletonList") as unknown[];
  grownList.push("b");
  const grown = [
    (decodeVector("java_emptyMap") as Map<unknown, unknown>).set("a", 1),
    (decodeVector("java_emptySet") as Set<unknown>).add("a"),
    grownList,
    (decodeVector("java_singleton") as Set<unknown>).add("b"),
    (decodeVector("java_singletonMap") as Map<unknown, unknown>).set("b", 2),
  ];
  const own = [new Map([["a", 1]]), new Set(["a"]), ["a", "b"], new Set(["a", "b"]), new Map([["a", 1], ["b", 2]])];
  for (const [i, value] of grown.entries()) assertEquals(toHex(encode(value)), toHex(encode(own[i])));
});

test("a list of one that is in itself is so at the other end", () => {
  const one = decodeVector("java_singletonList") as unknown[];
  one[0] = [one];
  const back = roundTrip(one) as unknown[][];
  assertEquals(back[0]![0] === back, true);
});

test("an error says where in them a value is that cannot be written", () => {
  const refused = Symbol("refused");
  const single = decodeVector("java_singletonList") as unknown[];
  single[0] = refused;
  const tree = decodeVector("java_TreeSet_2") as Set<unknown>;
  tree.add(refused);
  const singleMap = decodeVector("java_singletonMap") as Map<unknown, unknown>;
  singleMap.set("a", refused);
  const paths = [["[0]", single], [".entries()[2]", tree], [".entries()[0]", singleMap]] as const;
  for (const [path, value] of paths) assertThrows(() => encode(value), SerializerError, `Cannot encode a symbol at ${path}`);
});

test("a field of a collection of Java takes them, and gives them back as what they were", () => {
  const declared = (name: string) => declaredAs(`java.util.${name}`, "Object");
  const [Any, Held] = [
    { list: declared("List"), set: declared("Set"), map: declared("Map"), none: declared("Map"), sorted: declared("Map") },
    {
      list: list("String"),
      set: set("String"),
      map: map("String", "int"),
      none: map("String", "Object"),
      sorted: map("String", "int"),
    },
  ].map((fields) => defineJavaClass("com.example.Held", { serialVersionUID: 1n, fields }));
  const names = ["java_singletonList", "java_TreeSet_2", "java_singletonMap", "java_emptyMap", "java_TreeMap_comparator"];
  const [one, two, three, four, five] = names.map((name) => decodeVector(name));
  const content = encode(
    new Any!({ list: one, set: two, map: three, none: four, sorted: five }),
    java.with({ classes: [Any!] }),
  );
  const codec = java.with({ classes: [Held!] });
  const held = decode(content, codec);
  assertInstanceOf(held, Held!);
  assertEquals({ ...held }, { list: one, set: two, map: three, none: four, sorted: five });
  assertEquals(toHex(encode(held, codec)), toHex(content));
});
