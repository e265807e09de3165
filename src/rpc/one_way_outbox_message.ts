/**
 * One message that wants no answer, on its way out.
 *
 * Spark: OneWayOutboxMessage in core/…/rpc/netty/Outbox.scala.
 *
 * @module
 */

import type { ByteSink } from "../base/bytes.ts";
import type { ContentWriter } from "../transport/rpc_response_callback.ts";
import type { NettyRpcEndpointRef } from "./netty_rpc_endpoint_ref.ts";

/** A message for the endpoint of `ref`. */
export class OneWayOutboxMessage implements ContentWriter {
  readonly #ref: NettyRpcEndpointRef;
  readonly #message: unknown;

  /** @param ref Whom it is for. @param message What is said. */
  constructor(ref: NettyRpcEndpointRef, message: unknown) {
    this.#ref = ref;
    this.#message = message;
  }

  writeTo(out: ByteSink): void {
    this.#ref.write(this.#message, out);
  }
}
