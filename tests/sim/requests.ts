/**
 * The messages of the simulated runs, and what may become of each.
 *
 * @module
 */

import type { RpcEndpointRef } from "../../src/rpc/rpc_endpoint_ref.ts";
import { makePayload, type Payload } from "./payload.ts";

/** What `spark.rpc.message.maxSize` is set to on all nodes, in bytes; asks are a little less or a good deal more. */
export const MAX_MESSAGE_BYTES: number = 1024 * 1024;

/** An ask, without its number. */
export type Question =
  /** Answered at once, with so many bytes. */
  | { readonly op: "echo"; readonly payload: Payload; readonly bytes: number; readonly replyBytes: number }
  /** Answered by an async handler that takes its time; `by` context.reply, or by what it returns. */
  | { readonly op: "slow"; readonly ms: number; readonly by: "return" | "reply" | "later" }
  /** Fails with that text. */
  | { readonly op: "fail"; readonly text: string; readonly ms: number }
  /** Has no answer. */
  | { readonly op: "never" }
  /** Has no answer either, but its handler waits for the call's signal. */
  | { readonly op: "watch" }
  /** Not taken by the endpoint. */
  | { readonly op: "unhandled" }
  /** The answer cannot be encoded. */
  | { readonly op: "badAnswer" }
  /** The endpoint sends `messages` to that reference and asks it, so many times, before it answers. */
  | {
    readonly op: "callBack";
    readonly ref: RpcEndpointRef;
    readonly times: number;
    readonly messages: number;
    readonly bytes: number;
  }
  /** Answered with a reference that the endpoint's node has looked up. */
  | { readonly op: "lookUp"; readonly host: string; readonly port: number; readonly name: string }
  /** The endpoint asks itself before it answers, and waits for that. */
  | { readonly op: "askSelf" }
  /** Waits until the endpoint's gate is open. */
  | { readonly op: "gate" };

/** An ask as it travels. */
export type Ask = Question & { readonly id: number };

/** The answer to an ask. */
export interface Answer {
  readonly id: number;
  readonly payload?: Payload;
  readonly ref?: RpcEndpointRef;
  /** Why what it was asked for did not work. */
  readonly failure?: string;
}

/** A message without answer. */
export type Notice =
  /** The `seq`-th message of a sender. */
  | {
    readonly op: "count";
    readonly stream: number;
    readonly seq: number;
    readonly payload: Payload;
    readonly bytes: number;
  }
  /** The handler throws. */
  | { readonly op: "fail"; readonly text: string }
  /** The handler shuts its environment down. */
  | { readonly op: "shutDown"; readonly deadlineMs: number };

/** An ask of `bytes` that is answered with `replyBytes`. */
export function echo(seed: number, bytes: number, replyBytes: number): Question {
  return { op: "echo", payload: makePayload(seed, bytes), bytes, replyBytes };
}

/** What a decoded message is; undefined if it is none of these. */
export function asAsk(message: unknown): Ask | undefined {
  return hasOp(message) && "id" in message && typeof message.id === "number" ? message as Ask : undefined;
}

/** What a decoded message is; undefined if it is none of these. */
export function asNotice(message: unknown): Notice | undefined {
  return hasOp(message) ? message as Notice : undefined;
}

/** What a decoded answer is; undefined if it is none. */
export function asAnswer(message: unknown): Answer | undefined {
  if (typeof message !== "object" || message === null || !("id" in message)) return undefined;
  return typeof message.id === "number" ? message as Answer : undefined;
}

function hasOp(message: unknown): message is { readonly op: string } {
  return typeof message === "object" && message !== null && "op" in message && typeof message.op === "string";
}
