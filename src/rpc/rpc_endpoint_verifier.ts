/**
 * The endpoint that says which endpoints exist: what every look-up asks first.
 *
 * Spark: core/…/rpc/netty/RpcEndpointVerifier.scala.
 *
 * @module
 */

import { CheckExistence } from "../serializer/java/check_existence.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { unhandled } from "./rpc_call_context.ts";
import type { RpcEndpoint } from "./rpc_endpoint.ts";

/** The name under which every listening environment has it. */
export const VERIFIER_NAME = "endpoint-verifier";

/** Answers CheckExistence(name) with whether an endpoint of that name takes messages. */
export class RpcEndpointVerifier implements RpcEndpoint {
  readonly #dispatcher: Dispatcher;

  /** @param dispatcher Knows the endpoints. */
  constructor(dispatcher: Dispatcher) {
    this.#dispatcher = dispatcher;
  }

  receiveAndReply(message: unknown): unknown {
    return message instanceof CheckExistence ? this.#dispatcher.verify(message.name) : unhandled;
  }
}
