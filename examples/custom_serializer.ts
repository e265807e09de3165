/**
 * A codec of one's own: JSON that people can read off the wire, with references to endpoints and failures in it.
 *
 *     deno run -A examples/custom_serializer.ts
 *
 * A serializer has a prefix by which received content is recognised, so several of them share a port, and a reply is in its
 * request's. What arrives was written by others: nothing is taken for what it claims to be before it has been looked at.
 *
 * @module
 */
import {
  cborSerializer,
  type EncodedRef,
  type RpcEndpointRef,
  RpcEnv,
  RpcFailure,
  RpcRemoteError,
  type Serializer,
  SerializerError,
  silentLogger,
} from "../mod.ts";

/** The key of an object that stands for a reference; no other object may have it. */
const REF_KEY = "$ref";
/** Strict, so that what is no UTF-8 is an error and not another text. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** `json:` and then `{"value": …}`, or `{"failure": …}` where a handler failed. */
const jsonSerializer: Serializer = {
  name: "json",
  prefix: new TextEncoder().encode("json:"),

  encode(value, out, context) {
    const replace = (_key: string, item: unknown) => {
      if (typeof item !== "object" || item === null) return item;
      // Only the environment knows which objects are references, and how they travel.
      const ref = context.encodeRef(item);
      if (ref !== undefined) return { [REF_KEY]: ref };
      if (Object.hasOwn(item, REF_KEY)) throw new TypeError(`The key ${REF_KEY} is for references`);
      return item;
    };
    let text: string;
    try {
      // JSON.stringify looks at what `replace` returned, but does not give it to `replace` again.
      text = JSON.stringify({ value }, replace);
    } catch (cause) {
      throw new SerializerError(`No JSON for this message: ${textOf(cause)}`, { direction: "encode", cause });
    }
    // `out` is the connection's own buffer. Nothing has been written to it if there was an error.
    out.writeBytes(this.prefix);
    out.writeUtf8(text);
  },

  encodeFailure(error, out, context) {
    const failure = { class: error.name, message: error.message, ...(context.exposeStack && { stack: error.stack }) };
    out.writeBytes(this.prefix);
    out.writeUtf8(JSON.stringify({ failure }));
  },

  decode(bytes, context) {
    const revive = (_key: string, item: unknown) => {
      if (!isObject(item) || !Object.hasOwn(item, REF_KEY)) return item;
      const ref = item[REF_KEY];
      if (!isEncodedRef(ref)) throw new TypeError("A reference has a name, and perhaps an address");
      return context.decodeRef(ref.name, ref.address);
    };
    let content: unknown;
    try {
      content = JSON.parse(utf8.decode(bytes.subarray(this.prefix.length)), revive);
    } catch (cause) {
      throw new SerializerError(`This message is no JSON: ${textOf(cause)}`, { direction: "decode", cause });
    }
    if (!isObject(content)) throw new SerializerError("Expected an object", { direction: "decode" });
    if (!isObject(content.failure)) return content.value;
    return new RpcFailure(new RpcRemoteError(String(content.failure.message), { remoteClass: String(content.failure.class) }));
  },
};

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isEncodedRef(value: unknown): value is EncodedRef {
  if (!isObject(value) || typeof value.name !== "string") return false;
  const { address } = value;
  return address === undefined || (isObject(address) && typeof address.host === "string" && typeof address.port === "number");
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
