/**
 * Sizes that Spark keeps in 32 bits.
 *
 * Spark: `Ints.checkedCast(JavaUtils.byteStringAsBytes(…))` in common/network-common/…/util/TransportConf.java.
 *
 * @module
 */

import { illegalValue, type SparkConf } from "../base/spark_conf.ts";

const MAX_INT = 2 ** 31 - 1;

/**
 * The value of `key` in bytes.
 *
 * @throws RangeError that names the key if it is no size, or one of 2 GiB or more.
 */
export function sizeAsInt(conf: SparkConf, key: string, defaultValue: string): number {
  const bytes = conf.sizeAsBytes(key, defaultValue);
  if (bytes > MAX_INT) throw illegalValue(key, conf.get(key, defaultValue), `Size must be at most ${MAX_INT} bytes`);
  return bytes;
}
