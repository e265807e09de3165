/**
 * A request over a connection as a promise: what a {@linkcode TransportClient} does by callbacks, for the edge.
 *
 * Spark: sendRpcSync in common/network-common/…/client/TransportClient.java. Differences: nothing blocks, a signal gives up too, and
 * failures come as they are instead of within another one.
 *
 * @module
 */

import { RpcTimeoutError } from "../base/errors.ts";
import { checkDuration } from "../base/limits.ts";
import type { Content, RpcResponseCallback } from "./rpc_response_callback.ts";
import type { TransportClient } from "./transport_client.ts";

/** How long an answer is waited for. */
export interface AskRpcOptions {
  /**
   * How long to wait, in milliseconds.
   *
   * @default as long as the connection lasts, which `spark.<module>.io.connectionTimeout` closes when it is silent for so long
   */
  readonly timeoutMs?: number | undefined;
  /**
   * What sets that limit, such as a configuration key: the error names it.
   *
   * @default "timeoutMs"
   */
  readonly timeoutKey?: string | undefined;
  /** Gives up waiting: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends a request and waits for its answer. Whoever gives up is forgotten here; the peer is not told, and its answer is ignored.
 *
 * Spark: TransportClient.sendRpcSync.
 *
 * @param client The connection.
 * @param content The request: bytes that are the connection's from here on, or what writes them.
 * @param options Time limit and signal.
 * @returns The answer, which is the caller's own copy. Rejects with an RpcRemoteError that has the peer's words, with an
 * RpcTimeoutError, with the signal's reason, with an RpcError of code `DISCONNECTED` if the connection is or gets closed, and, before
 * anything was sent, with an RpcOverloadedError at `maxOutboxBytes` and `maxOutstandingRequests`, with a ProtocolError at
 * `maxFrameBytes`, with a RangeError if the time limit is none, and with what `content` throws.
 *
 * @example
 * ```ts
 * import { askRpc, noOpRpcHandler, type RpcHandler, TransportContext } from "@sparkwire/sparkwire";
 *
 * const echo: RpcHandler = { ...noOpRpcHandler, receive: (_, body, responder) => void responder.onSuccess(body.take()) };
 * const context = await TransportContext.create(echo);
 * const server = await context.createServer();
 * const factory = context.createClientFactory();
 *
 * const client = await factory.createClient(server.address);
 * const answer = await askRpc(client, new TextEncoder().encode("Spark!"), { timeoutMs: 10_000 });
 * if (new TextDecoder().decode(answer) !== "Spark!") throw new Error("no echo");
 *
 * await factory.close();
 * await server.close();
 * ```
 */
export async function askRpc(client: TransportClient, content: Content, options: AskRpcOptions = {}): Promise<Uint8Array> {
  checkWait(options);
  return await promisedAnswer(client, options, (callback) => client.sendRpc(content, callback));
}

/**
 * Refuses to wait at all.
 *
 * @throws RangeError if the time limit is none, and the reason of a signal that has aborted.
 */
export function checkWait({ signal, timeoutMs = Infinity }: AskRpcOptions): void {
  checkDuration(timeoutMs, "Timeout");
  signal?.throwIfAborted();
}

/**
 * The answer to what `send` sends.
 *
 * @param send Sends it and returns its id; what it throws rejects the promise.
 * @param onGivenUp Called when the signal or the time limit ends the wait of a request that was sent.
 */
export function promisedAnswer(
  client: TransportClient,
  { signal, timeoutMs = Infinity, timeoutKey: key = "timeoutMs" }: AskRpcOptions,
  send: (callback: RpcResponseCallback) => number,
  onGivenUp: (requestId: number, reason: unknown) => void = () => {},
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let requestId = -1;
    const settle = (run: () => void): void => {
      signal?.removeEventListener("abort", onAbort);
      run();
    };
    const giveUp = (reason: unknown): void =>
      settle(() => {
        reject(reason);
        onGivenUp(requestId, reason);
      });
    const onAbort = (): void => {
      client.removeRpcRequest(requestId);
      giveUp(signal?.reason);
    };
    const { remote, deadlines } = client.channel;
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      requestId = send({
        deadline: deadlines.after(timeoutMs),
        onSuccess: (body) => settle(() => resolve(body.bytes.slice())),
        onFailure: (error) => settle(() => reject(error)),
        onTimeout() {
          const message = `Cannot receive any answer from ${remote} in ${timeoutMs} ms. This timeout is controlled by ${key}`;
          giveUp(new RpcTimeoutError(message, { timeoutMs, key, peer: remote, phase: client.askPhase }));
        },
      });
      // What it sends may have given it up meanwhile.
      if (signal?.aborted === true) client.removeRpcRequest(requestId);
    } catch (thrown) {
      settle(() => reject(thrown));
    }
  });
}
