/**
 * The mistakes that the compiler finds in classes of Java. Each case also runs, since types are erased.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { defineJavaClass, type JavaClassValue } from "../../src/serializer/java/define_java_class.ts";
import { JavaNumber } from "../../src/serializer/java/java_numbers.ts";
import { asJava, javaTypes } from "../../src/serializer/java/java_types.ts";
import { test } from "../_harness.ts";
import type { Same } from "./_contracts.ts";
import { sure } from "./_contracts.ts";

const Address = defineJavaClass("com.example.Address", { serialVersionUID: 1n, fields: { street: "String" } });
const Person = defineJavaClass("com.example.Person", {
  serialVersionUID: 1n,
  fields: {
    name: "String",
    age: "int",
    id: "long",
    email: javaTypes.option("String"),
    title: javaTypes.nullable("String"),
    tags: javaTypes.seq("String"),
    limits: javaTypes.scalaMap("String", javaTypes.list("double")),
    pair: javaTypes.tuple("int", "String"),
    state: javaTypes.enumeration("com.example.State$", ["ON", "OFF"], 1n),
    home: Address,
    data: "byte[]",
    any: "Object",
  },
});
type Person = JavaClassValue<typeof Person>;

const ada = {
  name: "Ada",
  age: 36,
  id: 1n,
  title: null,
  tags: [],
  limits: new Map(),
  pair: [1, "a"],
  state: "ON",
  home: { street: "s" },
  data: new Uint8Array(),
  any: 1,
} as const;

test("JavaClassValue is what the table of fields says", () => {
  sure<
    Same<Person, {
      readonly name: string;
      readonly age: number;
      readonly id: bigint;
      readonly email: string | undefined;
      readonly title: string | null;
      readonly tags: readonly string[];
      readonly limits: ReadonlyMap<string, readonly number[]>;
      readonly pair: readonly [number, string];
      readonly state: "ON" | "OFF";
      readonly home: JavaClassValue<typeof Address>;
      readonly data: Uint8Array;
      readonly any: unknown;
    }>
  >(true);
  const person: Person = new Person(ada);
  assertEquals([person.name, person.email], ["Ada", undefined]);
});

test("JavaClassValue of a class that extends another has the fields of both", () => {
  const Employee = defineJavaClass("com.example.Employee", {
    serialVersionUID: 1n,
    extends: Address,
    fields: { salary: "double" },
  });
  sure<Same<JavaClassValue<typeof Employee>, { readonly street: string; readonly salary: number }>>(true);
  const asBase: JavaClassValue<typeof Address> = new Employee({ street: "s", salary: 1 });
  // @ts-expect-error A field that is inherited is missing.
  assertEquals(new Employee({ salary: 1 }).salary, 1);
  assertEquals(asBase.street, "s");
});

test("new of a JavaClass: fields that are missing, too many or of another type do not compile", () => {
  const { name: _, ...nameless } = ada;
  // @ts-expect-error The name is missing.
  assertEquals(new Person(nameless).name, undefined);
  // @ts-expect-error There is no such field.
  assertEquals(new Person({ ...ada, height: 1 }).age, 36);
  // @ts-expect-error A long is a bigint.
  assertEquals(new Person({ ...ada, id: 1 }).id as unknown, 1);
  // @ts-expect-error An int is a number.
  assertEquals(new Person({ ...ada, age: 1n }).age as unknown, 1n);
  // @ts-expect-error A String is not null unless it is declared nullable.
  assertEquals(new Person({ ...ada, name: null }).name as unknown, null);
  // @ts-expect-error The Enumeration has no such constant.
  assertEquals(new Person({ ...ada, state: "MAYBE" }).state as unknown, "MAYBE");
  // @ts-expect-error The second element is a String.
  assertEquals(new Person({ ...ada, pair: [1, 2] }).pair.length, 2);
  // @ts-expect-error The address has a street.
  assertEquals(new Person({ ...ada, home: {} }).home.street, undefined);
});

test("A value of a JavaClass is not to be assigned to", () => {
  const person = new Person(ada);
  // @ts-expect-error Fields are read-only.
  person.name = "Bob";
  assertEquals(person.name, "Bob");
});

test("defineJavaClass(): a type that does not exist does not compile", () => {
  const make = () =>
    defineJavaClass("com.example.Wrong", {
      serialVersionUID: 1n,
      // @ts-expect-error There is no type of that name.
      fields: { a: "integer" },
    });
  assertEquals(typeof make, "function");
});

test("asJava() and JavaNumber: a value that the type does not have does not compile", () => {
  // @ts-expect-error A double is a number.
  assertEquals(typeof asJava("1", "double"), "object");
  // @ts-expect-error The elements are Strings.
  assertEquals(typeof asJava([1], javaTypes.seq("String")), "object");
  // @ts-expect-error A long is a bigint.
  const long = () => new JavaNumber("long", 1);
  assertEquals(typeof long, "function");
  const short: number = new JavaNumber("short", 1).value;
  const big: bigint = new JavaNumber("BigInteger", 1n).value;
  assertEquals([short, big], [1, 1n]);
});
