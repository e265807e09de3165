/**
 * What lies in an inbox.
 *
 * Spark: the InboxMessage classes in core/…/rpc/netty/Inbox.scala.
 *
 * @module
 */

import { describeContent } from "./describe_content.ts";
import type { RpcAddress } from "./rpc_address.ts";
import type { RpcCallContext } from "./rpc_call_context.ts";

/** A message that wants no answer. */
export interface OneWayMessage {
  readonly kind: "OneWayMessage";
  readonly senderAddress: RpcAddress;
  readonly content: unknown;
  /** How many bytes its content was, if it came over a connection. */
  readonly bytes?: number;
}

/** A message that wants an answer. */
export interface RpcMessage {
  readonly kind: "RpcMessage";
  readonly senderAddress: RpcAddress;
  readonly content: unknown;
  readonly context: NettyRpcCallContext;
  /** How many bytes its content was, if it came over a connection. */
  readonly bytes?: number;
}

/** The first message of every inbox. */
export interface OnStart {
  readonly kind: "OnStart";
}

/** The last message of every inbox. */
export interface OnStop {
  readonly kind: "OnStop";
}

/** A connection was opened. */
export interface RemoteProcessConnected {
  readonly kind: "RemoteProcessConnected";
  readonly remoteAddress: RpcAddress;
}

/** A connection was lost. */
export interface RemoteProcessDisconnected {
  readonly kind: "RemoteProcessDisconnected";
  readonly remoteAddress: RpcAddress;
}

/** A connection broke. */
export interface RemoteProcessConnectionError {
  readonly kind: "RemoteProcessConnectionError";
  readonly cause: Error;
  readonly remoteAddress: RpcAddress;
}

/** News of a connection; never refused by an inbox. */
export type NetworkEvent = RemoteProcessConnected | RemoteProcessDisconnected | RemoteProcessConnectionError;

/** Anything that lies in an inbox. */
export type InboxMessage = OneWayMessage | RpcMessage | OnStart | OnStop | NetworkEvent;

/** A call context as the inbox uses it. */
export interface NettyRpcCallContext extends RpcCallContext {
  /** Whether the ask has been answered. */
  readonly replied: boolean;
}

/** How many bytes of a connection a message was; 0 for what is of this process. */
export function bytesOf(message: InboxMessage): number {
  return message.kind === "RpcMessage" || message.kind === "OneWayMessage" ? message.bytes ?? 0 : 0;
}

/** A message for people: its kind and what is in it, shortened. */
export function describeMessage(message: InboxMessage): string {
  switch (message.kind) {
    case "OneWayMessage":
    case "RpcMessage":
      return describeContent(message.content);
    case "OnStart":
    case "OnStop":
      return message.kind;
    default:
      return `${message.kind}(${message.remoteAddress})`;
  }
}
