import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { SerializerError } from "../../../src/base/errors.ts";
import { java } from "../../../src/rpc/java_serializer.ts";
import { defineJavaClass, defineScalaObject, type JavaClassValue } from "../../../src/serializer/java/define_java_class.ts";
import { JavaObject } from "../../../src/serializer/java/java_object.ts";
import type { JavaType, JavaTypeLike } from "../../../src/serializer/java/java_type.ts";
import { javaTypes } from "../../../src/serializer/java/java_types.ts";
import { ScalaObject } from "../../../src/serializer/java/scala_object.ts";
import { Some } from "../../../src/serializer/java/scala_values.ts";
import { addressType } from "../../../src/serializer/java/spark_classes.ts";
import { TypedMessage } from "../../../src/serializer/serializer.ts";
import { fromHex, test, toHex } from "../../_harness.ts";
import { decode, encode, FakeRef, roundTrip, vector as bytesOf } from "./_java.ts";

const {
  array,
  declaredAs,
  enumeration,
  list,
  map,
  nullable,
  option,
  ref,
  scalaList,
  scalaMap,
  scalaSet,
  seq,
  set,
  tuple,
  vector,
} = javaTypes;

const Color = javaTypes.enum("com.example.Color", ["RED", "GREEN"]);
const State = enumeration("com.example.State$", ["ON", "OFF"], 5n);
const Address = defineJavaClass("com.example.Address", { serialVersionUID: 3n, fields: { street: "String", number: "int" } });
const Person = defineJavaClass("com.example.Person", {
  serialVersionUID: 1n,
  fields: { name: "String", age: "int", email: option("String"), home: nullable(Address) },
});
type Person = JavaClassValue<typeof Person>;

const Everything = defineJavaClass("com.example.Everything", {
  serialVersionUID: 2n,
  fields: {
    z: "boolean",
    b: "byte",
    s: "short",
    i: "int",
    l: "long",
    f: "float",
    d: "double",
    c: "char",
    boxedZ: "Boolean",
    boxedB: "Byte",
    boxedS: "Short",
    boxedI: "Integer",
    boxedL: "Long",
    boxedF: "Float",
    boxedD: "Double",
    boxedC: "Character",
    big: "BigInteger",
    scalaBig: "BigInt",
    text: "String",
    any: "Object",
    error: "Throwable",
    date: "Date",
    flags: "boolean[]",
    bytes: "byte[]",
    chars: "char[]",
    shorts: "short[]",
    ints: "int[]",
    longs: "long[]",
    floats: "float[]",
    doubles: "double[]",
    texts: array("String"),
    people: array(Person),
    grid: array("int[]"),
    list: list("double"),
    set: set("int"),
    map: map("String", list("long")),
    seq: seq(option("int")),
    scalaList: scalaList(Person),
    vector: vector("short"),
    scalaSet: scalaSet("String"),
    scalaMap: scalaMap("int", tuple("String", "double")),
    state: State,
    color: Color,
    ref,
    declared: declaredAs("com.example.Shape", Address),
  },
});

const everything = {
  z: true,
  b: -128,
  s: 32767,
  i: -1,
  l: 2n ** 60n,
  f: 0.5,
  d: 1,
  c: "\ud800",
  boxedZ: false,
  boxedB: 1,
  boxedS: 2,
  boxedI: 3,
  boxedL: 4n,
  boxedF: 5,
  boxedD: 6,
  boxedC: "c",
  big: 7n,
  scalaBig: 2n ** 70n,
  text: "é",
  any: [1, "a", undefined],
  error: new Error("e"),
  date: new Date(5),
  flags: [true, false],
  bytes: Uint8Array.of(1),
  chars: Uint16Array.of(97),
  shorts: Int16Array.of(-1),
  ints: Int32Array.of(1),
  longs: BigInt64Array.of(1n),
  floats: Float32Array.of(0.5),
  doubles: Float64Array.of(0.5),
  texts: ["a", "a"],
  people: [new Person({ name: "Ada", age: 36, home: null })],
  grid: [Int32Array.of(1), Int32Array.of()],
  list: [1, 2.5],
  set: new Set([1, 2]),
  map: new Map([["k", [1n]]]),
  seq: [1, undefined, 3],
  scalaList: [{ name: "Bob", age: 1, email: "b@c", home: { street: "s", number: 1 } }],
  vector: [1, 2],
  scalaSet: new Set(["a", "b", "c", "d", "e"]),
  scalaMap: new Map([[1, ["one", 1] as const]]),
  state: "OFF",
  color: "GREEN",
  ref: new FakeRef("r", { host: "h", port: 1 }),
  declared: new Address({ street: "s", number: 2 }),
} as const;

const codec = java.with({ classes: [Everything] });

test("defineJavaClass() reads what it writes, of every type", () => {
  const arrived = roundTrip(new Everything(everything), codec);
  assertInstanceOf(arrived, Everything);
  const { error, ref: arrivedRef, scalaList: people, ...rest } = arrived;
  const { error: _error, ref: _ref, scalaList: _people, ...expected } = everything;
  assertEquals({ ...rest }, { ...expected });
  assertEquals([error.message, arrivedRef.name, arrivedRef.address?.port], ["e", "r", 1]);
  const [bob] = people;
  assertInstanceOf(bob, Person);
  assertInstanceOf(bob.home, Address);
  assertEquals([bob.email, bob.home.street], ["b@c", "s"]);
  // What came can go on, and is the same.
  assertEquals(toHex(encode(arrived, codec)), toHex(encode(roundTrip(arrived, codec), codec)));
});

test("defineJavaClass() and javaTypes refuse what is no type, and say which there are", () => {
  const wrong = ["string", "java.lang.String", "toString", "", undefined, null, 5, {}, class String {}];
  for (const like of wrong as "int"[]) {
    assertThrows(() => defineJavaClass("a.A", { serialVersionUID: 1n, fields: { a: like } }), RangeError, "There is no type ");
    assertThrows(() => javaTypes.list(like), RangeError, "There is no type ");
  }
  const define = () => defineJavaClass("a.A", { serialVersionUID: 1n, fields: { a: "string" as "String" } });
  assertThrows(define, RangeError, 'There is no type "string"; those with a name are boolean, byte, ');
});

test("defineJavaClass() extends only what it has made", () => {
  class Own {}
  const define = () => defineJavaClass("a.A", { serialVersionUID: 1n, fields: {}, extends: Own as unknown as typeof Person });
  assertThrows(define, TypeError, "Not a class that defineJavaClass made");
});

test("java.with() refuses classes that it cannot know", () => {
  class Own {}
  // As another copy of the module would make it.
  const other = Object.assign(class Other {}, { className: "a.Other", signature: "La/Other;", needs: [] });
  const wrong: readonly unknown[] = [Own, other, "Person", undefined];
  const names = ["class Own", "class Other", "Person", "undefined"];
  for (const [i, one] of wrong.entries()) {
    const text = `Not made by defineJavaClass or defineScalaObject: ${names[i]}`;
    assertThrows(() => java.with({ classes: [Person, one as JavaType<unknown>] }), TypeError, text);
  }
  java.with({
    classes: [Person, javaTypes.list(Person), javaTypes.seq("int"), defineScalaObject("a.B$", { serialVersionUID: 1n })],
  });
});

test("defineJavaClass() makes values that are compared by class and take fields that may be left out", () => {
  const ada: Person = new Person({ name: "Ada", age: 36, home: null });
  assert(ada instanceof Person);
  assertEquals([ada.name, ada.age, ada.email, ada.home], ["Ada", 36, undefined, null]);
  assertEquals([Person.name, Person.className, Person.signature], ["Person", "com.example.Person", "Lcom/example/Person;"]);
});

test("defineJavaClass() writes the fields in the order that Java has", () => {
  const Mixed = defineJavaClass("M", {
    serialVersionUID: 0n,
    fields: { z: "String", b: "int", a: "int[]", _x: "long", B: "boolean" },
  });
  const hex = toHex(encode(new Mixed({ z: "", b: 1, a: new Int32Array(), _x: 1n, B: true }), java.with({ classes: [Mixed] })));
  const order = ["5a0001" + "42", "4a0002" + "5f78", "490001" + "62", "5b0001" + "61", "4c0001" + "7a"].map((field) =>
    hex.indexOf(field)
  );
  assertEquals(order.every((at) => at > 0), true);
  assertEquals([...order].sort((a, b) => a - b), order);
});

test("defineJavaClass() maps a class that extends another", () => {
  const Base = defineJavaClass("com.example.Base", { serialVersionUID: 1n, fields: { id: "int", name: "String" } });
  const Derived = defineJavaClass("com.example.Derived", {
    serialVersionUID: 2n,
    extends: Base,
    fields: { extra: "String" },
    writeObject: true,
  });
  const both = java.with({ classes: [Derived] });
  const arrived = roundTrip(new Derived({ id: 1, name: "n", extra: "e" }), both);
  assertInstanceOf(arrived, Derived);
  assert(arrived instanceof Base);
  assertEquals({ ...arrived }, { id: 1, name: "n", extra: "e" });
  assertEquals(roundTrip(new Base({ id: 1, name: "n" }), both), new Base({ id: 1, name: "n" }));
});

test("defineJavaClass() refuses an object with two fields of one name that hold two things", () => {
  // class Base(val id: Int, val name: String); class Derived(override val id: Int, …) extends Base(id, …): each has an id.
  const Base = defineJavaClass("com.example.Base", { serialVersionUID: 1n, fields: { id: "int", name: "String" } });
  const Derived = defineJavaClass("com.example.Derived", { serialVersionUID: 2n, extends: Base, fields: { id: "int" } });
  const told = java.with({ classes: [Derived] });
  const inert = decode(encode(new Derived({ id: 1, name: "n" }), told)) as JavaObject;
  const content = (ids: [number, number]) => encode(new JavaObject(inert.desc, [ids[0], "n", ids[1]], inert.annotations));
  assertEquals(decode(content([5, 5]), told), new Derived({ id: 5, name: "n" }));
  assertThrows(
    () => decode(content([5, 6]), told),
    SerializerError,
    "Field com.example.Derived.id does not hold what a class that it extends has in its field of that name",
  );
});

test("defineJavaClass() lets an object of the class refer to itself", () => {
  const Node = defineJavaClass("com.example.Node", { serialVersionUID: 1n, fields: { next: "Object" } });
  const node = new Node({ next: null });
  Object.assign(node, { next: [node] });
  const arrived = roundTrip(node, java.with({ classes: [Node] })) as JavaClassValue<typeof Node>;
  assertEquals((arrived.next as unknown[])[0] === arrived, true);
});

test("defineJavaClass(): a codec that was not told of the class does not know it", () => {
  const ada = new Person({ name: "Ada", age: 36, home: null });
  const untold =
    "Cannot encode an object of class Person, of which the serializer was not told: java.with({ classes: [Person] })";
  assertThrows(() => encode(ada), SerializerError, untold);
  const inert = decode(encode(ada, java.with({ classes: [Person] })));
  assertInstanceOf(inert, JavaObject);
  assertEquals([inert.className, inert.get("age")], ["com.example.Person", 36]);
});

test("defineJavaClass() refuses another serialVersionUID, and fields that hold something else", () => {
  const told = java.with({ classes: [Person] });
  const content = encode(new Person({ name: "Ada", age: 36, home: null }), told);
  const cases: readonly [JavaType<unknown>, string][] = [
    [
      defineJavaClass("com.example.Person", { serialVersionUID: 9n, fields: { name: "String" } }),
      "com.example.Person has the serialVersionUID 1, but 9 was expected",
    ],
    [
      defineJavaClass("com.example.Person", { serialVersionUID: 1n, fields: { name: "int" } }),
      "Field com.example.Person.name: a string where an int is expected",
    ],
    [
      defineJavaClass("com.example.Person", { serialVersionUID: 1n, fields: { home: Address } }),
      "Field com.example.Person.home: null where com.example.Address is expected",
    ],
    [
      defineJavaClass("com.example.Person", { serialVersionUID: 1n, fields: { email: "String" } }),
      "Field com.example.Person.email: an object of class ScalaObject where a String is expected",
    ],
  ];
  for (const [other, message] of cases) {
    assertThrows(() => decode(content, java.with({ classes: [other] })), SerializerError, message);
  }
});

test("defineJavaClass() refuses an object that has data of its own besides its fields", () => {
  const Custom = defineJavaClass("Gen$Custom", { serialVersionUID: 12n, fields: { name: "String" } });
  assertThrows(
    () => decode(bytesOf("writeObject_with_blocks"), java.with({ classes: [Custom] })),
    SerializerError,
    "Gen$Custom has data of its own besides its fields",
  );
});

test("defineJavaClass() reads a class that has fields more or fewer, as Java does", () => {
  const content = encode(new Person({ name: "Ada", age: 36, home: null }), java.with({ classes: [Person] }));
  const Other = defineJavaClass("com.example.Person", {
    serialVersionUID: 1n,
    fields: { name: "String", height: "double", title: nullable("String") },
  });
  assertEquals(decode(content, java.with({ classes: [Other] })), new Other({ name: "Ada", height: 0, title: null }));
});

test("defineJavaClass(): a wrong value names its field and its place", () => {
  const told = java.with({ classes: [Person] });
  // deno-lint-ignore no-explicit-any -- what a type cast can hide is what is tested.
  const wrong = new Person({ name: "Ada", age: 1.5, home: null } as any);
  const error = assertThrows(() => encode(new Some({ value: wrong }), told), SerializerError);
  assertEquals([error.message, error.path], [
    "Cannot encode 1.5 where an int is expected in the field age at .value",
    ".value",
  ]);
});

test("defineJavaClass() refuses values of other classes, and constants that there are not", () => {
  const House = defineJavaClass("com.example.House", { serialVersionUID: 1n, fields: { at: Address, state: State } });
  const told = java.with({ classes: [House] });
  const cases = [
    [{ at: new Date(0), state: "ON" }, "an object of class Date where com.example.Address is expected in the field at"],
    [{ at: 5, state: "ON" }, "5 where com.example.Address is expected in the field at"],
    [
      { at: { street: "s", number: 1 }, state: "BROKEN" },
      "where a constant of com.example.State$ is expected in the field state",
    ],
  ] as const;
  for (const [fields, message] of cases) {
    // deno-lint-ignore no-explicit-any -- what a type cast can hide is what is tested.
    assertThrows(() => encode(new House(fields as any), told), SerializerError, message);
  }
  const Car = (paint: JavaType<string>) => defineJavaClass("com.example.Car", { serialVersionUID: 1n, fields: { paint } });
  const painted = [
    ["GREEN", "com.example.Color", Color, javaTypes.enum("com.example.Color", ["RED"])],
    ["OFF", "com.example.State$", State, enumeration("com.example.State$", ["ON"], 5n)],
  ] as const;
  for (const [paint, name, now, before] of painted) {
    const Now = Car(now);
    const content = encode(new Now({ paint }), java.with({ classes: [Now] }));
    const read = () => decode(content, java.with({ classes: [Car(before)] }));
    assertThrows(read, SerializerError, `where a constant of ${name} is expected`);
  }
});

test("Types refuse what is no value of theirs, written and read", () => {
  const holding = (held: JavaTypeLike) => defineJavaClass("com.example.Held", { serialVersionUID: 1n, fields: { held } });
  const cases: readonly [JavaTypeLike, string, string?][] = [
    [array("String"), "a [Ljava.lang.String;"],
    ["boolean[]", "a [Z"],
    [list("String"), "an array for a java.util.List", "a java.util.List"],
    [seq("String"), "an array for a scala.collection.immutable.Seq", "a scala.collection.immutable.Seq"],
    [set("String"), "a Set for a java.util.Set", "a java.util.Set"],
    [scalaMap("int", "int"), "a Map for a scala.collection.immutable.Map", "a scala.collection.immutable.Map"],
    [tuple("int", "int"), "an array for a scala.Tuple2", "a scala.Tuple2"],
    [Color, "a constant of com.example.Color"],
    [State, "a constant of com.example.State$"],
    [ref, "a reference to an endpoint"],
    [addressType, "org.apache.spark.rpc.RpcAddress"],
  ];
  const Loose = holding("Object");
  const content = encode(new Loose({ held: 5 }), java.with({ classes: [Loose] }));
  for (const [type, written, read = written] of cases) {
    const Held = holding(type);
    const told = java.with({ classes: [Held] });
    const where = `5 where ${written} is expected in the field held`;
    assertThrows(() => encode(new Held({ held: 5 }), told), SerializerError, where);
    assertThrows(() => decode(content, told), SerializerError, `Field com.example.Held.held: 5 where ${read} is expected`);
  }
});

test("defineJavaClass() needs a serialVersionUID, but for Spark's own classes", () => {
  assertThrows(
    () => defineJavaClass("com.example.None", { fields: {} }),
    RangeError,
    "There is no serialVersionUID of com.example.None: give what serialver prints",
  );
  assertEquals(defineJavaClass("org.apache.spark.rpc.RpcAddress", { fields: {} }).className, "org.apache.spark.rpc.RpcAddress");
  // One that no Spark has, which shows only when the table is read.
  const name = "org.apache.spark.None";
  const [Without, With] = [{}, { serialVersionUID: 7n }].map((uid) => defineJavaClass(name, { ...uid, fields: {} }));
  const told = java.with({ classes: [Without!] });
  const text = `There is no serialVersionUID of ${name}: give what serialver prints`;
  assertThrows(() => encode(new Without!({}), told), SerializerError, text);
  const content = encode(new With!({}), java.with({ classes: [With!] }));
  assertThrows(() => decode(content, told), SerializerError, `${name} has the serialVersionUID 7, but none was given of it`);
});

test("defineScalaObject() maps an object of Scala to one value", () => {
  const Ping = defineScalaObject("com.example.Messages$Ping$", { serialVersionUID: 1n });
  const told = java.with({ classes: [Ping] });
  assertEquals(roundTrip([Ping, Ping], told), [Ping, Ping]);
  assertEquals([String(Ping), Ping.className], ["Ping", "com.example.Messages$Ping$"]);
  const content = encode(Ping, told);
  const unknown = decode(content);
  assertInstanceOf(unknown, ScalaObject);
  assertEquals([unknown.className, unknown === Ping], [Ping.className, false]);
  assertEquals(toHex(encode(unknown)), toHex(content));
  const other = defineScalaObject("com.example.Messages$Ping$", { serialVersionUID: 2n });
  assertThrows(
    () => decode(content, java.with({ classes: [other] })),
    SerializerError,
    "com.example.Messages$Ping$ has the serialVersionUID 1, but 2 was expected",
  );
});

test("A class with a tag is a message of a typed endpoint", () => {
  const Add = defineJavaClass("com.example.Add", { serialVersionUID: 1n, fields: { a: "int", b: "int" }, tag: "Add" });
  const Tick = defineScalaObject("com.example.Tick$", { serialVersionUID: 1n, tag: "Tick" });
  const told = java.with({ classes: [Add, Tick] });
  const payload = new Add({ a: 1, b: 2 });
  assertEquals(roundTrip(new TypedMessage("Add", { a: 1, b: 2 }), told), new TypedMessage("Add", payload));
  for (const codec of [told, java.with({ classes: [Add] })]) {
    assertEquals(roundTrip(payload, codec), new TypedMessage("Add", payload));
  }
  assertEquals(roundTrip([payload], told), [payload], "only the message itself has a tag");
  assertEquals(roundTrip(new TypedMessage("Tick"), told), new TypedMessage("Tick", undefined));
  assertThrows(
    () => encode(new TypedMessage("Add", { a: "1", b: 2 }), told),
    SerializerError,
    "Cannot encode a string where an int is expected in the field a",
  );
  assertThrows(
    () => encode(new TypedMessage("Add"), told),
    SerializerError,
    "undefined where an int is expected in the field a",
  );
  const More = defineJavaClass("com.example.More", { serialVersionUID: 1n, extends: Add, fields: { c: "int" } });
  const more = new More({ a: 1, b: 2, c: 3 });
  assertEquals(roundTrip(new TypedMessage("Add", more), java.with({ classes: [More] })), more);
  for (const [payload, what] of [["1", "a string"], [5, "5"]]) {
    const text = `Cannot encode ${what} where com.example.Add is expected`;
    assertThrows(() => encode(new TypedMessage("Add", payload), told), SerializerError, text);
  }
  assertThrows(() => encode(new TypedMessage("Sub"), told), SerializerError, "no class of Java has that tag");
});

test("java.with() leaves the codec that it was called on as it was", () => {
  const told = java.with({ classes: [Person] });
  const more = told.with({ exactNumbers: true });
  const ada = new Person({ name: "Ada", age: 36, home: null });
  assertEquals(roundTrip(ada, more), ada);
  assertEquals(decode(encode(1.5, told), told), 1.5);
  assertThrows(() => encode(ada, java), SerializerError);
});

test("A tuple of a wrong size, and one of no size that there is", () => {
  const many = new Array<"int">(23).fill("int");
  for (const none of [[], many]) {
    const text = `There are no tuples of ${none.length} elements; of 1 to 22 there are`;
    assertThrows(() => tuple(...none), RangeError, text);
  }
  const Pair = defineJavaClass("com.example.Pair", { serialVersionUID: 1n, fields: { pair: tuple("int", "String") } });
  const told = java.with({ classes: [Pair] });
  assertEquals(roundTrip(new Pair({ pair: [1, "a"] }), told), new Pair({ pair: [1, "a"] }));
  // deno-lint-ignore no-explicit-any -- what a type cast can hide is what is tested.
  assertThrows(() => encode(new Pair({ pair: [1] as any }), told), SerializerError, "an array for a scala.Tuple2 is expected");
  const list = toHex(encode(new Pair({ pair: [1, "a"] }), told));
  assertEquals(decode(fromHex(list), told), new Pair({ pair: [1, "a"] }));
});
