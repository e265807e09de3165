/**
 * The settings of authentication and of encryption after it: read and checked with those of the transport.
 *
 * Spark: the getters of common/network-common/…/util/TransportConf.java that begin with `auth`, `encryption`, `cipher` and `sasl`.
 *
 * @module
 */

import { illegalValue, type SparkConf } from "../base/spark_conf.ts";
import { sizeAsInt } from "./size_as_int.ts";

/** Ciphers of the new protocol. */
export type CipherTransformation = "AES/CTR/NoPadding" | "AES/GCM/NoPadding";

const CIPHERS: readonly CipherTransformation[] = ["AES/CTR/NoPadding", "AES/GCM/NoPadding"];
const CRYPTO_CONFIG_PREFIX = "spark.network.crypto.config.";

/**
 * How peers authenticate themselves: checked, and without effect yet. A TransportContext refuses keys that ask for authentication or
 * for encryption after it. Sizes are in bytes, times in milliseconds.
 */
export interface TransportAuthConf {
  /** `spark.authenticate`; default false; whether every connection is authenticated before anything else. */
  readonly authenticationEnabled: boolean;
  /** `spark.network.auth.rpcTimeout`, then `spark.<module>.sasl.timeout`; default 30s; in whole seconds, given as ms; one round trip. */
  readonly authRTTimeoutMs: number;
  /** `spark.network.crypto.enabled`; default false; whether the new protocol, with AES after it, is spoken. */
  readonly encryptionEnabled: boolean;
  /** `spark.network.crypto.authEngineVersion`; default 1; 1 or 2, the same at both ends. */
  readonly authEngineVersion: 1 | 2;
  /** `spark.network.crypto.cipher`; default AES/CTR/NoPadding. */
  readonly cipherTransformation: CipherTransformation;
  /** `spark.network.crypto.saslFallback`; default true; whether peers that do not know the new protocol may use SASL. */
  readonly saslFallback: boolean;
  /** `spark.authenticate.enableSaslEncryption`; default false. */
  readonly saslEncryption: boolean;
  /** `spark.network.sasl.maxEncryptedBlockSize`; default 64k; bytes. */
  readonly maxSaslEncryptedBlockSize: number;
  /** `spark.network.sasl.serverAlwaysEncrypt`; default false; whether connections without encryption are refused. */
  readonly saslServerAlwaysEncrypt: boolean;
  /** `spark.network.crypto.config.*`, as `commons.crypto.*`; without effect, as the runtime's own cryptography is used. */
  readonly cryptoConf: ReadonlyMap<string, string>;
}

/**
 * Reads them.
 *
 * @throws RangeError that names the key whose value cannot be used.
 */
export function readTransportAuthConf(conf: SparkConf, module: string): TransportAuthConf {
  return {
    authenticationEnabled: conf.getBoolean("spark.authenticate", false),
    authRTTimeoutMs: authTimeoutMs(conf, module),
    encryptionEnabled: conf.getBoolean("spark.network.crypto.enabled", false),
    authEngineVersion: engineVersion(conf),
    cipherTransformation: cipher(conf),
    saslFallback: conf.getBoolean("spark.network.crypto.saslFallback", true),
    saslEncryption: conf.getBoolean("spark.authenticate.enableSaslEncryption", false),
    maxSaslEncryptedBlockSize: sizeAsInt(conf, "spark.network.sasl.maxEncryptedBlockSize", "64k"),
    saslServerAlwaysEncrypt: conf.getBoolean("spark.network.sasl.serverAlwaysEncrypt", false),
    cryptoConf: cryptoConf(conf),
  };
}

function authTimeoutMs(conf: SparkConf, module: string): number {
  const ofModule = `spark.${module}.sasl.timeout`;
  const key = conf.contains("spark.network.auth.rpcTimeout") ? "spark.network.auth.rpcTimeout" : ofModule;
  const seconds = conf.timeAsSeconds(key, "30s");
  if (seconds <= 0) throw illegalValue(key, conf.get(key), "Time must be at least 1s");
  return seconds * 1000;
}

function engineVersion(conf: SparkConf): 1 | 2 {
  const key = "spark.network.crypto.authEngineVersion";
  const version = conf.getInt(key, 1);
  if (version !== 1 && version !== 2) throw illegalValue(key, String(version), "Version must be 1 or 2");
  return version;
}

function cipher(conf: SparkConf): CipherTransformation {
  const key = "spark.network.crypto.cipher";
  const text = conf.get(key, CIPHERS[0]);
  const known = CIPHERS.find((name) => name === text);
  if (known === undefined) throw illegalValue(key, text, `Cipher must be one of ${CIPHERS.join(", ")}`);
  return known;
}

/** Spark: CryptoUtils.toCryptoConf. */
function cryptoConf(conf: SparkConf): Map<string, string> {
  const entries = conf.getAll().filter(([key]) => key.startsWith(CRYPTO_CONFIG_PREFIX));
  return new Map(entries.map(([key, value]) => [`commons.crypto.${key.slice(CRYPTO_CONFIG_PREFIX.length)}`, value]));
}
