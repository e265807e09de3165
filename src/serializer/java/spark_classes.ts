/**
 * Classes of Spark's RPC: addresses, references, timeouts, failures, and the question of a look-up.
 *
 * Spark: core/…/rpc/RpcAddress.scala, RpcEndpointAddress.scala, RpcTimeout.scala, netty/NettyRpcEnv.scala, RpcEndpointVerifier.scala.
 *
 * @module
 */

import { type EncodedRef, type RefAddress, RpcFailure } from "../serializer.ts";
import { CheckExistence } from "./check_existence.ts";
import { KnownClass, signatureOf } from "./class_desc.ts";
import { defineJavaClass, type JavaClass, type JavaClassValue } from "./define_java_class.ts";
import { JavaAs, type JavaMapping, type JavaRegistryInit, objectOf, originOf, setOrigin } from "./java_mapping.ts";
import { registrationsOf } from "./java_registrations.ts";
import { type JavaType, mismatch } from "./java_type.ts";
import { FiniteDuration } from "./scala_values.ts";
import { ClassFlag } from "./stream_format.ts";

const STRING = "Ljava/lang/String;";

const ADDRESS = new KnownClass("org.apache.spark.rpc.RpcAddress", { fields: { host: STRING, port: "I" } });
const ENDPOINT_ADDRESS = new KnownClass("org.apache.spark.rpc.RpcEndpointAddress", {
  fields: { name: STRING, rpcAddress: signatureOf(ADDRESS.name), toString: STRING },
});
const ENDPOINT_REF = new KnownClass("org.apache.spark.rpc.RpcEndpointRef", {
  fields: { defaultAskTimeout: "Lorg/apache/spark/rpc/RpcTimeout;" },
});
const NETTY_REF = new KnownClass("org.apache.spark.rpc.netty.NettyRpcEndpointRef", {
  flags: ClassFlag.Serializable | ClassFlag.WriteMethod,
  fields: { endpointAddress: signatureOf(ENDPOINT_ADDRESS.name) },
  parent: ENDPOINT_REF,
});
const CHECK_EXISTENCE = new KnownClass("org.apache.spark.rpc.netty.RpcEndpointVerifier$CheckExistence", {
  fields: { name: STRING },
});
const RPC_FAILURE = new KnownClass("org.apache.spark.rpc.netty.RpcFailure", { fields: { e: "Ljava/lang/Throwable;" } });

/** A timeout with the key that sets it, as Spark's RpcTimeout. */
export const JavaRpcTimeout: JavaClass<
  { readonly duration: JavaClassValue<typeof FiniteDuration>; readonly timeoutProp: string }
> = defineJavaClass("org.apache.spark.rpc.RpcTimeout", { fields: { duration: FiniteDuration, timeoutProp: "String" } });

/** The timeout that references of a Spark carry unless it was told otherwise; who asks over one waits as long. */
const DEFAULT_TIMEOUT = { durationMs: 120_000, timeoutProp: "spark.rpc.askTimeout" } as const;

/** The longest FiniteDuration: 2^63 - 1 ns, some 292 years. */
const MAX_DURATION_MS = 9_223_372_036_854;

/** One of its own for each reference, as Spark has it. */
function timeoutOf({ askTimeout = DEFAULT_TIMEOUT }: EncodedRef): JavaClassValue<typeof JavaRpcTimeout> {
  const durationMs = Math.min(askTimeout.durationMs, MAX_DURATION_MS);
  const seconds = durationMs / 1000;
  const duration = Number.isInteger(seconds)
    ? new FiniteDuration({ length: BigInt(seconds), unit: "SECONDS" })
    : new FiniteDuration({ length: BigInt(durationMs), unit: "MILLISECONDS" });
  return new JavaRpcTimeout({ duration, timeoutProp: askTimeout.timeoutProp });
}

/** The address of an endpoint, as a value. */
export interface EndpointAddressValue {
  /** The endpoint's name. */
  readonly name: string;
  /** Where its environment listens, if it does. */
  readonly rpcAddress: RefAddress | undefined;
}

/** What addresses are here: their classes belong to a layer above this one. */
export interface AddressClasses {
  /** The prototype of addresses. */
  readonly addressPrototype: object;
  /** The prototype of addresses of endpoints. */
  readonly endpointAddressPrototype: object;
  /** Makes an address of what a peer sent. */
  makeAddress(host: string, port: number): RefAddress;
  /** Makes an endpoint's address of what a peer sent. */
  makeEndpointAddress(name: string, address: RefAddress | undefined): EndpointAddressValue;
}

function isAddress(value: unknown): value is RefAddress {
  return typeof value === "object" && value !== null && "host" in value && typeof value.host === "string" && "port" in value &&
    typeof value.port === "number";
}

function isEndpointAddress(value: unknown): value is EndpointAddressValue {
  return typeof value === "object" && value !== null && "name" in value && typeof value.name === "string" &&
    "rpcAddress" in value &&
    (value.rpcAddress === undefined || isAddress(value.rpcAddress));
}

/** Writes any host and port as an address. */
const anyAddress: JavaMapping = {
  known: ADDRESS,
  read: (object) => object,
  write(value, { version }) {
    const { host, port } = value as RefAddress;
    return objectOf(ADDRESS, version, { host, port });
  },
};

/** A field that holds an address. */
export const addressType: JavaType<RefAddress> = {
  signature: signatureOf(ADDRESS.name),
  toJava(value, writing) {
    if (!isAddress(value)) throw writing.fail(mismatch(ADDRESS.name, value));
    return new JavaAs(value, anyAddress);
  },
  fromJava(value, reading) {
    if (!isAddress(value)) throw reading.fail(mismatch(ADDRESS.name, value));
    return value;
  },
};

const checkExistence: JavaMapping = {
  known: CHECK_EXISTENCE,
  // A question of any Spark is understood; whether more is, shows later.
  anyUid: true,
  read(object, _, reading) {
    const name = object.get("name");
    if (typeof name !== "string") throw reading.fail("Name of an endpoint is not a string");
    return new CheckExistence(name);
  },
  write: (value, { version }) => objectOf(CHECK_EXISTENCE, version, { name: (value as CheckExistence).name }),
};

const rpcFailure: JavaMapping = {
  known: RPC_FAILURE,
  // Why any Spark refused is understood.
  anyUid: true,
  read(object, _, reading) {
    const error = object.get("e");
    if (!(error instanceof Error)) throw reading.fail("Failure holds no exception");
    return new RpcFailure(error);
  },
  write: (value, { version }) => objectOf(RPC_FAILURE, version, { e: (value as RpcFailure).error }),
};

/** Reads and writes references to endpoints. */
export const endpointRef: JavaMapping = {
  known: NETTY_REF,
  read(object, _, reading) {
    const address = object.get("endpointAddress");
    const timeout = object.get("defaultAskTimeout");
    if (!isEndpointAddress(address)) throw reading.fail("Reference has no address");
    const ref = reading.context.decodeRef(address.name, address.rpcAddress);
    return setOrigin(ref, { detail: timeout });
  },
  write(value, writing) {
    const encoded: EncodedRef | undefined = writing.context.encodeRef(value as object);
    if (encoded === undefined) throw writing.fail("what is no reference");
    const { name, address } = encoded;
    const came = originOf(value as object)?.detail;
    const endpointAddress = new JavaAs({ name, rpcAddress: address }, anyEndpointAddress);
    const defaultAskTimeout = came instanceof JavaRpcTimeout ? came : timeoutOf(encoded);
    return objectOf(NETTY_REF, writing.version, { endpointAddress, defaultAskTimeout });
  },
};

/** Writes any name and address as the address of an endpoint. */
const anyEndpointAddress: JavaMapping = {
  known: ENDPOINT_ADDRESS,
  read: (object) => object,
  write(value, { version }) {
    const { name, rpcAddress } = value as EndpointAddressValue;
    // The text travels with it.
    const text = rpcAddress === undefined ? `spark-client://${name}` : `spark://${name}@${rpcAddress.host}:${rpcAddress.port}`;
    const address = rpcAddress === undefined ? null : new JavaAs(rpcAddress, anyAddress);
    return objectOf(ENDPOINT_ADDRESS, version, { name, rpcAddress: address, toString: text });
  },
};

/** What an ask fails with. */
export const failureClasses: JavaRegistryInit = {
  mappings: [rpcFailure],
  prototypes: [[RpcFailure.prototype, rpcFailure]],
};

/** The classes of this file, with addresses as `classes` has them. */
export function sparkClasses(classes: AddressClasses): readonly JavaRegistryInit[] {
  const address: JavaMapping = {
    ...anyAddress,
    read(object, _, reading) {
      const [host, port] = [object.get("host"), object.get("port")];
      if (typeof host !== "string" || typeof port !== "number") throw reading.fail("Address has no host");
      return classes.makeAddress(host, port);
    },
  };
  const endpointAddress: JavaMapping = {
    ...anyEndpointAddress,
    read(object, _, reading) {
      const [name, rpcAddress] = [object.get("name"), object.get("rpcAddress")];
      if (typeof name !== "string") throw reading.fail("Address of an endpoint has no name");
      if (rpcAddress !== null && !isAddress(rpcAddress)) throw reading.fail("Address of an endpoint has no host");
      return classes.makeEndpointAddress(name, rpcAddress ?? undefined);
    },
  };
  return [
    ...registrationsOf([JavaRpcTimeout]),
    failureClasses,
    {
      mappings: [address, endpointAddress, endpointRef, checkExistence],
      prototypes: [
        [classes.addressPrototype, address],
        [classes.endpointAddressPrototype, endpointAddress],
        [CheckExistence.prototype, checkExistence],
      ],
    },
  ];
}
