/**
 * The serializer of Java, with this layer's addresses.
 *
 * Spark: core/…/serializer/JavaSerializer.scala; the codec is in `serializer/java/`.
 *
 * @module
 */

import { type JavaSerializer, javaSerializer } from "../serializer/java/java.ts";
import { RpcAddress } from "./rpc_address.ts";
import { RpcEndpointAddress } from "./rpc_endpoint_address.ts";

/**
 * The serializer of Java: what a Spark understands and answers in.
 *
 * A number is an Integer if it is one, else a Double; a bigint a Long, or a BigInteger if it is too large; an array an ArrayList, a
 * Map a LinkedHashMap, a Set a LinkedHashSet. A particular type is asked for by `asJava`: `asJava(1, "double")`. What came from Java
 * goes on as what it was. Classes of one's own are told of by `java.with({ classes })`; what comes of another class is an inert
 * JavaObject, and nothing of a stream is ever run. The whole table is in `src/serializer/java/java.ts`.
 *
 * @example
 * ```ts
 * import { cborSerializer, java, RpcEnv } from "@sparkwire/sparkwire";
 *
 * const serializers = [cborSerializer, java];
 * const server = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0, serializers });
 * server.setupEndpoint("Echo", { receiveAndReply: (message) => message });
 *
 * const client = await RpcEnv.create({ name: "client", serializers });
 * const echo = await client.setupEndpointRef(`spark://Echo@${server.address}`, { serializer: "java" });
 * if (await echo.ask(2n ** 60n) !== 2n ** 60n) throw new Error("not the same");
 *
 * await client.shutdown();
 * await server.shutdown();
 * ```
 */
export const java: JavaSerializer = javaSerializer({
  addressPrototype: RpcAddress.prototype,
  endpointAddressPrototype: RpcEndpointAddress.prototype,
  makeAddress: (host, port) => new RpcAddress(host, port, { asWritten: true }),
  makeEndpointAddress: (name, address) =>
    new RpcEndpointAddress(
      address === undefined || address instanceof RpcAddress
        ? address
        : new RpcAddress(address.host, address.port, { asWritten: true }),
      name,
    ),
});
