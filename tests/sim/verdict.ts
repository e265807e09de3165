/**
 * What may become of an ask: which answer it must have, and which failures are to be expected.
 *
 * @module
 */

import { RpcError, RpcRemoteError } from "../../src/base/errors.ts";
import { codeOf } from "./ledger.ts";
import { type Answer, type Ask, MAX_MESSAGE_BYTES } from "./requests.ts";

/** Failures that a fault of the network, a limit, or the end of a node or an endpoint explain. */
const EXPLAINED: ReadonlySet<string> = new Set(["TIMEOUT", "DISCONNECTED", "SOCKET", "STOPPED", "OVERLOADED", "NOT_FOUND"]);

/** What is known of an ask beside what it was. */
export interface Circumstances {
  /** Asker and endpoint are of the same environment: nothing was encoded. */
  readonly isLocal: boolean;
  /** Nothing may go wrong by itself. */
  readonly strict: boolean;
  /** Codes of failures that are all right all the same. */
  readonly mayFail: readonly string[];
}

/** What is wrong with an answer; undefined if nothing is. */
export function answerFault(ask: Ask, answer: Answer | undefined, { isLocal }: Circumstances): string | undefined {
  if (answer?.id !== ask.id) return `was given the answer to ask ${answer?.id}`;
  const mustFail = ["never", "watch", "fail", "unhandled"].includes(ask.op) || (cannotTravel(ask) && !isLocal);
  return mustFail ? "was answered" : undefined;
}

/** What is wrong with a failure; undefined if nothing is. */
export function failureFault(ask: Ask, error: unknown, { strict, mayFail }: Circumstances): string | undefined {
  if (isMeant(ask, error)) return undefined;
  const code = codeOf(error);
  if (isExplained(error) && (!strict || mayFail.includes(code))) return undefined;
  return `failed: ${error}`;
}

/** Whether something outside of the two ends explains a failure. */
export function isExplained(error: unknown): boolean {
  if (EXPLAINED.has(codeOf(error))) return true;
  // A look-up is in Java, where a refusal is a text.
  return error instanceof RpcRemoteError && / \(max[A-Z][A-Za-z]+\)$/.test(error.message);
}

/** Whether a failure is what the ask was for. */
function isMeant(ask: Ask, error: unknown): boolean {
  const code = codeOf(error);
  switch (ask.op) {
    case "fail":
      return error instanceof RpcError && code === "REMOTE" && error.message === ask.text;
    case "never":
      return code === "TIMEOUT";
    case "watch":
      return code === "TIMEOUT" || (error instanceof RpcError && error.message === "Given up");
    case "unhandled":
      return code === "UNSUPPORTED_MESSAGE";
    case "badAnswer":
      return code === "SERIALIZER";
    default:
      return cannotTravel(ask) && isLimitError(error);
  }
}

/** Whether the ask or its answer cannot be sent; within an environment that is no matter. */
function cannotTravel(ask: Ask): boolean {
  return ask.op === "badAnswer" || (ask.op === "echo" && Math.max(ask.bytes, ask.replyBytes) > MAX_MESSAGE_BYTES);
}

/** An ask that is too large is refused here, an answer that is too large there. */
function isLimitError(error: unknown): boolean {
  if (error instanceof RpcRemoteError) return error.remoteClass === "ProtocolError";
  return codeOf(error) === "PROTOCOL";
}
