/**
 * One message that wants no answer, on its way out.
 *
 * Spark: OneWayOutboxMessage in core/…/rpc/netty/Outbox.scala.
 *
 * @module
 */

import type { ByteSink } from "../base/byte_sink.ts";
import type { ContentWriter } from "../transport/rpc_response_callback.ts";
import type { TransportClient } from "../transport/transport_client.ts";
import type { NettyRpcEndpointRef } from "./netty_rpc_endpoint_ref.ts";
import { HeldBack, type VersionedContent } from "./versioned_content.ts";

/** A message for the endpoint of `ref`. */
export class OneWayOutboxMessage implements ContentWriter {
  readonly #ref: NettyRpcEndpointRef;
  readonly #message: unknown;
  /** The connection that it is written for, once there is one. */
  client: TransportClient | undefined;
  /** The message once more, if it is not sure that its reader can read it. */
  versioned: VersionedContent | undefined;

  /** @param ref Whom it is for. @param message What is said. */
  constructor(ref: NettyRpcEndpointRef, message: unknown) {
    this.#ref = ref;
    this.#message = message;
    this.client = undefined;
    this.versioned = undefined;
  }

  /** Throws a HeldBack if it is written for a connection and must not be sent yet. */
  writeTo(out: ByteSink): void {
    this.versioned = this.#ref.write(this.#message, out, this.client);
    if (this.versioned !== undefined && this.client !== undefined) throw new HeldBack(this.versioned);
  }
}
