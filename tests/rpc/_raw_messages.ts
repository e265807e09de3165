/**
 * The bytes of messages to endpoints, for a peer that writes them itself.
 *
 * @module
 */

import { ByteSink } from "../../src/base/byte_sink.ts";
import { MessageBody } from "../../src/base/message_body.ts";
import { encodeMessage } from "../../src/protocol/message_encoder.ts";
import { type Message, MessageType } from "../../src/protocol/message.ts";
import { encodeRequestHeader } from "../../src/rpc/request_message.ts";
import type { RpcAddress } from "../../src/rpc/rpc_address.ts";
import { cborSerializer } from "../../src/serializer/cbor.ts";

/** The context of content without references. */
export const noRefs = { encodeRef: () => undefined, decodeRef: () => ({}), exposeStack: false };

/** A message's frame. */
export function frame(message: Message): Uint8Array {
  const out = new ByteSink();
  encodeMessage(message, out);
  return out.copy();
}

/** Content in CBOR. */
export function cbor(value: unknown): Uint8Array {
  const out = new ByteSink();
  cborSerializer.encode(value, out, noRefs);
  return out.copy();
}

/** Content with a header before it: for the endpoint `name`, from who listens at `sender`. */
export function body(content: Uint8Array, name = "Echo", sender: RpcAddress | undefined = undefined): MessageBody {
  const out = new ByteSink();
  out.writeBytes(encodeRequestHeader(sender, undefined, name));
  out.writeBytes(content);
  return MessageBody.of(out.copy());
}

/** The frame of an ask. */
export const ask = (id: number, message: MessageBody): Uint8Array =>
  frame({ type: MessageType.RpcRequest, idHigh: 0, idLow: id, body: message });

/** The frame of a message that wants no answer. */
export const tell = (message: MessageBody): Uint8Array => frame({ type: MessageType.OneWayMessage, body: message });
