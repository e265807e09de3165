/**
 * A peer that sends whatever bytes a test wants, reads when it wants, and goes away as it wants: over node:net on every runtime.
 *
 * @module
 */

import { ReceivedBytes } from "../../src/base/received_bytes.ts";
import { ByteSink } from "../../src/base/byte_sink.ts";
import { decodeMessage } from "../../src/protocol/message_decoder.ts";
import { encodeMessage } from "../../src/protocol/message_encoder.ts";
import type { Message } from "../../src/protocol/message.ts";
import { TransportFrameDecoder } from "../../src/protocol/transport_frame_decoder.ts";
import { nodeSocketDriver } from "../../src/socket/node.ts";
import type { Socket, SocketAddress, SocketError, SocketHandler } from "../../src/socket/socket.ts";
import { until, within } from "../_harness.ts";
import type { Stage } from "./_stage.ts";

/** One end without manners. */
export class RawPeer implements SocketHandler {
  readonly socket: Socket;
  /** What has come, if it was decoded: the messages, and how many bytes of streams followed. */
  readonly messages: Message[] = [];
  receivedBytes = 0;
  /** Whether the other end sent FIN. */
  hasEnded = false;
  isClosed = false;
  error: SocketError | undefined;
  /** Reads at most so many bytes, but for one chunk. */
  #readLimit = Infinity;
  #decoder: TransportFrameDecoder | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Takes what comes for frames. */
  decoding(): this {
    this.#decoder = new TransportFrameDecoder({
      onFrame: ({ memory }, start, end) => {
        const message = decodeMessage(new ReceivedBytes(memory.slice(start, end), true), 0, end - start);
        this.messages.push(message);
        if (message.type === 7) this.#skip(message.byteCount);
      },
    });
    return this;
  }

  onData(_socket: Socket, chunk: Uint8Array, owned: boolean): void {
    this.receivedBytes += chunk.length;
    this.#decoder?.feed(chunk, owned);
    if (this.receivedBytes >= this.#readLimit) this.socket.pause();
  }

  onDrain(): void {}

  onEnd(): void {
    this.hasEnded = true;
  }

  onClose(_socket: Socket, error: SocketError | undefined): void {
    this.isClosed = true;
    this.error = error;
  }

  write(bytes: Uint8Array): void {
    this.socket.write([bytes.slice()]);
  }

  send(...messages: readonly Message[]): void {
    for (const message of messages) this.write(frameOf(message));
  }

  /** Reads about `count` more bytes, and then no more. */
  read(count: number): void {
    this.#readLimit = this.receivedBytes + count;
    if (count > 0) this.socket.resume();
    else this.socket.pause();
  }

  /** Sends FIN. */
  end(): void {
    this.socket.shutdown();
  }

  /** Goes away with an RST. */
  reset(): void {
    this.socket.abort();
  }

  /** Waits until the other end closes, with a FIN or an RST. */
  async closedByOther(): Promise<void> {
    await until(() => this.hasEnded || this.isClosed, "the other end to close the connection");
  }

  async messagesCome(count: number): Promise<void> {
    await until(() => this.messages.length >= count, `${count} messages`);
  }

  #skip(byteCount: number): void {
    let left = byteCount;
    if (left === 0) return;
    this.#decoder?.setInterceptor({
      handle(_memory, start, end) {
        const taken = Math.min(left, end - start);
        left -= taken;
        return taken;
      },
      channelInactive() {},
      exceptionCaught() {},
    });
  }
}

/** Dials as a raw peer. */
export async function dialRaw(stage: Stage, { port }: { readonly port: number }): Promise<RawPeer> {
  let peer: RawPeer | undefined;
  await within(
    nodeSocketDriver.connect({ host: "127.0.0.1", port }, (socket) => peer = new RawPeer(socket)),
    "the raw peer to connect",
  );
  closeAtEnd(stage, peer!);
  return peer!;
}

/** A listener whose connections are raw peers. */
export interface RawListener {
  readonly address: SocketAddress;
  readonly port: number;
  readonly peers: RawPeer[];
}

/** Listens as a raw peer does. */
export async function listenRaw(stage: Stage): Promise<RawListener> {
  const peers: RawPeer[] = [];
  const listening = nodeSocketDriver.listen({ host: "127.0.0.1", port: 0 }, (socket) => {
    const peer = new RawPeer(socket);
    peers.push(peer);
    closeAtEnd(stage, peer);
    return peer;
  });
  const { address, close } = await within(listening, "the raw peer to listen").then((listener) => ({
    address: listener.address,
    close: () => listener.close(),
  }));
  stage.defer("the raw listener", close);
  return { address, port: address.port, peers };
}

/** The bytes of a message's frame. */
export function frameOf(message: Message): Uint8Array {
  const out = new ByteSink();
  encodeMessage(message, out);
  return out.copy();
}

function closeAtEnd(stage: Stage, peer: RawPeer): void {
  stage.defer("a raw peer", () => {
    peer.reset();
    return peer.socket.closed;
  });
}
