/**
 * Sparkwire: Apache Spark's Netty RPC for Deno, Bun and Node.
 *
 * @module
 */
export { RpcError } from "./src/base/errors.ts";
