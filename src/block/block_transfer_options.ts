/**
 * How a block service is made.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import type { SocketDriver, TlsOptions } from "../socket/socket.ts";
import type { TransportLimits } from "../transport/transport_limits.ts";

/** Options of a block service. */
export interface BlockTransferServiceOptions {
  /** The host that others reach it at. */
  readonly host: string;
  /**
   * Where it listens.
   *
   * @default the host
   */
  readonly bindHost?: string | undefined;
  /**
   * The port that it listens on, from 1024 to 65535; 0 lets the system choose.
   *
   * @default `spark.blockManager.port`, on the driver `spark.driver.blockManager.port` before it, then 0
   */
  readonly port?: number | undefined;
  /**
   * The application: peers of others are refused. Without one those of any are served.
   *
   * @default `spark.app.id`
   */
  readonly appId?: string | undefined;
  /**
   * The executor that this is.
   *
   * @default `spark.executor.id`
   */
  readonly executorId?: string | undefined;
  /**
   * Makes sockets.
   *
   * @default the runtime's own
   */
  readonly driver?: SocketDriver | undefined;
  /**
   * Speak TLS on every connection.
   *
   * @default no TLS
   */
  readonly tls?: TlsOptions | undefined;
  /**
   * Hears of what was retried, refused or could not be done.
   *
   * @default warnings and errors to the console
   */
  readonly logger?: Logger | undefined;
  /**
   * Gives time.
   *
   * @default the machine's
   */
  readonly clock?: Clock | undefined;
  /**
   * Gives chances.
   *
   * @default the machine's
   */
  readonly random?: Random | undefined;
  /** How many cores there are; without effect, as Spark makes threads of it. Spark: numCores. */
  readonly numUsableCores?: number | undefined;
  /** Limits per connection that differ from {@linkcode DEFAULT_TRANSPORT_LIMITS}, and from 65,536 streams at once. */
  readonly limits?: Partial<TransportLimits> | undefined;
  /**
   * How many blocks one connection may have opened without having fetched them.
   *
   * @default 500000
   */
  readonly maxOpenBlocks?: number | undefined;
  /**
   * Asks the driver whether an executor lives, when it cannot be reached. Spark: IsExecutorAlive.
   *
   * @default nobody is asked: who cannot be reached is tried again
   */
  readonly isExecutorAlive?: ((execId: string) => Promise<boolean>) | undefined;
  /**
   * Tell peers the stacks of failures.
   *
   * @default false
   */
  readonly exposeStack?: boolean | undefined;
}
