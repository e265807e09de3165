/**
 * What an RPC environment asks about security: whether connections are authenticated, as whom, and with which secret.
 *
 * Spark: core/…/SecurityManager.scala, without the access lists, which are for web pages. Where a secret comes from (memory,
 * environment, configuration, file) is the implementation's.
 *
 * @module
 */

import type { SecretKeyHolder } from "../transport/secret_key_holder.ts";

/** Decides about authentication, for the whole environment and all its connections. There is none yet: it must be disabled. */
export interface SecurityManager extends SecretKeyHolder {
  /** Whether every connection, in and out, is authenticated before anything else. Spark: `spark.authenticate`. */
  isAuthenticationEnabled(): boolean;

  /**
   * The one user of all RPC connections; in Spark it is `sparkSaslUser` for every application.
   *
   * @param appId The application that a peer says it is.
   */
  getSaslUser(appId?: string): string;

  /**
   * The secret shared with `appId`, looked for in the order: credentials of the session, memory, the environment variable
   * `_SPARK_AUTH_SECRET`, the key `spark.authenticate.secret`, a secret file.
   *
   * @param appId The user that {@linkcode getSaslUser} gives.
   * @returns The secret, or undefined where authentication is off.
   * @throws RangeError `A secret key must be specified via the spark.authenticate.secret config`.
   */
  getSecretKey(appId: string): string | undefined;
}
