/**
 * The settings of TLS for RPC: read and checked with those of the transport.
 *
 * Spark: the `sslRpc…` getters of common/network-common/…/util/TransportConf.java. Whether keys are there is known when TLS is set up.
 *
 * @module
 */

import type { SparkConf } from "../base/spark_conf.ts";
import { sizeAsInt } from "./size_as_int.ts";

/**
 * Spark's keys of TLS for RPC, `spark.ssl.rpc.*`; nothing of them comes from `spark.ssl.*`. Checked, and without effect: TLS is
 * spoken with the certificates of the option `tls`, and a TransportContext refuses `spark.ssl.rpc.enabled` without it.
 */
export interface SslRpcConf {
  /** `.enabled`; default false. */
  readonly sslRpcEnabled: boolean;
  /** `.protocol`; the newest that both ends know. */
  readonly sslRpcProtocol: string | undefined;
  /** `.enabledAlgorithms`: a list with commas; the runtime's own. */
  readonly sslRpcRequestedCiphers: readonly string[] | undefined;
  /** `.keyStore`: the path of a Java key store. */
  readonly sslRpcKeyStore: string | undefined;
  /** `.keyStorePassword`. */
  readonly sslRpcKeyStorePassword: string | undefined;
  /** `.keyPassword`. */
  readonly sslRpcKeyPassword: string | undefined;
  /** `.privateKey`: the path of a PEM file, PKCS#8. */
  readonly sslRpcPrivateKey: string | undefined;
  /** `.privateKeyPassword`. */
  readonly sslRpcPrivateKeyPassword: string | undefined;
  /** `.certChain`: the path of a PEM file, X.509. */
  readonly sslRpcCertChain: string | undefined;
  /** `.trustStore`: the path of a Java key store of those who are trusted. */
  readonly sslRpcTrustStore: string | undefined;
  /** `.trustStorePassword`. */
  readonly sslRpcTrustStorePassword: string | undefined;
  /** `.trustStoreReloadingEnabled`; default false. */
  readonly sslRpcTrustStoreReloadingEnabled: boolean;
  /** `.trustStoreReloadIntervalMs`; default 10000; milliseconds. */
  readonly sslRpcTrustStoreReloadIntervalMs: number;
  /** `.openSslEnabled`; default false; without effect, as the runtime has one implementation of TLS. */
  readonly sslRpcOpenSslEnabled: boolean;
  /** `spark.network.ssl.maxEncryptedBlockSize`; default 64k; bytes; without effect, as the runtime cuts what is encrypted. */
  readonly sslShuffleChunkSize: number;
}

const PASSWORDS = [
  "sslRpcKeyStorePassword",
  "sslRpcKeyPassword",
  "sslRpcPrivateKeyPassword",
  "sslRpcTrustStorePassword",
] as const;

/**
 * Reads them.
 *
 * @throws RangeError that names the key whose value cannot be used.
 */
export function readSslRpcConf(conf: SparkConf): SslRpcConf {
  const option = (suffix: string): string | undefined => conf.getOption(`spark.ssl.rpc.${suffix}`);
  const settings: SslRpcConf = {
    sslRpcEnabled: conf.getBoolean("spark.ssl.rpc.enabled", false),
    sslRpcProtocol: option("protocol"),
    sslRpcRequestedCiphers: option("enabledAlgorithms")?.split(",").map((name) => name.trim()).filter((name) => name !== ""),
    sslRpcKeyStore: option("keyStore"),
    sslRpcKeyStorePassword: option("keyStorePassword"),
    sslRpcKeyPassword: option("keyPassword"),
    sslRpcPrivateKey: option("privateKey"),
    sslRpcPrivateKeyPassword: option("privateKeyPassword"),
    sslRpcCertChain: option("certChain"),
    sslRpcTrustStore: option("trustStore"),
    sslRpcTrustStorePassword: option("trustStorePassword"),
    sslRpcTrustStoreReloadingEnabled: conf.getBoolean("spark.ssl.rpc.trustStoreReloadingEnabled", false),
    sslRpcTrustStoreReloadIntervalMs: conf.getInt("spark.ssl.rpc.trustStoreReloadIntervalMs", 10_000),
    sslRpcOpenSslEnabled: conf.getBoolean("spark.ssl.rpc.openSslEnabled", false),
    sslShuffleChunkSize: sizeAsInt(conf, "spark.network.ssl.maxEncryptedBlockSize", "64k"),
  };
  // Whoever prints an environment prints its settings too; Bun 1.4 even values that cannot be enumerated, but no getter's.
  for (const name of PASSWORDS) {
    const password = settings[name];
    Object.defineProperty(settings, name, { get: () => password, enumerable: false });
  }
  return settings;
}
