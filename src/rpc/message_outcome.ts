/**
 * What becomes of a message when its handler has settled: its answer is sent, what failed is told to the asker and to `onError`.
 *
 * Spark: what `Inbox.process` and its `safelyCall` do about errors, core/…/rpc/netty/Inbox.scala. Difference: an answer may be what the
 * handler returns.
 *
 * @module
 */

import { RpcError, toError, UnsupportedMessageError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { promiseOf } from "../base/promise_of.ts";
import { isWorthALine } from "../base/sparse_logging.ts";
import { failureText } from "../serializer/serializer_errors.ts";
import { describeMessage } from "./inbox_message.ts";
import type { InboxMessage, OneWayMessage, RpcMessage } from "./inbox_message.ts";
import { later, unhandled } from "./rpc_call_context.ts";
import type { RpcEndpoint } from "./rpc_endpoint.ts";

/** Whose messages they are. */
export interface MessageOwner {
  /** The endpoint's name. */
  readonly name: string;
  /** The endpoint. */
  readonly endpoint: RpcEndpoint;
  /** Whether it takes no more messages. */
  readonly stopped: boolean;
}

/** Sees to what has become of one endpoint's messages. */
export class MessageOutcome {
  readonly #owner: MessageOwner;
  readonly #logger: Logger;
  /** How many messages the endpoint did not take, where nobody could be told. */
  #untaken = 0;

  /** @param logger Hears of what nobody else is told. */
  constructor(owner: MessageOwner, logger: Logger) {
    this.#owner = owner;
    this.#logger = logger;
  }

  /** The handler of an ask has returned `result`, or the promise of it. */
  answered(message: RpcMessage, result: unknown): void {
    // Whether it is a symbol at all is asked first: V8 compares with one by a call.
    if (typeof result === "symbol") {
      if (result === later) return;
      if (result === unhandled) {
        this.failed(message, unsupported(message));
        return;
      }
    }
    const { context } = message;
    if (context.replied && result === undefined) return;
    try {
      context.reply(result);
    } catch (thrown) {
      this.failed(message, thrown);
    }
  }

  /** The handler of a one-way message has returned `result`, or the promise of it. */
  received(message: OneWayMessage, result: unknown): void {
    if (result === unhandled) this.#report(unsupported(message));
  }

  /** The handler of a message or an event has thrown, or its answer could not be sent. */
  failed(message: InboxMessage, thrown: unknown): void {
    const { name } = this.#owner;
    const error = toError(thrown);
    let askerTold = false;
    // What fails after the answer is nothing that its asker could hear of.
    if (message.kind === "RpcMessage" && !message.context.replied) {
      try {
        message.context.sendFailure(error);
        askerTold = true;
      } catch (unsent) {
        this.#logger.error(`Failure of ${describeMessage(message)} could not be sent by endpoint ${name}`, unsent);
      }
    }
    if (isFatal(error)) this.#logger.error(`An error happened while processing message in the inbox for ${name}`, error);
    else this.#report(error, askerTold);
  }

  /** Tells onError. Without one the error is logged, unless the asker has been told of it. */
  #report(error: Error, askerTold = false): void {
    const { endpoint, name } = this.#owner;
    if (endpoint.onError === undefined) {
      if (askerTold) this.#logger.debug(`Endpoint ${name} failed an ask`, error);
      else if (!isUntaken(error)) this.#ignore(error);
      else if (isWorthALine(++this.#untaken)) this.#ignoreUntaken(error);
      return;
    }
    try {
      promiseOf(endpoint.onError(error))?.then(undefined, (rejected) => this.#ignore(rejected));
    } catch (thrown) {
      this.#ignore(thrown);
    }
  }

  #ignore(thrown: unknown): void {
    const { name, stopped } = this.#owner;
    this.#logger[stopped ? "debug" : "error"](`Ignoring error of endpoint ${name}`, thrown);
  }

  /** It is the sender's fault, so no stack of this end says more. */
  #ignoreUntaken(error: Error): void {
    const { name, stopped } = this.#owner;
    const line = `Ignoring error of endpoint ${name} (${this.#untaken} messages that it does not take so far)`;
    this.#logger[stopped ? "debug" : "error"](`${line}: ${failureText(error)}`);
  }
}

function unsupported(message: OneWayMessage | RpcMessage): Error {
  return new UnsupportedMessageError(`Unsupported message ${describeMessage(message)} from ${message.senderAddress}`);
}

/** Whether an endpoint does not take a message: whether there are many of those is the sender's choice. */
function isUntaken(error: Error): boolean {
  return RpcError.is(error) && error.code === "UNSUPPORTED_MESSAGE";
}

/** What Scala's NonFatal would not catch: here a stack that ran over. Never throws, though the error's text may. */
function isFatal(error: Error): boolean {
  return error instanceof RangeError && /maximum call stack/i.test(failureText(error));
}
