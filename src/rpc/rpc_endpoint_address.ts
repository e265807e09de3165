/**
 * Where an endpoint is: its name, and the address of its environment unless that has none.
 *
 * Spark: core/…/rpc/RpcEndpointAddress.scala.
 *
 * @module
 */

import { RpcAddress } from "./rpc_address.ts";
import { invalidAddress, parseSparkUri, type UriOptions } from "./spark_uri.ts";

/**
 * The name of an endpoint and the address of its environment; undefined where that is in client mode and can be reached only over
 * a connection that it opened itself.
 *
 * @example
 * ```ts
 * import { RpcEndpointAddress } from "@sparkwire/sparkwire";
 *
 * const { name, rpcAddress } = RpcEndpointAddress.parse("spark://Master@127.0.0.1:7077");
 * if (name !== "Master" || rpcAddress?.port !== 7077) throw new Error("not the Master");
 * ```
 */
export class RpcEndpointAddress {
  /** Where the endpoint's environment listens, if it does. */
  readonly rpcAddress: RpcAddress | undefined;
  /** The endpoint's name. */
  readonly name: string;

  /**
   * An address of that name.
   *
   * @param rpcAddress Where the endpoint's environment listens; undefined in client mode.
   * @param name The endpoint's name.
   * @throws TypeError if there is no name, which a type cast can hide.
   */
  constructor(rpcAddress: RpcAddress | undefined, name: string) {
    if (typeof name !== "string") throw new TypeError("requirement failed: RpcEndpoint name must be provided.");
    this.rpcAddress = rpcAddress;
    this.name = name;
  }

  /**
   * The address in a `spark://name@host:port` URI. Names are percent-decoded. `spark-client://name` has no address to go to, and
   * is refused.
   *
   * @param uri The URI, without path, query and fragment.
   * @param options How exact to be about host names.
   * @throws RpcError INVALID_ADDRESS `Invalid Spark URL: <uri>`; its cause says why.
   */
  static parse(uri: string, options: UriOptions = {}): RpcEndpointAddress {
    try {
      const { userInfo, host, port } = parseSparkUri(uri, options);
      if (userInfo === undefined) throw invalidAddress("Expected the endpoint's name and @ before the host");
      return new RpcEndpointAddress(new RpcAddress(host, port), userInfo);
    } catch (cause) {
      throw invalidAddress(`Invalid Spark URL: ${uri}`, { cause });
    }
  }

  /** Whether `other` has the same name and the same address, or none like this one. */
  equals(other: RpcEndpointAddress | undefined): boolean {
    if (other === undefined || this.name !== other.name) return false;
    return this.rpcAddress === undefined ? other.rpcAddress === undefined : this.rpcAddress.equals(other.rpcAddress);
  }

  /** The address as `spark://name@host:port`, or `spark-client://name`. Both are part of what travels in a reference. */
  toString(): string {
    return this.rpcAddress === undefined ? `spark-client://${this.name}` : `spark://${this.name}@${this.rpcAddress.hostPort}`;
  }
}
