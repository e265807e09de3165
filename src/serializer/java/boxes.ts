/**
 * Boxed numbers, booleans, BigInteger and BigDecimal, and what a plain number, bigint and boolean is in Java.
 *
 * Spark: java.lang, java.math and scala.math.BigInt.
 *
 * @module
 */

import { bigintOfBytes, bytesOfBigint } from "../bigint_bytes.ts";
import { shownValue } from "../serializer_errors.ts";
import { KnownClass } from "./class_desc.ts";
import { MAX_BIGINT_BYTES } from "./java_limits.ts";
import { type JavaMapping, type JavaReading, type JavaRegistryInit, type JavaWriting, objectOf } from "./java_mapping.ts";
import type { JavaObject } from "./java_object.ts";
import { isJavaNumber, JavaBigDecimal, JavaNumber, type JavaNumberType, type JavaNumberValue } from "./java_numbers.ts";
import { PRIMITIVE_ARRAYS } from "./primitives.ts";
import { ClassFlag } from "./stream_format.ts";

const NUMBER = new KnownClass("java.lang.Number", { uid: -8742448824652078965n });
const SCALA_NUMBER = new KnownClass("scala.math.ScalaNumber", { uid: 1325702457584418945n, parent: NUMBER });

function box(name: string, uid: bigint, signature: string, parent?: KnownClass): KnownClass {
  const fields = { value: signature };
  return new KnownClass(`java.lang.${name}`, parent === undefined ? { uid, fields } : { uid, fields, parent });
}

const BOOLEAN = box("Boolean", -3665804199014368530n, "Z");
const INTEGER = box("Integer", 1360826667806852920n, "I", NUMBER);
const LONG = box("Long", 4290774380558885855n, "J", NUMBER);
const DOUBLE = box("Double", -9172774392245257468n, "D", NUMBER);
const BYTE = box("Byte", -7183698231559129828n, "B", NUMBER);
const SHORT = box("Short", 7515723908773894738n, "S", NUMBER);
const FLOAT = box("Float", -2671257302660747028n, "F", NUMBER);
const CHARACTER = box("Character", 3786198910865385080n, "C");
const UNIT = new KnownClass("scala.runtime.BoxedUnit", { uid: 8405543498931817370n });

const BIG_INTEGER = new KnownClass("java.math.BigInteger", {
  uid: -8287574255936472291n,
  flags: ClassFlag.Serializable | ClassFlag.WriteMethod,
  fields: { bitCount: "I", bitLength: "I", firstNonzeroByteNum: "I", lowestSetBit: "I", signum: "I", magnitude: "[B" },
  parent: NUMBER,
});
const BIG_DECIMAL = new KnownClass("java.math.BigDecimal", {
  uid: 6108874887143696463n,
  flags: ClassFlag.Serializable | ClassFlag.WriteMethod,
  fields: { scale: "I", intVal: "Ljava/math/BigInteger;" },
  parent: NUMBER,
});
const BIG_INT = new KnownClass("scala.math.BigInt", {
  uid: -6413321520498994597n,
  fields: { _long: "J", _bigInteger: "Ljava/math/BigInteger;" },
  parent: SCALA_NUMBER,
});

/** What scala.math.BigInt puts in place of a long where it has a BigInteger. */
const NO_LONG = -(2n ** 63n);

/** A box whose value is one of TypeScript's own. */
function plain(known: KnownClass): JavaMapping {
  return {
    known,
    plain: true,
    read: (object) => object.values.at(-1),
    write: (value, { version }) => objectOf(known, version, { value }),
  };
}

/** A number that was read; `value` is whatever a class of that name has in the place of one. */
export function numberOf<T extends JavaNumberType>(type: T, value: unknown, reading: JavaReading): JavaNumber<T> {
  if (!isJavaNumber(type, value)) throw reading.fail(`${shownValue(value)} is no ${type}`);
  return new JavaNumber(type, value as JavaNumberValue<T>);
}

/** A box that a JavaNumber stands for. */
function wrapped(known: KnownClass, type: JavaNumberType): JavaMapping {
  return {
    known,
    read: (object, _, reading) => numberOf(type, object.values.at(-1), reading),
    write: (value, { version }) => objectOf(known, version, { value: (value as JavaNumber).value }),
  };
}

const double: JavaMapping = {
  known: DOUBLE,
  read(object, _, reading) {
    const value = object.values.at(-1);
    return reading.exactNumbers ? numberOf("double", value, reading) : value;
  },
  write: (value, { version }) => objectOf(DOUBLE, version, { value: (value as JavaNumber).value }),
};

const bigInteger: JavaMapping = {
  known: BIG_INTEGER,
  read(object, _, reading) {
    const value = readBigInteger(object, reading);
    return reading.exactNumbers ? new JavaNumber("BigInteger", value) : value;
  },
  write: (value, writing) => bigIntegerObject((value as JavaNumber<"BigInteger">).value, writing),
};

function readBigInteger(object: JavaObject, reading: JavaReading): bigint {
  const signum = object.get("signum");
  const magnitude = object.get("magnitude");
  if (!(magnitude instanceof Uint8Array)) throw reading.fail("BigInteger has no magnitude");
  if (magnitude.length > MAX_BIGINT_BYTES) {
    throw reading.fail(`BigInteger has ${magnitude.length} bytes, more than ${MAX_BIGINT_BYTES}`);
  }
  reading.spend(magnitude.length);
  const value = bigintOfBytes(magnitude);
  if (signum === 1) return value;
  if (signum === -1) return -value;
  if (signum === 0 && value === 0n) return 0n;
  throw reading.fail("BigInteger has a sign that does not fit its magnitude");
}

function bigIntegerObject(value: bigint, writing: JavaWriting): JavaObject {
  const magnitude = value === 0n ? new Uint8Array(0) : bytesOfBigint(value < 0n ? -value : value);
  const { length } = magnitude;
  if (length > MAX_BIGINT_BYTES) throw writing.fail(`a bigint of ${length} bytes (the most is ${MAX_BIGINT_BYTES})`);
  writing.addBigint(length);
  return objectOf(BIG_INTEGER, writing.version, {
    // Java keeps these for readers of long ago, and always writes the same.
    bitCount: -1,
    bitLength: -1,
    firstNonzeroByteNum: -2,
    lowestSetBit: -2,
    signum: value === 0n ? 0 : value < 0n ? -1 : 1,
    magnitude,
  });
}

const bigDecimal: JavaMapping = {
  known: BIG_DECIMAL,
  read(object, _, reading) {
    const digits: unknown = unwrap(object.get("intVal"));
    const scale = object.get("scale");
    if (typeof digits !== "bigint" || typeof scale !== "number") throw reading.fail("BigDecimal has no digits");
    return new JavaBigDecimal(digits, scale);
  },
  write(value, { version }) {
    const { unscaled, scale } = value as JavaBigDecimal;
    return objectOf(BIG_DECIMAL, version, { scale, intVal: new JavaNumber("BigInteger", unscaled) });
  },
};

const bigInt: JavaMapping = {
  known: BIG_INT,
  read(object, _, reading) {
    const big = unwrap(object.get("_bigInteger"));
    return numberOf("BigInt", big === null ? object.get("_long") : big, reading);
  },
  write(value, { version }) {
    const big = (value as JavaNumber<"BigInt">).value;
    const fits = isJavaNumber("long", big) && big !== NO_LONG;
    return objectOf(BIG_INT, version, {
      _long: fits ? big : NO_LONG,
      _bigInteger: fits ? null : new JavaNumber("BigInteger", big),
    });
  },
};

function unwrap(value: unknown): unknown {
  return value instanceof JavaNumber ? value.value : value;
}

const BY_TYPE: Readonly<Record<JavaNumberType, JavaMapping>> = {
  byte: wrapped(BYTE, "byte"),
  short: wrapped(SHORT, "short"),
  int: plain(INTEGER),
  long: plain(LONG),
  float: wrapped(FLOAT, "float"),
  double,
  char: wrapped(CHARACTER, "char"),
  BigInteger: bigInteger,
  BigInt: bigInt,
};

/** Writes a JavaNumber as the class of its type. */
const javaNumber: JavaMapping = {
  known: NUMBER,
  read: (object) => object,
  write(value, writing) {
    const number = value as JavaNumber;
    return BY_TYPE[number.type].write(number.type === "int" || number.type === "long" ? number.value : number, writing);
  },
};

const unit: JavaMapping = {
  known: UNIT,
  read: () => undefined,
  write: (_, { version }) => objectOf(UNIT, version, {}),
};

/** What a value that is no object, text or null is in Java: the class of its box and its value there, or a whole object. */
export function boxOf(
  value: unknown,
  writing: JavaWriting,
): { readonly known: KnownClass; readonly value: unknown } | JavaObject {
  switch (typeof value) {
    case "boolean":
      return { known: BOOLEAN, value };
    case "number":
      return { known: isJavaNumber("int", value) ? INTEGER : DOUBLE, value };
    case "bigint":
      return isJavaNumber("long", value) ? { known: LONG, value } : bigIntegerObject(value, writing);
    default:
      return { known: UNIT, value };
  }
}

/** The classes of this file. */
export const boxClasses: JavaRegistryInit = {
  mappings: [plain(BOOLEAN), unit, bigDecimal, ...Object.values(BY_TYPE)],
  described: [NUMBER, ...Object.values(PRIMITIVE_ARRAYS)],
  prototypes: [[JavaNumber.prototype, javaNumber], [JavaBigDecimal.prototype, bigDecimal]],
};
