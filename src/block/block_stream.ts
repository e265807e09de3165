/**
 * One block as a ReadableStream, over a connection of its own: a wrapper for the edge, which the core and simulations do without.
 *
 * @module
 */

import { StreamError, toError } from "../base/errors.ts";
import { askRpc } from "../transport/ask_rpc.ts";
import { BodyChannel } from "../transport/body_channel.ts";
import { readableBody } from "../transport/readable_body.ts";
import type { BlockConnection, BlockConnections } from "./block_connections.ts";
import { writeBlockTransferMessage } from "./block_transfer_messages.ts";
import type { BlockPeer, OpenBlockOptions } from "./block_transfer_service.ts";
import type { FetchRequest } from "./fetch_request.ts";
import { readStreamHandle } from "./one_for_one_block_fetcher.ts";
import { OneForOneStreamManager } from "./one_for_one_stream_manager.ts";

/** What a block's stream needs of its service. */
export interface BlockStreamSurroundings {
  /** Where connections come from. */
  readonly connections: BlockConnections;
  /** A stream has begun; what is returned is called when it is over. */
  began(cancel: (reason: Error) => void): () => void;
}

/**
 * Opens a block and streams it.
 *
 * @param surroundings What it needs.
 * @param source Who has it.
 * @param request Asks for the one block.
 * @param options What stops it, and who hears of its size.
 */
export function openBlockStream(
  surroundings: BlockStreamSurroundings,
  source: BlockPeer,
  request: FetchRequest,
  { signal, onSize }: OpenBlockOptions,
): ReadableStream<Uint8Array> {
  return readableBody((sink) => {
    const dial = new AbortController();
    let connection: BlockConnection | undefined;
    const onAbort = (): void => channel.cancel(signal?.reason);
    const channel = new BodyChannel(request.blockIds[0]!, sink, (failure) => {
      over();
      signal?.removeEventListener("abort", onAbort);
      dial.abort();
      const { streamId } = channel;
      connection?.done(failure && new StreamError(`Fetch of ${streamId} ended`, streamId, { cause: failure.reason }));
    });
    const over = surroundings.began((reason) => channel.cancel(reason));
    signal?.addEventListener("abort", onAbort, { once: true });
    const begin = async (): Promise<void> => {
      signal?.throwIfAborted();
      const connected = await surroundings.connections.connect(source, dial.signal, false);
      if (channel.hasEnded) return connected.done();
      connection = connected;
      const { client } = connected;
      const handle = await askRpc(client, (out) => writeBlockTransferMessage(out, request.message));
      const { streamId } = readStreamHandle(handle, 1);
      if (!channel.hasEnded) client.stream(OneForOneStreamManager.genStreamChunkId(streamId, 0), channel);
    };
    begin().catch((thrown) => channel.cancel(signal?.aborted === true ? signal.reason : toError(thrown)));
    return channel;
  }, onSize);
}
