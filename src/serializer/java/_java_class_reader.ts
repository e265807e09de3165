/**
 * What lies below the values of an object stream: handles, descriptions of classes, and the bounds of work.
 *
 * Spark: java.io.ObjectInputStream, readClassDesc and HandleTable.
 *
 * @module
 */

import { ByteReader } from "../../base/byte_reader.ts";
import type { SerializerError } from "../../base/errors.ts";
import type { MessageBody } from "../../base/message_body.ts";
import type { SerializerContext } from "../serializer.ts";
import { decodeError, shown } from "../serializer_errors.ts";
import { isReference, JavaClassDesc, type JavaField, MAX_LINE } from "./class_desc.ts";
import { BUDGET_BASE, BUDGET_PER_BYTE, MAX_DEPTH, MAX_HANDLES } from "./java_limits.ts";
import type { JavaRegistry } from "./java_mapping.ts";
import { isPrimitive } from "./primitives.ts";
import { BASE_HANDLE, Tag } from "./stream_format.ts";

/** Reads handles and descriptions of classes; values are the business of {@linkcode JavaReader}. */
export abstract class JavaClassReader {
  /** The classes that are known. */
  readonly registry: JavaRegistry;
  /** What the environment knows. */
  readonly context: SerializerContext;
  /** Where the next byte is. */
  readonly reader: ByteReader;
  /** What has a handle, in order. */
  readonly handles: unknown[] = [];
  #objects = 0;
  #descs = 0;
  #budget: number;

  /** Begins at the first byte of `content`. */
  constructor(content: MessageBody, context: SerializerContext, registry: JavaRegistry) {
    this.registry = registry;
    this.context = context;
    this.reader = new ByteReader(content.bytes, decodeError);
    this.#budget = BUDGET_PER_BYTE * content.length + BUDGET_BASE;
  }

  /** Reads any value. */
  abstract readValue(): unknown;

  /** Reads what a class wrote besides its fields, up to the mark at the end. */
  abstract readAnnotation(line: number, object: undefined): readonly unknown[];

  /** Notes a string that has a handle. */
  abstract noteString(text: string): void;

  /** The error that says what is wrong where the reader stands. */
  fail(message: string): SerializerError {
    return decodeError(message, this.reader.position);
  }

  /** Reads a reference: which handle it is to. */
  readHandle(): number {
    const at = this.reader.position;
    const index = this.reader.readInt32("Reference") - BASE_HANDLE;
    if (index < 0 || index >= this.handles.length) throw decodeError(`Reference to nothing: ${index}`, at);
    return index;
  }

  /** Gives `value` the next handle. */
  keep(value: unknown): number {
    if (this.handles.length === MAX_HANDLES) throw this.fail(`Content has more than ${MAX_HANDLES} objects`);
    return this.handles.push(value) - 1;
  }

  /** Reads the class of an object that follows. */
  readObjectClass(what: string): JavaClassDesc {
    const desc = this.readClassDesc();
    if (desc === undefined) throw this.fail(`Class of ${what} is null`);
    if (!desc.isComplete) throw this.fail(`Class of ${what} is not there yet: ${shown(desc.name)}`);
    return desc;
  }

  /** Reads a class description, new or referred to; undefined for null. */
  readClassDesc(): JavaClassDesc | undefined {
    // Counted on their own: an object's class is read before the object is, and does not make it deeper.
    if (this.#descs === MAX_DEPTH) throw this.fail(`Content has more than ${MAX_DEPTH} levels of classes`);
    this.#descs++;
    this.spend(1);
    const at = this.reader.position;
    if (this.handles.length === 0) {
      const known = this.#readImage(at);
      if (known !== undefined) return known;
    }
    const tag = this.reader.readUint8("Kind of class description");
    let desc: JavaClassDesc | undefined;
    if (tag === Tag.Reference) {
      const value = this.handles[this.readHandle()];
      if (!(value instanceof JavaClassDesc)) throw decodeError("Reference is not to a class description", at);
      desc = value;
    } else if (tag === Tag.ClassDesc) {
      const isFirst = this.handles.length === 0;
      desc = this.#readNewClassDesc();
      if (isFirst) this.#keepImage(desc, at);
    } else if (tag === Tag.ProxyClassDesc) {
      throw decodeError("Proxies are refused", at);
    } else if (tag !== Tag.Null) {
      throw decodeError(`Unknown kind of class description: 0x${tag.toString(16).padStart(2, "0")}`, at);
    }
    this.#descs--;
    return desc;
  }

  /** The description that stands at `at`, if another content began with the same one. */
  #readImage(at: number): JavaClassDesc | undefined {
    const image = this.registry.images.find(this.reader.bytes, at);
    if (image === undefined) return undefined;
    this.reader.position = at + image.bytes.length;
    this.#descs--;
    for (const one of image.handles) {
      this.keep(one);
      this.spend(1);
      if (typeof one === "string") this.noteString(one);
      else this.context.sawJavaClass?.(one.name, one.serialVersionUID);
    }
    const [desc] = image.handles;
    return typeof desc === "object" ? desc : undefined;
  }

  /** Only of classes that are known: others could drive those out. */
  #keepImage(desc: JavaClassDesc, start: number): void {
    if (this.registry.find(desc) === undefined) return;
    const handles: (JavaClassDesc | string)[] = [];
    for (const one of this.handles) {
      if (typeof one !== "string" && !(one instanceof JavaClassDesc)) return;
      handles.push(one);
    }
    this.registry.images.keep(this.reader.bytes, start, this.reader.position, handles);
  }

  #readNewClassDesc(): JavaClassDesc {
    const name = this.#readName("class name");
    const uid = this.reader.readInt64("serialVersionUID");
    const desc = new JavaClassDesc(name, uid);
    const handle = this.keep(desc);
    const flags = this.reader.readUint8("Class flags");
    const fields: JavaField[] = [];
    for (let left = this.reader.readUint16("Number of fields"); left > 0; left--) fields.push(this.#readField());
    const annotation = this.readAnnotation(0, undefined);
    const parent = this.readClassDesc();
    if (parent?.isComplete === false) throw this.fail(`Class inherits from itself: ${shown(name)}`);
    if (parent !== undefined && parent.lineLength >= MAX_LINE) {
      throw this.fail(`${shown(name)} has more than ${MAX_LINE - 1} super classes`);
    }
    desc.complete({ flags, fields, parent, annotation });
    const interned = this.registry.intern(desc);
    this.handles[handle] = interned;
    this.context.sawJavaClass?.(name, uid);
    return interned;
  }

  #readField(): JavaField {
    const type = String.fromCharCode(this.reader.readUint8("Type of field"));
    const name = this.#readName("field name");
    this.spend(1);
    if (isPrimitive(type)) return { name, signature: type };
    if (!isReference(type)) throw this.fail(`Unknown type of field ${shown(name)}: ${JSON.stringify(type)}`);
    const signature = this.readValue();
    if (typeof signature !== "string") throw this.fail(`Type of field ${shown(name)} is not a string`);
    if (!signature.startsWith(type)) throw this.fail(`Type of field ${shown(name)} is not ${type}: ${shown(signature)}`);
    return { name, signature };
  }

  #readName(what: string): string {
    return this.reader.readModifiedUtf8(this.reader.readUint16(`Length of ${what}`), what);
  }

  /** Begins an object within others. */
  enter(): void {
    if (this.#objects === MAX_DEPTH) throw this.fail(`Content has more than ${MAX_DEPTH} levels`);
    this.#objects++;
  }

  /** Whether the content is large enough for so much more work. */
  canSpend(count: number): boolean {
    return count <= this.#budget;
  }

  /** Counts work that the content asks for. */
  spend(count: number): void {
    this.#budget -= count;
    if (this.#budget < 0) throw this.fail("Content has more parts than its size allows");
  }

  /** Ends an object. */
  leave(): void {
    this.#objects--;
  }
}
