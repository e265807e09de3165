/**
 * What a stream holds where nothing better is known of it: inert objects, enum constants, classes and blocks of bytes. They can be
 * looked into and written again; nothing of them is ever run.
 *
 * Spark: java.io.ObjectInputStream makes instances of whatever class a stream names; here only classes that are known are more.
 *
 * @module
 */

import { UncrowdedMap } from "../key_collisions.ts";
import type { JavaClassDesc } from "./class_desc.ts";

/**
 * Stands for one of several equal strings or numbers of a stream that are not the same object there. Without it equal ones
 * would be written once and referred to.
 */
export interface Identity {
  /** The string or number. */
  readonly value: unknown;
}

/** The identities of an object's parts, by slot. */
export type Identities = Map<number, Identity>;

/** Slots of fields count up from 0; those of annotations down from -1, each class of the line having so many. */
const ANNOTATION_SLOTS = 2 ** 21;

/** The slot of an annotation's item. */
export function annotationSlot(line: number, item: number): number {
  return -1 - line * ANNOTATION_SLOTS - item;
}

/** Which boxed numbers and booleans a content has, by class and value; not all, if too many of them are hard to tell apart. */
export class Boxes<T> {
  readonly #classes = new Map<string, UncrowdedMap<unknown, T>>();

  /** What was set for a box. */
  get(className: string, value: unknown): T | undefined {
    return this.#classes.get(className)?.get(keyOf(value));
  }

  /** Remembers something of a box. */
  set(className: string, value: unknown, item: T): void {
    let boxes = this.#classes.get(className);
    if (boxes === undefined) this.#classes.set(className, boxes = new UncrowdedMap());
    boxes.set(keyOf(value), item);
  }

  /** Forgets all boxes. */
  clear(): void {
    this.#classes.clear();
  }
}

/** A Map takes minus zero for zero. */
function keyOf(value: unknown): unknown {
  return Object.is(value, -0) ? "-0" : value;
}

/**
 * An object of a class that is not known: its class, its fields and what its class wrote besides.
 *
 * Fields of primitive types are numbers, booleans, bigints (`long`) and strings (`char`); all others are values as everywhere.
 *
 * @example
 * ```ts
 * import { JavaObject } from "@sparkwire/sparkwire";
 *
 * function print(message: unknown): string {
 *   if (!(message instanceof JavaObject)) return String(message);
 *   const fields = Array.from(message.fieldNames(), (name) => `${name} = ${String(message.get(name))}`);
 *   return `${message.className}(${fields.join(", ")})`;
 * }
 * if (print("text") !== "text") throw new Error("not the text");
 * ```
 */
export class JavaObject {
  /** The description of its class. */
  readonly desc: JavaClassDesc;
  /** The values of its fields, those of the most general class first. */
  readonly values: readonly unknown[];
  /** What each class of the line wrote besides; undefined for those that do not. */
  readonly annotations: readonly (readonly unknown[] | undefined)[];
  /** Which of its strings and numbers are not the same as equal ones elsewhere. */
  identities: Map<number, { readonly value: unknown }> | undefined = undefined;
  /** The value that it is elsewhere, if it is one; what referred to it before all of it was there has it still inert. */
  became: object | undefined = undefined;

  /** An object of the class that `desc` describes. */
  constructor(desc: JavaClassDesc, values: readonly unknown[], annotations: readonly (readonly unknown[] | undefined)[]) {
    this.desc = desc;
    this.values = values;
    this.annotations = annotations;
  }

  /** The full name of its class. */
  get className(): string {
    return this.desc.name;
  }

  /** The serialVersionUID of its class. */
  get serialVersionUID(): bigint {
    return this.desc.serialVersionUID;
  }

  /** The names of its fields, those of the most general class first. */
  *fieldNames(): IterableIterator<string> {
    for (const { fields } of this.desc.line) for (const { name } of fields) yield name;
  }

  /**
   * The value of a field.
   *
   * @param name The field's name.
   * @param className The class that declares it; without, the most special one that has such a field.
   * @returns Its value; undefined if there is no such field.
   */
  get(name: string, className?: string): unknown {
    const slot = this.desc.slotOf(name, className);
    return slot < 0 ? undefined : this.values[slot];
  }

  /**
   * What a class wrote besides its fields: blocks of bytes and values.
   *
   * @param className The class; without, the object's own.
   */
  annotation(className: string = this.className): readonly unknown[] {
    const at = this.desc.line.findIndex(({ name }) => name === className);
    return this.annotations[at] ?? [];
  }

  /** The class, as a debugger shows it. */
  toString(): string {
    return `JavaObject(${this.className})`;
  }
}

/**
 * Bytes that a class wrote on its own account, in the middle of a stream.
 *
 * @example
 * Everything in java.time is a `java.time.Ser` in a stream: a byte that says what it is, and what that consists of.
 * ```ts
 * import { JavaBlockData, JavaClassDesc, JavaObject } from "@sparkwire/sparkwire";
 *
 * const Ser = new JavaClassDesc("java.time.Ser", -7683839454370182990n, { flags: 12, fields: [], parent: undefined });
 * const INSTANT = 2;
 *
 * function toInstant(date: Date): JavaObject {
 *   const seconds = Math.floor(date.getTime() / 1000);
 *   const view = new DataView(new ArrayBuffer(13));
 *   view.setUint8(0, INSTANT);
 *   view.setBigInt64(1, BigInt(seconds));
 *   view.setInt32(9, (date.getTime() - seconds * 1000) * 1_000_000);
 *   return new JavaObject(Ser, [], [[new JavaBlockData(new Uint8Array(view.buffer))]]);
 * }
 *
 * function fromInstant(object: JavaObject): Date {
 *   const [block] = object.annotation();
 *   if (object.className !== Ser.name || !(block instanceof JavaBlockData)) throw new TypeError("Not of java.time");
 *   const view = new DataView(block.bytes.buffer, block.bytes.byteOffset, block.bytes.length);
 *   if (view.getUint8(0) !== INSTANT) throw new TypeError("Not an Instant");
 *   return new Date(Number(view.getBigInt64(1)) * 1000 + Math.floor(view.getInt32(9) / 1_000_000));
 * }
 *
 * const date = new Date("2026-01-31T12:00:00.250Z");
 * if (fromInstant(toInstant(date)).getTime() !== date.getTime()) throw new Error("not the same time");
 * ```
 */
export class JavaBlockData {
  /** The bytes. */
  readonly bytes: Uint8Array;

  /** A block. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/**
 * A constant of a Java enum.
 *
 * @example
 * ```ts
 * import { JavaClassDesc, JavaEnum } from "@sparkwire/sparkwire";
 *
 * const red = new JavaEnum(new JavaClassDesc("com.example.Color", 0n), "RED");
 * if (String(red) !== "RED" || red.className !== "com.example.Color") throw new Error("not red");
 * ```
 */
export class JavaEnum {
  /** The description of the enum. */
  readonly desc: JavaClassDesc;
  /** The constant's name. */
  readonly name: string;

  /** The constant of that name. */
  constructor(desc: JavaClassDesc, name: string) {
    this.desc = desc;
    this.name = name;
  }

  /** The full name of the enum. */
  get className(): string {
    return this.desc.name;
  }

  /** The constant's name. */
  toString(): string {
    return this.name;
  }
}

/**
 * A class as a value: Java's `Foo.class`.
 *
 * @example
 * ```ts
 * import { JavaClassDesc, JavaClassObject } from "@sparkwire/sparkwire";
 *
 * const point = new JavaClassObject(new JavaClassDesc("com.example.Point", 1n));
 * if (String(point) !== "class com.example.Point") throw new Error("not the class");
 * ```
 */
export class JavaClassObject {
  /** The description of the class. */
  readonly desc: JavaClassDesc;

  /** The class that `desc` describes. */
  constructor(desc: JavaClassDesc) {
    this.desc = desc;
  }

  /** The full name of the class. */
  get className(): string {
    return this.desc.name;
  }

  /** The class's name. */
  toString(): string {
    return `class ${this.className}`;
  }
}
