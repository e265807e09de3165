/**
 * What an endpoint is looked up by: a URI, or an address and a name.
 *
 * @module
 */

import { RpcAddress } from "./rpc_address.ts";
import { RpcEndpointAddress } from "./rpc_endpoint_address.ts";
import { invalidAddress } from "./spark_uri.ts";

/** A `spark://name@host:port` URI, or its parts. */
export type LookupTarget = string | {
  /** Where the endpoint's environment listens. */
  readonly address: { readonly host: string; readonly port: number };
  /** The endpoint's name. */
  readonly name: string;
};

/**
 * Address, name and printed form of `target`.
 *
 * @throws {RpcError} With code INVALID_ADDRESS if it is no such URI.
 */
export function parseLookupTarget(
  target: LookupTarget,
): { readonly rpcAddress: RpcAddress; readonly name: string; readonly uri: string } {
  if (typeof target === "string") {
    const { rpcAddress, name } = RpcEndpointAddress.parse(target);
    if (rpcAddress === undefined) throw invalidAddress(`Invalid Spark URL: ${target}`);
    return { rpcAddress, name, uri: target };
  }
  const { host, port } = target.address;
  const rpcAddress = new RpcAddress(host, port);
  return { rpcAddress, name: target.name, uri: new RpcEndpointAddress(rpcAddress, target.name).toString() };
}
