/**
 * The codecs of an environment: which one wrote a content is told by its first bytes.
 *
 * Spark: the one JavaSerializerInstance of NettyRpcEnvFactory. Here several codecs share a port, and a reply is in its request's.
 *
 * @module
 */

import { SerializerError } from "../base/errors.ts";
import type { MessageBody } from "../base/message_body.ts";
import { javaTemplates } from "../serializer/java/java_templates.ts";
import type { Serializer } from "../serializer/serializer.ts";

/** How many bytes of an unknown content an error shows. */
const SHOWN_BYTES = 4;

/** The serializers that an environment knows. */
export class ContentCodecs {
  /** Writes what no other codec was named for. */
  readonly default: Serializer;
  /** Writes and reads look-ups of endpoints, always. */
  readonly lookup: Serializer = javaTemplates;
  readonly #serializers: readonly Serializer[];
  readonly #accepted: readonly Serializer[];
  readonly #known: readonly Serializer[];

  /** @param serializers The first is the default. @param accept Names of those that received content may be in; all if absent. */
  constructor(serializers: readonly Serializer[], accept?: readonly string[]) {
    const [first] = serializers;
    if (first === undefined) throw new RangeError("An environment needs at least one serializer");
    this.default = first;
    this.#serializers = serializers;
    this.#known = serializers.includes(this.lookup) ? serializers : [...serializers, this.lookup];
    for (const name of accept ?? []) this.named(name);
    this.#accepted = accept === undefined ? serializers : serializers.filter((serializer) => accept.includes(serializer.name));
  }

  /** The serializer of that name. */
  named(name: string): Serializer {
    const found = this.#serializers.find((serializer) => serializer.name === name);
    if (found !== undefined) return found;
    const known = this.#serializers.map((serializer) => serializer.name).join(", ");
    throw new RangeError(`There is no serializer ${JSON.stringify(name)}; this environment has ${known}`);
  }

  /**
   * The serializer that wrote `content`.
   *
   * @throws {SerializerError} If it is none that is accepted.
   */
  recognise(content: MessageBody): Serializer {
    return recognise(this.#accepted, content);
  }

  /**
   * The serializer that wrote the answer `content`: any that an own message can have been in.
   *
   * @throws {SerializerError} If it is none that is known.
   */
  recogniseReply(content: MessageBody): Serializer {
    return recognise(this.#known, content);
  }
}

function recognise(accepted: readonly Serializer[], content: MessageBody): Serializer {
  for (let i = 0; i < accepted.length; i++) if (content.startsWith(accepted[i]!.prefix)) return accepted[i]!;
  throw notAccepted(accepted, content);
}

function notAccepted(accepted: readonly Serializer[], content: MessageBody): SerializerError {
  let shown = "";
  for (const byte of content.bytes.subarray(0, SHOWN_BYTES)) shown += byte.toString(16).padStart(2, "0").toUpperCase();
  const names = accepted.map((serializer) => serializer.name).join(", ");
  const what = shown === "" ? "Content is empty" : `Content begins with ${shown}`;
  return new SerializerError(`${what}; accepted are ${names}`, { direction: "decode", offset: 0 });
}
