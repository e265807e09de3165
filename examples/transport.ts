// deno-lint-ignore-file no-console -- a program for the terminal.
/**
 * Spark's network layer alone, without endpoints: a server of notes, and a client that asks, uploads, streams and fetches chunks.
 *
 *     deno run -A examples/transport.ts --port 7337         # serves until Ctrl-C
 *     deno run -A examples/transport.ts 127.0.0.1:7337      # talks to it, from another terminal
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import {
  askRpc,
  BytesManagedBuffer,
  noOpRpcHandler,
  OneForOneStreamManager,
  readChunk,
  readStream,
  receiveUpload,
  RpcAddress,
  type RpcHandler,
  RpcRemoteError,
  sendUpload,
  SparkConf,
  StreamError,
  type StreamManager,
  type TransportClient,
  TransportConf,
  TransportContext,
} from "../mod.ts";
import { outliveOutput } from "./_program.ts";

const CHUNK_BYTES = 8;
const LONG_BYTES = 64 * 1024 * 1024;
const POEM = ["Roses are red, ", "violets are blue, ", "and so on"];

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** What a server does with the four kinds of requests. */
function notesHandler(): RpcHandler {
  const notes = new Map<string, Uint8Array>([["long", new Uint8Array(LONG_BYTES)]]);
  const noteOf = (name: string): Uint8Array => {
    const note = notes.get(name);
    if (note === undefined) throw new RangeError(`There is no note ${JSON.stringify(name)}`);
    return note;
  };

  // Chunks are registered for one connection, fetched once and in order, and forgotten when the connection goes.
  const chunks = new OneForOneStreamManager();
  const streamManager: StreamManager = {
    openStream: (name) => new BytesManagedBuffer(noteOf(name)),
    getChunk: (streamId, chunkIndex) => chunks.getChunk(streamId, chunkIndex),
    connectionTerminated: (client) => chunks.connectionTerminated(client),
  };

  return {
    ...noOpRpcHandler,
    streamManager,

    // A request, its bytes borrowed until this returns. It may be answered at any later time; what it throws is its failure.
    receive(client, body, responder) {
      const [verb, name = ""] = textOf(body.bytes).split(" ");
      if (verb === "list") {
        responder.onSuccess(bytesOf([...notes].map(([name, { length }]) => `${name}: ${length} bytes`).join("\n")));
      } else if (verb === "cut") {
        const note = noteOf(name);
        const count = Math.ceil(note.length / CHUNK_BYTES);
        const parts = Array.from({ length: count }, (_, i) => note.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES));
        const streamId = chunks.registerStream(undefined, parts.map((part) => new BytesManagedBuffer(part)), { client });
        responder.onSuccess(bytesOf(`${streamId} ${count}`));
      } else throw new TypeError(`Expected list or cut, not ${verb}`);
    },

    // A message without an answer.
    receiveOneWay: (client, body) => console.log(`${client.channel.remoteAddress.host} says ${textOf(body.bytes)}`),

    // A request with a stream of bytes behind it: no faster than this reads, the peer sends.
    receiveStream: (_client, meta) => {
      const name = textOf(meta.bytes);
      return receiveUpload(name, async (stream) => {
        const note = new Uint8Array(await new Response(stream).arrayBuffer());
        notes.set(name, note);
        return bytesOf(`kept ${note.length} bytes`);
      });
    },
  };
}

/** Serves notes until the process is told to end. */
async function serve(host: string, port: number): Promise<void> {
  // Every setting has Spark's key; the module is its second part.
  const conf = new TransportConf("shuffle", new SparkConf({ "spark.shuffle.io.connectionTimeout": "30s" }));
  const context = await TransportContext.create(notesHandler(), { conf });
  const server = await context.createServer(port, { host });
  const end = () => void server.close();
  process.once("SIGINT", end).once("SIGTERM", end);
  // Which puts brackets around an IPv6 address.
  console.log(`READY ${new RpcAddress(server.address.host, server.port)}`);
}

/** Talks to a server of notes. */
async function talk(host: string, port: number): Promise<void> {
  const context = await TransportContext.create(noOpRpcHandler);
  const factory = context.createClientFactory();
  try {
    // Whoever wants that peer shares this connection.
    const client = await factory.createClient({ host, port });

    client.send(bytesOf("Good morning"));
    const kept = await sendUpload(client, bytesOf("poem"), poem(), { size: bytesOf(POEM.join("")).length });
    console.log("The upload is answered with", textOf(kept));
    console.log(textOf(await askRpc(client, bytesOf("list"), { timeoutMs: 5_000 })));

    console.log("As a stream:", await new Response(readStream(client, "poem")).text());
    console.log("As chunks:", (await fetchChunks(client, "poem")).join("|"));

    const refused = await askRpc(client, bytesOf("cut nothing")).catch((error: unknown) => error);
    if (refused instanceof RpcRemoteError) console.log("Refused:", refused.message);
    const missing = await new Response(readStream(client, "nothing")).text().catch((error: unknown) => error);
    if (missing instanceof StreamError) console.log("Not streamed:", missing.message);

    // The protocol has no word for "no more of this", so a transfer that may be given up has a connection of its own.
    const own = await factory.createUnmanagedClient({ host, port });
    const enough = new AbortController();
    try {
      for await (const chunk of readStream(own, "long", { signal: enough.signal })) {
        if (chunk.length > 0) enough.abort(new Error("That will do"));
      }
    } catch (error) {
      console.log("Given up:", error === enough.signal.reason, "and the connection is open:", own.isActive);
    }
  } finally {
    await factory.close();
  }
}

/** Whatever gives bytes can be uploaded; it is asked for more as the peer takes them. */
async function* poem(): AsyncGenerator<Uint8Array> {
  for (const line of POEM) yield await Promise.resolve(bytesOf(line));
}

async function fetchChunks(client: TransportClient, name: string): Promise<string[]> {
  const [streamId = "", count] = textOf(await askRpc(client, bytesOf(`cut ${name}`))).split(" ");
  const texts: Promise<string>[] = [];
  // All are asked for at once, and read in their order.
  for (let i = 0; i < Number(count); i++) texts.push(new Response(readChunk(client, BigInt(streamId), i)).text());
  return await Promise.all(texts);
}

try {
  outliveOutput();
  const { values, positionals } = parseArgs({
    options: { host: { type: "string", default: "127.0.0.1" }, port: { type: "string", default: "0" } },
    allowPositionals: true,
  });
  const [address] = positionals;
  if (address === undefined) await serve(values.host, Number(values.port));
  else {
    const { host, port } = RpcAddress.fromSparkURL(`spark://${address}`);
    await talk(host, port);
  }
} catch (error) {
  console.error(`transport: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
