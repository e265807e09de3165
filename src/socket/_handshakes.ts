/**
 * The TLS handshakes of a listener of `node:tls`, which tells of a connection only when its own has ended.
 *
 * @module
 */

import type { Socket as Native } from "node:net";

/** The connections of a TLS listener whose handshake has not ended. */
export class Handshakes {
  readonly #natives = new Map<string, Native>();

  /** @param native The socket below TLS. */
  begin(native: Native): void {
    const peer = peerOf(native);
    this.#natives.set(peer, native);
    native.once("close", () => {
      if (this.#natives.get(peer) === native) this.#natives.delete(peer);
    });
  }

  /** @param native The socket of TLS, which is another one than that below it. */
  end(native: Native): void {
    this.#natives.delete(peerOf(native));
  }

  /** Ends those that have not ended. Nobody else knows of them: until they time out they would keep the process from ending. */
  abort(): void {
    for (const native of this.#natives.values()) native.destroy();
  }
}

function peerOf({ remoteAddress, remotePort }: Native): string {
  return `${remoteAddress} ${remotePort}`;
}
