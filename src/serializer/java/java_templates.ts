/**
 * The least of Java's serialization that a lookup and a failure need, as fixed templates: CheckExistence, Boolean, RpcFailure.
 *
 * Spark: core/…/serializer/JavaSerializer.scala, for three classes. A CheckExistence is taken with any serialVersionUID, so that
 * every version of Spark can look our endpoints up. A failure is sent as a java.lang.RuntimeException with the error's text; stacks
 * do not travel. A failure that came can be any exception, which no template suffices for: it is read as the whole codec reads it.
 *
 * @module
 */

import { ByteReader } from "../../base/byte_reader.ts";
import type { ByteSink } from "../../base/byte_sink.ts";
import { SerializerError } from "../../base/errors.ts";
import type { MessageBody } from "../../base/message_body.ts";
import { RpcFailure, type Serializer, type SerializerContext } from "../serializer.ts";
import { encodeError, shown, shownValue } from "../serializer_errors.ts";
import { CheckExistence } from "./check_existence.ts";
import {
  bytesOf,
  ClassFlag,
  STREAM_HEADER,
  Tag,
  writeClassDesc,
  writeReference,
  writeStreamHeader,
  writeString,
} from "./stream_format.ts";
import { JavaReader } from "./_java_reader.ts";
import { boxClasses } from "./boxes.ts";
import { JavaRegistry } from "./java_mapping.ts";
import { scalaValues } from "./scala_values.ts";
import { failureClasses } from "./spark_classes.ts";
import { throwableClasses } from "./throwable.ts";

const CHECK_EXISTENCE_CLASS = "org.apache.spark.rpc.netty.RpcEndpointVerifier$CheckExistence";
const BOOLEAN_CLASS = "java.lang.Boolean";
const RPC_FAILURE_CLASS = "org.apache.spark.rpc.netty.RpcFailure";

const CHECK_EXISTENCE = bytesOf((out) => {
  writeStreamHeader(out);
  out.writeUint8(Tag.Object);
  writeClassDesc(out, {
    name: CHECK_EXISTENCE_CLASS,
    uid: 5378738997755484868n,
    flags: ClassFlag.Serializable,
    fields: [{ name: "name", type: "L", signature: "Ljava/lang/String;" }],
  });
  out.writeUint8(Tag.Null);
});

const BOOLEAN = bytesOf((out) => {
  writeStreamHeader(out);
  out.writeUint8(Tag.Object);
  writeClassDesc(out, {
    name: BOOLEAN_CLASS,
    uid: -3665804199014368530n,
    flags: ClassFlag.Serializable,
    fields: [{ name: "value", type: "Z" }],
  });
  out.writeUint8(Tag.Null);
});

/** Handles of the failure's stream, in the order in which they are given out. */
const THROWABLE_SIGNATURE = 1;
const EXCEPTION_OBJECT = 9;

/** A failure up to the exception's text. */
const FAILURE_HEAD = bytesOf((out) => {
  writeStreamHeader(out);
  out.writeUint8(Tag.Object);
  writeClassDesc(out, {
    name: RPC_FAILURE_CLASS,
    uid: -1395372036044081157n,
    flags: ClassFlag.Serializable,
    fields: [{ name: "e", type: "L", signature: "Ljava/lang/Throwable;" }],
  });
  out.writeUint8(Tag.Null);
  out.writeUint8(Tag.Object);
  const flags = ClassFlag.Serializable;
  writeClassDesc(out, { name: "java.lang.RuntimeException", uid: -7034897190745766939n, flags });
  writeClassDesc(out, { name: "java.lang.Exception", uid: -3387516993124229948n, flags });
  writeClassDesc(out, {
    name: "java.lang.Throwable",
    uid: -3042686055658047285n,
    flags: flags | ClassFlag.WriteMethod,
    fields: [
      { name: "cause", type: "L", signature: THROWABLE_SIGNATURE },
      { name: "detailMessage", type: "L", signature: "Ljava/lang/String;" },
      { name: "stackTrace", type: "[", signature: "[Ljava/lang/StackTraceElement;" },
      { name: "suppressedExceptions", type: "L", signature: "Ljava/util/List;" },
    ],
  });
  out.writeUint8(Tag.Null);
  // An exception that is its own cause has none.
  writeReference(out, EXCEPTION_OBJECT);
});

/** A failure after the exception's text: an empty stack, nothing suppressed. */
const FAILURE_TAIL = bytesOf((out) => {
  out.writeUint8(Tag.Array);
  writeClassDesc(out, { name: "[Ljava.lang.StackTraceElement;", uid: 0x02462a3c3cfd2239n, flags: ClassFlag.Serializable });
  out.writeUint8(Tag.Null);
  out.writeInt32(0);
  out.writeUint8(Tag.Object);
  writeClassDesc(out, { name: "java.util.Collections$EmptyList", uid: 0x7ab817b43ca79eden, flags: ClassFlag.Serializable });
  out.writeUint8(Tag.Null);
  out.writeUint8(Tag.EndBlockData);
});

/**
 * Java's serialization as far as templates go: booleans, {@linkcode CheckExistence}, and {@linkcode RpcFailure}. Every other value
 * and class is a SerializerError that names it.
 */
export const javaTemplates: Serializer = {
  name: "java",
  prefix: Uint8Array.of(0xac, 0xed),

  encode(value, out) {
    if (typeof value === "boolean") {
      out.writeBytes(BOOLEAN);
      out.writeUint8(value ? 1 : 0);
    } else if (value instanceof CheckExistence) {
      out.writeBytes(CHECK_EXISTENCE);
      writeString(out, value.name);
    } else if (value instanceof RpcFailure) {
      encodeFailure(value.error, out);
    } else {
      throw encodeError(`${shownValue(value)}: the full Java codec is needed`, "");
    }
  },

  decode(content, context) {
    const { bytes } = content;
    const reader = new ByteReader(bytes, fail);
    const header = reader.readInt32("Java stream header") >>> 0;
    if (header !== STREAM_HEADER) throw fail(`Invalid Java stream header: ${header.toString(16).padStart(8, "0")}`, 0);
    const className = readRootClass(reader);
    if (className === RPC_FAILURE_CLASS) return readFailure(content, context);
    if (className !== BOOLEAN_CLASS && className !== CHECK_EXISTENCE_CLASS) {
      throw fail(`Cannot decode ${shown(className)}: the full Java codec is needed`, 4);
    }
    const value = className === BOOLEAN_CLASS ? readBoolean(reader) : readCheckExistence(reader, context);
    if (reader.remaining > 0) throw fail(`${reader.remaining} bytes follow the value`, reader.position);
    return value;
  },

  encodeFailure(error, out) {
    encodeFailure(error, out);
  },
};

function encodeFailure(error: Error, out: ByteSink): void {
  out.writeBytes(FAILURE_HEAD);
  writeString(out, String(error.message));
  out.writeBytes(FAILURE_TAIL);
}

function fail(message: string, offset: number): SerializerError {
  return new SerializerError(message, { direction: "decode", offset });
}

/** The class of the object that the stream holds; the reader stands behind its name. */
function readRootClass(reader: ByteReader): string {
  const tag = reader.readUint8("Kind of value");
  switch (tag) {
    case Tag.Null:
      return "null";
    case Tag.String:
    case Tag.LongString:
      return "java.lang.String";
    case Tag.Object:
    case Tag.Array:
    case Tag.Enum:
    case Tag.Class:
      break;
    default:
      throw fail(`Unknown kind of value: 0x${tag.toString(16)}`, reader.position - 1);
  }
  const desc = reader.readUint8("Kind of class description");
  if (desc !== Tag.ClassDesc) throw fail(`Unknown kind of class description: 0x${desc.toString(16)}`, reader.position - 1);
  const name = reader.readModifiedUtf8(reader.readUint16("Length of class name"), "Class name");
  return tag === Tag.Class ? `the class ${name}` : name;
}

/** Most processes never meet a failure of a Spark, so the table is made when it is first needed. */
let failures: JavaRegistry | undefined;

function readFailure(content: MessageBody, context: SerializerContext): unknown {
  failures ??= new JavaRegistry([boxClasses, ...scalaValues, throwableClasses, failureClasses]);
  return new JavaReader(content, context, { registry: failures, exactNumbers: false }).read();
}

function readBoolean(reader: ByteReader): boolean {
  expectTemplate(reader, BOOLEAN);
  // As Java's readBoolean: any byte but 0 is true.
  return reader.readUint8("Boolean") !== 0;
}

function readCheckExistence(reader: ByteReader, context: SerializerContext): CheckExistence {
  const uid = reader.readInt64("serialVersionUID");
  context.sawJavaClass?.(CHECK_EXISTENCE_CLASS, uid);
  expectTemplate(reader, CHECK_EXISTENCE);
  const tag = reader.readUint8("Kind of name");
  if (tag === Tag.String) {
    return new CheckExistence(reader.readModifiedUtf8(reader.readUint16("Length of name"), "Name"));
  }
  if (tag !== Tag.LongString) throw fail(`Name is not a string: 0x${tag.toString(16)}`, reader.position - 1);
  const length = reader.readInt64("Length of name");
  return new CheckExistence(reader.readModifiedUtf8(Number(length), "Name"));
}

/** Steps over the rest of `template`, from where the reader stands; a stream of another form is refused. */
function expectTemplate(reader: ByteReader, template: Uint8Array): void {
  const start = reader.skip(template.length - reader.position, "Class description");
  for (let at = start; at < template.length; at++) {
    if (reader.bytes[at] !== template[at]) throw fail("Class description has another form than expected", at);
  }
}
