/**
 * A message's content for people, in logs and errors: its beginning, found without looking at the rest.
 *
 * Described is what nobody takes, which may be anything that a peer has sent: the text of all of it can be longer than memory, since
 * what occurs twice in a message travels once.
 *
 * @module
 */

import { JavaEnum, JavaObject } from "../serializer/java/java_object.ts";
import { ScalaObject } from "../serializer/java/scala_object.ts";
import { ScalaEnumValue } from "../serializer/java/scala_values.ts";

/** Those of Java's and Scala's values whose text is their name: what is in them is the codec's. */
const NAMED = [ScalaObject, ScalaEnumValue, JavaEnum, JavaObject];
const MAX_DESCRIPTION = 200;
/** To bring one of megabytes into decimal digits takes seconds. */
const MAX_BIGINT_BITS = 256;

/** A typed message by its tag, a text as it is, others much as JSON has them, behind their class; shortened. Never throws. */
export function describeContent(content: unknown): string {
  let text: string;
  try {
    text = typeof content === "string" ? content : tagOf(content) ?? describeValue(content, MAX_DESCRIPTION);
  } catch {
    return "a message that cannot be shown";
  }
  return text.length > MAX_DESCRIPTION ? `${text.slice(0, MAX_DESCRIPTION)}…` : text;
}

function tagOf(content: unknown): string | undefined {
  if (typeof content !== "object" || content === null || !("tag" in content)) return undefined;
  return typeof content.tag === "string" ? content.tag : undefined;
}

/** The text of `value`; what comes after `room` characters of it may be missing. */
function describeValue(value: unknown, room: number): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, room + 1));
  if (typeof value === "bigint") return BigInt.asIntN(MAX_BIGINT_BITS, value) === value ? `${value}` : "a large bigint";
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return describeItems(value, room);
  if (ArrayBuffer.isView(value)) return `${nameOf(value)}(${"length" in value ? value.length : value.byteLength})`;
  if (value instanceof Map || value instanceof Set) return `${nameOf(value)}(${value.size})`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof Error || NAMED.some((named) => value instanceof named)) return String(value);
  return describeFields(value, room);
}

function nameOf(value: object): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

// Each value in another takes a character at least, so these go neither deeper nor further than there is room.

function describeItems(items: readonly unknown[], room: number): string {
  let text = "[";
  for (let i = 0; i < items.length; i++) {
    if (text.length > room) return text;
    if (i > 0) text += ",";
    text += describeValue(items[i], room - text.length);
  }
  return `${text}]`;
}

/** What a class is called, in front of its fields as in Scala; nothing for a plain object. */
function classOf(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype ? "" : value.constructor.name;
}

function describeFields(value: object, room: number): string {
  let text = `${classOf(value)}{`;
  for (const [i, key] of Object.keys(value).entries()) {
    if (text.length > room) return text;
    if (i > 0) text += ",";
    text += `${describeValue(key, room - text.length)}:`;
    if (text.length > room) return text;
    const field: unknown = Reflect.get(value, key);
    text += describeValue(field, room - text.length);
  }
  return `${text}}`;
}
