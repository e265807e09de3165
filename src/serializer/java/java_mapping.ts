/**
 * How the objects of one Java class become values and values become its objects, and the table of the classes that are known.
 *
 * Spark: java.io finds a class by its name, on the class path; here a class that is not in the table is an inert record.
 *
 * @module
 */

import type { SerializerError } from "../../base/errors.ts";
import type { SerializerContext } from "../serializer.ts";
import type { PathKey } from "../serializer_errors.ts";
import { DescImages } from "./_desc_images.ts";
import { type JavaClassDesc, KnownClass } from "./class_desc.ts";
import { type Identities, JavaObject } from "./java_object.ts";
import type { ScalaObject } from "./scala_object.ts";
import type { JavaFieldWriting } from "./java_type.ts";
import type { SparkVersion } from "./spark_versions.ts";

/** What a mapping may ask for while it reads. */
export interface JavaReading {
  /** What the environment knows. */
  readonly context: SerializerContext;
  /** The classes that are known. */
  readonly registry: JavaRegistry;
  /** Whether doubles and BigIntegers arrive as JavaNumber. */
  readonly exactNumbers: boolean;
  /**
   * Counts elements, bytes or the like that a mapping copies out of a part of an object: few bytes suffice to refer to a part of
   * any size, again and again. Throws if the content is too small for so much work.
   */
  spend(count: number): void;
  /** Whether that much can be spent. */
  canSpend(count: number): boolean;
  /** Whether `value`, of which a part is being read, is an array or what a mapping made, whose parts are not all there yet. */
  isUnfinished(value: object): boolean;
  /** The error that says what is wrong with the object. */
  fail(message: string): SerializerError;
}

/** What a mapping may ask for while it writes. */
export interface JavaWriting {
  /** What the environment knows. */
  readonly context: SerializerContext;
  /** The version of Spark that is written for. */
  readonly version: SparkVersion;
  /** Counts a bigint of so many bytes. Throws if the content has too much of large ones. */
  addBigint(length: number): void;
  /** The error that says: `what` cannot be encoded. */
  fail(what: string): SerializerError;
  /** What the type of a field is given: the same for all fields of the content, saying in errors which one it is at. */
  inField(name: string): JavaFieldWriting;
}

/** How the objects of one class become values, and back. */
export interface JavaMapping {
  /** The class. */
  readonly known: KnownClass;
  /** Whether it reads classes that extend this one, too. */
  readonly inherited?: boolean;
  /** Whether the value of an object is that of its one field, a primitive. */
  readonly plain?: boolean;
  /** Whether it reads objects with any serialVersionUID. */
  readonly anyUid?: boolean;
  /** Makes the value before its parts are read, so that they can refer to it. */
  create?(): object;
  /** The value of an object; `made`, if `create` made one. */
  read(object: JavaObject, made: object | undefined, reading: JavaReading): unknown;
  /** The object to write for a value that this mapping reads, or that was given to it. */
  write(value: unknown, writing: JavaWriting): JavaObject;
  /**
   * How an error's path names what a field holds: by where that is in the value.
   *
   * @default the field's name
   */
  fieldKey?(name: string): PathKey;
  /**
   * How an error's path names what is behind the fields.
   *
   * @param at Which of the values there it is; blocks do not count.
   * @param before What comes before it.
   * @param value What is being written.
   * @default `at`
   */
  itemKey?(at: number, before: unknown, value: unknown): PathKey;
}

/** Where a value came from, where that says more than the value itself. */
export interface Origin {
  /** Writes it. */
  readonly mapping?: JavaMapping;
  /** The class of the array that it was. */
  readonly arrayClass?: JavaClassDesc;
  /** What the mapping wants to remember. */
  readonly detail?: unknown;
  /** The identities of its parts. */
  readonly identities?: Identities | undefined;
}

const origins = new WeakMap<object, Origin>();

/** Where `value` came from; undefined if it was made here, or is what it looks like. */
export function originOf(value: object): Origin | undefined {
  return origins.get(value);
}

/** Remembers where `value` came from: a list goes on as the list that it was. */
export function setOrigin<T extends object>(value: T, origin: Origin): T {
  const before = origins.get(value);
  origins.set(value, before === undefined ? origin : { ...before, ...origin });
  return value;
}

/** A value that is to be written by one mapping, whatever it looks like. */
export class JavaAs {
  /** The value. */
  readonly value: object;
  /** Writes it. */
  readonly mapping: JavaMapping;

  /** `value`, written by `mapping`. */
  constructor(value: object, mapping: JavaMapping) {
    this.value = value;
    this.mapping = mapping;
  }
}

/** A value that is to be written as one of a type, whatever it looks like. */
export class JavaTyped {
  /** The value. */
  readonly value: unknown;
  /** Makes of it what is written. */
  readonly type: { toJava(value: unknown, writing: JavaWriting): unknown };

  /** `value`, written as one of `type`. */
  constructor(value: unknown, type: JavaTyped["type"]) {
    this.value = value;
    this.type = type;
  }
}

/** The object of class `known` with these fields; what is not given is null. */
export function objectOf(
  known: KnownClass,
  version: SparkVersion,
  fields: Readonly<Record<string, unknown>>,
  annotations: readonly (readonly unknown[] | undefined)[] = [],
): JavaObject {
  const desc = known.at(version);
  const values: unknown[] = [];
  for (const { fields: declared } of desc.line) {
    for (const { name } of declared) values.push(Object.hasOwn(fields, name) ? fields[name] : null);
  }
  return new JavaObject(desc, values, annotations);
}

/** What a registry is made of. */
export interface JavaRegistryInit {
  /** Classes whose objects become values. */
  readonly mappings?: readonly JavaMapping[];
  /** Classes that are only described: their objects stay inert, and are written within others. */
  readonly described?: readonly KnownClass[];
  /** Scala's objects, each of which is one value. */
  readonly objects?: readonly ScalaObject[];
  /** Modules of Scala that stand for a value, which is made anew each time. */
  readonly modules?: readonly (readonly [known: KnownClass, mapping: JavaMapping, make: () => object])[];
  /** Which mapping writes values of a prototype. */
  readonly prototypes?: readonly (readonly [prototype: object, mapping: JavaMapping])[];
  /** What the messages of typed endpoints are. */
  readonly tagged?: readonly TaggedMessage[];
}

/** What a tag of a contract stands for. */
export interface TaggedMessage {
  /** The tag. */
  readonly tag: string;
  /** The prototype of the messages, or the one message that there is. */
  readonly key: object;
  /** The message for a payload. */
  toMessage(payload: unknown): object;
  /** The payload of a message. */
  toPayload(message: object): unknown;
}

/** The classes that are known, and who reads and writes them. */
export class JavaRegistry {
  /** Descriptions that contents began with. */
  readonly images: DescImages = new DescImages();
  readonly #known = new Map<string, KnownClass>();
  readonly #mappings = new Map<string, JavaMapping>();
  readonly #modules = new Map<string, () => object>();
  readonly #prototypes = new Map<object, JavaMapping>();
  readonly #byTag = new Map<string, TaggedMessage>();
  readonly #taggedByKey = new Map<object, TaggedMessage>();

  /** A table of what `inits` have; later ones take precedence. */
  constructor(inits: readonly JavaRegistryInit[]) {
    for (const init of inits) this.#add(init);
  }

  #add({ mappings = [], described = [], objects = [], modules = [], prototypes = [], tagged = [] }: JavaRegistryInit): void {
    for (const mapping of mappings) {
      this.#describe(mapping.known);
      this.#mappings.set(mapping.known.name, mapping);
    }
    for (const known of described) this.#describe(known);
    for (const object of objects) this.#addObject(object);
    for (const [known, mapping, make] of modules) {
      this.#describe(known);
      this.#modules.set(known.name, () => setOrigin(make(), { mapping }));
    }
    for (const [prototype, mapping] of prototypes) this.#prototypes.set(prototype, mapping);
    for (const message of tagged) {
      this.#byTag.set(message.tag, message);
      this.#taggedByKey.set(message.key, message);
    }
  }

  #describe(known: KnownClass): void {
    for (let at: KnownClass | undefined = known; at !== undefined; at = at.parent) this.#known.set(at.name, at);
  }

  #addObject(object: ScalaObject): void {
    if (object.known instanceof KnownClass) this.#describe(object.known);
    this.#modules.set(object.className, () => object);
  }

  /** The description of a class, the same for all streams if it is known. */
  intern(desc: JavaClassDesc): JavaClassDesc {
    const known = this.#known.get(desc.name);
    if (known !== undefined) return known.intern(desc);
    desc.problem = desc.parent?.problem;
    return desc;
  }

  /** Who reads objects of the class `desc`, if anybody does. */
  find(desc: JavaClassDesc): JavaMapping | undefined {
    const own = this.#mappings.get(desc.name);
    if (own !== undefined) return own;
    for (let at = desc.parent; at !== undefined; at = at.parent) {
      const mapping = this.#mappings.get(at.name);
      if (mapping?.inherited === true) return mapping;
    }
    return undefined;
  }

  /** The value of the module of Scala that has this class; undefined if it is not known. */
  module(className: string): object | undefined {
    return this.#modules.get(className)?.();
  }

  /** Who writes values of that prototype. */
  byPrototype(prototype: object): JavaMapping | undefined {
    return this.#prototypes.get(prototype);
  }

  /** What a tag stands for. */
  tagged(tag: string): TaggedMessage | undefined {
    return this.#byTag.get(tag);
  }

  /** What a message stands for, if it has a tag. */
  taggedValue(message: object): TaggedMessage | undefined {
    if (this.#taggedByKey.size === 0) return undefined;
    const prototype: object | null = Object.getPrototypeOf(message);
    return this.#taggedByKey.get(message) ?? (prototype === null ? undefined : this.#taggedByKey.get(prototype));
  }
}
