/**
 * Accepts connections.
 *
 * Spark: common/network-common/…/server/TransportServer.java.
 *
 * @module
 */

import type { SocketAddress, SocketListener } from "../socket/socket.ts";
import type { TransportChannelHandler } from "./transport_channel_handler.ts";
import type { TransportContext } from "./transport_context.ts";
import type { TransportServerBootstrap } from "./transport_server_bootstrap.ts";

/** A listening server of a context. */
export class TransportServer implements AsyncDisposable {
  readonly #listener: SocketListener;
  readonly #accepted: Set<TransportChannelHandler>;

  private constructor(listener: SocketListener, accepted: Set<TransportChannelHandler>) {
    this.#listener = listener;
    this.#accepted = accepted;
  }

  /** Listens at `address`. Each accepted connection is prepared by `bootstraps` in their order. */
  static async listen(
    context: TransportContext,
    address: SocketAddress,
    bootstraps: readonly TransportServerBootstrap[],
  ): Promise<TransportServer> {
    const accepted = new Set<TransportChannelHandler>();
    const { enableTcpKeepAlive, backLog } = context.conf;
    const options = context.socketOptions(enableTcpKeepAlive);
    const listener = await context.driver.listen(address, (socket) => {
      const handler = context.register(socket, undefined, bootstraps);
      accepted.add(handler);
      socket.closed.then(() => accepted.delete(handler));
      return handler;
    }, backLog > 0 ? { ...options, backlog: backLog } : options);
    return new TransportServer(listener, accepted);
  }

  /** Where it listens. */
  get address(): SocketAddress {
    return this.#listener.address;
  }

  /** The port that it listens on. Spark: getPort. */
  get port(): number {
    return this.#listener.address.port;
  }

  /** Stops listening and closes the accepted connections. */
  async close(reason?: Error): Promise<void> {
    await this.#listener.close();
    await Promise.all([...this.#accepted].map((handler) => {
      handler.client.close(reason);
      return handler.channel.socket.closed;
    }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
