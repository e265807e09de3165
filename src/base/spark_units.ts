/**
 * Durations and sizes as Spark's configuration writes them: `120s`, `250us`, `48m`, `1g`.
 *
 * Spark: common/utils/…/network/util/JavaUtils.java and ByteUnit.java. There the results are 64-bit integers; here they are
 * numbers, computed exactly and rounded to the nearest float beyond ±(2⁵³-1).
 *
 * @module
 */

/** The unit of a bare number, and of the result. */
export type TimeUnit = "us" | "ms" | "s" | "m" | "min" | "h" | "d";

/** The unit of a bare number, and of the result. */
export type ByteUnit = "b" | "k" | "kb" | "m" | "mb" | "g" | "gb" | "t" | "tb" | "p" | "pb";

const TIME_UNITS_US: Readonly<Record<TimeUnit, bigint>> = {
  us: 1n,
  ms: 1_000n,
  s: 1_000_000n,
  m: 60_000_000n,
  min: 60_000_000n,
  h: 3_600_000_000n,
  d: 86_400_000_000n,
};

const BYTE_UNITS: Readonly<Record<ByteUnit, { readonly name: string; readonly bytes: bigint }>> = {
  b: { name: "BYTE", bytes: 1n },
  k: { name: "KiB", bytes: 1n << 10n },
  kb: { name: "KiB", bytes: 1n << 10n },
  m: { name: "MiB", bytes: 1n << 20n },
  mb: { name: "MiB", bytes: 1n << 20n },
  g: { name: "GiB", bytes: 1n << 30n },
  gb: { name: "GiB", bytes: 1n << 30n },
  t: { name: "TiB", bytes: 1n << 40n },
  tb: { name: "TiB", bytes: 1n << 40n },
  p: { name: "PiB", bytes: 1n << 50n },
  pb: { name: "PiB", bytes: 1n << 50n },
};

const LONG_MAX = 2n ** 63n - 1n;
const LONG_MIN = -(2n ** 63n);

const TIME_FORMS =
  "Time must be specified as seconds (s), milliseconds (ms), microseconds (us), minutes (m or min), hour (h), " +
  "or day (d). E.g. 50s, 100ms, or 250us.";
const BYTE_FORMS = "Size must be specified as bytes (b), kibibytes (k), mebibytes (m), gibibytes (g), tebibytes (t), or " +
  "pebibytes(p). E.g. 50b, 100k, or 250m.";

/**
 * Reads a duration: an integer, possibly negative, and a unit of any case.
 *
 * What is finer than `unit` is cut off towards zero: `1999ms` is one second. What is too large for 64 bits is the largest.
 *
 * @param text The duration, such as `120s`.
 * @param unit The unit of a bare number, and of the result.
 * @returns How many `unit`s it is.
 * @throws RangeError with Spark's text that lists the forms.
 */
export function parseTime(text: string, unit: TimeUnit): number {
  const match = /^(-?[0-9]+)([a-z]+)?$/.exec(text.toLowerCase().trim());
  if (match === null) throw new RangeError(`${TIME_FORMS}\nFailed to parse time string: ${text}`);
  const count = parseLong(match[1]!, TIME_FORMS);
  const suffix = match[2] ?? unit;
  if (!Object.hasOwn(TIME_UNITS_US, suffix)) throw new RangeError(`${TIME_FORMS}\nInvalid suffix: "${suffix}"`);
  const converted = count * TIME_UNITS_US[suffix as TimeUnit] / TIME_UNITS_US[unit];
  return Number(converted > LONG_MAX ? LONG_MAX : converted < LONG_MIN ? LONG_MIN : converted);
}

/**
 * Reads a size: a whole number and a unit of any case; units are powers of 1024.
 *
 * @param text The size, such as `48m`.
 * @param unit The unit of a bare number, and of the result, to which a smaller size is cut off.
 * @returns How many `unit`s it is.
 * @throws RangeError with Spark's text: for fractions and negatives, for unknown units, beyond 64 bits.
 */
export function parseBytes(text: string, unit: ByteUnit): number {
  const lower = text.toLowerCase().trim();
  const match = /^([0-9]+)([a-z]+)?$/.exec(lower);
  if (match === null) {
    const fraction = /^([0-9]+\.[0-9]+)([a-z]+)?$/.exec(lower);
    throw new RangeError(
      fraction === null
        ? `${BYTE_FORMS}\nFailed to parse byte string: ${text}`
        : `${BYTE_FORMS}\nFractional values are not supported. Input was: ${fraction[1]}`,
    );
  }
  const count = parseLong(match[1]!, BYTE_FORMS);
  // Since 4.2 `ki` and `kib` are `k` too.
  const suffix = match[2]?.replace(/^([kmgtp])ib?$/, "$1") ?? unit;
  if (!Object.hasOwn(BYTE_UNITS, suffix)) throw new RangeError(`${BYTE_FORMS}\nInvalid suffix: "${suffix}"`);
  const from = BYTE_UNITS[suffix as ByteUnit];
  const converted = count * from.bytes / BYTE_UNITS[unit].bytes;
  if (converted > LONG_MAX) {
    throw new RangeError(
      `Conversion of ${count} exceeds Long.MAX_VALUE in ${from.name}. Try a larger unit (e.g. MiB instead of KiB)`,
    );
  }
  return Number(converted);
}

function parseLong(digits: string, forms: string): bigint {
  const value = BigInt(digits);
  if (value > LONG_MAX || value < LONG_MIN) throw new RangeError(`${forms}\nFor input string: "${digits}"`);
  return value;
}
