/**
 * The question of a lookup: is there an endpoint of that name?
 *
 * Spark: core/…/rpc/netty/RpcEndpointVerifier.scala CheckExistence.
 *
 * @module
 */

/** Asks the endpoint `endpoint-verifier` whether an endpoint is registered; the answer is a boolean. */
export class CheckExistence {
  /** The endpoint's name. */
  readonly name: string;

  /**
   * A question for one name.
   *
   * @param name The endpoint's name.
   */
  constructor(name: string) {
    this.name = name;
  }
}
