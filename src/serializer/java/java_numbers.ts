/**
 * Numbers of Java that TypeScript has no type of its own for.
 *
 * Spark: the boxes of java.lang, java.math.BigInteger, java.math.BigDecimal and scala.math.BigInt.
 *
 * @module
 */

/** The kinds of {@linkcode JavaNumber}. */
export type JavaNumberType = "byte" | "short" | "int" | "long" | "float" | "double" | "char" | "BigInteger" | "BigInt";

/** The value of a {@linkcode JavaNumber} of each kind. */
export type JavaNumberValue<T extends JavaNumberType> = T extends "long" | "BigInteger" | "BigInt" ? bigint
  : T extends "char" ? string
  : number;

const RANGES: Readonly<Partial<Record<JavaNumberType, readonly [number, number]>>> = {
  byte: [-0x80, 0x7f],
  short: [-0x8000, 0x7fff],
  int: [-0x8000_0000, 0x7fff_ffff],
};

/**
 * A number of a particular type of Java, where a plain one would be an Integer, a Double or a Long.
 *
 * Bytes, shorts, floats and chars arrive as such, and doubles and BigIntegers where `exactNumbers` asks for it. `BigInteger` is
 * java.math's, `BigInt` scala.math's. It computes as the number it holds.
 *
 * @example
 * ```ts
 * import { JavaNumber } from "@sparkwire/sparkwire";
 *
 * const ratio = new JavaNumber("double", 1);
 * if (ratio.value * 2 !== 2 || String(ratio) !== "1") throw new Error("not a number");
 * ```
 */
export class JavaNumber<T extends JavaNumberType = JavaNumberType> {
  /** Which type it has in Java. */
  readonly type: T;
  /** Its value: a bigint for the types that need one, a text of one UTF-16 unit for `char`. */
  readonly value: JavaNumberValue<T>;

  /**
   * A number.
   *
   * @param type Its type in Java.
   * @param value Its value.
   * @throws {RangeError} If the type does not have that value.
   */
  constructor(type: T, value: JavaNumberValue<T>) {
    if (!isJavaNumber(type, value)) {
      throw new RangeError(`There is no ${type} of Java that is ${Object.is(value, -0) ? "-0" : String(value)}`);
    }
    this.type = type;
    this.value = type === "float" ? Math.fround(Number(value)) as JavaNumberValue<T> : value;
  }

  /** Its value, so that it can be computed with. */
  valueOf(): JavaNumberValue<T> {
    return this.value;
  }

  /** Its value as text. */
  toString(): string {
    return String(this.value);
  }
}

/** Whether `value` is one that the type `type` of Java has. */
export function isJavaNumber(type: JavaNumberType, value: unknown): boolean {
  switch (type) {
    case "long":
      return typeof value === "bigint" && BigInt.asIntN(64, value) === value;
    case "BigInteger":
    case "BigInt":
      return typeof value === "bigint";
    case "char":
      return typeof value === "string" && value.length === 1;
    case "float":
    case "double":
      return typeof value === "number";
    default: {
      const [least, most] = RANGES[type]!;
      // Minus zero is no integer of Java, and would come back as zero.
      return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most && !Object.is(value, -0);
    }
  }
}

/**
 * What to write for `value` where a field or an array of this signature holds it: a whole number is an Integer or a Long of itself,
 * which a JVM refuses in the place of a Double or a BigInteger.
 */
export function numberDeclaredAs(signature: string, value: number | bigint): number | bigint | JavaNumber {
  if (signature === "Ljava/lang/Double;" && isJavaNumber("int", value)) return new JavaNumber("double", Number(value));
  if (signature === "Ljava/math/BigInteger;" && isJavaNumber("long", value)) return new JavaNumber("BigInteger", BigInt(value));
  return value;
}

/**
 * A java.math.BigDecimal: `unscaled` × 10^-`scale`.
 *
 * @example
 * ```ts
 * import { JavaBigDecimal } from "@sparkwire/sparkwire";
 *
 * if (String(new JavaBigDecimal(150n, 2)) !== "1.50") throw new Error("not 1.50");
 * ```
 */
export class JavaBigDecimal {
  /** The digits, without the point. */
  readonly unscaled: bigint;
  /** How many of the digits are behind the point; negative for zeros before it. */
  readonly scale: number;

  /**
   * A number.
   *
   * @param unscaled Its digits.
   * @param scale How many of them are behind the point.
   * @throws {RangeError} If the scale is no 32-bit integer.
   */
  constructor(unscaled: bigint, scale: number) {
    if (!isJavaNumber("int", scale)) throw new RangeError(`The scale of a BigDecimal is no int: ${scale}`);
    this.unscaled = unscaled;
    this.scale = scale;
  }

  /** The number with its point; with an exponent where that would take more than a few zeros. */
  toString(): string {
    const digits = String(this.unscaled < 0n ? -this.unscaled : this.unscaled);
    const sign = this.unscaled < 0n ? "-" : "";
    const exponent = digits.length - 1 - this.scale;
    if (this.scale === 0) return sign + digits;
    if (this.scale > 0 && exponent >= -6) {
      const padded = digits.padStart(this.scale + 1, "0");
      return `${sign}${padded.slice(0, -this.scale)}.${padded.slice(-this.scale)}`;
    }
    const mantissa = digits.length === 1 ? digits : `${digits[0]}.${digits.slice(1)}`;
    return `${sign}${mantissa}E${exponent < 0 ? "" : "+"}${exponent}`;
  }
}
