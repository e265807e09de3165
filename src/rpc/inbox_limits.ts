/**
 * How much may wait for one endpoint.
 *
 * Spark has no such limits.
 *
 * @module
 */

import { RpcOverloadedError } from "../base/errors.ts";

/** Limits of an inbox. */
export interface InboxLimits {
  /**
   * How many messages may wait for one endpoint; one more is dropped, and fails if it is an ask.
   *
   * @default 100000
   */
  readonly maxInboxMessages: number;
  /**
   * How many bytes the messages may be that came over connections and wait for one endpoint or are in its hands; one more is dropped,
   * and fails if it is an ask. One alone always has room.
   *
   * @default 1073741824
   */
  readonly maxInboxBytes: number;
  /**
   * How many messages a plain endpoint may have in hand; the others wait.
   *
   * @default 1024
   */
  readonly maxConcurrentMessages: number;
}

/** A limit at which an inbox is full. */
export type InboxLimit = "maxInboxMessages" | "maxInboxBytes";

/** Why an ask is refused at the limit `key`. */
export function inboxFull(
  { name, bytes }: { readonly name: string; readonly bytes: number },
  key: InboxLimit,
  limits: InboxLimits,
): RpcOverloadedError {
  const limit = limits[key];
  const queue = `inbox of ${name}`;
  const waits = key === "maxInboxMessages" ? `${limit} messages wait` : `${bytes} of ${limit} bytes wait or are in hand`;
  return new RpcOverloadedError(`The ${queue} is full: ${waits} (${key})`, queue, limit);
}
