/**
 * What one content has had so far, by the handles that a later reference names it with.
 *
 * Spark: java.io.ObjectOutputStream, HandleTable. Values have no identity here as they have in a JVM: equal strings and equal boxed
 * numbers are one, unless they came as several.
 *
 * @module
 */

import type { ByteSink } from "../../base/byte_sink.ts";
import { TextMap } from "../key_collisions.ts";
import { type DescImage, keepWritten } from "./_desc_images.ts";
import type { JavaClassDesc } from "./class_desc.ts";
import { MAX_HANDLES } from "./java_limits.ts";
import { type JavaMapping, type JavaRegistry, type JavaWriting, originOf } from "./java_mapping.ts";
import { Boxes, type Identity, type JavaObject } from "./java_object.ts";

/** The handles of one content. */
export class WrittenHandles {
  readonly #registry: JavaRegistry;
  readonly #writing: JavaWriting;
  #count = 0;
  readonly #descs = new Map<JavaClassDesc, number>();
  readonly #strings = new TextMap<number>();
  readonly #boxes = new Boxes<number>();
  /** Objects, and identities of strings and numbers. */
  readonly #objects = new Map<object, number>();
  /** Objects that were written in another class than they have of themselves, by the mapping that was asked for. */
  readonly #objectsAs = new Map<JavaMapping, Map<object, number>>();

  /** @param registry The classes that are known. @param writing Says where a content is that has too many. */
  constructor(registry: JavaRegistry, writing: JavaWriting) {
    this.#registry = registry;
    this.#writing = writing;
  }

  /** Whether nothing has a handle yet. */
  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** The handle of a text. */
  ofString(text: string, identity: Identity | undefined): number | undefined {
    return identity === undefined ? this.#strings.get(text) : this.#objects.get(identity);
  }

  /** The next handle is that of a text. */
  addString(text: string, identity: Identity | undefined): void {
    if (identity === undefined) this.#strings.set(text, this.#next());
    else this.#objects.set(identity, this.#next());
  }

  /** The handle of a boxed number. */
  ofBox(className: string, value: unknown, identity: Identity | undefined): number | undefined {
    return identity === undefined ? this.#boxes.get(className, value) : this.#objects.get(identity);
  }

  /** The next handle is that of a boxed number. */
  addBox(className: string, value: unknown, identity: Identity | undefined): void {
    if (identity === undefined) this.#boxes.set(className, value, this.#next());
    else this.#objects.set(identity, this.#next());
  }

  /** The handle of an object where nothing is said of its class: also one that it has as another than its own, but for arrays. */
  ofObject(value: object): number | undefined {
    return this.#objects.get(value) ?? this.#asAny(value);
  }

  /** The next handle is that of an object. */
  addObject(value: object): void {
    this.#objects.set(value, this.#next());
  }

  /** The handle of an object in the class of `as`, or in its own: a field can hold only what it is declared as. */
  ofObjectAs(value: object, as: JavaMapping | undefined): number | undefined {
    return as === undefined ? this.#objects.get(value) : this.#objectsAs.get(as)?.get(value);
  }

  /** The next handle is that of a record, and of the value that it was made of, in the class of `as` or in its own. */
  addRecord(record: JavaObject, value: object | undefined, as: JavaMapping | undefined): void {
    const handle = this.#next();
    this.#objects.set(record, handle);
    if (value === undefined) return;
    if (as === undefined) this.#objects.set(value, handle);
    else this.#handlesAs(as).set(value, handle);
  }

  /** The handle of a description; the same class can have been described more than once in this program, by two fields say. */
  ofDesc(desc: JavaClassDesc): number | undefined {
    return this.#descs.get(desc) ?? (this.isEmpty ? undefined : this.#descs.get(this.#registry.intern(desc)));
  }

  /** The next handle is that of a description. */
  addDesc(desc: JavaClassDesc): void {
    const handle = this.#next();
    this.#descs.set(desc, handle);
    const same = this.#registry.intern(desc);
    if (same !== desc) this.#descs.set(same, handle);
  }

  /** A content begins with a description whose image was written. */
  addImage({ handles }: DescImage): void {
    for (const one of handles) {
      if (typeof one === "string") this.#strings.set(one, this.#count++);
      else this.#descs.set(one, this.#count++);
    }
  }

  /** A content begins with `desc`, which was written since `start`: keeps its image, if nothing else has a handle. */
  keepImage(desc: JavaClassDesc, out: ByteSink, start: number): void {
    const { others } = this.#strings;
    if (this.#count === this.#descs.size + others.size) keepWritten(desc, out, start, this.#descs, others);
  }

  #next(): number {
    if (this.#count === MAX_HANDLES) throw this.#writing.fail(`more than ${MAX_HANDLES} objects`);
    return this.#count++;
  }

  #handlesAs(mapping: JavaMapping): Map<object, number> {
    let handles = this.#objectsAs.get(mapping);
    if (handles === undefined) this.#objectsAs.set(mapping, handles = new Map());
    return handles;
  }

  #asAny(value: object): number | undefined {
    for (const handles of this.#objectsAs.values()) {
      const handle = handles.get(value);
      if (handle !== undefined) return originOf(value)?.arrayClass === undefined ? handle : undefined;
    }
    return undefined;
  }
}
