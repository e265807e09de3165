/**
 * Copies messages that stay within their environment, for those who want to see no object of another endpoint.
 *
 * Spark has nothing like it: there a local message is the sender's own object.
 *
 * @module
 */

import { ByteSink } from "../base/byte_sink.ts";
import { MessageBody } from "../base/message_body.ts";
import type { Serializer, SerializerContext } from "../serializer/serializer.ts";

/**
 * What a reader of `value` in `codec` would get, but for references: they stay what they are, since name and address do not say
 * which connection leads to a client.
 *
 * @throws {SerializerError} If `value` cannot be encoded.
 */
export function localCopy(value: unknown, codec: Serializer, context: SerializerContext): unknown {
  const refs: object[] = [];
  const out = new ByteSink();
  const copying: SerializerContext = {
    ...context,
    encodeRef(ref) {
      const encoded = context.encodeRef(ref);
      return encoded && { ...encoded, name: String(refs.push(ref) - 1), address: undefined };
    },
    decodeRef: (name) => refs[Number(name)]!,
  };
  codec.encode(value, out, copying);
  return codec.decode(MessageBody.of(out.view()), copying);
}
