/**
 * Reads an object stream: classes, objects, arrays, strings and what refers back to them.
 *
 * Spark: java.io.ObjectInputStream. Nothing in a stream is ever run: an object is a record of its fields, and those of known classes
 * are handed to their mapping. Refused are proxies, objects of classes that cannot be serialised, and Externalizable data in the old
 * form, whose end cannot be told. The input may be anything at all: depth, handles and work are bounded by `java_limits.ts`.
 *
 * @module
 */

import { RpcError, RpcRemoteError, SerializerError, toError } from "../../base/errors.ts";
import type { MessageBody } from "../../base/message_body.ts";
import { TextMap } from "../key_collisions.ts";
import type { SerializerContext } from "../serializer.ts";
import { decodeError, shown } from "../serializer_errors.ts";
import { JavaClassReader } from "./_java_class_reader.ts";
import { JavaClassDesc } from "./class_desc.ts";
import { MAX_BLOCKS, MAX_IDENTITIES } from "./java_limits.ts";
import { type JavaReading, type JavaRegistry, setOrigin } from "./java_mapping.ts";
import { annotationSlot, Boxes, type Identity, JavaBlockData, JavaClassObject, JavaEnum, JavaObject } from "./java_object.ts";
import { isPrimitive, PRIMITIVE_BYTES, readPrimitive, readPrimitiveArray } from "./primitives.ts";
import { ClassFlag, STREAM_HEADER, Tag } from "./stream_format.ts";

/** What {@linkcode JavaReader} is told. */
export interface JavaReaderOptions {
  /** The classes that are known. */
  readonly registry: JavaRegistry;
  /** Whether doubles and BigIntegers arrive as JavaNumber. */
  readonly exactNumbers: boolean;
}

/** The state of reading one content. */
export class JavaReader extends JavaClassReader implements JavaReading {
  readonly exactNumbers: boolean;
  readonly #content: MessageBody;
  /** The strings that were read, and the numbers, each of those by its class and value. */
  readonly #strings = new TextMap<true>();
  readonly #boxes = new Boxes<true>();
  /** Identities of those that were read once more, by handle. */
  readonly #repeated = new Map<number, Identity>();
  /** What is being read, from the outside in. */
  readonly #unfinished: object[] = [];
  /** The identity of the value that was read last, if it needs one. */
  #identity: Identity | undefined;
  #identities = 0;
  #blocks = 0;

  /** Begins at the first byte of `content`. */
  constructor(content: MessageBody, context: SerializerContext, { registry, exactNumbers }: JavaReaderOptions) {
    super(content, context, registry);
    this.exactNumbers = exactNumbers;
    this.#content = content;
  }

  /** Reads the content: the header, one value, and no byte more. */
  read(): unknown {
    try {
      const header = this.reader.readInt32("Java stream header") >>> 0;
      if (header !== STREAM_HEADER) {
        throw decodeError(`Invalid Java stream header: ${header.toString(16).padStart(8, "0")}`, 0);
      }
      this.#skipResets();
      const value = this.readValue();
      this.#skipResets();
      if (this.reader.remaining > 0) throw this.fail(`${this.reader.remaining} bytes follow the value`);
      return value;
    } catch (thrown) {
      if (thrown instanceof SerializerError && thrown.offset !== undefined) throw thrown;
      // Of a mapping, or of the environment that was asked for a reference.
      const cause = toError(thrown);
      const offset = this.reader.position;
      const what = RpcError.is(thrown) ? cause.message : `Cannot decode content: ${cause.message}`;
      throw new SerializerError(what, { direction: "decode", offset, cause });
    }
  }

  /** A writer may be reset before and after the value, when it has no handles to forget; inside of one, Java refuses it too. */
  #skipResets(): void {
    while (this.reader.bytes[this.reader.position] === Tag.Reset) this.reader.position++;
  }

  #forget(): void {
    this.handles.length = 0;
    this.#strings.clear();
    this.#boxes.clear();
    this.#repeated.clear();
  }

  isUnfinished(value: object): boolean {
    return this.#unfinished.includes(value);
  }

  readValue(): unknown {
    this.spend(1);
    const at = this.reader.position;
    const tag = this.reader.readUint8("Kind of value");
    this.#identity = undefined;
    switch (tag) {
      case Tag.Null:
        return null;
      case Tag.Reference:
        return this.#readReference(at);
      case Tag.String:
        return this.#readString(this.reader.readUint16("Length of string"));
      case Tag.LongString:
        return this.#readString(Number(this.reader.readInt64("Length of string")));
      default: {
        this.enter();
        const value = this.#readTagged(tag, at);
        this.leave();
        return value;
      }
    }
  }

  #readReference(at: number): unknown {
    const index = this.readHandle();
    this.#identity = this.#repeated.get(index);
    const value = this.handles[index];
    if (value instanceof JavaClassDesc) throw decodeError("Reference is to a class description, not to a value", at);
    return value;
  }

  #readTagged(tag: number, at: number): unknown {
    switch (tag) {
      case Tag.Object:
        return this.#readObject(at);
      case Tag.Array:
        return this.#readArray(at);
      case Tag.Class:
        return this.#readClassObject();
      case Tag.Enum:
        return this.#readEnum(at);
      case Tag.Exception:
        throw this.#readException(at);
      case Tag.BlockData:
      case Tag.BlockDataLong:
        throw decodeError("Bytes of an object where a value is expected", at);
      default:
        throw decodeError(`Unknown kind of value: 0x${tag.toString(16).padStart(2, "0")}`, at);
    }
  }

  #readString(length: number): string {
    const text = this.reader.readModifiedUtf8(length, "String");
    const handle = this.keep(text);
    if (this.#strings.get(text) === true) this.#repeat(text, handle);
    else this.#strings.set(text, true);
    return text;
  }

  noteString(text: string): void {
    this.#strings.set(text, true);
  }

  /** Notes a box: one that was there before gets an identity. */
  #seeBox(className: string, value: unknown, handle: number): void {
    if (this.#boxes.get(className, value) === true) {
      this.#repeat(value, handle);
    } else {
      this.#boxes.set(className, value, true);
      this.#identity = undefined;
    }
  }

  #repeat(value: unknown, handle: number): void {
    this.#identity = { value };
    this.#repeated.set(handle, this.#identity);
  }

  #readObject(at: number): unknown {
    const desc = this.readObjectClass("object");
    if ((desc.flags & (ClassFlag.Serializable | ClassFlag.Externalizable)) === 0) {
      throw decodeError(`Objects of ${shown(desc.name)} cannot be serialised`, at);
    }
    const mapping = this.registry.find(desc);
    if (mapping !== undefined && mapping.anyUid !== true && desc.problem !== undefined) throw decodeError(desc.problem, at);
    const letter = mapping?.plain === true ? desc.boxed : undefined;
    if (letter !== undefined && isPrimitive(letter)) {
      const handle = this.keep(undefined);
      const value = this.handles[handle] = readPrimitive(this.reader, letter, "value");
      this.#seeBox(desc.name, value, handle);
      return value;
    }
    const values: unknown[] = [];
    const annotations: (readonly unknown[] | undefined)[] = [];
    const object = new JavaObject(desc, values, annotations);
    const made = mapping?.create?.();
    const handle = this.keep(made ?? object);
    if (made !== undefined) this.#unfinished.push(made);
    const line = desc.line;
    for (let i = 0; i < line.length; i++) {
      this.#readFields(line[i]!, values, object);
      annotations.push(line[i]!.hasAnnotation ? this.readAnnotation(i, object) : undefined);
    }
    if (mapping === undefined) {
      this.#identity = undefined;
      return object;
    }
    if (made !== undefined) this.#unfinished.pop();
    const value = mapping.read(object, made, this);
    this.handles[handle] = value;
    this.#identity = undefined;
    const { identities } = object;
    if (typeof value !== "object" || value === null) this.#seeBox(desc.name, value, handle);
    else if (value !== object) {
      object.became = value;
      if (identities !== undefined) setOrigin(value, { mapping, identities });
    }
    return value;
  }

  /** The fields that one class of an object's line wrote. */
  #readFields({ name: className, fields, flags }: JavaClassDesc, values: unknown[], object: JavaObject): void {
    this.spend(1 + fields.length);
    if ((flags & ClassFlag.Externalizable) !== 0) {
      if ((flags & ClassFlag.BlockData) === 0) {
        throw this.fail(`Cannot find the end of an object of ${shown(className)}, which is written in its own way`);
      }
      // Its fields are not written; the slots stay, so that those of other classes are where they belong.
      for (let i = fields.length; i > 0; i--) values.push(null);
      return;
    }
    for (const { name, signature } of fields) {
      if (isPrimitive(signature)) {
        values.push(readPrimitive(this.reader, signature, name));
      } else {
        values.push(this.readValue());
        this.#identify(object, values.length - 1);
      }
    }
  }

  readAnnotation(line: number, object: JavaObject | undefined): unknown[] {
    const items: unknown[] = [];
    for (;;) {
      const tag = this.reader.bytes[this.reader.position];
      if (tag === Tag.EndBlockData) break;
      this.spend(1);
      if (tag === Tag.BlockData || tag === Tag.BlockDataLong) {
        items.push(this.#readBlock(tag));
      } else {
        items.push(this.readValue());
        if (object !== undefined) this.#identify(object, annotationSlot(line, items.length - 1));
      }
    }
    this.reader.position++;
    return items;
  }

  /** Remembers the identity of the value that was read last, in the slot where it is. */
  #identify(object: { identities: Map<number, Identity> | undefined }, slot: number): void {
    if (this.#identity === undefined || this.#identities === MAX_IDENTITIES) return;
    this.#identities++;
    object.identities ??= new Map();
    object.identities.set(slot, this.#identity);
  }

  #readBlock(tag: number): JavaBlockData {
    if (++this.#blocks > MAX_BLOCKS) throw this.fail(`Content has more than ${MAX_BLOCKS} blocks of bytes`);
    this.reader.position++;
    const what = "Length of block";
    const length = tag === Tag.BlockData ? this.reader.readUint8(what) : this.reader.readInt32(what);
    return new JavaBlockData(this.#takeBytes(length, "Block"));
  }

  #takeBytes(length: number, what: string): Uint8Array {
    const start = this.#content.start + this.reader.skip(length, what);
    return this.#content.received.keep(start, start + length);
  }

  #readArray(at: number): unknown {
    const desc = this.readObjectClass("array");
    const letter = desc.name.charAt(1);
    if (!desc.name.startsWith("[") || letter === "") {
      throw decodeError(`Array of a class that is none: ${shown(desc.name)}`, at);
    }
    const handle = this.keep(undefined);
    // A class with fields that are odd for an array can have left one.
    this.#identity = undefined;
    const count = this.reader.readInt32("Length of array");
    if (count < 0) throw this.fail(`Length of array is negative: ${count}`);
    if (!isPrimitive(letter)) return this.#readElements(desc, handle, count);
    if (letter === "B") return this.handles[handle] = this.#takeBytes(count, "Array");
    const needed = count * PRIMITIVE_BYTES[letter];
    if (needed > this.reader.remaining) {
      throw this.fail(`Array needs ${needed} bytes, but ${this.reader.remaining} are left`);
    }
    const array = readPrimitiveArray(this.reader, letter, count);
    if (letter === "Z") setOrigin(array, { arrayClass: this.registry.intern(desc) });
    return this.handles[handle] = array;
  }

  #readElements(desc: JavaClassDesc, handle: number, count: number): unknown[] {
    // Each element takes a byte at least.
    if (count > this.reader.remaining) {
      throw this.fail(`Array of ${count} elements, but ${this.reader.remaining} bytes are left`);
    }
    this.spend(count);
    const array: unknown[] = [];
    this.handles[handle] = array;
    this.#unfinished.push(array);
    const kept: { identities: Map<number, Identity> | undefined } = { identities: undefined };
    for (let i = 0; i < count; i++) {
      array.push(this.readValue());
      this.#identify(kept, i);
    }
    this.#unfinished.pop();
    this.#identity = undefined;
    return setOrigin(array, { arrayClass: desc, identities: kept.identities });
  }

  #readClassObject(): JavaClassObject {
    const desc = this.readClassDesc();
    if (desc === undefined) throw this.fail("Class is null");
    const value = new JavaClassObject(desc);
    this.keep(value);
    this.#identity = undefined;
    return value;
  }

  #readEnum(at: number): JavaEnum {
    const desc = this.readObjectClass("enum");
    if ((desc.flags & ClassFlag.Enum) === 0) throw decodeError(`${shown(desc.name)} is no enum`, at);
    const handle = this.keep(undefined);
    // In full, as a JVM writes and reads it: it goes on in full, and thousands of constants could have a long one in common.
    const name = this.reader.bytes[this.reader.position] === Tag.Reference ? undefined : this.readValue();
    if (typeof name !== "string") throw this.fail("Name of an enum's constant is not a string");
    const value = new JavaEnum(desc, name);
    this.handles[handle] = value;
    // What follows can refer to the name: to a JVM it is the same text as an equal one in any of its classes.
    const kept: { identities: Map<number, Identity> | undefined } = { identities: undefined };
    this.#identify(kept, 0);
    this.#identity = undefined;
    return kept.identities === undefined ? value : setOrigin(value, kept);
  }

  /** The writer gave up in the middle and wrote why. */
  #readException(at: number): SerializerError {
    this.#forget();
    const exception = this.readValue();
    const cause = exception instanceof Error ? exception : undefined;
    const why = cause instanceof RpcRemoteError ? `${cause.remoteClass}: ${cause.message}` : "an exception of its own";
    const message = `Writing was broken off at the other end by ${why}, at byte ${at}`;
    return new SerializerError(message, { direction: "decode", offset: at, cause });
  }
}
