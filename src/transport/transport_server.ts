/**
 * Accepts connections.
 *
 * Spark: common/network-common/…/server/TransportServer.java.
 *
 * @module
 */

import { isWorthALine } from "../base/sparse_logging.ts";
import { type Socket, type SocketAddress, SocketError, type SocketHandler, type SocketListener } from "../socket/socket.ts";
import { formatAddress } from "../socket/socket_errors.ts";
import type { TransportChannelHandler } from "./transport_channel_handler.ts";
import type { TransportContext } from "./transport_context.ts";
import type { TransportServerBootstrap } from "./transport_server_bootstrap.ts";

/**
 * The most connections that any system lets wait to be accepted; it takes its own limit where that is lower, on Linux mostly 4,096.
 * Runtimes left to themselves have 511, and dials beyond that wait for seconds while a server is busy.
 */
const MAX_BACKLOG = 65_535;

/** Options of {@linkcode TransportContext.createServer}. */
export interface CreateServerOptions {
  /**
   * The address of this machine that it listens at; `0.0.0.0` for all of IPv4, `::` for all.
   *
   * @default "127.0.0.1"
   */
  readonly host?: string | undefined;
  /**
   * What is done on each accepted connection before its first request, in order: each is given the handler that the one before it
   * gave.
   *
   * @default none
   */
  readonly bootstraps?: readonly TransportServerBootstrap[] | undefined;
}

/** A listening server. Made by {@linkcode TransportContext.createServer}, where there is an example. */
export class TransportServer implements AsyncDisposable {
  readonly #listener: SocketListener;
  readonly #accepted: Set<TransportChannelHandler>;

  private constructor(listener: SocketListener, accepted: Set<TransportChannelHandler>) {
    this.#listener = listener;
    this.#accepted = accepted;
  }

  /**
   * Listens at `address`. Each accepted connection is prepared by `bootstraps` in their order.
   *
   * @internal
   */
  static async listen(
    context: TransportContext,
    address: SocketAddress,
    bootstraps: readonly TransportServerBootstrap[],
  ): Promise<TransportServer> {
    const accepted = new Set<TransportChannelHandler>();
    let refused = 0;
    const { enableTcpKeepAlive, backLog } = context.conf;
    const options = context.socketOptions(enableTcpKeepAlive);
    const listener = await context.driver.listen(address, (socket) => {
      if (accepted.size >= context.limits.maxConnections) return refuse(context, socket);
      const handler = context.register(socket, undefined, bootstraps);
      accepted.add(handler);
      socket.closed.then(() => accepted.delete(handler));
      return handler;
    }, {
      ...options,
      backlog: backLog > 0 ? backLog : MAX_BACKLOG,
      onRefused(error) {
        // Who looks whether the port is open, and goes, is nobody's fault.
        const isFault = error.socketCode === "TLS" || error.socketCode === "UNKNOWN";
        if (isFault) refused++;
        const level = isFault && isWorthALine(refused) ? "warning" : "debug";
        context.logger[level](`Refused a connection, ${refused} so far: ${error.message}`);
      },
    });
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

  /**
   * Stops listening and closes the accepted connections. What was sent before still leaves, for five seconds at most.
   *
   * @param reason What outstanding requests of this side fail with.
   * @returns Resolves when they are closed.
   */
  async close(reason?: Error): Promise<void> {
    await this.#listener.close();
    await Promise.all([...this.#accepted].map((handler) => {
      handler.client.close(reason);
      return handler.channel.socket.closed;
    }));
  }

  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** What a refused connection hears of itself. */
const NOTHING: SocketHandler = { onData() {}, onDrain() {}, onEnd() {}, onClose() {} };

/** There are as many connections as there may be. Reset, it leaves nothing behind; Spark would go on until the system has no more. */
function refuse(context: TransportContext, socket: Socket): SocketHandler {
  const { limits: { maxConnections }, logger, metrics } = context;
  const peer = formatAddress(socket.remoteAddress);
  const message = `Refused the connection from ${peer}: the server has ${maxConnections} already (maxConnections)`;
  metrics.connectionsRefused++;
  if (isWorthALine(metrics.connectionsRefused)) logger.warning(`${message}, ${metrics.connectionsRefused} so far`);
  // Not before the driver has it whole.
  context.clock.soon(() => socket.abort(new SocketError("ABORTED", message)));
  return NOTHING;
}
