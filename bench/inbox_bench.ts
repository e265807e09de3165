/**
 * What an inbox costs per message: posting it, giving it to a handler, and taking its answer.
 *
 * @module
 */

import { systemClock } from "../src/base/clock.ts";
import { silentLogger } from "../src/base/logger.ts";
import { Inbox } from "../src/rpc/inbox.ts";
import type { InboxHost } from "../src/rpc/inbox.ts";
import type { NettyRpcCallContext } from "../src/rpc/inbox_message.ts";
import { SharedMessageLoop } from "../src/rpc/message_loop.ts";
import { RpcAddress } from "../src/rpc/rpc_address.ts";
import { later } from "../src/rpc/rpc_call_context.ts";
import type { RpcEndpoint } from "../src/rpc/rpc_endpoint.ts";

const MESSAGES = 1_000;
const senderAddress = new RpcAddress("127.0.0.1", 7077);

const host: InboxHost = {
  logger: silentLogger,
  describe: (inbox) => inbox.name,
  watch() {},
  removeRpcEndpointRef() {},
  ended() {},
  dropped() {},
};

class Context implements NettyRpcCallContext {
  readonly later: typeof later = later;
  readonly senderAddress = senderAddress;
  readonly signal = new AbortController().signal;
  replied = false;
  #replies = 0;

  get replies(): number {
    return this.#replies;
  }

  reply(): void {
    this.#replies++;
  }

  sendFailure(error: Error): void {
    throw error;
  }
}

function inboxOf(endpoint: RpcEndpoint): Inbox {
  const limits = { maxInboxMessages: 1_000_000, maxInboxBytes: 1_000_000, maxConcurrentMessages: 1_024 };
  const inbox = new Inbox("bench", endpoint, { loop: new SharedMessageLoop(systemClock), host, limits });
  inbox.process(1);
  return inbox;
}

const context = new Context();
const receiving = inboxOf({ threadSafe: true, receive() {} });
const answering = inboxOf({ threadSafe: true, receiveAndReply: (message) => message });
const awaiting = inboxOf({ threadSafe: true, receiveAndReply: (message) => Promise.resolve(message) });

Deno.bench(`Inbox: ${MESSAGES} one-way messages`, () => {
  for (let i = 0; i < MESSAGES; i++) receiving.post({ kind: "OneWayMessage", senderAddress, content: i });
  receiving.process(MESSAGES);
});

Deno.bench(`Inbox: ${MESSAGES} asks, answered at once`, () => {
  for (let i = 0; i < MESSAGES; i++) answering.post({ kind: "RpcMessage", senderAddress, content: i, context });
  answering.process(MESSAGES);
});

Deno.bench(`Inbox: ${MESSAGES} asks, each answered by a promise`, async () => {
  const before = context.replies;
  for (let i = 0; i < MESSAGES; i++) awaiting.post({ kind: "RpcMessage", senderAddress, content: i, context });
  awaiting.loop.activate(awaiting);
  while (context.replies < before + MESSAGES) await new Promise<void>((resolve) => systemClock.yieldThen(resolve));
});
