import { assertEquals, assertInstanceOf } from "@std/assert";
import { java } from "../../../src/rpc/java_serializer.ts";
import { defineJavaClass } from "../../../src/serializer/java/define_java_class.ts";
import type { JavaTypeLike } from "../../../src/serializer/java/java_type.ts";
import { asJava, javaTypes } from "../../../src/serializer/java/java_types.ts";
import { ScalaObject } from "../../../src/serializer/java/scala_object.ts";
import { fromHex, test, toHex } from "../../_harness.ts";
import { decode, decodeVector, encode, nameHex, vector } from "./_java.ts";

/** What a Spark 4.2 with Scala 2.13 wrote. */
const written = {
  /** Map("a" -> 1, "b" -> 2).keySet */
  keySet: "aced0005737200327363616c612e636f6c6c656374696f6e2e67656e657269632e44656661756c7453657269616c697a6174696f6e5072" +
    "6f787900000000000000030300014c0007666163746f727974001a4c7363616c612f636f6c6c656374696f6e2f466163746f72793b7870" +
    "7372002a7363616c612e636f6c6c656374696f6e2e4974657261626c65466163746f727924546f466163746f7279000000000000000302" +
    "00014c0007666163746f72797400224c7363616c612f636f6c6c656374696f6e2f4974657261626c65466163746f72793b787073720026" +
    "7363616c612e72756e74696d652e4d6f64756c6553657269616c697a6174696f6e50726f787900000000000000010200014c000b6d6f64" +
    "756c65436c6173737400114c6a6176612f6c616e672f436c6173733b78707672001f7363616c612e636f6c6c656374696f6e2e696d6d75" +
    "7461626c652e5365742400000000000000030200007870770400000002740001617400016278",
  /** mutable.Map("a" -> 1, "b" -> 2) */
  mutableMap: "aced0005737200327363616c612e636f6c6c656374696f6e2e67656e657269632e44656661756c7453657269616c697a6174696f6e5072" +
    "6f787900000000000000030300014c0007666163746f727974001a4c7363616c612f636f6c6c656374696f6e2f466163746f72793b7870" +
    "737200377363616c612e636f6c6c656374696f6e2e6d757461626c652e486173684d617024446573657269616c697a6174696f6e466163" +
    "746f7279000000000000000302000244000a6c6f6164466163746f7249000b7461626c654c656e67746878703fe8000000000000000000" +
    "107704000000027372000c7363616c612e5475706c653201fbddcd22e7347a0200024c00025f317400124c6a6176612f6c616e672f4f62" +
    "6a6563743b4c00025f3271007e0006787074000161737200116a6176612e6c616e672e496e746567657212e2a0a4f78187380200014900" +
    "0576616c7565787200106a6176612e6c616e672e4e756d62657286ac951d0b94e08b0200007870000000017371007e0005740001627371" +
    "007e00090000000278",
  /** mutable.Set("a", "b") */
  mutableSet: "aced0005737200327363616c612e636f6c6c656374696f6e2e67656e657269632e44656661756c7453657269616c697a6174696f6e5072" +
    "6f787900000000000000030300014c0007666163746f727974001a4c7363616c612f636f6c6c656374696f6e2f466163746f72793b7870" +
    "737200377363616c612e636f6c6c656374696f6e2e6d757461626c652e4861736853657424446573657269616c697a6174696f6e466163" +
    "746f7279000000000000000302000244000a6c6f6164466163746f7249000b7461626c654c656e67746878703fe8000000000000000000" +
    "10770400000002740001617400016278",
  /** VectorMap, its companion: the collection itself is not serialisable. */
  vectorMap: "aced0005737200267363616c612e72756e74696d652e4d6f64756c6553657269616c697a6174696f6e50726f78790000000000000001" +
    "0200014c000b6d6f64756c65436c6173737400114c6a6176612f6c616e672f436c6173733b7870767200257363616c612e636f6c6c656374" +
    "696f6e2e696d6d757461626c652e566563746f724d6170246b060675cfb725410200007870",
};

const { declaredAs, scalaMap, scalaSet } = javaTypes;

test("mutable maps and sets of Scala are Maps and Sets, and the keys of a map are too; they go back as what they were", () => {
  const values = { keySet: new Set(["a", "b"]), mutableMap: new Map([["a", 1], ["b", 2]]), mutableSet: new Set(["a", "b"]) };
  for (const [name, expected] of Object.entries(values)) {
    const hex = written[name as keyof typeof values];
    const value = decode(fromHex(hex));
    assertEquals<unknown>(value, expected, name);
    assertEquals(toHex(encode(value)), hex, name);
  }
});

test("each collection that its companion makes is an array, a Set or a Map, and goes back as what it was", () => {
  const made = (name: string, value: unknown, hex: string, companion: string) => {
    const content = hex.replace(nameHex(companion), nameHex(`scala.collection.${name}`));
    assertEquals(decode(fromHex(content)), value, name);
    assertEquals(toHex(encode(decode(fromHex(content)))), content, name);
  };
  const arrays = ["immutable.List$", "immutable.Vector$", "immutable.Queue$", "mutable.ArrayBuffer$", "mutable.ListBuffer$"];
  for (const name of [...arrays, "mutable.ArrayDeque$", "mutable.Queue$"]) {
    made(name, ["a", "b"], written.keySet, "scala.collection.immutable.Set$");
  }
  for (const name of ["immutable.HashSet$", "immutable.ListSet$", "mutable.LinkedHashSet$"]) {
    made(name, new Set(["a", "b"]), written.keySet, "scala.collection.immutable.Set$");
  }
  const map = decodeVector("scala_Map_5");
  for (const name of ["immutable.HashMap$", "immutable.ListMap$", "mutable.LinkedHashMap$"]) {
    made(name, map, toHex(vector("scala_Map_5")), "scala.collection.immutable.HashMap$");
  }
});

test("sorted maps and sets of Scala are Maps and Sets in their order, which they keep where they go on", () => {
  const entries = [["a", 1], ["b", 2], ["c", 3]] as const;
  const values: readonly [string, Map<unknown, unknown> | Set<unknown>][] = [
    ["scala_TreeMap_0", new Map()],
    ["scala_TreeMap_3", new Map(entries)],
    ["scala_TreeMap_reverse", new Map([[2, "b"], [1, "a"]])],
    ["scala_TreeSet_0", new Set()],
    ["scala_TreeSet_3", new Set([1, 2, 3])],
    ["scala_mutable_TreeMap", new Map(entries.slice(0, 2))],
    ["scala_mutable_TreeSet", new Set(["a", "b"])],
    ["scala_TrieMap", new Map(entries.slice(0, 2))],
  ];
  for (const [name, expected] of values) {
    const value = decodeVector(name);
    assertEquals(value, expected, name);
    assertEquals([...value as Iterable<unknown>], [...expected], name);
  }
  const map = decodeVector("scala_TreeMap_reverse") as Map<unknown, unknown>;
  map.set(3, "c");
  const changed = toHex(encode(map));
  assertEquals(changed.includes(nameHex("scala.math.Ordering$Reverse")), true);
  assertEquals(decode(fromHex(changed)), map);
});

test("values of a map of Scala, and a Stack, are arrays", () => {
  assertEquals(decodeVector("scala_Map_values"), [1, 2]);
  assertEquals(decodeVector("scala_mutable_Stack"), ["a", "b"]);
});

test("a field of a Map or a Set of Scala takes a sorted one, and gives it back as what it was", () => {
  const Held = defineJavaClass("com.example.Held", {
    serialVersionUID: 1n,
    fields: { map: scalaMap("String", "int"), set: scalaSet("int") },
  });
  const codec = java.with({ classes: [Held] });
  const sorted = { map: decodeVector("scala_TreeMap_3"), set: decodeVector("scala_TreeSet_3") };
  const Any = defineJavaClass("com.example.Held", {
    serialVersionUID: 1n,
    fields: {
      map: declaredAs("scala.collection.immutable.Map", "Object"),
      set: declaredAs("scala.collection.immutable.Set", "Object"),
    },
  });
  const content = encode(new Any(sorted), java.with({ classes: [Any] }));
  const held = decode(content, codec);
  assertInstanceOf(held, Held);
  assertEquals(held.map.get("c"), 3);
  assertEquals([...held.set], [1, 2, 3]);
  assertEquals(toHex(encode(held, codec)), toHex(content));
});

test("a companion of Scala's that makes nothing which can come is an object like any other", () => {
  const value = decode(fromHex(written.vectorMap));
  assertInstanceOf(value, ScalaObject);
  assertEquals(value.className, "scala.collection.immutable.VectorMap$");
  assertEquals(toHex(encode(value)), written.vectorMap);
});

test("a field takes them where it is declared as what they are, and they go on as that, or as what another field can hold", () => {
  const roundTrip = (hex: string, from: JavaTypeLike, to: JavaTypeLike) => {
    const define = (type: JavaTypeLike) =>
      defineJavaClass("com.example.Held", { serialVersionUID: 1n, fields: { value: type } });
    const [Any, From, To] = [define("Object"), define(from), define(to)];
    const came = decode(
      encode(new Any({ value: decode(fromHex(hex)) }), java.with({ classes: [Any] })),
      java.with({ classes: [From] }),
    );
    assertInstanceOf(came, From);
    const { value } = came as { readonly value: unknown };
    const again = decode(encode(new To({ value }), java.with({ classes: [To] }))) as { get(name: string): unknown };
    return toHex(encode(again.get("value")));
  };
  const mutableMap = declaredAs("scala.collection.mutable.Map", scalaMap("String", "int"));
  const mutableSet = declaredAs("scala.collection.mutable.Set", scalaSet("String"));
  assertEquals(roundTrip(written.keySet, scalaSet("String"), scalaSet("String")), written.keySet);
  assertEquals(roundTrip(written.mutableMap, mutableMap, mutableMap), written.mutableMap);
  assertEquals(roundTrip(written.mutableSet, mutableSet, mutableSet), written.mutableSet);
  const map = asJava(new Map([["a", 1], ["b", 2]]), scalaMap("String", "int"));
  assertEquals(roundTrip(written.mutableMap, mutableMap, scalaMap("String", "int")), toHex(encode(map)));
});
