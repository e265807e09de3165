/**
 * Exceptions: class, text, stack and cause of what came, and errors of our own as exceptions of Java.
 *
 * Spark: java.lang.Throwable and what extends it. An exception arrives as an RpcRemoteError, whatever its class, and goes on as what
 * it was; an error of ours becomes a RuntimeException with its text, and its stack if the environment lets that out.
 *
 * @module
 */

import { isError, RpcRemoteError } from "../../base/errors.ts";
import { withoutStack } from "../../base/without_stack.ts";
import { isFarIndex, keepHoles } from "../far_index.ts";
import { KnownClass } from "./class_desc.ts";
import { javaEmptyList } from "./jdk_small_collections.ts";
import { MAX_CAUSES } from "./java_limits.ts";
import {
  JavaAs,
  type JavaMapping,
  type JavaReading,
  type JavaRegistryInit,
  type JavaWriting,
  objectOf,
  originOf,
  setOrigin,
} from "./java_mapping.ts";
import { JavaNumber } from "./java_numbers.ts";
import { JavaObject } from "./java_object.ts";
import { Some } from "./scala_values.ts";
import { ClassFlag } from "./stream_format.ts";

const STRING = "Ljava/lang/String;";

const THROWABLE = new KnownClass("java.lang.Throwable", {
  uid: -3042686055658047285n,
  flags: ClassFlag.Serializable | ClassFlag.WriteMethod,
  fields: {
    cause: "Ljava/lang/Throwable;",
    detailMessage: STRING,
    stackTrace: "[Ljava/lang/StackTraceElement;",
    suppressedExceptions: "Ljava/util/List;",
  },
});
const EXCEPTION = new KnownClass("java.lang.Exception", { uid: -3387516993124229948n, parent: THROWABLE });
const RUNTIME_EXCEPTION = new KnownClass("java.lang.RuntimeException", { uid: -7034897190745766939n, parent: EXCEPTION });
const STACK = new KnownClass("[Ljava.lang.StackTraceElement;", { uid: 163864874655228473n });
const STACK_ELEMENT = new KnownClass("java.lang.StackTraceElement", {
  uid: 6992337162326171013n,
  fields: {
    format: "B",
    lineNumber: "I",
    classLoaderName: STRING,
    declaringClass: STRING,
    fileName: STRING,
    methodName: STRING,
    moduleName: STRING,
    moduleVersion: STRING,
  },
});

/** How many fields of an exception's own are kept. */
const MAX_DATA = 64;

/** How many lines of a stack travel. */
const MAX_STACK = 1024;

/** So many characters of a stack's text count as one part of the content. */
const CHARACTERS_PER_PART = 8;

/** Reads and writes exceptions. */
export const javaThrowable: JavaMapping = {
  known: THROWABLE,
  inherited: true,
  read: (object, _, reading) => setOrigin(errorOf(object, reading), { mapping: javaThrowable, detail: object }),
  write: (value, writing) => exceptionOf(value as Error, writing),
};

/** The error that an exception is here. */
function errorOf(object: JavaObject, reading: JavaReading): RpcRemoteError {
  const remoteClass = object.className;
  const text = object.get("detailMessage", THROWABLE.name);
  // As Throwable.toString does, the class stands for a text that is missing.
  const message = typeof text === "string" ? text : remoteClass;
  // One that is its own cause has none; of a ring of causes, the link that closes it is not an error yet.
  const cause = object.get("cause", THROWABLE.name);
  const data = dataOf(object);
  const remoteStack = stackText(object, typeof text === "string" ? `${remoteClass}: ${text}` : remoteClass, reading);
  const options = { remoteClass, remoteStack, ...(data === undefined ? {} : { data }) };
  return withoutStack(() => new RpcRemoteError(message, cause instanceof Error ? { ...options, cause } : options));
}

/** The fields that the exception's own classes have, of those that are no objects. */
function dataOf(object: JavaObject): Readonly<Record<string, unknown>> | undefined {
  const data: Record<string, unknown> = Object.create(null);
  let found = 0;
  // By slot, not by name: a hostile class can have so many fields that to look for each would take for ever.
  let slot = 0;
  for (const { name: className, fields } of object.desc.line) {
    for (const { name } of fields) {
      const value = className === THROWABLE.name ? undefined : plainOf(object.values[slot]);
      slot++;
      if (value === undefined || value === null || found === MAX_DATA) continue;
      if (isFarIndex(name, found)) keepHoles(data);
      data[name] = value;
      found++;
    }
  }
  return found > 0 ? data : undefined;
}

function plainOf(value: unknown): unknown {
  // An Option with a text in it, such as SparkException's errorClass.
  const inner = value instanceof Some ? value.value : value;
  const plain = inner instanceof JavaNumber ? inner.value : inner;
  return typeof plain === "object" ? undefined : plain;
}

/** The stack as Java prints it. */
function stackText(object: JavaObject, head: string, reading: JavaReading): string | undefined {
  const elements = object.get("stackTrace", THROWABLE.name);
  if (!Array.isArray(elements) || elements.length === 0) return undefined;
  const lines = [head];
  for (const element of elements.slice(0, MAX_STACK)) {
    if (!(element instanceof JavaObject)) continue;
    reading.spend(element.values.length);
    lines.push(elementText(element));
  }
  // Nothing of the texts is copied before here.
  for (const line of lines) reading.spend(Math.ceil(line.length / CHARACTERS_PER_PART));
  return lines.join("\n");
}

function elementText(element: JavaObject): string {
  const text = (name: string) => {
    const value = element.get(name);
    return typeof value === "string" ? value : "";
  };
  const line = element.get("lineNumber");
  const file = text("fileName") || "Unknown Source";
  const place = line === -2 ? "Native Method" : typeof line === "number" && line >= 0 ? `${file}:${line}` : file;
  const module = text("moduleName") === "" ? "" : `${text("moduleName")}/`;
  return `\tat ${module}${text("declaringClass")}.${text("methodName")}(${place})`;
}

/** The exception that an error was, or that one of ours is in Java. */
function exceptionOf(error: Error, writing: JavaWriting): JavaObject {
  const came = originOf(error)?.detail;
  return came instanceof JavaObject ? came : runtimeException(error, writing);
}

/** How many causes may follow errors that are causes of others, in each content that is written. */
const causesLeft = new WeakMap<JavaWriting, Map<Error, number>>();

/** The cause of an error, if one may follow it. It is written as any value is: once, however many errors it is the cause of. */
function causeOf(error: Error, writing: JavaWriting): Error | undefined {
  const { cause } = error;
  if (!isError(cause)) return undefined;
  let all = causesLeft.get(writing);
  if (all === undefined) causesLeft.set(writing, all = new Map());
  const left = all.get(error) ?? MAX_CAUSES;
  if (left === 0) return undefined;
  if (!all.has(cause)) all.set(cause, left - 1);
  return cause;
}

function runtimeException(error: Error, writing: JavaWriting): JavaObject {
  const { version } = writing;
  const elements = writing.context.exposeStack ? stackOf(error) : [];
  const stack = elements.map((fields) => objectOf(STACK_ELEMENT, version, { format: 0, ...fields }));
  const object = objectOf(RUNTIME_EXCEPTION, version, {
    detailMessage: String(error.message),
    stackTrace: setOrigin(stack, { arrayClass: STACK.at(version) }),
    suppressedExceptions: new JavaAs([], javaEmptyList),
  }, [[]]);
  const values = [...object.values];
  const made = new JavaObject(object.desc, values, object.annotations);
  // Java takes an exception that is its own cause for one that has none.
  values[0] = causeOf(error, writing) ?? made;
  return made;
}

/** What Java wants to know of each line of a stack of ours; lines that are not understood are left out. */
function stackOf(error: Error): Record<string, unknown>[] {
  const elements: Record<string, unknown>[] = [];
  for (const line of String(error.stack ?? "").split("\n").slice(0, MAX_STACK)) {
    // Of a text with a million spaces, each would be a beginning to try.
    const found = /^(?:at )?(?:(.*?)(?: \(|@))?([^()@]*?):(\d{1,9})(?::\d+)?\)?$/.exec(line.trimStart());
    if (found === null) continue;
    const method = found[1] ?? "";
    const dot = method.lastIndexOf(".");
    elements.push({
      lineNumber: Number(found[3]),
      declaringClass: dot < 0 ? "" : method.slice(0, dot),
      methodName: method.slice(dot + 1) || "<anonymous>",
      fileName: found[2] ?? null,
    });
  }
  return elements;
}

/** The classes of this file. */
export const throwableClasses: JavaRegistryInit = {
  mappings: [javaThrowable],
  described: [RUNTIME_EXCEPTION, STACK_ELEMENT, STACK],
};
