/**
 * The question of a lookup: is there an endpoint of that name?
 *
 * Spark: core/…/rpc/netty/RpcEndpointVerifier.scala CheckExistence.
 *
 * @module
 */

/**
 * Asks the endpoint `endpoint-verifier` whether an endpoint is registered; the answer is a boolean.
 *
 * @example
 * ```ts
 * import { CheckExistence, RpcEnv } from "@sparkwire/sparkwire";
 *
 * const server = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0 });
 * const client = await RpcEnv.create({ name: "client" });
 * // What `setupEndpointRef` asks by itself.
 * const verifier = await client.setupEndpointRef(`spark://endpoint-verifier@${server.address}`, { serializer: "java" });
 * if (await verifier.ask(new CheckExistence("Greeter")) !== false) throw new Error("There is a Greeter");
 * await client.shutdown();
 * await server.shutdown();
 * ```
 */
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
