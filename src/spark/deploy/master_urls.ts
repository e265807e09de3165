/**
 * Where the Masters of a standalone cluster are: `spark://host:port`, or several that stand in for each other.
 *
 * Spark: core/…/util/Utils.scala parseStandaloneMasterUrls, and rpc/RpcAddress.scala fromSparkURL. A Master that is named twice is
 * one here.
 *
 * @module
 */

import { RpcError } from "../../base/errors.ts";
import { RpcAddress } from "../../rpc/rpc_address.ts";

const SCHEME = "spark://";

/**
 * The addresses in a cluster's URL, such as `spark://one:7077,two:7077`.
 *
 * @param urls The URL, or several.
 * @returns Each address once, in their order.
 * @throws RpcError INVALID_ADDRESS `Invalid master URL: <url>`.
 */
export function parseMasterUrls(urls: string | readonly string[]): readonly RpcAddress[] {
  const addresses = new Map<string, RpcAddress>();
  for (const url of typeof urls === "string" ? [urls] : urls) {
    if (!url.startsWith(SCHEME)) throw new RpcError("INVALID_ADDRESS", `Invalid master URL: ${url}`);
    for (const hostPort of url.slice(SCHEME.length).split(",")) {
      const address = RpcAddress.fromSparkURL(SCHEME + hostPort);
      addresses.set(address.hostPort, address);
    }
  }
  if (addresses.size === 0) throw new RpcError("INVALID_ADDRESS", "Expected the URL of a Master but got none");
  return [...addresses.values()];
}
