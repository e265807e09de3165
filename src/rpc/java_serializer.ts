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
 * JavaObject, and nothing of a stream is ever run. The whole table is in `src/serializer/java/java.ts`. A message has at most 512 levels,
 * 1,000,000 objects, strings and classes, and BigIntegers of 65,536 bytes each.
 *
 * Some of Spark's classes are others in another version: references to endpoints, and a few of the Master's. A peer is written to in
 * its own, for Spark 3.5, 4.0, 4.1 and 4.2 with Scala 2.13. Its version is learnt from what it sends and from what it refuses: an
 * ask that it could not read is sent again once. Before the first message that wants no answer, or the first answer, with such a class
 * in it, a peer of which nothing is known is asked what it can read; what follows waits its turn. `java.with({ sparkVersion: "3.5" })`
 * states a version instead, for all peers. A mismatch that remains, or a Spark of Scala 2.12, is an error that names the class and
 * both builds.
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
