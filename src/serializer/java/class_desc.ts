/**
 * Descriptions of Java classes: what a stream says of a class before its objects, and the classes that are known in advance.
 *
 * Spark: java.io.ObjectStreamClass.
 *
 * @module
 */

import {
  DEFAULT_SPARK_VERSION,
  incompatibleClass,
  OF_SPARK,
  SPARK_VERSIONS,
  sparkUid,
  type SparkVersion,
  variesBySpark,
} from "./spark_versions.ts";
import { ClassFlag } from "./stream_format.ts";

/** How long a line of super classes may be. */
export const MAX_LINE = 512;

/** A field of a class, as its description has it. */
export interface JavaField {
  /** The field's name. */
  readonly name: string;
  /** Its type: a letter such as `I`, or `Ljava/lang/String;`, or `[B`. */
  readonly signature: string;
}

/** What {@linkcode JavaClassDesc} consists of, but for its name and serialVersionUID. */
export interface JavaClassDescParts {
  /** Bits of `ClassFlag`. */
  readonly flags: number;
  /** Its own fields, in the order of the stream. */
  readonly fields: readonly JavaField[];
  /** The class it extends, if that can be serialised. */
  readonly parent: JavaClassDesc | undefined;
  /** What the writer put after the fields; nothing, as a rule. */
  readonly annotation?: readonly unknown[];
}

/**
 * The description of a class, as it is in a stream.
 *
 * @example
 * ```ts
 * import { JavaClassDesc, JavaObject } from "@sparkwire/sparkwire";
 *
 * const fields = [{ name: "x", signature: "I" }, { name: "y", signature: "I" }];
 * const desc = new JavaClassDesc("com.example.Point", 1n, { flags: 2, fields, parent: undefined });
 * if (new JavaObject(desc, [3, 4], [undefined]).get("y") !== 4) throw new Error("not the y");
 * ```
 */
export class JavaClassDesc {
  /** The class's full name. */
  readonly name: string;
  /** Its serialVersionUID. */
  readonly serialVersionUID: bigint;
  /** Why objects of the class cannot be what such objects are here, in words; undefined if they can. */
  problem: string | undefined = undefined;
  /** How many classes its line has. */
  lineLength = 1;
  #parts: JavaClassDescParts | undefined;
  #line: readonly JavaClassDesc[] | undefined;
  #boxed: string | undefined;
  #varies: boolean | undefined;

  /** A description that is complete, or is being read and will be. */
  constructor(name: string, serialVersionUID: bigint, parts?: JavaClassDescParts) {
    this.name = name;
    this.serialVersionUID = serialVersionUID;
    if (parts !== undefined) this.complete(parts);
  }

  /** Whether all of it is there; false while it is being read. */
  get isComplete(): boolean {
    return this.#parts !== undefined;
  }

  /** Gives the description what follows the name in a stream. */
  complete(parts: JavaClassDescParts): void {
    this.#parts = parts;
    this.lineLength = 1 + (parts.parent?.lineLength ?? 0);
  }

  /** Bits of `ClassFlag`. */
  get flags(): number {
    return this.#parts?.flags ?? 0;
  }

  /** Its own fields, in the order of the stream. */
  get fields(): readonly JavaField[] {
    return this.#parts?.fields ?? [];
  }

  /** The class it extends, if that can be serialised. */
  get parent(): JavaClassDesc | undefined {
    return this.#parts?.parent;
  }

  /** What the writer put after the fields. */
  get annotation(): readonly unknown[] {
    return this.#parts?.annotation ?? [];
  }

  /**
   * The class and what it inherits from, the most general first: the order in which an object's parts are written. One that writes
   * data of its own instead of fields is alone: its super classes write nothing, whatever they are.
   */
  get line(): readonly JavaClassDesc[] {
    this.#line ??= this.hasExternalData ? [this] : [...this.parent?.line ?? [], this];
    return this.#line;
  }

  /**
   * Where the value of a field is among those of an object.
   *
   * @param name The field's name.
   * @param className The class that declares it; without, the most special one that has such a field.
   * @returns Its index; -1 if there is no such field.
   */
  slotOf(name: string, className?: string): number {
    const line = this.line;
    let end = 0;
    for (const { fields } of line) end += fields.length;
    for (let i = line.length - 1; i >= 0; i--) {
      const { name: declaring, fields } = line[i]!;
      end -= fields.length;
      if (className !== undefined && className !== declaring) continue;
      const at = fields.findIndex((field) => field.name === name);
      if (at >= 0) return end + at;
    }
    return -1;
  }

  /** Whether the class's serialVersionUID depends on the version of Spark. */
  get variesBySpark(): boolean {
    return this.#varies ??= variesBySpark(this.name);
  }

  /** Whether that is so of the class, or of one that it inherits from. */
  get lineageVariesBySpark(): boolean {
    return this.variesBySpark || this.parent?.lineageVariesBySpark === true;
  }

  /** The type of the one value that objects of the class consist of, if that is a primitive: they are boxes. */
  get boxed(): string | undefined {
    if (this.#boxed === undefined) {
      const fields = this.line.flatMap((desc) => desc.fields);
      const only = fields.length === 1 && this.line.every((desc) => !desc.hasAnnotation) ? fields[0]! : undefined;
      this.#boxed = only === undefined || isReference(only.signature) ? "" : only.signature;
    }
    return this.#boxed === "" ? undefined : this.#boxed;
  }

  /** Whether objects of the class have data of their own after their fields, or instead of them. */
  get hasAnnotation(): boolean {
    return (this.flags & (ClassFlag.WriteMethod | ClassFlag.Externalizable)) !== 0;
  }

  /** Whether objects of the class write no fields, but data of their own. */
  get hasExternalData(): boolean {
    return (this.flags & ClassFlag.Externalizable) !== 0;
  }

  /** Whether `other` says the same, its super class being the same description. */
  equals(other: JavaClassDesc): boolean {
    return this.name === other.name && this.serialVersionUID === other.serialVersionUID && this.flags === other.flags &&
      this.parent === other.parent && this.annotation.length === 0 && other.annotation.length === 0 &&
      this.fields.length === other.fields.length &&
      this.fields.every(({ name, signature }, i) => name === other.fields[i]!.name && signature === other.fields[i]!.signature);
  }
}

/** A class that can be described for each version of Spark. */
export interface ClassSource {
  /** The class's full name. */
  readonly name: string;
  /** Its description in `version`. */
  at(version: SparkVersion): JavaClassDesc;
}

/** What a class that is known in advance is made of. */
export interface KnownClassInit {
  /** Its serialVersionUID; if absent, what the table of Spark's versions says. */
  readonly uid?: bigint;
  /** Its fields: the signature of each by its name, in any order. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Bits of `ClassFlag`; the default is a class that writes its fields and no more. */
  readonly flags?: number;
  /** The class it extends. */
  readonly parent?: KnownClass;
}

const knownDescs = new WeakSet<JavaClassDesc>();

/** Whether it describes a class that is known in advance, so that the same could be described for another version of Spark. */
export function isKnown(desc: JavaClassDesc): boolean {
  return knownDescs.has(desc);
}

/** A class that is known in advance: its description in each version of Spark. */
export class KnownClass implements ClassSource {
  /** The class's full name. */
  readonly name: string;
  /** The class it extends. */
  readonly parent: KnownClass | undefined;
  /** Its own fields, in the order of the stream. */
  readonly fields: readonly JavaField[];
  readonly #flags: number;
  readonly #uid: bigint | undefined;
  readonly #descs = new Map<SparkVersion, JavaClassDesc>();

  /**
   * Describes a class.
   *
   * @throws {RangeError} If it has no serialVersionUID and is none of those whose table is known, which is not read before it is needed.
   */
  constructor(name: string, { uid, fields = {}, flags = ClassFlag.Serializable, parent }: KnownClassInit = {}) {
    if (uid === undefined && !OF_SPARK.test(name)) throw noUid(name);
    this.name = name;
    this.parent = parent;
    this.#uid = uid;
    this.#flags = flags;
    this.fields = Object.entries(fields).map(([name, signature]) => ({ name, signature })).sort(compareFields);
  }

  /** Its description in `version`; in the newest that has it, if that one does not. */
  at(version: SparkVersion): JavaClassDesc {
    return this.#descs.get(version) ?? this.#describe(version);
  }

  #describe(version: SparkVersion): JavaClassDesc {
    const parent = this.parent?.at(version);
    const uid = this.uidAt(version) ?? this.uidAt(DEFAULT_SPARK_VERSION);
    if (uid === undefined) throw noUid(this.name);
    const made = new JavaClassDesc(this.name, uid, { flags: this.#flags, fields: this.fields, parent });
    // The same description where two versions agree, or one of them would not be recognised in a stream of the other.
    const same = [...this.#descs.values()].find((desc) => desc.equals(made)) ?? made;
    this.#descs.set(version, same);
    knownDescs.add(same);
    return same;
  }

  /** Its serialVersionUID in `version`, if it has the class. */
  uidAt(version: SparkVersion): bigint | undefined {
    return this.#uid ?? sparkUid(this.name, version);
  }

  /** The description in any version that says the same as `desc`; `desc` itself if there is none. */
  intern(desc: JavaClassDesc): JavaClassDesc {
    for (const own of this.#descs.values()) if (own === desc) return desc;
    const { serialVersionUID: uid } = desc;
    let accepted = false;
    for (const version of SPARK_VERSIONS) {
      if (this.uidAt(version) !== uid) continue;
      const known = this.at(version);
      if (known.equals(desc)) return known;
      accepted = true;
    }
    // Of arrays, Java asks for none.
    const fits = accepted || this.name.startsWith("[");
    desc.problem = desc.parent?.problem ??
      (fits ? undefined : incompatibleClass(this.name, uid, this.uidAt(DEFAULT_SPARK_VERSION)));
    return desc;
  }
}

/** Primitives come before objects, and each of the two groups is in the order of its names' UTF-16. */
function compareFields(a: JavaField, b: JavaField): number {
  const primitive = Number(isReference(a.signature)) - Number(isReference(b.signature));
  return primitive !== 0 ? primitive : a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** Whether a field of this type refers to an object. */
export function isReference(signature: string): boolean {
  return signature.startsWith("L") || signature.startsWith("[");
}

/** The signature of fields of a class: `Ljava/lang/String;`. */
export function signatureOf(className: string): string {
  return className.startsWith("[") ? className.replaceAll(".", "/") : `L${className.replaceAll(".", "/")};`;
}

/** The name of the class of arrays whose elements have this signature: `[Ljava.lang.String;`. */
export function arrayClassName(elementSignature: string): string {
  return `[${elementSignature.replaceAll("/", ".")}`;
}

/** The signature of the elements of arrays of that class. */
export function elementSignature(arrayClass: string): string {
  return arrayClass.slice(1).replaceAll(".", "/");
}

function noUid(className: string): RangeError {
  return new RangeError(`There is no serialVersionUID of ${className}: give what serialver prints of it`);
}
