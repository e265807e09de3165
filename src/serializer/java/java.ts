/**
 * The serializer of Java: object streams, as a Spark writes and reads them.
 *
 * Spark: core/…/serializer/JavaSerializer.scala.
 *
 * | Java, Scala | here | and back |
 * | --- | --- | --- |
 * | String | string | String |
 * | Boolean | boolean | Boolean |
 * | Integer | number | an integer from -2^31 to 2^31 - 1, but not -0 |
 * | Double | number | any other number |
 * | Long | bigint | a bigint from -2^63 to 2^63 - 1 |
 * | BigInteger | bigint | any other bigint |
 * | Byte, Short, Float, Character, scala.math.BigInt | JavaNumber | the same |
 * | BigDecimal | JavaBigDecimal | BigDecimal |
 * | null | null | null |
 * | Unit | undefined | Unit |
 * | `byte[]` | Uint8Array | `byte[]` (an Int8Array too) |
 * | `char[]`, `short[]`, `int[]`, `long[]`, `float[]`, `double[]` | Uint16Array, Int16Array, Int32Array, BigInt64Array, Float32Array, Float64Array | the same |
 * | `boolean[]`, arrays of objects | array | the same |
 * | ArrayList, LinkedList, ArrayDeque, CopyOnWriteArrayList, `Arrays.asList`, `List.of` | array | the same; an array that did not come from Java: ArrayList |
 * | HashMap, LinkedHashMap, ConcurrentHashMap, `Map.of` | Map | the same; a Map or plain object of one's own: LinkedHashMap |
 * | HashSet, LinkedHashSet, `Set.of` | Set | the same; a Set of one's own: LinkedHashSet |
 * | TreeMap, TreeSet | Map, Set, in their order | the same, with its Comparator; sorted, if texts or numbers were added and there is none |
 * | `Collections.emptyList()`, `singletonList(x)` and those for sets and maps | array, Set, Map | the same; as one's own, if its size was changed |
 * | `Collections.unmodifiableList(x)`, `synchronizedList(x)` and those for sets and maps | a copy of x | the same; of what it then is, if it was changed |
 * | List, Vector, Queue, Stack, ArraySeq, ArrayBuffer, ListBuffer of Scala, values of its maps | array | the same |
 * | ArraySeq of primitives | the array that it holds, of bytes an Int8Array; an array in a field of `javaTypes.seq` | the same |
 * | Range of Scala | array; inert, if it has more elements than the limits allow | the same; a Vector, if it was changed |
 * | Map, Set of Scala | Map, Set | the same, in the class that Scala has for the size |
 * | TreeMap, TreeSet of Scala, its SortedMap and SortedSet | Map, Set, in their order | the same, with its Ordering |
 * | tuples | array | the same |
 * | Date | Date; inert, if it is later or earlier than those here | the same |
 * | Some, None, Left, Right, Success, Failure, FiniteDuration | Some, None, … | the same |
 * | `object Foo` | ScalaObject | the same |
 * | a constant of an enum, of an Enumeration | JavaEnum, ScalaEnumValue; a string in a field that is declared so | the same |
 * | Throwable | RpcRemoteError | the same; an Error of one's own: RuntimeException |
 * | RpcAddress, RpcEndpointAddress, CheckExistence | the classes of that name | the same |
 * | a reference to an endpoint | a reference | the same |
 * | Spark's RpcFailure | the failure of an ask | the same |
 * | URI | `sparkDeploy.URI`, which has its text | the same |
 * | deploy messages | `sparkDeploy` | the same |
 * | a class that `defineJavaClass` was told of | its value | the same |
 * | any other class | JavaObject, inert | the same, byte for byte |
 *
 * - An inert object can be looked into: by `get` where its class wrote fields, by `annotation` where it wrote data of its own. If all of
 *   it is fields, as of java.util.UUID, `defineJavaClass` gives it a type; of what writes only data, as all of java.time does,
 *   {@linkcode JavaBlockData} has an example.
 * - A Double without a fraction goes on as an Integer and a small BigInteger as a Long, unless `exactNumbers` has them arrive as a
 *   JavaNumber. In a field or an array that declares which one it holds nothing is left to guess: it is what that says.
 * - A particular type is asked for by {@linkcode asJava}: `asJava(1, "double")`, `asJava(names, javaTypes.seq("String"))`.
 * - A collection remembers what it came as, also after it was changed; a copy of it does not.
 * - Objects that occur twice or inside themselves do so at the other end. Equal strings and equal numbers are written once.
 * - Classes are those of the peer's version of Spark, which its environment learns; exceptions of Spark's own go on as what they were.
 * - Refused: proxies, functions, symbols, objects of unknown classes of TypeScript, streams with more than one value, and known
 *   classes with a serialVersionUID that is not theirs.
 *
 * @module
 */

import type { ByteSink } from "../../base/byte_sink.ts";
import type { MessageBody } from "../../base/message_body.ts";
import { RpcFailure, type Serializer, type SerializerContext, TypedMessage } from "../serializer.ts";
import { encodeError, failureText } from "../serializer_errors.ts";
import { JavaReader } from "./_java_reader.ts";
import { type BuiltinMappings, JavaWriter } from "./_java_writer.ts";
import { boxClasses, boxOf } from "./boxes.ts";
import { isByteArray, readByteArray, writeByteArray } from "./byte_array.ts";
import { registrationsOf } from "./java_registrations.ts";
import { deployClasses } from "./deploy_messages.ts";
import { collectionClasses, javaLinkedHashMap } from "./jdk_collections.ts";
import { concurrentMappings } from "./jdk_concurrent_collections.ts";
import { smallMappings } from "./jdk_small_collections.ts";
import { sortedMappings } from "./jdk_sorted_collections.ts";
import { viewMappings } from "./jdk_views.ts";
import { JavaRegistry, type JavaRegistryInit } from "./java_mapping.ts";
import { javaTemplates } from "./java_templates.ts";
import type { JavaType } from "./java_type.ts";
import { scalaCollections } from "./scala_collections.ts";
import { rangeMappings } from "./scala_ranges.ts";
import type { ScalaObject } from "./scala_object.ts";
import { scalaValues } from "./scala_values.ts";
import { type AddressClasses, endpointRef, sparkClasses } from "./spark_classes.ts";
import { DEFAULT_SPARK_VERSION, type SparkVersion } from "./spark_versions.ts";
import { javaThrowable, throwableClasses } from "./throwable.ts";

/** What {@linkcode JavaSerializer.with} is told. */
export interface JavaSerializerOptions {
  /**
   * Classes and objects of your own, as `defineJavaClass` and `defineScalaObject` made them. What their fields are made of comes with
   * them.
   *
   * @default those that the codec had
   */
  readonly classes?: readonly (JavaType<unknown> | ScalaObject)[] | undefined;
  /**
   * The version of Spark that is written for, whatever a peer may be. Without it, an environment learns each peer's version from the
   * classes that it sends and those that it refuses, and takes it for the newest that it can be until then.
   *
   * @default that of the peer
   */
  readonly sparkVersion?: SparkVersion | undefined;
  /**
   * Whether a java.lang.Double and a java.math.BigInteger arrive as JavaNumber, so that they go on as what they were. Otherwise they
   * arrive as number and bigint, and a Double without fraction goes on as an Integer, a small BigInteger as a Long.
   *
   * @default false
   */
  readonly exactNumbers?: boolean | undefined;
}

/** A serializer of Java. */
export interface JavaSerializer extends Serializer {
  /**
   * A serializer like this one that knows more.
   *
   * @param options What else it knows.
   * @throws {TypeError} If something in `classes` is none of what it may be.
   */
  with(options: JavaSerializerOptions): JavaSerializer;
}

/** What a codec is made of. */
interface JavaParts {
  readonly inits: readonly JavaRegistryInit[];
  /** The version that is written for; undefined for the peer's. */
  readonly sparkVersion: SparkVersion | undefined;
  readonly exactNumbers: boolean;
}

/** Makes the codec of an environment whose addresses are of these classes. */
export function javaSerializer(addresses: AddressClasses): JavaSerializer {
  const inits = [
    boxClasses,
    collectionClasses,
    { mappings: [...sortedMappings, ...smallMappings, ...concurrentMappings, ...viewMappings] },
    scalaCollections,
    { mappings: rangeMappings },
    ...scalaValues,
    throwableClasses,
    ...sparkClasses(addresses),
    ...deployClasses,
  ];
  return new JavaCodec({ inits, sparkVersion: undefined, exactNumbers: false });
}

class JavaCodec implements JavaSerializer {
  readonly name = "java";
  readonly prefix: Uint8Array = javaTemplates.prefix;
  readonly variesBySpark: boolean;
  readonly #parts: JavaParts;
  #registry: JavaRegistry | undefined;

  constructor(parts: JavaParts) {
    this.#parts = parts;
    this.variesBySpark = parts.sparkVersion === undefined;
  }

  with({ classes = [], sparkVersion, exactNumbers }: JavaSerializerOptions): JavaSerializer {
    const parts = this.#parts;
    return new JavaCodec({
      inits: [...parts.inits, ...registrationsOf(classes)],
      sparkVersion: sparkVersion ?? parts.sparkVersion,
      exactNumbers: exactNumbers ?? parts.exactNumbers,
    });
  }

  /** Most processes never meet a Spark, so the table is made when it is first needed. */
  get registry(): JavaRegistry {
    return this.#registry ??= new JavaRegistry(this.#parts.inits);
  }

  encode(value: unknown, out: ByteSink, context: SerializerContext): void {
    if (isByteArray(value)) writeByteArray(value, out);
    else this.#write(TypedMessage.is(value) ? this.#messageOf(value) : value, out, context);
  }

  /** What a message of a typed endpoint is in Java. */
  #messageOf({ tag, payload }: TypedMessage): object {
    const tagged = this.registry.tagged(tag);
    if (tagged !== undefined) return tagged.toMessage(payload);
    throw encodeError(`a message ${tag}: no class of Java has that tag, see defineJavaClass`, "");
  }

  #write(value: unknown, out: ByteSink, context: SerializerContext): void {
    const { sparkVersion } = this.#parts;
    const version = sparkVersion ?? context.sparkVersion ?? DEFAULT_SPARK_VERSION;
    const versionStated = sparkVersion !== undefined;
    new JavaWriter(out, context, { registry: this.registry, builtin: BUILTIN, version, versionStated }).write(value);
  }

  decode(content: MessageBody, context: SerializerContext): unknown {
    const bytes = readByteArray(content);
    if (bytes !== undefined) return bytes;
    const { registry } = this;
    const { exactNumbers } = this.#parts;
    const value = new JavaReader(content, context, { registry, exactNumbers }).read();
    const tagged = typeof value === "object" && value !== null ? registry.taggedValue(value) : undefined;
    return tagged === undefined ? value : new TypedMessage(tagged.tag, tagged.toPayload(value as object));
  }

  encodeFailure(error: Error, out: ByteSink, context: SerializerContext): void {
    try {
      this.#write(new RpcFailure(error), out, context);
    } catch {
      // A getter of the error threw, say. The asker must hear of the failure all the same.
      javaTemplates.encodeFailure(new Error(failureText(error)), out, context);
    }
  }
}

const BUILTIN: BuiltinMappings = {
  box: boxOf,
  record: javaLinkedHashMap,
  throwable: javaThrowable,
  ref: endpointRef,
};
