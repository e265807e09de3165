/**
 * A message, or an answer, that is not the same for every version of Spark that its reader can be: its bytes, and where they differ.
 *
 * Spark: there is no such thing; both ends are of one build. What differs are eight bytes of each class, its serialVersionUID, so a
 * message is made another version's by exchanging those: nothing is encoded twice, and what was to be sent is what it was then.
 *
 * @module
 */

import { sparkUid, type SparkVersion } from "../serializer/java/spark_versions.ts";

/** A class that a message describes. */
export interface DescribedClass {
  /** Its full name. */
  readonly className: string;
  /** Its serialVersionUID. */
  readonly uid: bigint;
}

/** Where a message describes a class. */
export interface ClassPlace extends DescribedClass {
  /** Where the serialVersionUID's eight bytes begin; -1 if they must stay what they are. */
  readonly at: number;
}

/** A message whose bytes depend on who reads it. */
export class VersionedContent {
  /** What is sent. */
  readonly bytes: Uint8Array;
  #places: readonly ClassPlace[];

  /** @param places Where `bytes` describe classes. */
  constructor(bytes: Uint8Array, places: readonly ClassPlace[]) {
    this.bytes = bytes;
    this.#places = places;
  }

  /** The classes, as they are now. */
  get classes(): readonly DescribedClass[] {
    return this.#places;
  }

  /** Makes it what `version` reads, but for what came from another. */
  retarget(version: SparkVersion): void {
    const { buffer, byteOffset, byteLength } = this.bytes;
    const view = new DataView(buffer, byteOffset, byteLength);
    this.#places = this.#places.map((place) => {
      const { className, at } = place;
      const uid = sparkUid(className, version);
      if (at < 0 || uid === undefined) return place;
      view.setBigInt64(at, uid);
      return { className, at, uid };
    });
  }
}

/** Thrown while a message is being written: it must not be sent before its reader is known. */
export class HeldBack extends Error {
  /** The message. */
  readonly content: VersionedContent;

  /** @param content The message. */
  constructor(content: VersionedContent) {
    super("The version of the Spark that this is for is not known yet");
    this.content = content;
  }
}
