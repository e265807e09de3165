/**
 * Checks what a Master answers, and tells the answers of a standby.
 *
 * Spark: core/…/util/Utils.scala responseFromBackup.
 *
 * @module
 */

import { RpcError } from "../../base/errors.ts";
import { describeContent } from "../../rpc/describe_content.ts";
import type { RpcAddress } from "../../rpc/rpc_address.ts";

/** Spark: Utils.BACKUP_STANDALONE_MASTER_PREFIX. */
const NOT_ALIVE = "Current state is not alive";

/** The class of an answer. */
interface ReplyClass<T> {
  readonly className: string;
  new (fields: never): T;
}

/**
 * The answer, if it is of that class.
 *
 * @throws RpcError REMOTE if it is another, so that the other end is no Master.
 */
export function expectReply<T>(reply: unknown, expected: ReplyClass<T>, from: RpcAddress): T {
  if (reply instanceof expected) return reply;
  throw new RpcError("REMOTE", `Expected a ${expected.className} from the Master at ${from} but got ${describe(reply)}`);
}

/** Whether that is what a Master says of a request that only the one that is alive serves. */
export function isNotAlive(message: string | undefined): boolean {
  return message?.startsWith(NOT_ALIVE) ?? false;
}

function describe(value: unknown): string {
  if (typeof value !== "object" || value === null) return `${typeof value} ${describeContent(value)}`;
  return "className" in value && typeof value.className === "string" ? value.className : describeContent(value);
}
