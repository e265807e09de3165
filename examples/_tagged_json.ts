/**
 * JSON for every value that a message can hold: what JSON lacks is an object with one key that begins with `$`.
 *
 * An object that has such a key of its own gets one `$` more, which is taken off again when it is read.
 *
 * @module
 */
import {
  JavaBigDecimal,
  JavaBlockData,
  JavaClassObject,
  JavaEnum,
  JavaNumber,
  JavaObject,
  RpcEndpointAddress,
  RpcRemoteError,
  ScalaEnumValue,
  ScalaObject,
  TypedMessage,
} from "../mod.ts";

/** A value of JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The mapping, in the words of a `--help`. */
export const TAGGED_JSON_HELP = `
  {"$undefined": true}                 {"$bytes": "AQID"}           Uint8Array, as base64
  {"$number": "NaN"}  also Infinity,   {"$map": [["key", 1]]}
           -Infinity and -0            {"$set": [1, 2]}
  {"$bigint": "9007199254740993"}      {"$date": "2026-01-31T12:00:00.000Z"}
 Only in replies:
  {"$ref": "spark://Echo@host:port"}   {"$message": ["Tag", payload]}   a typed message
  {"$regexp": "/a+/g"}                 {"$error": {"name": "RangeError", "message": "No"}}
  {"$java": ["com.example.Point", {"x": 1}]}   an object of Java or Scala with its fields, and after them what its class wrote besides;
                                       a constant has its name in their place, a number its value, an object of Scala nothing
  {"$same": ".list[0]"}                the value that was printed there already
  {"$Float32Array": [1, 2]}            and so on; an ArrayBuffer or DataView is {"$bytes": …}
`;

/** Readers by key. They are given JSON and throw a SyntaxError if it is not what the key stands for. */
const READERS: ReadonlyMap<string, (value: Json) => unknown> = new Map<string, (value: Json) => unknown>([
  ["$undefined", () => undefined],
  ["$number", (value) => NAMED_NUMBERS.get(expectText(value)) ?? fail(`No such number: ${value}`)],
  ["$bigint", (value) => /^-?[0-9]+$/.test(expectText(value)) ? BigInt(expectText(value)) : fail(`No whole number: ${value}`)],
  ["$bytes", (value) => Uint8Array.from(decodeBase64(expectText(value)), (unit) => unit.charCodeAt(0))],
  ["$date", (value) => {
    const date = new Date(expectText(value));
    return value === "invalid" || !Number.isNaN(date.getTime()) ? date : fail(`No date: ${value}`);
  }],
  ["$set", (value) => new Set(expectList(value).map(fromTaggedJson))],
  ["$map", (value) =>
    new Map(
      expectList(value).map((entry) => {
        const [key, item, ...more] = expectList(entry);
        if (key === undefined || item === undefined || more.length > 0) fail("An entry of $map has a key and a value");
        return [fromTaggedJson(key!), fromTaggedJson(item!)];
      }),
    )],
]);

const NAMED_NUMBERS: ReadonlyMap<string, number> = new Map([NaN, Infinity, -Infinity].map((value) => [String(value), value]))
  .set("-0", -0);

/**
 * The value that `json` stands for.
 *
 * @throws {SyntaxError} If a key that begins with `$` is none of ours, or its value does not fit.
 */
export function fromTaggedJson(json: Json): unknown {
  if (typeof json !== "object" || json === null) return json;
  if (isList(json)) return json.map(fromTaggedJson);
  const entries = Object.entries(json);
  const [key, value] = entries[0] ?? ["", null];
  if (entries.length !== 1 || !key.startsWith("$")) {
    return Object.fromEntries(entries.map(([name, item]) => [name, fromTaggedJson(item)]));
  }
  if (key.startsWith("$$")) return Object.fromEntries([[key.slice(1), fromTaggedJson(value)]]);
  const read = READERS.get(key) ?? fail(`${key} cannot be read; write $${key} for a key of that name`);
  return read(value);
}

/** The JSON that stands for `value`, whatever it is: shared and circular values are printed once. */
export function toTaggedJson(value: unknown): Json {
  return write(value, "", new Map());
}

/** @param path Where `value` is, such as `.list[0]`. @param printed Where each object has been printed. */
function write(value: unknown, path: string, printed: Map<object, string>): Json {
  switch (typeof value) {
    case "boolean":
    case "string":
      return value;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0) ? value : { $number: Object.is(value, -0) ? "-0" : String(value) };
    case "bigint":
      return { $bigint: String(value) };
    case "object":
      return value === null ? null : writeObject(value, path, printed);
    default:
      // Functions and symbols do not travel, so this is undefined.
      return { $undefined: true };
  }
}

function writeObject(value: object, path: string, printed: Map<object, string>): Json {
  const same = printed.get(value);
  if (same !== undefined) return { $same: same };
  printed.set(value, path === "" ? "." : path);
  const list = (items: Iterable<unknown>) => Array.from(items, (item, index) => write(item, `${path}[${index}]`, printed));
  if (Array.isArray(value)) return list(value);
  if (value instanceof Map) return { $map: list(value) };
  if (value instanceof Set) return { $set: list(value) };
  const leaf = writeLeaf(value);
  if (leaf !== undefined) return leaf;
  if (ArrayBuffer.isView(value)) return { [`$${value.constructor.name}`]: list(value as unknown as Iterable<unknown>) };
  if (value instanceof TypedMessage) return { $message: [value.tag, write(value.payload, `${path}.payload`, printed)] };
  if (value instanceof JavaObject) return { $java: writeJavaObject(value, path, printed) };
  const fields = writeFields(Object.entries(value), path, printed);
  const className = definedClass(value);
  return className === undefined ? fields : { $java: [className, fields] };
}

function writeFields(entries: readonly (readonly [string, unknown])[], path: string, printed: Map<object, string>): Json {
  const taken = entries.length === 1 && entries[0]![0].startsWith("$");
  return Object.fromEntries(
    entries.map(([key, item]) => [taken ? `$${key}` : key, write(item, path + segment(key), printed)]),
  );
}

/** An object of a class that is not known here: class, fields, and what else its class wrote, if anything. */
function writeJavaObject(
  { className, desc, values, annotations }: JavaObject,
  path: string,
  printed: Map<object, string>,
): Json[] {
  const declared = desc.line.flatMap((declaring) => declaring.fields.map(({ name }) => ({ name, declaring: declaring.name })));
  // Each class of the line may have a field of that name; the most special one has it without its class.
  const last = new Map(declared.map(({ name }, slot) => [name, slot]));
  const entries = declared.map(({ name, declaring }, slot): [string, unknown] => {
    return [last.get(name) === slot ? name : `${declaring}.${name}`, values[slot]];
  });
  const written = annotations.flatMap((each) => each ?? []);
  const fields = writeFields(entries, path, printed);
  if (written.length === 0) return [className, fields];
  return [className, fields, ...written.map((item, index) => write(item, `${path}.written[${index}]`, printed))];
}

/** The class in Java of a value whose class `defineJavaClass` made. */
function definedClass(value: object): string | undefined {
  const made: unknown = value.constructor;
  if (typeof made !== "function" || !("className" in made)) return undefined;
  return typeof made.className === "string" ? made.className : undefined;
}

/** Of an exception that came from elsewhere the class that it has there. */
function errorName(error: Error): string {
  return error instanceof RpcRemoteError ? error.remoteClass ?? error.name : error.name;
}

/** Objects that have nothing in them that would be printed by itself. */
function writeLeaf(value: object): Json | undefined {
  if (value instanceof Date) return { $date: Number.isNaN(value.getTime()) ? "invalid" : value.toISOString() };
  if (value instanceof RegExp) return { $regexp: String(value) };
  if (value instanceof Error) return { $error: { name: errorName(value), message: value.message } };
  if (value instanceof Uint8Array) return { $bytes: encodeBase64(value) };
  if (value instanceof JavaBlockData) return { $bytes: encodeBase64(value.bytes) };
  if (value instanceof ArrayBuffer) return { $bytes: encodeBase64(new Uint8Array(value)) };
  if (value instanceof DataView) {
    return { $bytes: encodeBase64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)) };
  }
  const java = writeJavaLeaf(value);
  if (java !== undefined) return { $java: java };
  if ("endpointAddress" in value && value.endpointAddress instanceof RpcEndpointAddress) {
    return { $ref: String(value.endpointAddress) };
  }
  return undefined;
}

/** Values of Java and Scala that have no fields to print. */
function writeJavaLeaf(value: object): Json[] | undefined {
  if (value instanceof JavaNumber) return [value.type, write(value.value, "", new Map())];
  if (value instanceof JavaBigDecimal) return ["java.math.BigDecimal", String(value)];
  if (value instanceof JavaEnum) return [value.className, value.name];
  if (value instanceof JavaClassObject) return ["java.lang.Class", value.className];
  if (value instanceof ScalaObject) return [value.className];
  if (value instanceof ScalaEnumValue) return [value.enumeration.className, value.name ?? value.id];
  return undefined;
}

function segment(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

function encodeBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function decodeBase64(text: string): string {
  try {
    return atob(text);
  } catch {
    return fail(`No base64: ${text}`);
  }
}

/** Array.isArray does not narrow a type that is readonly. */
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function expectList(value: Json): readonly Json[] {
  return isList(value) ? value : fail(`Expected a list: ${JSON.stringify(value)}`);
}

function expectText(value: Json): string {
  return typeof value === "string" ? value : fail(`Expected a text: ${JSON.stringify(value)}`);
}

function fail(message: string): never {
  throw new SyntaxError(message);
}
