/**
 * Values of Scala that are no collections: Option, Either, Try, durations, and constants of an Enumeration.
 *
 * Spark: scala.Option, scala.util.Either, scala.util.Try, scala.concurrent.duration.FiniteDuration and scala.Enumeration of Scala 2.13.
 *
 * @module
 */

import { KnownClass, signatureOf } from "./class_desc.ts";
import { defineJavaClass, type JavaClass, knownClassOf } from "./define_java_class.ts";
import { registrationsOf, setRegistration } from "./java_registrations.ts";
import { type JavaMapping, type JavaRegistryInit, objectOf } from "./java_mapping.ts";
import { JavaEnum } from "./java_object.ts";
import { type JavaType, mismatch } from "./java_type.ts";
import { ScalaObject } from "./scala_object.ts";
import { DEFAULT_SPARK_VERSION } from "./spark_versions.ts";
import { ClassFlag } from "./stream_format.ts";

const Option = defineJavaClass("scala.Option", { fields: {} });
const Either = defineJavaClass("scala.util.Either", { serialVersionUID: -8975917026139515312n, fields: {} });
const Try = defineJavaClass("scala.util.Try", { serialVersionUID: 221881462200702433n, fields: {} });

/** What an object of Scala with one part is. */
export interface Holds<T> {
  /** The part. */
  readonly value: T;
}

/**
 * Scala's `None`: an Option without a value.
 *
 * @example
 * ```ts
 * import { None } from "@sparkwire/sparkwire";
 *
 * if (None.className !== "scala.None$") throw new Error("not None");
 * ```
 */
export const None: ScalaObject = new ScalaObject(new KnownClass("scala.None$", { parent: knownClassOf(Option) }));

/**
 * Scala's `Some`: an Option with a value. A field of a known class that is an Option holds the value itself, or undefined.
 *
 * @example
 * ```ts
 * import { Some } from "@sparkwire/sparkwire";
 *
 * if (new Some({ value: 1 }).value !== 1) throw new Error("not Some");
 * ```
 */
export const Some: JavaClass<Holds<unknown>> = defineJavaClass("scala.Some", { fields: { value: "Object" }, extends: Option });

/** Scala's `Left`. */
export const Left: JavaClass<Holds<unknown>> = defineJavaClass("scala.util.Left", {
  fields: { value: "Object" },
  extends: Either,
});

/** Scala's `Right`. */
export const Right: JavaClass<Holds<unknown>> = defineJavaClass("scala.util.Right", {
  fields: { value: "Object" },
  extends: Either,
});

/** Scala's `Success`. */
export const Success: JavaClass<Holds<unknown>> = defineJavaClass("scala.util.Success", {
  fields: { value: "Object" },
  extends: Try,
});

/** Scala's `Failure`: not that of a handler. */
export const Failure: JavaClass<{ readonly exception: Error }> = defineJavaClass("scala.util.Failure", {
  fields: { exception: "Throwable" },
  extends: Try,
});

const ENUM = new KnownClass("java.lang.Enum", { uid: 0n, flags: ClassFlag.Serializable | ClassFlag.Enum });

/** Constants of a Java enum, as their names. */
export function enumType<N extends string>(className: string, names: readonly N[]): JavaType<N> {
  const known = new KnownClass(className, { uid: 0n, flags: ClassFlag.Serializable | ClassFlag.Enum, parent: ENUM });
  const constants = new Map<unknown, JavaEnum>(
    names.map((name) => [name, new JavaEnum(known.at(DEFAULT_SPARK_VERSION), name)]),
  );
  const type: JavaType<N> = {
    signature: signatureOf(className),
    toJava(value, writing) {
      const constant = constants.get(value);
      if (constant === undefined) throw writing.fail(mismatch(`a constant of ${className}`, value));
      return constant;
    },
    fromJava(value, reading) {
      const name = value instanceof JavaEnum && value.className === className ? value.name : undefined;
      const found = names.find((one) => one === name);
      if (found === undefined) throw reading.fail(mismatch(`a constant of ${className}`, value));
      return found;
    },
  };
  return setRegistration(type, { described: [known] });
}

/** The units of a duration. */
export type TimeUnit = "NANOSECONDS" | "MICROSECONDS" | "MILLISECONDS" | "SECONDS" | "MINUTES" | "HOURS" | "DAYS";

const timeUnit = enumType<TimeUnit>(
  "java.util.concurrent.TimeUnit",
  ["NANOSECONDS", "MICROSECONDS", "MILLISECONDS", "SECONDS", "MINUTES", "HOURS", "DAYS"],
);

const Duration = defineJavaClass("scala.concurrent.duration.Duration", { fields: {} });

/** Scala's `FiniteDuration`: so many of a unit. */
export const FiniteDuration: JavaClass<{ readonly length: bigint; readonly unit: TimeUnit }> = defineJavaClass(
  "scala.concurrent.duration.FiniteDuration",
  { fields: { length: "long", unit: timeUnit }, extends: Duration },
);

const ENUMERATION = new KnownClass("scala.Enumeration", {
  fields: {
    "nextId": "I",
    "scala$Enumeration$$bottomId": "I",
    "scala$Enumeration$$topId": "I",
    "ValueOrdering$module": "Lscala/Enumeration$ValueOrdering$;",
    "ValueSet$module": "Lscala/Enumeration$ValueSet$;",
    "nextName": "Lscala/collection/Iterator;",
    "nmap": "Lscala/collection/mutable/Map;",
    "scala$Enumeration$$vmap": "Lscala/collection/mutable/Map;",
  },
});
const VALUE = new KnownClass("scala.Enumeration$Value", {
  fields: { "$outer": "Lscala/Enumeration;", "scala$Enumeration$$outerEnum": "Lscala/Enumeration;" },
});
const VAL = new KnownClass("scala.Enumeration$Val", { fields: { i: "I", name: "Ljava/lang/String;" }, parent: VALUE });

/**
 * A constant of an Enumeration of Scala, where no field says which names it has.
 *
 * @example
 * ```ts
 * import { defineScalaObject, ScalaEnumValue } from "@sparkwire/sparkwire";
 *
 * // object Color extends Enumeration { val Red, Green = Value }
 * const Color = defineScalaObject("com.example.Color$", { serialVersionUID: 1n });
 * const green = new ScalaEnumValue(Color, 1);
 * if (green.id !== 1 || String(green) !== "Color(1)") throw new Error("not green");
 * ```
 */
export class ScalaEnumValue {
  /** The Enumeration. */
  readonly enumeration: ScalaObject;
  /** The constant's number. */
  readonly id: number;
  /** The name that it was given; null, as a rule, since it has that of its variable. */
  readonly name: string | null;

  /** The constant of that number. */
  constructor(enumeration: ScalaObject, id: number, name: string | null = null) {
    this.enumeration = enumeration;
    this.id = id;
    this.name = name;
  }

  /** Its name, or its number. */
  toString(): string {
    return this.name ?? `${this.enumeration}(${this.id})`;
  }
}

const enumValue: JavaMapping = {
  known: VAL,
  read(object, _, reading) {
    const [enumeration, id, name] = [object.get("$outer"), object.get("i"), object.get("name")];
    if (!(enumeration instanceof ScalaObject) || typeof id !== "number") throw reading.fail("Constant has no Enumeration");
    if (name !== null && typeof name !== "string") throw reading.fail("Name of a constant is not a string");
    return new ScalaEnumValue(enumeration, id, name);
  },
  write(value, { version }) {
    const { enumeration, id, name } = value as ScalaEnumValue;
    return objectOf(VAL, version, { i: id, name, "$outer": enumeration, "scala$Enumeration$$outerEnum": enumeration });
  },
};

/** Constants of an Enumeration of Scala, as the names of their variables. */
export function enumerationType<N extends string>(className: string, names: readonly N[], uid?: bigint): JavaType<N> {
  const known = new KnownClass(className, { ...(uid === undefined ? {} : { uid }), parent: ENUMERATION });
  const enumeration = new ScalaObject(known);
  const constants = new Map<unknown, ScalaEnumValue>(names.map((name, id) => [name, new ScalaEnumValue(enumeration, id)]));
  const type: JavaType<N> = {
    signature: "Lscala/Enumeration$Value;",
    toJava(value, writing) {
      const constant = constants.get(value);
      if (constant === undefined) throw writing.fail(mismatch(`a constant of ${className}`, value));
      return constant;
    },
    fromJava(value, reading) {
      const isOne = value instanceof ScalaEnumValue && value.enumeration.className === className;
      const name = isOne ? names[value.id] : undefined;
      if (name === undefined) throw reading.fail(mismatch(`a constant of ${className}`, value));
      return name;
    },
  };
  return setRegistration(type, { objects: [enumeration] });
}

const CLASSES = [Option, Some, Either, Left, Right, Try, Success, Failure, Duration, FiniteDuration] as const;

/** The classes of this file. */
export const scalaValues: readonly JavaRegistryInit[] = [
  ...registrationsOf(CLASSES),
  { mappings: [enumValue], objects: [None], prototypes: [[ScalaEnumValue.prototype, enumValue]] },
];
