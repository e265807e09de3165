/**
 * A peer that writes whatever bytes a test wants, over any driver.
 *
 * @module
 */

import { ReceivedBytes } from "../../src/base/received_bytes.ts";
import { decodeMessage } from "../../src/protocol/message_decoder.ts";
import type { Message } from "../../src/protocol/message.ts";
import { TransportFrameDecoder } from "../../src/protocol/transport_frame_decoder.ts";
import type { Socket, SocketAddress, SocketDriver } from "../../src/socket/socket.ts";

/** A connection without any manners. */
export class RawPeer {
  readonly #socket: Socket;
  /** The messages that have come. */
  readonly messages: Message[];

  private constructor(socket: Socket, messages: Message[]) {
    this.#socket = socket;
    this.messages = messages;
  }

  /** Dials. */
  static async connect(driver: SocketDriver, address: SocketAddress): Promise<RawPeer> {
    const messages: Message[] = [];
    const decoder = new TransportFrameDecoder({
      onFrame: ({ memory }, start, end) => {
        messages.push(decodeMessage(new ReceivedBytes(memory.slice(start, end), true), 0, end - start));
      },
    });
    const socket = await driver.connect(address, () => ({
      onData: (_, chunk, owned) => decoder.feed(chunk, owned),
      onDrain() {},
      onEnd: (each) => each.shutdown(),
      onClose() {},
    }));
    return new RawPeer(socket, messages);
  }

  /** Settles when the connection is closed. */
  get closed(): Promise<void> {
    return this.#socket.closed;
  }

  /** Writes bytes. */
  write(bytes: Uint8Array): void {
    this.#socket.write([bytes.slice()]);
  }

  /** Reads no more. */
  pause(): void {
    this.#socket.pause();
  }

  /** Reads again. */
  resume(): void {
    this.#socket.resume();
  }

  /** Closes at once. */
  abort(): void {
    this.#socket.abort();
  }
}
