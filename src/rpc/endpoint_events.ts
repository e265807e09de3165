/**
 * Tells an endpoint of its own life and of connections: which message is which of its methods.
 *
 * Spark: the cases of `Inbox.process` but for the two of messages, in core/…/rpc/netty/Inbox.scala.
 *
 * @module
 */

import { unreachable } from "../base/assert.ts";
import type { NetworkEvent, OnStart, OnStop } from "./inbox_message.ts";
import type { RpcEndpoint } from "./rpc_endpoint.ts";

/** Calls the method of `endpoint` that `event` is for, if it has it; returns what that returns. */
export function tellEndpoint(endpoint: RpcEndpoint, event: OnStart | OnStop | NetworkEvent): unknown {
  switch (event.kind) {
    case "OnStart":
      return endpoint.onStart?.();
    case "OnStop":
      return endpoint.onStop?.();
    case "RemoteProcessConnected":
      return endpoint.onConnected?.(event.remoteAddress);
    case "RemoteProcessDisconnected":
      return endpoint.onDisconnected?.(event.remoteAddress);
    case "RemoteProcessConnectionError":
      return endpoint.onNetworkError?.(event.cause, event.remoteAddress);
    default:
      unreachable(event);
  }
}
