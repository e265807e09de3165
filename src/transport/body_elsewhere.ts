/**
 * Stands for the body of a message whose bytes are sent behind its head, from wherever they are.
 *
 * @module
 */

import { MessageBody } from "../base/message_body.ts";
import { ReceivedBytes } from "../base/received_bytes.ts";

const NOTHING = new ReceivedBytes(new Uint8Array(0), true);

/** A body of which only the length is asked. */
export function bodyElsewhere(length: number): MessageBody {
  return new MessageBody(NOTHING, 0, length);
}
