/**
 * Who knows the secrets that connections are authenticated with.
 *
 * Spark: common/network-common/…/sasl/SecretKeyHolder.java.
 *
 * @module
 */

/** Gives user name and secret for an application. */
export interface SecretKeyHolder {
  /**
   * The user name that stands for `appId` in a handshake.
   *
   * @param appId The application, or for an RPC environment the user itself.
   * @throws RangeError if there is none for it.
   */
  getSaslUser(appId: string): string;

  /**
   * The secret shared with `appId`.
   *
   * @param appId The application, or for an RPC environment the user itself.
   * @returns The secret, or undefined where authentication is off. It is never logged and never in a message of an error.
   * @throws RangeError if there must be one and is not.
   */
  getSecretKey(appId: string): string | undefined;
}
