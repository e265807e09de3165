/**
 * Where the Masters of a standalone cluster are: `spark://host:port`, or several that stand in for each other.
 *
 * Spark: core/…/util/Utils.scala parseStandaloneMasterUrls, and rpc/RpcAddress.scala fromSparkURL. A Master that is named twice is
 * one here.
 *
 * @module
 */

import { RpcAddress } from "../../rpc/rpc_address.ts";
import { invalidAddress } from "../../rpc/spark_uri.ts";

const SCHEME = "spark://";

/**
 * The addresses in a cluster's URL, such as `spark://one:7077,two:7077`.
 *
 * @param urls The URL, or several.
 * @returns Each address once, in their order.
 * @throws RpcError INVALID_ADDRESS `Invalid master URL: <url>`; its cause says why.
 */
export function parseMasterUrls(urls: string | readonly string[]): readonly RpcAddress[] {
  const addresses = new Map<string, RpcAddress>();
  for (const url of typeof urls === "string" ? [urls] : urls) {
    if (!url.startsWith(SCHEME)) {
      throw invalidAddress(`Invalid master URL: ${url}`, { cause: invalidAddress("Expected spark://host:port") });
    }
    for (const hostPort of url.slice(SCHEME.length).split(",")) {
      const address = RpcAddress.fromSparkURL(SCHEME + hostPort);
      addresses.set(address.hostPort, address);
    }
  }
  if (addresses.size === 0) throw invalidAddress("Expected the URL of a Master but got none");
  return [...addresses.values()];
}
