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
import { checkWritten } from "../transport/outgoing_limits.ts";

/**
 * What a reader of `value` in `codec` would get, but for references: they stay what they are, since name and address do not say
 * which connection leads to a client.
 *
 * @param maxBytes How long it may be in `codec`: what no frame can hold would reach no other environment either.
 * @throws {SerializerError} If `value` cannot be encoded.
 * @throws {ProtocolError} If it takes more than `maxBytes`.
 */
export function localCopy(value: unknown, codec: Serializer, context: SerializerContext, maxBytes: number): unknown {
  const refs: object[] = [];
  const out = new ByteSink(undefined, (position) => checkWritten(position, maxBytes));
  const copying: SerializerContext = {
    ...context,
    encodeRef(ref) {
      const encoded = context.encodeRef(ref);
      return encoded && { ...encoded, name: String(refs.push(ref) - 1), address: undefined };
    },
    decodeRef: (name) => refs[Number(name)]!,
  };
  codec.encode(value, out, copying);
  checkWritten(out.position, maxBytes);
  return codec.decode(MessageBody.of(out.view()), copying);
}
