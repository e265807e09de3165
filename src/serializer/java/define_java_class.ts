/**
 * Classes of Java and Scala as classes of TypeScript: one table of fields gives the type, the reading and the writing.
 *
 * Spark: a case class, or any class that is java.io.Serializable and writes its fields as they are.
 *
 * @module
 */

import { SerializerError } from "../../base/errors.ts";
import { type JavaClassDesc, KnownClass, signatureOf } from "./class_desc.ts";
import { JavaAs, type JavaMapping, JavaTyped, type TaggedMessage } from "./java_mapping.ts";
import { JavaObject } from "./java_object.ts";
import { setRegistration } from "./java_registrations.ts";
import {
  type JavaFieldReading,
  type JavaType,
  javaType,
  type JavaTypeLike,
  type JavaTypeValue,
  mismatch,
  zeroOf,
} from "./java_type.ts";
import { ScalaObject } from "./scala_object.ts";
import { ClassFlag } from "./stream_format.ts";

/** The fields of a class: the type of each by its name. */
export type JavaFields = Readonly<Record<string, JavaTypeLike>>;

/** The value of an object that has the fields `F`. */
export type JavaFieldValues<F extends JavaFields> = { readonly [K in keyof F]: JavaTypeValue<F[K]> };

/** The value of an object that has the fields `F`, and those of the value `P` that it inherits. */
export type JavaInherited<P, F extends JavaFields> = {
  readonly [K in keyof P | keyof F]: K extends keyof F ? JavaTypeValue<F[K]> : K extends keyof P ? P[K] : never;
};

/** What an object of value `V` is made of: a field that may be undefined may be left out. */
export type JavaInit<V> =
  & { readonly [K in keyof V as undefined extends V[K] ? never : K]: V[K] }
  & { readonly [K in keyof V as undefined extends V[K] ? K : never]?: V[K] };

/** A class of Java: a constructor of its values, and the type of fields that hold them. */
export interface JavaClass<V extends object> extends JavaType<V> {
  /** Makes a value. */
  new (fields: JavaInit<V>): V;
  /** What `instanceof` looks for. */
  readonly prototype: V;
  /** The class's full name in Java. */
  readonly className: string;
}

/** The value of a class that `defineJavaClass` made: `type Person = JavaClassValue<typeof Person>`. */
export type JavaClassValue<C> = C extends JavaClass<infer V> ? V : never;

/** What {@linkcode defineJavaClass} is told. */
export interface JavaClassOptions<F extends JavaFields, P extends object> {
  /**
   * The class's serialVersionUID: what `serialver` prints, or the number in its annotation.
   *
   * @default what Spark's own classes have
   */
  readonly serialVersionUID?: bigint | undefined;
  /** Its own fields. In Scala, the constructor's parameters. */
  readonly fields: F;
  /** The class it extends, if that is serialisable too. A field that both declare is one, and holds the same in both. */
  readonly extends?: JavaClass<P> | undefined;
  /**
   * The tag of a typed endpoint's contract that its objects are messages of. A message of this class then is a TypedMessage, so it is
   * for requests only, not for answers.
   *
   * @default none
   */
  readonly tag?: string | undefined;
  /**
   * Whether it has a writeObject method that calls defaultWriteObject and writes nothing else.
   *
   * @default false
   */
  readonly writeObject?: boolean | undefined;
}

/** A field with the class that declares it. */
interface DeclaredField {
  readonly name: string;
  readonly className: string;
  readonly type: JavaType<unknown>;
  /** Where the field of the same name is that it hides, of a class that its own extends; -1 if there is none. */
  readonly hides: number;
}

/** What is known of a class besides what its users see. */
interface ClassParts {
  readonly known: KnownClass;
  /** Its fields, those that it inherits first. */
  readonly fields: readonly DeclaredField[];
}

const classParts = new WeakMap<object, ClassParts>();

/** How a class that was defined is described in a stream. */
export function knownClassOf(defined: object): KnownClass {
  return partsOf(defined).known;
}

function partsOf(defined: object): ClassParts {
  const parts = classParts.get(defined);
  if (parts === undefined) throw new TypeError("Not a class that defineJavaClass made");
  return parts;
}

/**
 * Maps a class of Java or Scala to a class of TypeScript. Its values are what a codec reads where such an object comes, and writes
 * where one is sent, if it was told of the class: `java.with({ classes: [Person] })`.
 *
 * @param className The class's full name; of a class within an object of Scala, `com.example.Messages$Person`.
 * @param options Its fields and its serialVersionUID.
 * @returns A constructor of its values.
 * @throws {RangeError} If no serialVersionUID is given and the class is none of Spark's, or a field's type is none.
 *
 * @example
 * ```ts
 * import { defineJavaClass, java, type JavaClassValue, javaTypes, RpcEnv } from "@sparkwire/sparkwire";
 *
 * // case class Person(name: String, age: Int, email: Option[String])
 * const Person = defineJavaClass("com.example.Person", {
 *   serialVersionUID: 1n,
 *   fields: { name: "String", age: "int", email: javaTypes.option("String") },
 * });
 * type Person = JavaClassValue<typeof Person>;
 *
 * const serializers = [java.with({ classes: [Person] })];
 * const server = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0, serializers });
 * server.setupEndpoint("Older", {
 *   receiveAndReply(message) {
 *     if (!(message instanceof Person)) throw new TypeError("Not a Person");
 *     return new Person({ ...message, age: message.age + 1 });
 *   },
 * });
 * const client = await RpcEnv.create({ name: "client", serializers });
 * const older = await client.setupEndpointRef(`spark://Older@${server.address}`);
 * const ada = await older.ask(new Person({ name: "Ada", age: 36 })) as Person;
 * if (ada.age !== 37 || ada.email !== undefined) throw new Error("not older");
 * await client.shutdown();
 * await server.shutdown();
 * ```
 *
 * @example
 * A class of Java's own that writes its fields is no different.
 * ```ts
 * import { defineJavaClass, java } from "@sparkwire/sparkwire";
 *
 * const UUID = defineJavaClass("java.util.UUID", {
 *   serialVersionUID: -4856846361193249489n,
 *   fields: { mostSigBits: "long", leastSigBits: "long" },
 * });
 * const bits = (text: string) => BigInt.asIntN(64, BigInt(`0x${text.replaceAll("-", "")}`));
 * const id = "123e4567-e89b-12d3-a456-426614174000";
 * const uuid = new UUID({ mostSigBits: bits(id.slice(0, 18)), leastSigBits: bits(id.slice(19)) });
 * const hex = [uuid.mostSigBits, uuid.leastSigBits].map((half) => BigInt.asUintN(64, half).toString(16).padStart(16, "0")).join("");
 * if (hex !== id.replaceAll("-", "")) throw new Error("not the id");
 * const serializers = [java.with({ classes: [UUID] })];
 * ```
 */
export function defineJavaClass<const F extends JavaFields, P extends object = Record<never, never>>(
  className: string,
  options: JavaClassOptions<F, P>,
): JavaClass<JavaInherited<P, F>> {
  const { serialVersionUID: uid, extends: parent, tag, writeObject = false } = options;
  const inherited = parent === undefined ? undefined : partsOf(parent);
  const own = Object.entries(options.fields).map(([name, like]): DeclaredField => {
    const hides = inherited?.fields.findLastIndex((field) => field.name === name) ?? -1;
    return { name, className, type: javaType(like), hides };
  });
  const fields = [...inherited?.fields ?? [], ...own];
  const known = new KnownClass(className, {
    ...(uid === undefined ? {} : { uid }),
    ...(inherited === undefined ? {} : { parent: inherited.known }),
    fields: Object.fromEntries(own.map(({ name, type }) => [name, type.signature])),
    flags: ClassFlag.Serializable | (writeObject ? ClassFlag.WriteMethod : 0),
  });
  const Value = constructorOf(className, fields, parent?.prototype);
  const mapping = mappingOf(known, fields, Value);
  const needs = [...(parent === undefined ? [] : [parent]), ...own.map(({ type }) => type)];
  const made = Object.assign(Value, { className, needs, ...typeOf(className, Value, mapping) });
  classParts.set(made, { known, fields });
  setRegistration(made, {
    mappings: [mapping],
    prototypes: [[Value.prototype, mapping]],
    tagged: tag === undefined ? [] : [taggedBy(tag, made, mapping)],
  });
  // The constructor fills in the fields that the type has; nothing but the table says which.
  return made as unknown as JavaClass<JavaInherited<P, F>>;
}

type ValueConstructor = new (init: Readonly<Record<string, unknown>>) => object;

function constructorOf(className: string, fields: readonly DeclaredField[], parent: object | undefined): ValueConstructor {
  const Value = class {
    constructor(init: Readonly<Record<string, unknown>>) {
      const values = this as Record<string, unknown>;
      for (const { name } of fields) values[name] = init[name];
    }
  };
  Object.defineProperty(Value, "name", { value: className.replace(/^.*[.$]/, "") });
  if (parent !== undefined) Object.setPrototypeOf(Value.prototype, parent);
  return Value;
}

function mappingOf(known: KnownClass, fields: readonly DeclaredField[], Value: ValueConstructor): JavaMapping {
  const slots = new WeakMap<JavaClassDesc, readonly number[]>();
  /** Where the fields are in objects of a class as `desc` describes it. */
  const slotsOf = (desc: JavaClassDesc): readonly number[] => {
    let found = slots.get(desc);
    if (found === undefined) slots.set(desc, found = fields.map(({ name, className }) => desc.slotOf(name, className)));
    return found;
  };
  return {
    known,
    create: (): object => Object.create(Value.prototype),
    read({ desc, values, annotations }, made, reading) {
      // Without a word they would be lost when the value goes on.
      if (annotations.some((items) => items !== undefined && items.length > 0)) {
        throw reading.fail(`${desc.name} has data of its own besides its fields`);
      }
      const target = made as Record<string, unknown>;
      const from = slotsOf(desc);
      for (let i = 0; i < fields.length; i++) {
        const field = fields[i]!;
        const slot = from[i]!;
        if (field.hides >= 0) checkHidden(field, values, from[field.hides]!, slot, reading);
        target[field.name] = readField(slot < 0 ? zeroOf(field.type) : values[slot], field, reading);
      }
      return made;
    },
    write(value, writing) {
      const desc = known.at(writing.version);
      const source = value as Readonly<Record<string, unknown>>;
      const values: unknown[] = new Array(fields.length).fill(null);
      const to = slotsOf(desc);
      for (let i = 0; i < fields.length; i++) {
        const { name, type } = fields[i]!;
        values[to[i]!] = type.toJava(source[name], writing.inField(name));
      }
      return new JavaObject(desc, values, NO_ANNOTATIONS);
    },
  };
}

const NO_ANNOTATIONS: readonly undefined[] = [];

/** A value has one property for both fields, which hold the same in Scala where one overrides the other. */
function checkHidden(
  { name, className }: DeclaredField,
  values: readonly unknown[],
  hidden: number,
  slot: number,
  reading: JavaFieldReading,
): void {
  if (hidden < 0 || slot < 0 || Object.is(values[hidden], values[slot])) return;
  throw reading.fail(`Field ${className}.${name} does not hold what a class that it extends has in its field of that name`);
}

function readField(value: unknown, { name, className, type }: DeclaredField, reading: JavaFieldReading): unknown {
  try {
    return type.fromJava(value, reading);
  } catch (thrown) {
    if (!(thrown instanceof SerializerError)) throw thrown;
    const { message, offset } = thrown;
    throw new SerializerError(`Field ${className}.${name}: ${message}`, { direction: "decode", offset, cause: thrown });
  }
}

function typeOf(className: string, Value: ValueConstructor, mapping: JavaMapping): JavaType<object> {
  return {
    signature: signatureOf(className),
    toJava(value, writing) {
      if (value instanceof Value) return value;
      // Its fields are what counts: a literal of the right type is as good as a value of the class.
      if (!isPlain(value)) throw writing.fail(mismatch(className, value));
      return new JavaAs(value, mapping);
    },
    fromJava(value, reading) {
      if (!(value instanceof Value)) throw reading.fail(mismatch(className, value));
      return value;
    },
  };
}

function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function taggedBy(tag: string, Value: ValueConstructor & JavaType<object>, mapping: JavaMapping): TaggedMessage {
  return {
    tag,
    key: Value.prototype,
    toMessage(payload) {
      const value = payload ?? {};
      if (value instanceof Value) return value;
      // Its fields are what counts, whatever its class; the type refuses what has none.
      return typeof value === "object" ? new JavaAs(value, mapping) : new JavaTyped(value, Value);
    },
    toPayload: (message) => message,
  };
}

/** What {@linkcode defineScalaObject} is told. */
export interface ScalaObjectOptions {
  /**
   * The serialVersionUID of the object's class.
   *
   * @default what Spark's own objects have
   */
  readonly serialVersionUID?: bigint | undefined;
  /**
   * The tag of a typed endpoint's contract that it is the message of.
   *
   * @default none
   */
  readonly tag?: string | undefined;
}

/**
 * Maps an `object` or `case object` of Scala to one value.
 *
 * @param className The full name of its class, which ends with `$`.
 * @param options Its serialVersionUID, and its tag if it is a typed endpoint's message.
 * @returns The value.
 *
 * @example
 * ```ts
 * import { defineScalaObject } from "@sparkwire/sparkwire";
 *
 * // case object Ping
 * const Ping = defineScalaObject("com.example.Ping$", { serialVersionUID: 1n });
 * if (String(Ping) !== "Ping") throw new Error("not Ping");
 * ```
 */
export function defineScalaObject(className: string, { serialVersionUID: uid, tag }: ScalaObjectOptions = {}): ScalaObject {
  const known = new KnownClass(className, uid === undefined ? {} : { uid });
  const object = new ScalaObject(known);
  return setRegistration(object, {
    objects: [object],
    tagged: tag === undefined ? [] : [{ tag, key: object, toMessage: () => object, toPayload: () => undefined }],
  });
}
