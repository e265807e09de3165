import { assertEquals, assertInstanceOf, assertStrictEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { SerializerError } from "../../../src/base/errors.ts";
import { java } from "../../../src/rpc/java_serializer.ts";
import { defineJavaClass } from "../../../src/serializer/java/define_java_class.ts";
import { JavaClassDesc } from "../../../src/serializer/java/class_desc.ts";
import { JavaNumber } from "../../../src/serializer/java/java_numbers.ts";
import { JavaObject } from "../../../src/serializer/java/java_object.ts";
import type { JavaType } from "../../../src/serializer/java/java_type.ts";
import { javaTypes } from "../../../src/serializer/java/java_types.ts";
import { fromHex, test, toHex } from "../../_harness.ts";
import { assertSame } from "../_cbor.ts";
import { decode, decodeVector, encode, exact, nameHex, roundTrip, vector } from "./_java.ts";

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

test("a sorted map or set of Java that was changed goes on in the order that it has there, or not at all", () => {
  const map = decodeVector("java_TreeMap_2") as Map<unknown, unknown>;
  for (const [i, key] of ["c", "Z", "\uffff", "é", "\u{1f600}"].entries()) map.set(key, i);
  assertEquals([...roundTrip(map) as typeof map].join(" "), "Z,1 a,1 b,2 c,0 é,3 \u{1f600},4 \uffff,2");
  const view = decodeVector("java_unmodifiableSortedSet") as Set<unknown>;
  view.add("A");
  assertEquals([...roundTrip(view) as typeof view], ["A", "a", "b"]);
  const numbers = decodeVector("java_TreeSet_0") as Set<unknown>;
  for (const number of [10, 9, -1]) numbers.add(new JavaNumber("short", number));
  assertEquals([...roundTrip(numbers) as typeof numbers].map(Number), [-1, 9, 10]);
  const doubles = decodeVector("java_TreeSet_0") as Set<unknown>;
  for (const double of [1.5, NaN, 0.5]) doubles.add(double);
  assertEquals([...roundTrip(doubles) as typeof doubles], [0.5, 1.5, NaN]);
  const zeros = decodeVector("java_TreeSet_0", exact) as Set<unknown>;
  for (const zero of [0, -0]) zeros.add(new JavaNumber("double", zero));
  assertSame([...decode(encode(zeros), exact) as typeof zeros].map(Number), [-0, 0]);

  const reversed = decodeVector("java_TreeSet_reverse") as Set<unknown>;
  const text =
    "Cannot encode a java.util.TreeSet that was given a key whose place in it is not known here (a new Set has no such places)";
  reversed.delete("b");
  assertEquals([...roundTrip(reversed) as typeof reversed], ["a"]);
  reversed.add("b");
  assertThrows(() => encode([reversed]), SerializerError, `${text} at [0]`);
  numbers.add("text");
  assertThrows(() => encode(numbers), SerializerError, text);
  map.set(new Date(0), 1);
  assertThrows(() => encode(map), SerializerError, text.replaceAll("Set", "Map"));
});

test("a sorted map of Java whose keys are converted in a field goes on in their order, also when it is changed", () => {
  const Sorted = defineJavaClass("com.example.Sorted", { serialVersionUID: 1n, fields: { map: map("char", "String") } });
  const codec = java.with({ classes: [Sorted] });
  const came = decodeVector("java_TreeMap_0") as Map<string, string>;
  const sorted = decode(encode(new Sorted({ map: came.set("b", "1").set("c", "2") }), codec), codec) as { map: typeof came };
  assertEquals([...sorted.map], [["b", "1"], ["c", "2"]]);
  sorted.map.delete("b");
  sorted.map.set("a", "0");
  assertEquals([...(decode(encode(sorted, codec), codec) as typeof sorted).map], [["a", "0"], ["c", "2"]]);
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

test("a hash map or set of Java that is of another size than usual goes on with that, until it grows", () => {
  const grown = (value: unknown) => value instanceof Map ? value.set("l", 2) : (value as Set<unknown>).add("l");
  // As `new HashSet(100)` and `new HashSet(16, 0.5f)` are written, and a LinkedHashMap in the order of access.
  const kinds: readonly [name: string, usual: string, unusual: string][] = [
    ["java_HashSet", "770c000000103f400000", "770c000000803f400000"],
    ["java_HashSet", "770c000000103f400000", "770c000000103f000000"],
    ["java_HashMap", "3f4000000000000177080000000200000001", "3f0000000000000877080000001000000001"],
    ["java_LinkedHashMap", "3f40000000000001770800000002", "3f4000000000000c770800000010"],
    ["java_LinkedHashMap", "000000017800", "000000017801"],
  ];
  for (const [name, usual, unusual] of kinds) {
    const hex = toHex(vector(name)).replace(usual, unusual);
    const value = decode(fromHex(hex));
    assertEquals(toHex(encode(value)), hex, `${name} with ${unusual}`);
    // But for the last byte, which is the order of a LinkedHashMap: that stays.
    const [ours, theirs] = [value, decodeVector(name)].map((one) => encode(grown(one)).subarray(0, -1));
    assertEquals(ours, theirs, `${name} with ${unusual}, grown`);
  }
});

test("maps of Java that hold lists go on with them", () => {
  for (const name of ["java_singletonMap", "mapOf", "java_ConcurrentHashMap_2", "java_TreeMap_2", "java_HashMap"]) {
    const map = decodeVector(name) as Map<unknown, unknown>;
    for (const key of map.keys()) map.set(key, [[key]]);
    assertEquals(roundTrip(map), new Map([...map.keys()].map((key) => [key, [[key]]])), name);
  }
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
  tree.delete("b");
  tree.add(refused);
  const singleMap = decodeVector("java_singletonMap") as Map<unknown, unknown>;
  singleMap.set("a", refused);
  const paths = [["[0]", single], [".entries()[1]", tree], [".entries()[0]", singleMap]] as const;
  for (const [path, value] of paths) assertThrows(() => encode(value), SerializerError, `Cannot encode a symbol at ${path}`);
});

test("a field of a collection of Java takes them, and gives them back as what they were", () => {
  const fields = {
    list: ["List", list("String"), "java_singletonList"],
    set: ["Set", set("String"), "java_TreeSet_2"],
    map: ["Map", map("String", "int"), "java_singletonMap"],
    none: ["Map", map("String", "Object"), "java_emptyMap"],
    sorted: ["Map", map("String", "int"), "java_TreeMap_comparator"],
    table: ["Map", map("String", "int"), "java_ConcurrentHashMap_2"],
    view: ["Set", set("String"), "java_unmodifiableSet"],
    locked: ["List", list("String"), "java_synchronizedList"],
  } as const;
  const entries = Object.entries(fields);
  const define = (types: Record<string, JavaType<unknown>>) =>
    defineJavaClass("com.example.Held", { serialVersionUID: 1n, fields: types });
  const Any = define(Object.fromEntries(entries.map(([name, [of]]) => [name, declaredAs(`java.util.${of}`, "Object")])));
  const Held = define(Object.fromEntries(entries.map(([name, [, type]]) => [name, type])));
  const values = Object.fromEntries(entries.map(([name, [, , vectorName]]) => [name, decodeVector(vectorName)]));
  const content = encode(new Any(values), java.with({ classes: [Any] }));
  const codec = java.with({ classes: [Held] });
  const held = decode(content, codec);
  assertInstanceOf(held, Held);
  assertEquals({ ...held }, values);
  assertEquals(toHex(encode(held, codec)), toHex(content));
});

test("collections of java.util.concurrent and an ArrayDeque are Maps and arrays, and go on as what they were, also when changed", () => {
  const table = decodeVector("java_ConcurrentHashMap_2") as Map<string, number>;
  assertEquals(table, new Map([["a", 1], ["b", 2]]));
  assertEquals(decodeVector("java_ConcurrentHashMap_0"), new Map());
  table.set("c", 3);
  const bytes = encode(table);
  assertStringIncludes(toHex(bytes), nameHex("ConcurrentHashMap").slice(4));
  assertEquals(decode(bytes), table);
  for (const name of ["java_CopyOnWriteArrayList", "java_ArrayDeque"]) {
    const list = decodeVector(name) as string[];
    assertEquals(list, ["a", "b"]);
    assertEquals(toHex(encode(list)), toHex(vector(name)));
    list.push("c");
    assertStringIncludes(toHex(encode(list)), nameHex(name.slice("java_".length)).slice(4));
    assertEquals(roundTrip(list), ["a", "b", "c"]);
  }
});

test("null is refused where a JVM would take it for the end of a map, or fail to read what has it", () => {
  const table = decodeVector("java_ConcurrentHashMap_2") as Map<unknown, unknown>;
  table.set("c", null);
  const queue = decodeVector("java_ArrayDeque") as unknown[];
  queue.push(null);
  const refused = [["concurrent.ConcurrentHashMap", ["x", table]], ["ArrayDeque", ["x", queue]]] as const;
  for (const [name, value] of refused) {
    assertThrows(() => encode(value), SerializerError, `Cannot encode null, which a java.util.${name} cannot have, at [1]`);
  }
  const made = [
    decodeVector("listOf") as unknown[],
    decodeVector("setOf") as Set<unknown>,
    decodeVector("mapOf") as Map<unknown, unknown>,
  ];
  (made[0] as unknown[]).push(null);
  (made[1] as Set<unknown>).add(null);
  (made[2] as Map<unknown, unknown>).set("none", null);
  for (const value of made) {
    const text = "Cannot encode null, which what List.of, Set.of or Map.of made cannot have, at [0]";
    assertThrows(() => encode([value]), SerializerError, text);
  }
  const list = decodeVector("java_CopyOnWriteArrayList") as unknown[];
  list.push(null);
  assertEquals(roundTrip(list), ["a", "b", null]);
});

test("a table that does not end as a ConcurrentHashMap does is refused", () => {
  const hex = toHex(vector("java_ConcurrentHashMap_0"));
  assertEquals(hex.endsWith("707078"), true);
  for (const end of ["7078", "78", "74000161707078", "7400016174000162740001637078", "7704000000017078"]) {
    assertThrows(() => decode(fromHex(hex.slice(0, -6) + end)), SerializerError, "Map has", end);
  }
});

test("a view has what it is a view of, and goes back as it came, or as a view of what it has become", () => {
  const kinds: readonly [kind: string, value: unknown, viewed: string][] = [
    ["List", ["a", "b"], "ArrayList"],
    ["List_linked", ["a", "b"], "LinkedList"],
    ["Set", new Set(["a", "b"]), "LinkedHashSet"],
    ["SortedSet", new Set(["a", "b"]), "TreeSet"],
    ["NavigableSet", new Set(["a", "b"]), "TreeSet"],
    ["Map", new Map([["a", 1], ["b", 2]]), "LinkedHashMap"],
    ["SortedMap", new Map([["a", 1], ["b", 2]]), "TreeMap"],
    ["NavigableMap", new Map([["a", 1], ["b", 2]]), "TreeMap"],
  ];
  for (const prefix of ["Unmodifiable", "Synchronized"]) {
    for (const [kind, expected, viewed] of kinds) {
      const name = `java_${prefix.toLowerCase()}${kind}`;
      const value = decodeVector(name);
      assertEquals(value, expected, name);
      assertEquals(toHex(encode(value)), toHex(vector(name)), name);
      if (Array.isArray(value)) value.push("c");
      else if (value instanceof Set) value.add("c");
      else (value as Map<string, number>).set("c", 3);
      const content = encode(value);
      const className = `java.util.Collections$${prefix}${kind.replace("_linked", "")}`;
      assertStringIncludes(toHex(content), `aced00057372${nameHex(className)}`, name);
      assertStringIncludes(toHex(content), `7372${nameHex(`java.util.${viewed}`)}`, name);
      assertEquals(decode(content), value, name);
    }
  }
});

test("what is beside its views stays what they are views of, as long as they have the same", () => {
  const lists = decodeVector("java_unmodifiableList_beside") as unknown[][];
  assertEquals(lists, [["a"], ["a"], ["a"]]);
  assertEquals(toHex(encode(lists)), toHex(vector("java_unmodifiableList_beside")));
  const [list, first, second] = lists;
  list!.push("b");
  second!.push("c");
  assertEquals([list, first, second], [["a", "b"], ["a"], ["a", "c"]]);
  assertEquals(roundTrip(lists), lists);
  // A list over an array, too.
  const over = decodeVector("java_asList_beside") as unknown[][];
  assertEquals(over, [["a"], ["a"]]);
  assertEquals(toHex(encode(over)), toHex(vector("java_asList_beside")));
  over[1]!.push("b");
  assertEquals(roundTrip(over), [["a"], ["a", "b"]]);
});

test("a view within what it is a view of stays inert: there is nothing to copy yet", () => {
  const list = decodeVector("java_unmodifiableList_cyclic") as unknown[];
  const [view] = list;
  assertInstanceOf(view, JavaObject);
  assertStrictEquals(view.get("list"), list);
  assertEquals(toHex(encode(list)), toHex(vector("java_unmodifiableList_cyclic")));
});

test("a synchronized view that locks something else goes back so", () => {
  const hex = toHex(vector("java_synchronizedMap"));
  // Its lock is itself, the first object of the stream.
  const self = "71007e000378";
  assertEquals(hex.endsWith(self), true, hex);
  const content = fromHex(`${hex.slice(0, -self.length)}74${nameHex("lock")}78`);
  const map = decode(content);
  assertEquals(map, new Map([["a", 1], ["b", 2]]));
  assertEquals(toHex(encode(map)), toHex(content));
});

test("an error in a view says where in it a value is", () => {
  const map = decodeVector("java_unmodifiableMap") as Map<string, unknown>;
  map.set("c", Symbol("refused"));
  assertThrows(() => encode(["x", map]), SerializerError, "Cannot encode a symbol at [1].entries()[2]");
});

test("a view of what is not known, or of two at once, stays inert and goes back as it came", () => {
  const hex = toHex(vector("java_unmodifiableList"));
  // Its two fields are an ArrayList and a reference to that.
  assertEquals(hex.slice(-10, -6), "7100");
  const ofTwo = fromHex(`${hex.slice(0, -10)}70`);
  const view = decode(ofTwo);
  assertInstanceOf(view, JavaObject);
  assertEquals(toHex(encode(view)), toHex(ofTwo));
  const own = new JavaObject(new JavaClassDesc("com.example.OwnList", 1n, { flags: 2, fields: [], parent: undefined }), [], []);
  const ofUnknown = encode(new JavaObject(view.desc, [own, own], []));
  assertInstanceOf(decode(ofUnknown), JavaObject);
  assertEquals(toHex(encode(decode(ofUnknown))), toHex(ofUnknown));
});
