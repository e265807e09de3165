/**
 * An environment of ours that talks with a Spark.
 *
 * @module
 */
import { java, RpcEnv, type RpcEnvOptions } from "../../mod.ts";
import type { TestContext } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";
import { Person } from "./_values.ts";

/** How it is made; it is a server if it has a port. */
export type EnvOptions = Omit<RpcEnvOptions, "name" | "host">;

/** Makes an environment that speaks Java and knows the classes of `_values.ts`; it ends with the test. */
export async function createEnv(context: TestContext, options: EnvOptions = {}): Promise<RpcEnv> {
  const serializers = [java.with({ classes: [Person] })];
  const env = await RpcEnv.create({ name: "here", host: "127.0.0.1", logger: new MemoryLogger(), serializers, ...options });
  context.defer(() => env.shutdown());
  return env;
}
