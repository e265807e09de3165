/**
 * Writes values as an object stream.
 *
 * Spark: java.io.ObjectOutputStream. Equal strings and equal boxed numbers are written once and then referred to, since values have
 * no identity here; those that came as several are written as several.
 *
 * @module
 */

import type { ByteSink } from "../../base/byte_sink.ts";
import { checkAttached } from "../../base/bytes.ts";
import { isError, type SerializerError } from "../../base/errors.ts";
import { largeBigintBytes, MAX_LARGE_BIGINT_BYTES, TOO_MANY_LARGE_BIGINTS } from "../bigint_bytes.ts";
import type { SerializerContext } from "../serializer.ts";
import { encodeError, explainEncodeError, type PathKey, pathText, shownValue } from "../serializer_errors.ts";
import { writtenImage } from "./_desc_images.ts";
import { WrittenHandles } from "./_written_handles.ts";
import { elementSignature, isKnown, type JavaClassDesc, type KnownClass } from "./class_desc.ts";
import { MAX_DEPTH } from "./java_limits.ts";
import {
  JavaAs,
  type JavaMapping,
  type JavaRegistry,
  JavaTyped,
  type JavaWriting,
  type Origin,
  originOf,
} from "./java_mapping.ts";
import { annotationSlot, type Identity, JavaBlockData, JavaClassObject, JavaEnum, JavaObject } from "./java_object.ts";
import { numberDeclaredAs } from "./java_numbers.ts";
import type { JavaFieldWriting } from "./java_type.ts";
import {
  arrayLetter,
  isPrimitive,
  PRIMITIVE_ARRAYS,
  type PrimitiveArray,
  writePrimitive,
  writePrimitiveArray,
} from "./primitives.ts";
import type { SparkVersion } from "./spark_versions.ts";
import { Tag, writeName, writeReference, writeStreamHeader, writeString } from "./stream_format.ts";

/** The longest block that has its length in one byte. */
const SHORT_BLOCK = 0xff;

/** Who writes the values that have no class of their own. */
export interface BuiltinMappings {
  /** Writes undefined, numbers, bigints and booleans. */
  box(value: unknown, writing: JavaWriting): { readonly known: KnownClass; readonly value: unknown } | JavaObject;
  /** Writes plain objects. */
  readonly record: JavaMapping;
  /** Writes errors. */
  readonly throwable: JavaMapping;
  /** Writes references to endpoints. */
  readonly ref: JavaMapping;
}

/** What {@linkcode JavaWriter} is told. */
export interface JavaWriterOptions {
  /** The classes that are known. */
  readonly registry: JavaRegistry;
  /** Who writes the values that have no class of their own. */
  readonly builtin: BuiltinMappings;
  /** The version of Spark that is written for. */
  readonly version: SparkVersion;
  /** Whether that is so whatever the peer is. */
  readonly versionStated: boolean;
}

/** The state of writing one content. */
export class JavaWriter implements JavaWriting {
  readonly context: SerializerContext;
  readonly version: SparkVersion;
  readonly #out: ByteSink;
  readonly #registry: JavaRegistry;
  readonly #builtin: BuiltinMappings;
  readonly #versionStated: boolean;
  #start = 0;
  readonly #handles: WrittenHandles;
  #largeBigintBytes = 0;
  #depth = 0;
  readonly #path: PathKey[] = [];
  readonly #inField: JavaFieldWriting;
  #field = "";

  /** Begins a content at the end of `out`. */
  constructor(out: ByteSink, context: SerializerContext, { registry, builtin, version, versionStated }: JavaWriterOptions) {
    this.#out = out;
    this.context = context;
    this.version = version;
    this.#registry = registry;
    this.#builtin = builtin;
    this.#versionStated = versionStated;
    this.#handles = new WrittenHandles(registry, this);
    this.#inField = { version, fail: (what) => this.fail(`${what} in the field ${this.#field}`) };
  }

  /** Writes the header and one value. An error leaves `out` as it was. */
  write(value: unknown): void {
    const start = this.#start = this.#out.position;
    try {
      writeStreamHeader(this.#out);
      this.#writeValue(value, undefined);
    } catch (thrown) {
      this.#out.truncate(start);
      throw explainEncodeError(thrown, pathText(this.#path, this.#path.length));
    }
  }

  addBigint(length: number): void {
    this.#largeBigintBytes += largeBigintBytes(length);
    if (this.#largeBigintBytes > MAX_LARGE_BIGINT_BYTES) throw this.fail(TOO_MANY_LARGE_BIGINTS);
  }

  fail(what: string): SerializerError {
    return encodeError(what, pathText(this.#path, this.#path.length));
  }

  inField(name: string): JavaFieldWriting {
    this.#field = name;
    return this.#inField;
  }

  #writeValue(value: unknown, identity: Identity | undefined): void {
    // What came as several is several, as long as it is still the same value.
    const known = identity !== undefined && Object.is(identity.value, value) ? identity : undefined;
    if (typeof value === "string") return this.#writeString(value, known);
    if (value === null) return this.#out.writeUint8(Tag.Null);
    if (typeof value === "object") return this.#writeObject(value);
    if (typeof value === "function" || typeof value === "symbol") throw this.fail(`a ${typeof value}`);
    const box = this.#builtin.box(value, this);
    if (box instanceof JavaObject) return this.#writeRecord(box, undefined);
    this.#writeBox(box.known, box.value, known);
  }

  #checkDepth(): void {
    if (this.#depth === MAX_DEPTH) throw this.fail(`more than ${MAX_DEPTH} levels`);
  }

  #writeString(text: string, identity: Identity | undefined): void {
    const handle = this.#handles.ofString(text, identity);
    if (handle !== undefined) return writeReference(this.#out, handle);
    this.#handles.addString(text, identity);
    writeString(this.#out, text);
  }

  #writeBox(known: KnownClass, value: unknown, identity: Identity | undefined): void {
    const handle = this.#handles.ofBox(known.name, value, identity);
    if (handle !== undefined) return writeReference(this.#out, handle);
    this.#checkDepth();
    this.#out.writeUint8(Tag.Object);
    this.#writeDesc(known.at(this.version));
    this.#handles.addBox(known.name, value, identity);
    const [field] = known.fields;
    if (field !== undefined && isPrimitive(field.signature)) writePrimitive(this.#out, field.signature, value);
  }

  #writeObject(value: object): void {
    const handle = this.#handles.ofObject(value);
    if (handle !== undefined) return writeReference(this.#out, handle);
    if (value instanceof JavaObject && value.became !== undefined) return this.#writeObject(value.became);
    this.#checkDepth();
    this.#depth++;
    if (value instanceof JavaObject) this.#writeRecord(value, value);
    else if (value instanceof JavaAs) this.#writeAs(value);
    else if (value instanceof JavaTyped) this.#writeValue(value.type.toJava(value.value, this), undefined);
    else if (value instanceof JavaEnum) this.#writeEnum(value);
    else if (value instanceof JavaClassObject) this.#writeClassObject(value);
    else this.#writeMapped(value, originOf(value));
    this.#depth--;
  }

  /** What was written in another class is not referred to: a field can hold only what it is declared as. */
  #writeAs({ value, mapping }: JavaAs): void {
    const origin = originOf(value);
    const as = this.#isMappedBy(mapping, value, origin) ? undefined : mapping;
    const handle = this.#handles.ofObjectAs(value, as);
    if (handle !== undefined) return writeReference(this.#out, handle);
    if (as === undefined) this.#writeMapped(value, origin);
    else this.#writeRecord(mapping.write(value, this), value, mapping, as);
  }

  #isMappedBy(mapping: JavaMapping, value: object, origin: Origin | undefined): boolean {
    if (origin?.arrayClass !== undefined) return false;
    if (origin?.mapping !== undefined) return origin.mapping === mapping;
    const prototype: object | null = Object.getPrototypeOf(value);
    return prototype !== null && this.#registry.byPrototype(prototype) === mapping;
  }

  #writeMapped(value: object, origin: Origin | undefined): void {
    if (origin?.arrayClass !== undefined && Array.isArray(value)) {
      return this.#writeArray(value, origin.arrayClass, origin.identities);
    }
    const letter = origin?.mapping === undefined ? arrayLetter(value) : undefined;
    if (letter !== undefined) return this.#writePrimitives(value as PrimitiveArray, PRIMITIVE_ARRAYS[letter].at(this.version));
    const mapping = origin?.mapping ?? this.#mappingOf(value);
    const object = mapping.write(value, this);
    // Its identities are of slots, which are the same as long as the mapping writes what it read.
    if (origin?.identities !== undefined) object.identities = origin.identities;
    this.#writeRecord(object, value, mapping);
  }

  #mappingOf(value: object): JavaMapping {
    const prototype: object | null = Object.getPrototypeOf(value);
    const mapping = prototype === null ? undefined : this.#registry.byPrototype(prototype);
    if (mapping !== undefined) return mapping;
    if (Array.isArray(value)) return this.#registry.byPrototype(Array.prototype)!;
    if (this.context.encodeRef(value) !== undefined) return this.#builtin.ref;
    if (prototype === Object.prototype || prototype === null) return this.#builtin.record;
    if (isError(value)) return this.#builtin.throwable;
    const { constructor } = value;
    const name = typeof constructor === "function" ? constructor.name : "null";
    // A class that defineJavaClass made has the name of Java's.
    const isDefined = typeof constructor === "function" && "className" in constructor;
    const advice = isDefined ? `, of which the serializer was not told: java.with({ classes: [${name}] })` : "";
    throw this.fail(`an object of class ${name}${advice}`);
  }

  /**
   * Writes an object; `value`, if there is one, is what refers to it from now on, where it is asked for `as` that if it is given.
   *
   * @param mapping What made the object of the value.
   */
  #writeRecord(object: JavaObject, value: object | undefined, mapping?: JavaMapping, as?: JavaMapping): void {
    const { desc, values, annotations, identities } = object;
    this.#out.writeUint8(Tag.Object);
    this.#writeDesc(desc);
    this.#handles.addRecord(object, value, as);
    const line = desc.line;
    let slot = 0;
    for (let i = 0; i < line.length; i++) {
      const part = line[i]!;
      const externalizable = part.hasExternalData;
      for (const { name, signature } of part.fields) {
        const at = slot++;
        if (externalizable) continue;
        const key = mapping?.fieldKey === undefined ? name : mapping.fieldKey(name);
        this.#writeField(key, signature, values[at], identities?.get(at));
      }
      if (part.hasAnnotation) this.#writeAnnotation(annotations[i] ?? [], i, identities, value, mapping);
    }
  }

  #writeField(key: PathKey, signature: string, value: unknown, identity: Identity | undefined): void {
    this.#path.push(key);
    if (!isPrimitive(signature)) {
      const isNumber = typeof value === "number" || typeof value === "bigint";
      this.#writeValue(isNumber ? numberDeclaredAs(signature, value) : value, identity);
    } else if (!writePrimitive(this.#out, signature, value)) {
      throw this.fail(`${describe(value)} in a field of type ${signature}`);
    }
    this.#path.pop();
  }

  #writeAnnotation(
    items: readonly unknown[],
    line: number,
    identities: JavaObject["identities"],
    value: unknown,
    mapping: JavaMapping | undefined,
  ): void {
    // Of a list, as a rule, its size comes first: an error counts the elements alone.
    let blocks = 0;
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      if (item instanceof JavaBlockData) {
        this.#writeBlock(item.bytes);
        blocks++;
        continue;
      }
      const at = i - blocks;
      this.#path.push(mapping?.itemKey === undefined ? at : mapping.itemKey(at, items[i - 1], value));
      this.#writeValue(item, identities?.get(annotationSlot(line, i)));
      this.#path.pop();
    }
    this.#out.writeUint8(Tag.EndBlockData);
  }

  #writeBlock(bytes: Uint8Array): void {
    if (bytes.length <= SHORT_BLOCK) {
      this.#out.writeUint8(Tag.BlockData);
      this.#out.writeUint8(bytes.length);
    } else {
      this.#out.writeUint8(Tag.BlockDataLong);
      this.#out.writeInt32(bytes.length);
    }
    this.#out.writeBytes(bytes);
  }

  #writeArray(array: readonly unknown[], desc: JavaClassDesc, identities: Origin["identities"]): void {
    this.#out.writeUint8(Tag.Array);
    this.#writeDesc(desc);
    this.#handles.addObject(array);
    const { length } = array;
    this.#out.writeInt32(length);
    const signature = elementSignature(desc.name);
    for (let i = 0; i < length; i++) this.#writeField(i, signature, array[i], identities?.get(i));
  }

  #writePrimitives(array: PrimitiveArray, desc: JavaClassDesc): void {
    if (array.length === 0) checkAttached(array);
    this.#out.writeUint8(Tag.Array);
    this.#writeDesc(desc);
    this.#handles.addObject(array);
    this.#out.writeInt32(array.length);
    writePrimitiveArray(this.#out, array);
  }

  #writeEnum(value: JavaEnum): void {
    this.#out.writeUint8(Tag.Enum);
    this.#writeDesc(value.desc);
    this.#handles.addObject(value);
    // In full even if the text occurred before: a JVM takes no reference here.
    this.#handles.addString(value.name, originOf(value)?.identities?.get(0));
    writeString(this.#out, value.name);
  }

  #writeClassObject(value: JavaClassObject): void {
    this.#out.writeUint8(Tag.Class);
    this.#writeDesc(value.desc);
    this.#handles.addObject(value);
  }

  #writeDesc(desc: JavaClassDesc | undefined): void {
    if (desc === undefined) return this.#out.writeUint8(Tag.Null);
    const handle = this.#handles.ofDesc(desc);
    if (handle !== undefined) writeReference(this.#out, handle);
    else if (this.#handles.isEmpty) this.#writeFirstDesc(desc);
    else this.#writeNewDesc(desc);
  }

  /** Writes the description that a content begins with, as it was written before. */
  #writeFirstDesc(desc: JavaClassDesc): void {
    const image = writtenImage(desc);
    if (image === undefined) {
      const start = this.#out.position;
      this.#writeNewDesc(desc);
      // What the environment must be told of each time is written anew each time.
      if (!desc.lineageVariesBySpark) this.#handles.keepImage(desc, this.#out, start);
      return;
    }
    this.#out.writeBytes(image.bytes);
    this.#handles.addImage(image);
  }

  #writeNewDesc(desc: JavaClassDesc): void {
    const out = this.#out;
    out.writeUint8(Tag.ClassDesc);
    writeName(out, desc.name);
    if (desc.variesBySpark && !this.#versionStated) {
      const at = isKnown(desc) ? out.position - this.#start : -1;
      this.context.wroteSparkClass?.(desc.name, desc.serialVersionUID, at);
    }
    out.writeBigInt64(desc.serialVersionUID);
    this.#handles.addDesc(desc);
    out.writeUint8(desc.flags);
    out.writeUint16(desc.fields.length);
    for (const { name, signature } of desc.fields) {
      out.writeUint8(signature.charCodeAt(0));
      writeName(out, name);
      if (!isPrimitive(signature)) this.#writeString(signature, undefined);
    }
    for (const item of desc.annotation) {
      if (item instanceof JavaBlockData) this.#writeBlock(item.bytes);
      else this.#writeValue(item, undefined);
    }
    out.writeUint8(Tag.EndBlockData);
    // A line is as long as MAX_LINE at most, so this comes to an end.
    this.#writeDesc(desc.parent);
  }
}

function describe(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : typeof value === "object" ? "an object" : shownValue(value);
}
