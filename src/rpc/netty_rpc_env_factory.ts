/**
 * Makes environments: gathers what they need from options and configuration, and starts their servers.
 *
 * Spark: NettyRpcEnvFactory in core/…/rpc/netty/NettyRpcEnv.scala.
 *
 * @module
 */

import { systemClock } from "../base/clock.ts";
import { loggerInForce } from "../base/logger.ts";
import { systemRandom } from "../base/random.ts";
import { SparkConf } from "../base/spark_conf.ts";
import { localHostName } from "../platform/host.ts";
import { nodeFiles } from "../platform/node_files.ts";
import { cborSerializer } from "../serializer/cbor.ts";
import { defaultSocketDriver } from "../socket/default.ts";
import { startServiceOnPort } from "../transport/start_service_on_port.ts";
import { ContentCodecs } from "./content_codecs.ts";
import { java } from "./java_serializer.ts";
import { NettyRpcEnv } from "./netty_rpc_env.ts";
import type { RpcEnvOptions } from "./rpc_env.ts";

/** Makes an environment and starts its server, if it has one. */
export async function createNettyRpcEnv(options: RpcEnvOptions): Promise<NettyRpcEnv> {
  const conf = options.conf instanceof SparkConf ? options.conf : new SparkConf(options.conf ?? {});
  if (options.securityManager?.isAuthenticationEnabled() === true) {
    throw new RangeError("Authentication is not there yet: the security manager must have it disabled");
  }
  const { localMessages = "share" } = options;
  if (localMessages !== "share" && localMessages !== "clone") {
    throw new TypeError(`Option localMessages must be "share" or "clone": ${localMessages}`);
  }
  const logger = loggerInForce(options.logger);
  const server = options.port !== undefined;
  const env = new NettyRpcEnv({
    ...options,
    conf,
    logger,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    driver: options.driver ?? await defaultSocketDriver(),
    files: options.files ?? nodeFiles,
    codecs: new ContentCodecs(options.serializers ?? [cborSerializer, java], options.accept),
    host: options.host ?? (server ? localHostName({ logger }) : "127.0.0.1"),
  });
  if (options.port === undefined) return env;
  try {
    await startServiceOnPort(options.port, (port) => env.startServer(options.bindHost ?? env.host, port), {
      name: options.name,
      maxRetries: env.transportConf.portMaxRetries,
      logger,
    });
  } catch (thrown) {
    await env.shutdown();
    throw thrown;
  }
  return env;
}
