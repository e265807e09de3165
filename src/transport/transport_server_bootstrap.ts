/**
 * What is done on an accepted connection before its first request.
 *
 * Spark: common/network-common/…/server/TransportServerBootstrap.java.
 *
 * @module
 */

import type { RpcHandler } from "./rpc_handler.ts";
import type { TransportClient } from "./transport_client.ts";

/** Prepares a connection on the side that accepted it. */
export interface TransportServerBootstrap {
  /** Gives the handler for this connection: `handler` itself, or one around it that wants something first. */
  doBootstrap(client: TransportClient, handler: RpcHandler): RpcHandler;
}
