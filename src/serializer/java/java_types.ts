/**
 * The types of Java that are made of others: arrays, collections, Options, tuples, enums.
 *
 * Spark: what a field of a case class can be declared as, with Scala 2.13.
 *
 * @module
 */

import type { EncodedRef } from "../serializer.ts";
import { fillMap, fillSet } from "./annotations.ts";
import { Conversions } from "./_conversions.ts";
import { signatureOf } from "./class_desc.ts";
import { javaArrayList, javaLinkedHashMap, javaLinkedHashSet } from "./jdk_collections.ts";
import { JavaAs, type JavaMapping, JavaTyped, originOf, setOrigin } from "./java_mapping.ts";
import {
  arrayOf,
  boxedType,
  checkedType,
  type JavaFieldReading,
  type JavaType,
  javaType,
  type JavaTypeLike,
  type JavaTypeValue,
  mapItems,
  mismatch,
} from "./java_type.ts";
import { scalaClassOf, scalaList, scalaMap, scalaSet, scalaVector } from "./scala_collections.ts";
import { elementsOf, isSequence } from "./scala_array_seqs.ts";
import { isTuple, MAX_TUPLE, tuples } from "./scala_tuples.ts";
import { enumerationType, enumType, None, Some } from "./scala_values.ts";

/** A type whose collections are written by `mapping`, unless they came as another that a field of the type can hold. */
interface CollectionOptions {
  readonly className: string;
  readonly mapping: JavaMapping;
  /** What the names of the classes begin with that a field of the type can hold. */
  readonly holds: string;
  /** What the names begin with of all classes that a field can hold whose type is another interface of the same library. */
  readonly family: string;
}

/** Makes the same type for fields that are declared in another way. */
const redeclare: unique symbol = Symbol("redeclare");

/** A type whose values depend on what a field is declared as. */
interface Redeclarable<T> extends JavaType<T> {
  [redeclare](className: string): JavaType<T>;
}

function isRedeclarable<T>(type: JavaType<T>): type is Redeclarable<T> {
  return redeclare in type;
}

function redeclared(options: CollectionOptions, className: string): CollectionOptions {
  return { ...options, className, holds: options.family };
}

/** The value to write for a collection: as what it came, if the field can hold that. */
function asCollection(value: object, { mapping, holds }: CollectionOptions): JavaAs {
  const origin = originOf(value);
  const came = origin?.arrayClass === undefined ? origin?.mapping : undefined;
  const fits = came !== undefined && scalaClassOf(origin!)?.startsWith(holds) === true;
  return new JavaAs(value, fits ? came : mapping);
}

function arrayType<T>(element: JavaType<T>, options: CollectionOptions): Redeclarable<readonly T[]> {
  const { className } = options;
  const conversions = new Conversions();
  return {
    signature: signatureOf(className),
    needs: [element],
    [redeclare]: (declared) => arrayType(element, redeclared(options, declared)),
    toJava(value, writing) {
      if (!Array.isArray(value)) throw writing.fail(mismatch(`an array for a ${className}`, value));
      const convert = () => mapItems(value, (item) => element.toJava(item, writing));
      return asCollection(conversions.of(value, value.length, writing, convert), options);
    },
    fromJava(value, reading) {
      if (!isSequence(value)) throw reading.fail(mismatch(`a ${className}`, value));
      const convert = () => mapItems(elementsOf(value), (item) => element.fromJava(item, reading));
      return conversions.of(value, value.length, reading, convert);
    },
  };
}

function setType<T>(element: JavaType<T>, options: CollectionOptions): Redeclarable<ReadonlySet<T>> {
  const { className } = options;
  const conversions = new Conversions();
  return {
    signature: signatureOf(className),
    needs: [element],
    [redeclare]: (declared) => setType(element, redeclared(options, declared)),
    toJava(value, writing) {
      if (!(value instanceof Set)) throw writing.fail(mismatch(`a Set for a ${className}`, value));
      const convert = () => mapElements(value, (one) => element.toJava(one, writing), writing);
      return asCollection(conversions.of(value, value.size, writing, convert), options);
    },
    fromJava(value, reading) {
      if (!(value instanceof Set)) throw reading.fail(mismatch(`a ${className}`, value));
      const convert = () => mapElements(value, (one) => element.fromJava(one, reading), reading);
      return conversions.of(value, value.size, reading, convert);
    },
  };
}

/** Elements that became others may be the same, or crowd in one place. */
function mapElements<T>(
  set: ReadonlySet<unknown>,
  convert: (element: unknown) => T,
  content: JavaFieldReading,
): ReadonlySet<T> {
  const elements = [...set];
  const converted = mapItems(elements, convert);
  if (converted === elements) return set as ReadonlySet<T>;
  return sameOrigin(fillSet(new Set(), converted, content) as ReadonlySet<T>, set);
}

function mapType<K, V>(
  key: JavaType<K>,
  item: JavaType<V>,
  options: CollectionOptions,
): Redeclarable<ReadonlyMap<K, V>> {
  const { className } = options;
  const conversions = new Conversions();
  return {
    signature: signatureOf(className),
    needs: [key, item],
    [redeclare]: (declared) => mapType(key, item, redeclared(options, declared)),
    toJava(value, writing) {
      if (!(value instanceof Map)) throw writing.fail(mismatch(`a Map for a ${className}`, value));
      const convert = () => mapEntries(value, (one) => key.toJava(one, writing), (one) => item.toJava(one, writing), writing);
      return asCollection(conversions.of(value, value.size, writing, convert), options);
    },
    fromJava(value, reading) {
      if (!(value instanceof Map)) throw reading.fail(mismatch(`a ${className}`, value));
      const convert = () =>
        mapEntries(value, (one) => key.fromJava(one, reading), (one) => item.fromJava(one, reading), reading);
      return conversions.of(value, value.size, reading, convert);
    },
  };
}

/** As {@linkcode mapElements}, for keys. */
function mapEntries<K, V>(
  map: ReadonlyMap<unknown, unknown>,
  convertKey: (key: unknown) => K,
  convertItem: (item: unknown) => V,
  content: JavaFieldReading,
): ReadonlyMap<K, V> {
  const parts = [...map].flat(1);
  let at = 0;
  const converted = mapItems<unknown>(parts, (part) => at++ % 2 === 0 ? convertKey(part) : convertItem(part));
  if (converted === parts) return map as ReadonlyMap<K, V>;
  return sameOrigin(fillMap(new Map(), converted, content) as ReadonlyMap<K, V>, map);
}

function sameOrigin<T extends object>(value: T, from: object): T {
  const origin = originOf(from);
  return origin === undefined ? value : setOrigin(value, origin);
}

function optionType<T>(element: JavaType<T>): JavaType<T | undefined> {
  return {
    signature: "Lscala/Option;",
    needs: [element],
    toJava: (value, writing) => value === undefined ? None : new Some({ value: element.toJava(value, writing) }),
    fromJava(value, reading) {
      if (value === None) return undefined;
      if (!(value instanceof Some)) throw reading.fail(mismatch("an Option", value));
      return element.fromJava(value.value, reading);
    },
  };
}

function nullableType<T>(type: JavaType<T>): JavaType<T | null> {
  return {
    signature: type.signature,
    needs: [type],
    toJava: (value, writing) => value === null ? null : type.toJava(value, writing),
    fromJava: (value, reading) => value === null ? null : type.fromJava(value, reading),
  };
}

function declaredType<T>(className: string, type: JavaType<T>): JavaType<T> {
  if (isRedeclarable(type)) return type[redeclare](className);
  return {
    signature: signatureOf(className),
    needs: [type],
    toJava: (value, writing) => type.toJava(value, writing),
    fromJava: (value, reading) => type.fromJava(value, reading),
  };
}

/** The values of a tuple of these types. */
export type TupleValues<F extends readonly JavaTypeLike[]> = { readonly [I in keyof F]: JavaTypeValue<F[I]> };

function tupleType<F extends readonly JavaTypeLike[]>(likes: F): JavaType<TupleValues<F>> {
  const mapping = tuples.get(likes.length);
  if (mapping === undefined) {
    throw new RangeError(`There are no tuples of ${likes.length} elements; of 1 to ${MAX_TUPLE} there are`);
  }
  const types = likes.map((like) => boxedType(like));
  const { name } = mapping.known;
  const convert = (items: readonly unknown[], one: (type: JavaType<unknown>, item: unknown) => unknown) => {
    let at = 0;
    return mapItems(items, (item) => one(types[at++]!, item));
  };
  return {
    signature: signatureOf(name),
    needs: types,
    toJava(value, writing) {
      if (!Array.isArray(value) || value.length !== types.length) throw writing.fail(mismatch(`an array for a ${name}`, value));
      return new JavaAs(convert(value, (type, item) => type.toJava(item, writing)), mapping);
    },
    fromJava(value, reading) {
      if (!isTuple(value, types.length)) throw reading.fail(mismatch(`a ${name}`, value));
      // As many as there are types, each converted by its own.
      return convert(value, (type, item) => type.fromJava(item, reading)) as unknown as TupleValues<F>;
    },
  };
}

/** Makes types of fields out of others; see {@linkcode javaTypes}. */
export interface JavaTypes {
  /** An array of objects, such as `String[]`. */
  array<F extends JavaTypeLike>(element: F): JavaType<readonly JavaTypeValue<F>[]>;
  /** A java.util.List; an ArrayList is written. */
  list<F extends JavaTypeLike>(element: F): JavaType<readonly JavaTypeValue<F>[]>;
  /** A java.util.Set; a LinkedHashSet is written. */
  set<F extends JavaTypeLike>(element: F): JavaType<ReadonlySet<JavaTypeValue<F>>>;
  /** A java.util.Map; a LinkedHashMap is written. */
  map<K extends JavaTypeLike, V extends JavaTypeLike>(
    key: K,
    value: V,
  ): JavaType<ReadonlyMap<JavaTypeValue<K>, JavaTypeValue<V>>>;
  /** A Seq of Scala; a List is written. */
  seq<F extends JavaTypeLike>(element: F): JavaType<readonly JavaTypeValue<F>[]>;
  /** A List of Scala. */
  scalaList<F extends JavaTypeLike>(element: F): JavaType<readonly JavaTypeValue<F>[]>;
  /** A Vector of Scala. */
  vector<F extends JavaTypeLike>(element: F): JavaType<readonly JavaTypeValue<F>[]>;
  /** A Set of Scala. */
  scalaSet<F extends JavaTypeLike>(element: F): JavaType<ReadonlySet<JavaTypeValue<F>>>;
  /** A Map of Scala. */
  scalaMap<K extends JavaTypeLike, V extends JavaTypeLike>(
    key: K,
    value: V,
  ): JavaType<ReadonlyMap<JavaTypeValue<K>, JavaTypeValue<V>>>;
  /** An Option of Scala: the value, or undefined for None. */
  option<F extends JavaTypeLike>(element: F): JavaType<JavaTypeValue<F> | undefined>;
  /** A tuple of Scala, of 1 to 22 elements, as an array. Throws RangeError for more and for none. */
  tuple<const F extends readonly JavaTypeLike[]>(...elements: F): JavaType<TupleValues<F>>;
  /** What may be null in Java. */
  nullable<F extends JavaTypeLike>(type: F): JavaType<JavaTypeValue<F> | null>;
  /** A field that is declared as a class or an interface which its values are instances of. */
  declaredAs<F extends JavaTypeLike>(className: string, type: F): JavaType<JavaTypeValue<F>>;
  /** A constant of a Java enum, as its name. */
  enum<const N extends string>(className: string, names: readonly N[]): JavaType<N>;
  /** A constant of an Enumeration of Scala, as the name of its variable. The name of the Enumeration's class ends with `$`. */
  enumeration<const N extends string>(className: string, names: readonly N[], serialVersionUID?: bigint): JavaType<N>;
  /** A reference to an endpoint. */
  readonly ref: JavaType<EncodedRef>;
}

function ofJava(className: string, mapping: JavaMapping): CollectionOptions {
  return { className, mapping, holds: "java.util.", family: "java.util." };
}

function ofScala(className: string, mapping: JavaMapping, holds = "scala.collection.immutable."): CollectionOptions {
  return { className, mapping, holds, family: "scala.collection." };
}

const javaList = ofJava("java.util.List", javaArrayList);
const javaSet = ofJava("java.util.Set", javaLinkedHashSet);
const javaMap = ofJava("java.util.Map", javaLinkedHashMap);
const immutableSeq = ofScala("scala.collection.immutable.Seq", scalaList);
const immutableList = ofScala("scala.collection.immutable.List", scalaList, "scala.collection.immutable.List$");
const immutableVector = ofScala("scala.collection.immutable.Vector", scalaVector, "scala.collection.immutable.Vector$");
const immutableSet = ofScala("scala.collection.immutable.Set", scalaSet);
const immutableMap = ofScala("scala.collection.immutable.Map", scalaMap);

function isRef(value: unknown): value is EncodedRef {
  return typeof value === "object" && value !== null && "name" in value && "address" in value;
}

/**
 * Makes types of fields out of others. A primitive type is boxed in them: `option("int")` is an `Option[Int]`, `array("int")` an
 * `Integer[]`. Scala's are those of version 2.13, whose `Seq`, `Set` and `Map` are the immutable ones.
 *
 * @example
 * ```ts
 * import { defineJavaClass, javaTypes } from "@sparkwire/sparkwire";
 *
 * // case class Job(id: Long, tags: Seq[String], limits: Map[String, Int], parent: Option[String])
 * const Job = defineJavaClass("com.example.Job", {
 *   serialVersionUID: 7n,
 *   fields: {
 *     id: "long",
 *     tags: javaTypes.seq("String"),
 *     limits: javaTypes.scalaMap("String", "int"),
 *     parent: javaTypes.option("String"),
 *   },
 * });
 * const job = new Job({ id: 1n, tags: ["a"], limits: new Map([["cores", 4]]) });
 * if (job.limits.get("cores") !== 4) throw new Error("no limit");
 * ```
 */
export const javaTypes: JavaTypes = {
  array: (element) => arrayOf(boxedType(element)),
  list: (element) => arrayType(boxedType(element), javaList),
  set: (element) => setType(boxedType(element), javaSet),
  map: (key, value) => mapType(boxedType(key), boxedType(value), javaMap),
  seq: (element) => arrayType(boxedType(element), immutableSeq),
  scalaList: (element) => arrayType(boxedType(element), immutableList),
  vector: (element) => arrayType(boxedType(element), immutableVector),
  scalaSet: (element) => setType(boxedType(element), immutableSet),
  scalaMap: (key, value) => mapType(boxedType(key), boxedType(value), immutableMap),
  option: (element) => optionType(boxedType(element)),
  tuple: (...elements) => tupleType(elements),
  nullable: (type) => nullableType(boxedType(type)),
  declaredAs: (className, type) => declaredType(className, javaType(type)),
  enum: enumType,
  enumeration: enumerationType,
  ref: checkedType("Lorg/apache/spark/rpc/RpcEndpointRef;", "a reference to an endpoint", isRef),
};

/**
 * A value of a particular type of Java, where a plain one would be another: a List of Scala where an array is an ArrayList, a
 * java.lang.Double where a number is an Integer.
 *
 * @param value The value.
 * @param type Its type in Java.
 * @returns What stands for it in a message; it has no other use. Who is in the same environment gets it as it is.
 *
 * @example
 * ```ts
 * import { asJava, javaTypes, RpcEnv } from "@sparkwire/sparkwire";
 *
 * const server = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0 });
 * server.setupEndpoint("Echo", { receiveAndReply: (message) => message });
 *
 * const client = await RpcEnv.create({ name: "client" });
 * const echo = await client.setupEndpointRef(`spark://Echo@${server.address}`, { serializer: "java" });
 * // A Spark would see a List("a", "b").
 * const names = await echo.ask(asJava(["a", "b"], javaTypes.seq("String")));
 * if (String(names) !== "a,b") throw new Error("not the same");
 *
 * await client.shutdown();
 * await server.shutdown();
 * ```
 */
export function asJava<const F extends JavaTypeLike>(value: JavaTypeValue<F>, type: F): object {
  return new JavaTyped(value, boxedType(type));
}
