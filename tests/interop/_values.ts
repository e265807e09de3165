/**
 * Values that go to a real Spark and come from one, each with what it is at the other end.
 *
 * @module
 */
import {
  asJava,
  defineJavaClass,
  FiniteDuration,
  JavaBigDecimal,
  type JavaClassValue,
  JavaNumber,
  javaTypes,
  None,
  RpcAddress,
  Some,
} from "../../mod.ts";
import { double, float, integer, list, long, type Notation } from "./_notation.ts";

/** A value here and in Spark. */
export interface ValueCase {
  /** What is sent from here. */
  readonly value: unknown;
  /** What it is in Spark. */
  readonly spark: Notation;
  /** What comes of that, where it is not equal to what was sent. */
  readonly back?: unknown;
  /** What becomes of it in Spark if what came is sent back, where that is not what it was. */
  readonly answered?: Notation;
}

/** The fields of `Person.java`. */
export const personFields = {
  name: "String",
  age: "int",
  id: "long",
  height: "double",
  member: "boolean",
  email: javaTypes.option("String"),
  tags: javaTypes.seq("String"),
  friend: javaTypes.declaredAs("sparkwire.interop.Person", javaTypes.nullable("Object")),
} as const;

const PersonClass = defineJavaClass("sparkwire.interop.Person", { serialVersionUID: 1n, fields: personFields });

/** `Person.java`. */
export const Person: typeof PersonClass = PersonClass;

/** An object of `Person.java`. */
export type Person = JavaClassValue<typeof PersonClass>;

const numbers: readonly ValueCase[] = [
  ...[0, 1, -1, 255, 2 ** 31 - 1, -(2 ** 31)].map((value) => ({ value, spark: integer(value) })),
  ...[0.5, -1e300, 5e-324, 2 ** -1022, NaN, Infinity, -Infinity, -0, 2 ** 31, 2 ** 53 + 2].map((value) => ({
    value,
    spark: double(value),
  })),
  ...[0n, -1n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)].map((value) => ({ value, spark: long(value) })),
  ...[2n ** 63n, -(2n ** 63n) - 1n, 3n ** 500n, -(2n ** 200n)].map((value) => ({
    value,
    spark: ["BigInteger", String(value)] as const,
  })),
  { value: new JavaNumber("byte", -128), spark: ["Byte", "-128"] },
  { value: new JavaNumber("short", 32767), spark: ["Short", "32767"] },
  { value: new JavaNumber("float", 0.1), spark: float(0.1) },
  { value: new JavaNumber("char", "\ud83d"), spark: ["Character", 0xd83d] },
  { value: new JavaNumber("BigInt", 2n ** 70n), spark: ["BigInt", String(2n ** 70n)] },
  { value: new JavaNumber("double", 3), spark: double(3), back: 3, answered: integer(3) },
  { value: new JavaNumber("BigInteger", 3n), spark: ["BigInteger", "3"], back: 3n, answered: long(3n) },
  { value: new JavaBigDecimal(-15000n, 3), spark: ["BigDecimal", "-15000", 3] },
  { value: new JavaBigDecimal(10n ** 40n, -7), spark: ["BigDecimal", String(10n ** 40n), -7] },
];

const strings: readonly ValueCase[] = [
  "",
  "plain",
  "\u0000",
  "\u0001\u007f\u0080\u07ff\u0800\ud7ff\ue000\ufffe\uffff",
  // One of each plane.
  Array.from({ length: 17 }, (_, plane) => String.fromCodePoint(plane * 0x10000 + 0x4321)).join(""),
  "\u{1f600}\u{10ffff}",
  // Half a pair, alone, at the end, the wrong way round.
  "\ud800",
  "a\udc00b",
  "\udc00\ud800",
  "x\ud83d",
  '"\\\n\r\t\u2028',
].map((value) => ({ value, spark: value }));

const bytes = (hex: string): Notation => ["byte[]", hex];

const arrays: readonly ValueCase[] = [
  { value: new Uint8Array(), spark: bytes("") },
  { value: new Uint8Array([0, 127, 128, 255]), spark: bytes("007f80ff") },
  { value: new Int16Array([-1, 2]), spark: ["short[]", [["Short", "-1"], ["Short", "2"]]] },
  { value: new Uint16Array([0, 65535]), spark: ["char[]", [["Character", 0], ["Character", 65535]]] },
  { value: new Int32Array([]), spark: ["int[]", []] },
  { value: new Int32Array([-(2 ** 31), 7]), spark: ["int[]", [integer(-(2 ** 31)), integer(7)]] },
  { value: new BigInt64Array([2n ** 63n - 1n]), spark: ["long[]", [long(2n ** 63n - 1n)]] },
  { value: new Float32Array([NaN, 0.5]), spark: ["float[]", [float(NaN), float(0.5)]] },
  { value: new Float64Array([NaN, -0]), spark: ["double[]", [double(NaN), double(-0)]] },
  { value: asJava(["a", "b"], javaTypes.array("String")), spark: ["String[]", ["a", "b"]], back: ["a", "b"] },
  { value: asJava([1], javaTypes.array("int")), spark: ["Integer[]", [integer(1)]], back: [1] },
  { value: asJava([1, "a"], javaTypes.array("Object")), spark: ["Object[]", [integer(1), "a"]], back: [1, "a"] },
];

const collections: readonly ValueCase[] = [
  { value: [], spark: list() },
  { value: [[], [[]], [1, ["a"]]], spark: list(list(), list(list()), list(integer(1), list("a"))) },
  { value: [null, undefined, true], spark: list(null, ["Unit"], ["Boolean", "true"]) },
  { value: new Map(), spark: ["LinkedHashMap", []] },
  {
    value: new Map<unknown, unknown>([["b", 1], ["a", new Map([[1n, null]])]]),
    spark: ["LinkedHashMap", [["b", integer(1)], ["a", ["LinkedHashMap", [[long(1n), null]]]]]],
  },
  {
    value: { b: 1, a: [] },
    spark: ["LinkedHashMap", [["b", integer(1)], ["a", list()]]],
    back: new Map<string, unknown>([["b", 1], ["a", []]]),
  },
  { value: new Set(), spark: ["LinkedHashSet", []] },
  { value: new Set(["b", "a", 1]), spark: ["LinkedHashSet", ["b", "a", integer(1)]] },
  { value: new Date(1e12 + 1), spark: ["Date", "1000000000001"] },
  { value: new Date(-1), spark: ["Date", "-1"] },
];

const numbersOfLetters = (size: number) => Array.from("abcdef".slice(0, size), (letter, i) => [letter, i] as const);

const scala: readonly ValueCase[] = [
  { value: None, spark: ["object", "scala.None$"] },
  { value: new Some({ value: 1 }), spark: ["Some", integer(1)] },
  { value: new Some({ value: new Some({ value: null }) }), spark: ["Some", ["Some", null]] },
  {
    value: asJava([], javaTypes.seq("String")),
    spark: ["object", "scala.collection.immutable.Nil$"],
    back: [],
  },
  { value: asJava(["a", "b"], javaTypes.seq("String")), spark: ["List", ["a", "b"]], back: ["a", "b"] },
  { value: asJava([], javaTypes.vector("int")), spark: ["object", "scala.collection.immutable.Vector0$"], back: [] },
  { value: asJava([1, 2], javaTypes.vector("int")), spark: ["Vector", [integer(1), integer(2)]], back: [1, 2] },
  {
    value: asJava(new Map(), javaTypes.scalaMap("String", "int")),
    spark: ["object", "scala.collection.immutable.Map$EmptyMap$"],
    back: new Map(),
  },
  // Each size up to four has a class of its own.
  ...[1, 2, 3, 4, 5, 6].map((size) => ({
    value: asJava(new Map(numbersOfLetters(size)), javaTypes.scalaMap("String", "int")),
    spark: ["scala.Map", numbersOfLetters(size).map(([letter, i]) => [letter, integer(i)])] as const,
    back: new Map(numbersOfLetters(size)),
  })),
  {
    value: asJava(new Set<string>(), javaTypes.scalaSet("String")),
    spark: ["object", "scala.collection.immutable.Set$EmptySet$"],
    back: new Set(),
  },
  ...[1, 2, 3, 4, 5, 6].map((size) => {
    const letters = Array.from("abcdef".slice(0, size));
    return {
      value: asJava(new Set(letters), javaTypes.scalaSet("String")),
      spark: ["scala.Set", letters] as const,
      back: new Set(letters),
    };
  }),
  { value: asJava(["a", 1], javaTypes.tuple("String", "int")), spark: ["scala.Tuple2", ["a", integer(1)]], back: ["a", 1] },
  {
    value: asJava([1n, null, ["b"]], javaTypes.tuple("long", "Object", javaTypes.seq("String"))),
    spark: ["scala.Tuple3", [long(1n), null, ["List", ["b"]]]],
    back: [1n, null, ["b"]],
  },
  ...[1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22].map((size) => {
    const numbers = Array.from({ length: size }, (_, i) => i + 1);
    return {
      value: asJava(numbers, javaTypes.tuple(...numbers.map(() => "int" as const))),
      spark: [`scala.Tuple${size}`, numbers.map(integer)] as const,
      back: numbers,
    };
  }),
  { value: new FiniteDuration({ length: 120n, unit: "SECONDS" }), spark: ["FiniteDuration", "120", "SECONDS"] },
];

const ada = new Person({
  name: "Ada",
  age: 36,
  id: 2n ** 60n,
  height: 1,
  member: true,
  email: "ada@a",
  tags: ["x"],
  friend: null,
});
const adaInSpark: Notation = ["Person", "Ada", 36, String(2n ** 60n), "3ff0000000000000", true, ["Some", "ada@a"], ["List", [
  "x",
]], null];

const classes: readonly ValueCase[] = [
  { value: new RpcAddress("host", 7077), spark: ["RpcAddress", "host", 7077] },
  { value: ada, spark: adaInSpark },
  {
    value: new Person({ name: "Bob", age: -1, id: 0n, height: NaN, member: false, tags: [], friend: ada }),
    spark: [
      ...["Person", "Bob", -1, "0", "7ff8000000000000", false, ["object", "scala.None$"]] as const,
      ...[["object", "scala.collection.immutable.Nil$"], adaInSpark],
    ],
  },
  { value: [ada, ada], spark: list(adaInSpark, ["#", 1]) },
];

/** All of them, by what they are. */
export const valueCases: Readonly<Record<string, readonly ValueCase[]>> = {
  "nothing and truth": [
    { value: null, spark: null },
    { value: undefined, spark: ["Unit"] },
    { value: true, spark: ["Boolean", "true"] },
    { value: false, spark: ["Boolean", "false"] },
  ],
  numbers,
  strings,
  arrays,
  collections,
  "values of Scala": scala,
  "known classes": classes,
};
