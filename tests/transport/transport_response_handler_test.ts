import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { ProtocolError, RpcError, RpcRemoteError, StreamError } from "../../src/base/errors.ts";
import { int64FromSafe } from "../../src/base/int64.ts";
import { MessageBody } from "../../src/base/message_body.ts";
import { type Message, MessageType } from "../../src/protocol/message.ts";
import { STREAMED_BODY_BYTES } from "../../src/protocol/transport_frame_decoder.ts";
import { SocketError } from "../../src/socket/socket.ts";
import type { TransportClient } from "../../src/transport/transport_client.ts";
import { test, type TestContext, until } from "../_harness.ts";
import { FetchedChunks, StreamedChunks } from "./_fetched_chunks.ts";
import { frameOf } from "./_raw_peer.ts";
import { ReceivedStream } from "./_received_stream.ts";
import { bytesOf, type End, Stage, waiter } from "./_stage.ts";
import { StubDriver, type StubSocket } from "./_stub_driver.ts";

const STREAM = int64FromSafe(1);
const body = MessageBody.of(bytesOf("body"));
const LARGE = new Uint8Array(STREAMED_BODY_BYTES).fill(7);
const LARGE_CHUNK = frameOf({
  type: MessageType.ChunkFetchSuccess,
  streamId: STREAM,
  chunkIndex: 0,
  body: MessageBody.of(LARGE),
});

interface Scene {
  readonly client: TransportClient;
  readonly end: End;
  readonly socket: StubSocket;
  /** The peer's bytes arrive, all in one piece. */
  arrive(...messages: readonly (Message | Uint8Array)[]): void;
}

async function setUp(context: TestContext): Promise<Scene> {
  const driver = new StubDriver();
  const end = new Stage(context, driver).end();
  const client = await end.factory.createClient({ host: "peer", port: 1 });
  const socket = driver.sockets[0]!;
  return {
    client,
    end,
    socket,
    arrive(...messages) {
      for (const message of messages) {
        socket.handler.onData(socket, message instanceof Uint8Array ? message : frameOf(message), true);
      }
    },
  };
}

/** A request whose end is written down. */
function noted(events: string[], name = "") {
  return waiter((answer) => events.push(`${name}success ${answer.length}`), (error) => events.push(`${name}${error.message}`));
}

// Spark: TransportResponseHandlerSuite "handleSuccessfulFetch"
test("TransportResponseHandler gives a chunk to who fetches it, and ignores one that nobody does", async (context) => {
  const { client, arrive, end } = await setUp(context);
  const fetched = new FetchedChunks();
  fetched.ask(client, 1n, [0]);
  arrive({ type: MessageType.ChunkFetchSuccess, streamId: STREAM, chunkIndex: 1, body });
  assertEquals([client.numOutstandingRequests, fetched.events], [1, []]);
  arrive({ type: MessageType.ChunkFetchSuccess, streamId: STREAM, chunkIndex: 0, body });
  assertEquals([client.numOutstandingRequests, fetched.events, fetched.chunks.get(0)], [0, ["success 0"], bytesOf("body")]);
  assert(end.logger.has("Ignoring response for block StreamChunkId[streamId=1,chunkIndex=1] from peer:1"));
  assert(!end.logger.has("failed"), "nobody's callback was called");
});

// Spark: TransportResponseHandlerSuite "handleFailedFetch"
test("TransportResponseHandler fails a fetch with what the peer says", async (context) => {
  const { client, arrive } = await setUp(context);
  const fetched = new FetchedChunks();
  fetched.ask(client, 1n, [0]);
  arrive({ type: MessageType.ChunkFetchFailure, streamId: STREAM, chunkIndex: 0, error: "some error msg" });
  const error = fetched.failures.get(0);
  assertInstanceOf(error, StreamError);
  const text = "Failure while fetching StreamChunkId[streamId=1,chunkIndex=0]: some error msg";
  assertEquals([error.message, client.numOutstandingRequests], [text, 0]);
});

// Spark: TransportResponseHandlerSuite "clearAllOutstandingRequests"
test("TransportResponseHandler fails what is left when the connection fails, each once", async (context) => {
  const { client, arrive, socket } = await setUp(context);
  const fetched = new FetchedChunks();
  fetched.ask(client, 1n, [0, 1, 2]);
  arrive({ type: MessageType.ChunkFetchSuccess, streamId: STREAM, chunkIndex: 0, body });
  const lost = new SocketError("CONNECTION_RESET", "duh duh duhhhh");
  socket.close(lost);
  await until(() => fetched.events.length === 3, "the end");
  assertEquals(fetched.failures.get(1)?.cause, lost);
  assertEquals([fetched.events, client.numOutstandingRequests], [["success 0", "failure 1", "failure 2"], 0]);
  for (const error of fetched.failures.values()) assertEquals(RpcError.is(error) && error.code, "DISCONNECTED");
});

// Spark: TransportResponseHandlerSuite "handleSuccessfulRPC"
test("TransportResponseHandler gives an answer to who asked, and ignores one that nobody waits for", async (context) => {
  const { client, arrive } = await setUp(context);
  const events: string[] = [];
  const requestId = int64FromSafe(client.sendRpc(bytesOf("ask"), noted(events)));
  assertEquals(client.numOutstandingRequests, 1);
  arrive({ type: MessageType.RpcResponse, idHigh: 0, idLow: 54_321, body: MessageBody.of(new Uint8Array(7)) });
  assertEquals([client.numOutstandingRequests, events], [1, []]);
  arrive({
    type: MessageType.RpcResponse,
    idHigh: requestId.high,
    idLow: requestId.low,
    body: MessageBody.of(new Uint8Array(10)),
  });
  assertEquals([client.numOutstandingRequests, events], [0, ["success 10"]]);
});

// Spark: TransportResponseHandlerSuite "handleFailedRPC"
test("TransportResponseHandler fails a request with what the peer says", async (context) => {
  const { client, arrive } = await setUp(context);
  let failure: Error | undefined;
  const id = client.sendRpc(bytesOf("ask"), waiter(undefined, (error) => failure = error));
  arrive({ type: MessageType.RpcFailure, requestId: int64FromSafe(54_321), error: "uh-oh!" });
  assertEquals([client.numOutstandingRequests, failure], [1, undefined]);
  arrive({ type: MessageType.RpcFailure, requestId: int64FromSafe(id), error: "oh no" });
  assertInstanceOf(failure, RpcRemoteError);
  assertEquals([failure.message, client.numOutstandingRequests], ["oh no", 0]);
});

// Spark: TransportResponseHandlerSuite "testActiveStreams"
test("TransportResponseHandler counts a stream until its last byte has come", async (context) => {
  const { client, arrive } = await setUp(context);
  const stream = ReceivedStream.of(client, "stream");
  assertEquals(client.numOutstandingRequests, 1);
  arrive({ type: MessageType.StreamResponse, streamId: "stream", byteCount: 1_234 });
  assertEquals(client.numOutstandingRequests, 1);
  arrive(new Uint8Array(1_233));
  assertEquals([client.numOutstandingRequests, stream.events], [1, ["data"]]);
  arrive(new Uint8Array(1));
  assertEquals([client.numOutstandingRequests, stream.events], [0, ["data", "complete"]]);
  const refused = ReceivedStream.of(client, "stream");
  arrive({ type: MessageType.StreamFailure, streamId: "stream", error: "some error" });
  assertEquals([client.numOutstandingRequests, refused.events, refused.error?.message], [0, ["failure"], "some error"]);
});

// Spark: TransportResponseHandlerSuite "failOutstandingStreamCallbackOnClose"
test("TransportResponseHandler fails a stream that has not begun when the connection closes", async (context) => {
  const { client, socket } = await setUp(context);
  const stream = ReceivedStream.of(client, "stream");
  socket.handler.onEnd(socket);
  assertEquals([stream.events, stream.error?.message, client.numOutstandingRequests], [
    ["failure"],
    "Connection from peer:1 closed",
    0,
  ]);
});

// Spark: TransportResponseHandlerSuite "failOutstandingStreamCallbackOnException"
test("TransportResponseHandler fails a stream that has not begun when the connection fails", async (context) => {
  const { client, arrive } = await setUp(context);
  const stream = ReceivedStream.of(client, "stream");
  arrive(new Uint8Array(8));
  assertEquals([stream.events, client.numOutstandingRequests], [["failure"], 0]);
  assertInstanceOf(stream.error?.cause, ProtocolError);
});

const BLOCK = { appId: "app", shuffleId: 0, shuffleMergeId: 0, reduceId: 0 };

// Spark: TransportResponseHandlerSuite "handleSuccessfulMergedBlockMeta"
test("TransportResponseHandler gives the meta data of a merged block to who asked for it", async (context) => {
  const { client, arrive } = await setUp(context);
  const events: string[] = [];
  const callback = {
    onSuccess: (numChunks: number, meta: MessageBody) => void events.push(`${numChunks} chunks, ${meta.length} bytes`),
    onFailure: (error: Error) => void events.push(error.message),
  };
  client.sendMergedBlockMetaReq(BLOCK, callback);
  assertEquals(client.numOutstandingRequests, 1);
  arrive({ type: MessageType.MergedBlockMetaSuccess, requestId: int64FromSafe(22), numChunks: 2, body });
  assertEquals([client.numOutstandingRequests, events], [1, []]);
  arrive({ type: MessageType.MergedBlockMetaSuccess, requestId: int64FromSafe(1), numChunks: 2, body });
  assertEquals([client.numOutstandingRequests, events], [0, ["2 chunks, 4 bytes"]]);
});

// Spark: TransportResponseHandlerSuite "handleFailedMergedBlockMeta"
test("TransportResponseHandler fails a request for the meta data of a merged block", async (context) => {
  const { client, arrive } = await setUp(context);
  const events: string[] = [];
  const callback = {
    onSuccess: () => void events.push("success"),
    onFailure: (error: Error) => void events.push(error.message),
  };
  client.sendMergedBlockMetaReq(BLOCK, callback);
  arrive({ type: MessageType.RpcFailure, requestId: int64FromSafe(51), error: "uh-oh!" });
  assertEquals([client.numOutstandingRequests, events], [1, []]);
  arrive({ type: MessageType.RpcFailure, requestId: int64FromSafe(1), error: "oh no" });
  assertEquals([client.numOutstandingRequests, events], [0, ["oh no"]]);
  client.close();
  client.sendMergedBlockMetaReq(BLOCK, callback);
  assert(events[1]!.startsWith("Failed to send RPC to peer:1: "));
});

test("TransportResponseHandler fails a request whose answer is one to another question", async (context) => {
  const { client, arrive } = await setUp(context);
  const events: string[] = [];
  const meta = { onSuccess: () => void events.push("success"), onFailure: (error: Error) => void events.push(error.message) };
  client.sendMergedBlockMetaReq(BLOCK, meta);
  client.sendRpc(bytesOf("ask"), noted(events));
  arrive(
    { type: MessageType.RpcResponse, idHigh: 0, idLow: 1, body },
    { type: MessageType.MergedBlockMetaSuccess, requestId: int64FromSafe(2), numChunks: 1, body },
  );
  assertEquals(events, [
    "An RpcResponse came for a MergedBlockMetaRequest",
    "A MergedBlockMetaSuccess came for another request",
  ]);
  assertEquals([client.numOutstandingRequests, client.isActive], [0, true]);
});

test("TransportResponseHandler gathers no large chunk that nobody fetches", async (context) => {
  const { client, arrive, socket, end } = await setUp(context);
  const size = 5 * 1024 * 1024;
  const frame = frameOf({
    type: MessageType.ChunkFetchSuccess,
    streamId: STREAM,
    chunkIndex: 0,
    body: MessageBody.of(new Uint8Array(size)),
  });
  arrive(frame.subarray(0, 1_000_000));
  assertEquals(socket.handler.allocate?.(socket), undefined);
  assert(end.logger.has("Ignoring response for block StreamChunkId[streamId=1,chunkIndex=0]"));
  const events: string[] = [];
  const requestId = int64FromSafe(client.sendRpc(bytesOf("ask"), noted(events)));
  arrive(frame.subarray(1_000_000), { type: MessageType.RpcResponse, idHigh: requestId.high, idLow: requestId.low, body });
  assertEquals([events, client.numOutstandingRequests], [["success 4"], 0]);
});

test("TransportResponseHandler tells everybody who waits of the end, though each throws", async (context) => {
  const { client, socket, end } = await setUp(context);
  const events: string[] = [];
  const fail = (event: string) => () => {
    events.push(event);
    throw new RangeError(event);
  };
  const stream = { onData() {}, onComplete() {}, onFailure: fail("stream") };
  for (let i = 0; i < 2; i++) {
    client.sendRpc(bytesOf("ask"), waiter(undefined, fail("request")));
    client.fetchChunk(1n, i, { onSuccess() {}, onFailure: fail("chunk") });
    client.stream(`s${i}`, stream);
  }
  socket.handler.onEnd(socket);
  assertEquals(events.sort(), ["chunk", "chunk", "request", "request", "stream", "stream"]);
  assertEquals([client.numOutstandingRequests, client.isActive], [0, false]);
  assert(end.logger.has("info: Still have 6 requests outstanding when connection from peer:1 is closed"));
  const logged = end.logger.lines.filter((line) => line.startsWith("error: Callback of a response from peer:1 failed"));
  assertEquals(logged.length, 6);
});

test("TransportResponseHandler says nothing of the end of a connection that nobody waits for", async (context) => {
  const { socket, end } = await setUp(context);
  socket.handler.onEnd(socket);
  assert(!end.logger.has("Still have"));
});

test("A stream whose onStart closes the connection fails, once", async (context) => {
  const { client, arrive } = await setUp(context);
  const events: string[] = [];
  client.stream("s", {
    onStart() {
      events.push("start");
      client.close();
    },
    onData: () => void events.push("data"),
    onComplete: () => void events.push("complete"),
    onFailure: () => void events.push("failure"),
  });
  arrive({ type: MessageType.StreamResponse, streamId: "s", byteCount: 10 });
  assertEquals([events, client.numOutstandingRequests], [["start", "failure"], 0]);
});

test("A large chunk that arrives in one piece is a stream too for who wants it so", async (context) => {
  const { client, arrive } = await setUp(context);
  const fetched = new StreamedChunks(1n);
  fetched.ask(client, 1n, [0]);
  arrive(LARGE_CHUNK);
  const stream = fetched.streams.get(0);
  assertEquals([stream?.events, fetched.byteCounts.get(0)], [["data", "complete"], LARGE.length]);
  assertEquals(await stream?.bytes(), LARGE);
  assertEquals([fetched.events, client.numOutstandingRequests, client.isActive], [[], 0, true]);
});

test("A large chunk that arrives in one piece fails by itself if it cannot be opened, with its connection if it cannot be taken", async (context) => {
  const { client, arrive } = await setUp(context);
  const events: string[] = [];
  const note = (event: string) => (_: unknown, error: Error) => void events.push(`${event}: ${error.message}`);
  const onSuccess = () => void events.push("success");
  const cannotOpen = () => {
    throw new Error("no room");
  };
  client.fetchChunk(1n, 0, { openStream: cannotOpen, onSuccess, onFailure: note("chunk") });
  arrive(LARGE_CHUNK);
  assertEquals([events, client.isActive], [["chunk: no room"], true]);
  const onData = () => {
    throw new Error("disk full");
  };
  const stream = { onData, onComplete: onSuccess, onFailure: note("stream") };
  client.fetchChunk(1n, 0, { openStream: () => stream, onSuccess, onFailure: note("chunk") });
  arrive(LARGE_CHUNK);
  await until(() => !client.isActive, "the end of the connection");
  assertEquals([events.slice(1), client.numOutstandingRequests], [["stream: disk full"], 0]);
});

test("A chunk whose openStream closes the connection fails, once", async (context) => {
  const { client, arrive } = await setUp(context);
  const events: string[] = [];
  client.fetchChunk(1n, 0, {
    openStream() {
      client.close();
      return {
        onData() {},
        onComplete: () => void events.push("complete"),
        onFailure: () => void events.push("stream failure"),
      };
    },
    onSuccess: () => void events.push("success"),
    onFailure: () => void events.push("failure"),
  });
  arrive(LARGE_CHUNK.subarray(0, 1_000));
  assertEquals([events, client.numOutstandingRequests], [["failure"], 0]);
});
