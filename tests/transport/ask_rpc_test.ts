import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { ProtocolError, RpcError, RpcOverloadedError, RpcRemoteError, RpcTimeoutError } from "../../src/base/errors.ts";
import { askRpc } from "../../src/transport/ask_rpc.ts";
import type { TransportClient } from "../../src/transport/transport_client.ts";
import { test, until, within } from "../_harness.ts";
import { bytesOf, echo, failureOf, Held, Stage, textOf, transportTest } from "./_stage.ts";
import { StubDriver } from "./_stub_driver.ts";

transportTest("askRpc() resolves with the answer, which is the caller's own", async (stage) => {
  const { connection } = await stage.pair({ handler: echo });
  const asks = ["one", "", "three"].map((text) => askRpc(connection, bytesOf(text)));
  const answers = await within(Promise.all(asks), "the answers");
  assertEquals(answers, ["one", "", "three"].map(bytesOf));
  const [one] = answers;
  assertEquals(one!.buffer.byteLength, one!.length);
  assertEquals(await askRpc(connection, (out) => out.writeUtf8("written"), { timeoutMs: 5_000 }), bytesOf("written"));
  assertEquals(connection.numOutstandingRequests, 0);
});

transportTest("askRpc() rejects with the peer's words, and with the end of the connection", async (stage) => {
  const { connection, server } = await stage.pair({
    handler: {
      receive(client, body) {
        if (textOf(body) === "close") client.close();
        else throw new RangeError(`not ${textOf(body)}`);
      },
    },
  });
  const refused = await failureOf(askRpc(connection, bytesOf("that")));
  assertInstanceOf(refused, RpcRemoteError);
  assertEquals(refused.message, "not that");
  for (const text of ["close", "too late"]) {
    const error = await failureOf(askRpc(connection, bytesOf(text)));
    assert(RpcError.is(error) && error.code === "DISCONNECTED", error.message);
  }
  await server.connections(0);
});

transportTest("askRpc() gives up after its time, and a late answer is ignored", async (stage) => {
  const held = new Held();
  const { connection, server } = await stage.pair({ handler: held });
  const asking = failureOf(askRpc(connection, bytesOf("slow"), { timeoutMs: 300 }));
  const patient = askRpc(connection, bytesOf("patient"), { timeoutMs: 301 });
  await held.count(2);
  stage.clock.advance(300);
  const error = await asking;
  assertInstanceOf(error, RpcTimeoutError);
  const { remote } = connection.channel;
  assertEquals(error.message, `Cannot receive any answer from ${remote} in 300 ms. This timeout is controlled by timeoutMs`);
  assertEquals([error.timeoutMs, error.key, error.peer, error.phase], [300, "timeoutMs", remote, "waiting"]);
  for (const { responder, text } of held.requests) responder.onSuccess(bytesOf(text));
  assertEquals(await within(patient, "the other one"), bytesOf("patient"));
  assertEquals([connection.isActive, connection.numOutstandingRequests, server.unanswered], [true, 0, 0]);
});

transportTest(
  "askRpc() that a bootstrap waits for in vain says that it was in the handshake; afterwards asks wait again",
  async (stage) => {
    const held = new Held();
    const server = stage.end({ handler: held });
    const { port } = await server.listen();
    const dial = (count: number, doBootstrap: (client: TransportClient) => Promise<void>) => {
      const dialled = stage.end().makeFactory([{ doBootstrap }]).createClient({ host: "127.0.0.1", port });
      return held.count(count).then(() => dialled);
    };
    const asking = dial(1, async (client) => void await askRpc(client, bytesOf("who"), { timeoutMs: 300 }));
    await held.count(1);
    stage.clock.advance(300);
    const late = await failureOf(asking);
    assertInstanceOf(late, RpcTimeoutError);
    assertEquals(late.phase, "handshake");

    const connecting = dial(2, async (client) => void await askRpc(client, bytesOf("who")));
    await held.count(2);
    held.requests[1]!.responder.onSuccess(bytesOf("me"));
    const client = await within(connecting, "the connection");
    const again = failureOf(askRpc(client, bytesOf("slow"), { timeoutMs: 300 }));
    await held.count(3);
    stage.clock.advance(300);
    assertEquals((await again as RpcTimeoutError).phase, "waiting");
  },
);

test("askRpc() says whether all had left when its time was up", async (context) => {
  const driver = new StubDriver();
  const stage = new Stage(context, driver);
  const client = await stage.end().factory.createClient({ host: "peer", port: 7077 });
  for (const [asked, phase] of ["waiting", "queued"].entries()) {
    const asking = failureOf(askRpc(client, bytesOf("anybody?"), { timeoutMs: 300 }));
    await until(() => driver.sockets[0]!.writes.length > asked, "the ask to leave");
    driver.sockets[0]!.queuedBytes = asked;
    stage.clock.advance(300);
    assertEquals((await asking as RpcTimeoutError).phase, phase);
  }
  driver.sockets[0]!.queuedBytes = 0;
});

transportTest("askRpc() gives up by signal, and leaves that alone once it is over", async (stage) => {
  const held = new Held();
  const { connection, server } = await stage.pair({ handler: held });
  const abort = new AbortController();
  const { signal } = abort;
  let listeners = 0;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (listeners--, remove(...args));
  const answered = askRpc(connection, bytesOf("answered"), { signal });
  await held.count(1);
  held.requests[0]!.responder.onSuccess(bytesOf("yes"));
  assertEquals(await within(answered, "the answer"), bytesOf("yes"));
  assertEquals(listeners, 0);
  const asking = failureOf(askRpc(connection, bytesOf("given up"), { signal }));
  await held.count(2);
  const reason = new RangeError("enough");
  abort.abort(reason);
  assertEquals([await asking, connection.numOutstandingRequests, listeners], [reason, 0, 0]);
  held.requests[1]!.responder.onSuccess(bytesOf("too late"));
  const next = askRpc(connection, bytesOf("next"));
  await held.count(3);
  held.requests[2]!.responder.onSuccess(bytesOf("still here"));
  assertEquals(await within(next, "the next one"), bytesOf("still here"));
  const framesBefore = server.context.stats().framesRead;
  await assertRejects(() => askRpc(connection, bytesOf("never sent"), { signal }), RangeError, "enough");
  assertEquals(server.context.stats().framesRead, framesBefore);
});

transportTest("askRpc() that is given up by its own content is waited for by nobody", async (stage) => {
  const held = new Held();
  const { connection } = await stage.pair({ handler: held });
  const abort = new AbortController();
  const content = (): void => abort.abort(new RangeError("enough"));
  await assertRejects(() => askRpc(connection, content, { signal: abort.signal }), RangeError, "enough");
  assertEquals(connection.numOutstandingRequests, 0);
});

transportTest("askRpc() rejects with what cannot be sent, and sends nothing", async (stage) => {
  const held = new Held();
  const limits = { maxOutstandingRequests: 1, maxFrameBytes: 1_000 };
  const { connection } = await stage.pair({ handler: held }, { limits });
  for (const timeoutMs of [-1, NaN]) {
    await assertRejects(() => askRpc(connection, bytesOf("a"), { timeoutMs }), RangeError, "Timeout must ");
  }
  await assertRejects(() => askRpc(connection, new Uint8Array(1_000)), ProtocolError, "Message takes 1013 bytes");
  const torn = new RangeError("torn");
  const tearing = (): void => {
    throw torn;
  };
  assertEquals(await failureOf(askRpc(connection, tearing)), torn);
  assertEquals(connection.numOutstandingRequests, 0);
  const first = askRpc(connection, bytesOf("first"));
  await assertRejects(() => askRpc(connection, bytesOf("second")), RpcOverloadedError, "maxOutstandingRequests");
  await held.count(1);
  held.requests[0]!.responder.onSuccess(bytesOf("first"));
  assertEquals(await within(first, "the first"), bytesOf("first"));
});
