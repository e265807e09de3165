/**
 * Values of Java as JSON, as `Notation.java` reads and writes them.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** A String, null, or `[type, …]`. */
export type Notation = string | null | readonly [string, ...unknown[]];

/** A java.lang.Integer. */
export function integer(value: number): Notation {
  return ["Integer", String(value)];
}

/** A java.lang.Long. */
export function long(value: bigint): Notation {
  return ["Long", String(value)];
}

/** A java.lang.Double. */
export function double(value: number): Notation {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return ["Double", view.getBigUint64(0).toString(16)];
}

/** A java.lang.Float. */
export function float(value: number): Notation {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return ["Float", view.getUint32(0).toString(16)];
}

/** A java.util.ArrayList. */
export function list(...items: readonly Notation[]): Notation {
  return ["ArrayList", items];
}

/** The text that the JVM makes of `["String", length]`: units of one, two and three bytes, and pairs. */
export function longText(length: number): string {
  return "\u00e9\u{1f600}z".repeat(length / 4);
}

/** What the JVM says of a long text. */
export function ofLongText(text: string): Notation {
  const units = new DataView(new ArrayBuffer(2 * text.length));
  for (let i = 0; i < text.length; i++) units.setUint16(2 * i, text.charCodeAt(i));
  return ["String", text.length, sha256(new Uint8Array(units.buffer))];
}

/** What the JVM says of many bytes. */
export function ofManyBytes(bytes: Uint8Array): Notation {
  return ["byte[]", bytes.length, sha256(bytes)];
}

/** The SHA-256 of bytes. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
