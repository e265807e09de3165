/**
 * A codec of one's own: JSON that people can read off the wire, with references to endpoints and failures in it.
 *
 *     deno run -A examples/custom_serializer.ts
 *
 * A serializer has a prefix by which received content is recognised, so several of them share a port, and a reply is in its
 * request's. What arrives was written by others: nothing is taken for what it claims to be before it has been looked at.
 * JSON is JSON: a Date arrives as text, a Map as an empty object, and a bigint does not leave.
 *
 * @module
 */
import process from "node:process";
import {
  cborSerializer,
  type EncodedRef,
  endpoint,
  type RpcEndpointRef,
  RpcEnv,
  RpcFailure,
  RpcRemoteError,
  type Serializer,
  SerializerError,
  silentLogger,
  TypedMessage,
  typedRef,
} from "../mod.ts";
import { outliveOutput } from "./_program.ts";

/** The keys of objects that stand for a reference, and for a message of a contract; no other object may have them. */
const REF_KEY = "$ref";
const TYPED_KEY = "$typed";
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
      if (item instanceof TypedMessage) return { [TYPED_KEY]: [item.tag, item.payload] };
      const taken = [REF_KEY, TYPED_KEY].find((key) => Object.hasOwn(item, key));
      if (taken !== undefined) throw new TypeError(`The key ${taken} is not for messages`);
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

  decode(message, context) {
    const revive = (_key: string, item: unknown) => {
      if (!isObject(item)) return item;
      const { [REF_KEY]: ref, [TYPED_KEY]: typed } = item;
      if (isEncodedRef(ref)) return context.decodeRef(ref.name, ref.address);
      if (Array.isArray(typed) && typeof typed[0] === "string") return new TypedMessage(typed[0], typed[1]);
      return item;
    };
    let content: unknown;
    try {
      content = JSON.parse(utf8.decode(message.bytes.subarray(this.prefix.length)), revive);
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

/** The contract of the endpoint that is asked. */
interface Greeter {
  receiveAndReply: {
    Greet(question: { name: string; askBack: RpcEndpointRef<Asker> }): string;
    Echo(message: unknown): unknown;
  };
}

/** The contract of the endpoint that it asks back. */
interface Asker {
  receiveAndReply: { WhichGreeting(): string };
}

outliveOutput();
const server = await RpcEnv.create({
  name: "server",
  host: "127.0.0.1",
  port: 0,
  // The first one is for what the server sends of its own accord; it understands all of them.
  serializers: [jsonSerializer, cborSerializer],
  logger: silentLogger,
});
server.setupEndpoint(
  "Greeter",
  endpoint<Greeter>(() => ({
    receiveAndReply: {
      async Greet({ name, askBack }) {
        if (name === "") throw new RangeError("Nobody to greet");
        return `${await typedRef(askBack).ask("WhichGreeting")}, ${name}`;
      },
      Echo: (message) => message,
    },
  })),
);

for (const serializer of [jsonSerializer, cborSerializer]) {
  const client = await RpcEnv.create({ name: "client", serializers: [serializer] });
  const askBack = client.setupEndpoint(
    "Asker",
    endpoint<Asker>(() => ({ receiveAndReply: { WhichGreeting: () => "Good morning" } })),
  );
  const greeter = typedRef<Greeter>(await client.setupEndpointRef(`spark://Greeter@${server.address}`));
  const say = (text: unknown) => process.stdout.write(`${serializer.name}: ${text}\n`);

  // A reference travels, and leads back to this client over the connection that is there.
  say(await greeter.ask("Greet", { name: "Ada", askBack }));
  // A failure travels.
  say(await greeter.ask("Greet", { name: "", askBack }).catch(textOf));
  // What a codec cannot write fails at once, and nothing is sent.
  say(await greeter.ask("Echo", 2n ** 64n).catch(textOf));
  await client.shutdown();
}
await server.shutdown();
