/**
 * Objects of Scala: `object Foo` and `case object Foo`, of which there is one.
 *
 * Spark: scala.runtime.ModuleSerializationProxy stands for one in a stream.
 *
 * @module
 */

import type { ClassSource } from "./class_desc.ts";

/**
 * An object of Scala, such as `None` or a message without fields. Of each that is known there is one value; it is compared by
 * identity. One that is not known has a value of its own in each message.
 *
 * @example
 * ```ts
 * import { None } from "@sparkwire/sparkwire";
 *
 * if (String(None) !== "None") throw new Error("not None");
 * ```
 */
export class ScalaObject {
  /** Its class. */
  readonly known: ClassSource;

  /** The object of class `known`. */
  constructor(known: ClassSource) {
    this.known = known;
  }

  /** The full name of its class; it ends with `$`. */
  get className(): string {
    return this.known.name;
  }

  /** Its name in Scala. */
  toString(): string {
    return this.className.replace(/\$$/, "").replace(/^.*[.$]/, "");
  }
}
