/**
 * One upload of a block from beginning to end.
 *
 * Spark: uploadBlock in core/…/network/netty/NettyBlockTransferService.scala. Difference: a block for which a message, or what waits to be
 * sent, has no room goes as a stream too, which is read as the connection takes it.
 *
 * @module
 */

import { RpcError, toError } from "../base/errors.ts";
import { BytesManagedBuffer, checkSize, type ManagedBuffer } from "../protocol/managed_buffer.ts";
import { askRpc } from "../transport/ask_rpc.ts";
import type { TransportClient } from "../transport/transport_client.ts";
import type { BlockConnection, BlockConnections } from "./block_connections.ts";
import { isShuffle } from "./block_id.ts";
import { BlockTransferMessageType } from "./block_transfer_message_type.ts";
import { encodeBlockTransferMessage, writeBlockTransferMessage } from "./block_transfer_messages.ts";
import type { BlockPeer } from "./block_transfer_service.ts";
import type { UploadBlock } from "./upload_messages.ts";

const NO_BYTES = new Uint8Array(0);

/** A block that is to be uploaded. */
export interface UploadedBlock {
  /** Its name. */
  readonly blockId: string;
  /** Its bytes; they are released once, by whoever sends them. */
  readonly data: ManagedBuffer;
  /** How it is to be stored. */
  readonly metadata: Uint8Array;
}

/** What an upload needs of its service. */
export interface BlockUploadSurroundings {
  /** Where connections come from. */
  readonly connections: BlockConnections;
  /** Who uploads. */
  readonly appId: string;
  /** Larger blocks are uploaded as streams. */
  readonly maxBytesInMemory: number;
}

/** An upload under way. */
export class BlockUpload {
  readonly #surroundings: BlockUploadSurroundings;
  readonly #abort = new AbortController();
  #reject: (reason: unknown) => void = () => {};
  #connection: BlockConnection | undefined;
  #isOver = false;

  /** @param surroundings What it needs. */
  constructor(surroundings: BlockUploadSurroundings) {
    this.#surroundings = surroundings;
  }

  /** Uploads; rejects with what it failed with. */
  async run(target: BlockPeer, block: UploadedBlock, signal?: AbortSignal): Promise<void> {
    const cancelled = new Promise<never>((_, reject) => this.#reject = reject);
    const onAbort = (): void => this.cancel(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      const uploading = this.#upload(target, block, signal !== undefined);
      if (signal?.aborted === true) onAbort();
      await Promise.race([uploading, cancelled]);
    } finally {
      this.#isOver = true;
      signal?.removeEventListener("abort", onAbort);
      this.#connection?.done();
    }
  }

  /** Fails it with `reason`, and frees both ends. */
  cancel(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const error = toError(reason);
    this.#abort.abort(error);
    this.#connection?.done(error);
    this.#connection = undefined;
    this.#reject(reason);
  }

  async #upload(target: BlockPeer, { blockId, data, metadata }: UploadedBlock, ownConnection: boolean): Promise<void> {
    const { connections, maxBytesInMemory } = this.#surroundings;
    let mine = true;
    try {
      this.#connection = await connections.connect(target, ownConnection ? this.#abort.signal : undefined, false);
      if (this.#isOver) return this.#connection.done();
      const { client } = this.#connection;
      const message = this.#whole(target, blockId, metadata);
      const meta = encodeBlockTransferMessage({ type: BlockTransferMessageType.UploadBlockStream, blockId, metadata });
      const size = encodeBlockTransferMessage(message).length + data.size;
      if (data.size <= maxBytesInMemory && !isShuffle(blockId) && client.hasRoomFor(size)) {
        const blockData = await readAll(data);
        if (this.#isOver) return;
        if (client.hasRoomFor(size)) await askRpc(client, (out) => writeBlockTransferMessage(out, { ...message, blockData }));
        // Others were faster; and what is read once only has been read.
        else await uploadAsStream(client, meta, new BytesManagedBuffer(blockData));
        return;
      }
      mine = false;
      await uploadAsStream(client, meta, data);
    } finally {
      if (mine) data.release();
    }
  }

  /** The message that uploads a block in one, but for its bytes. */
  #whole({ execId }: BlockPeer, blockId: string, metadata: Uint8Array): UploadBlock {
    const { appId } = this.#surroundings;
    return { type: BlockTransferMessageType.UploadBlock, appId, execId, blockId, metadata, blockData: NO_BYTES };
  }
}

/** `data` is the connection's from here on. */
function uploadAsStream(client: TransportClient, meta: Uint8Array, data: ManagedBuffer): Promise<void> {
  return new Promise((resolve, reject) => {
    client.uploadStream(meta, data, { deadline: Infinity, onSuccess: () => resolve(), onFailure: reject, onTimeout() {} });
  });
}

async function readAll(data: ManagedBuffer): Promise<Uint8Array> {
  const held = data.bytes;
  checkSize(data, held);
  if (held !== undefined) return held;
  const bytes = new Uint8Array(data.size);
  for (let at = 0; at < bytes.length;) {
    const count = await data.read(at, bytes.subarray(at));
    if (count === 0) throw new RpcError("STREAM", `A block of ${bytes.length} bytes ended after ${at}`);
    at += count;
  }
  return bytes;
}
