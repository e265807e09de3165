/**
 * A question that does nothing at the peer but tell whether it can read some classes.
 *
 * Spark: there is no such thing. It decodes a request before it looks for the endpoint, in a server and in client mode, in every
 * version; so an ask for an endpoint that nobody has is answered `Could not find`, without a line in a log and without a handler that
 * hears of it, if its classes are the peer's, and with an InvalidClassException that names both sides' serialVersionUID if one is
 * not. The endpoint-verifier would not do: a client has none, and what it does not know it reports as an error of its own. The
 * classes are sent as such, without objects of them; Spark checks those just the same.
 *
 * @module
 */

import { ByteSink } from "../base/byte_sink.ts";
import { RpcRemoteError } from "../base/errors.ts";
import { ClassFlag, Tag, writeClassDesc, writeStreamHeader } from "../serializer/java/stream_format.ts";
import type { RpcResponseCallback } from "../transport/rpc_response_callback.ts";
import { encodeRequestHeader } from "./request_message.ts";
import type { DescribedClass } from "./versioned_content.ts";

/** The endpoint that is asked: one that nobody has. */
export const PROBED_ENDPOINT = "nobody, just to see whether these classes can be read";

const OBJECT_ARRAY = { name: "[Ljava.lang.Object;", uid: -8012369246846506644n, flags: ClassFlag.Serializable };

/** The request that asks whether `classes` can be read; the first that cannot is named. */
export function probeFor(classes: readonly DescribedClass[]): Uint8Array {
  const out = new ByteSink(512);
  // Without a sender's address: a Spark would tell its endpoints of a peer that they have heard of before.
  out.writeBytes(encodeRequestHeader(undefined, undefined, PROBED_ENDPOINT));
  writeStreamHeader(out);
  out.writeUint8(Tag.Array);
  writeClassDesc(out, OBJECT_ARRAY);
  out.writeUint8(Tag.Null);
  out.writeInt32(classes.length);
  for (const { className, uid } of classes) {
    out.writeUint8(Tag.Class);
    writeClassDesc(out, { name: className, uid, flags: ClassFlag.Serializable });
    out.writeUint8(Tag.Null);
  }
  return out.copy();
}

/** Waits for the answer. */
export class ClassProbe implements RpcResponseCallback {
  readonly deadline: number;
  /** What the peer said; undefined if it did not. */
  readonly answer: Promise<string | undefined>;
  #resolve: (answer: string | undefined) => void = () => {};

  /** @param deadline When to give up. */
  constructor(deadline: number) {
    this.deadline = deadline;
    this.answer = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  onSuccess(): void {
    this.#resolve("");
  }

  onFailure(error: Error): void {
    this.#resolve(error instanceof RpcRemoteError ? error.message : undefined);
  }

  onTimeout(): void {
    this.#resolve(undefined);
  }
}
