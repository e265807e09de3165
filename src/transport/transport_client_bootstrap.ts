/**
 * What is done on a new connection before anybody gets it: a handshake, for instance.
 *
 * Spark: common/network-common/…/client/TransportClientBootstrap.java.
 *
 * @module
 */

import type { TransportClient } from "./transport_client.ts";

/** Prepares a connection on the side that dialled. */
export interface TransportClientBootstrap {
  /** Runs before `client` is handed out. What it throws or rejects with closes the connection and fails the dial. */
  doBootstrap(client: TransportClient): void | Promise<void>;
}
