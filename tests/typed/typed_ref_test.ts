import { assert, assertEquals, assertInstanceOf, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { MessageBody } from "../../src/base/message_body.ts";
import { ByteSink } from "../../src/base/byte_sink.ts";
import { RpcRemoteError, RpcTimeoutError, SerializerError } from "../../src/base/errors.ts";
import type { RpcEndpointRef } from "../../src/rpc/rpc_endpoint_ref.ts";
import { cborSerializer } from "../../src/serializer/cbor.ts";
import type { SerializerContext } from "../../src/serializer/serializer.ts";
import { RESERVED_TAG_PREFIX, TypedMessage } from "../../src/serializer/serializer.ts";
import { endpoint } from "../../src/typed/endpoint.ts";
import { typedRef } from "../../src/typed/typed_ref.ts";
import { deferred, fromHex, test, toHex, within } from "../_harness.ts";
import { environment, environments } from "./_environments.ts";

interface Master {
  receive: { Heartbeat(m: { id: string }): void };
  receiveAndReply: {
    RegisterWorker(m: { id: string; cores: number }): { accepted: boolean };
    RequestStatus(): readonly string[];
  };
}

test("endpoint() and typedRef() carry a contract over a connection", async (context) => {
  const { server: env, client } = await environments(context);
  const beats = deferred<number>();
  const ref = env.setupEndpoint(
    "Master",
    endpoint<Master>((self) => {
      const workers = new Map<string, number>();
      return {
        onStart() {
          assertEquals(self.name, "Master");
        },
        receive: {
          Heartbeat({ id }) {
            workers.set(id, env.clock.now());
            beats.resolve(workers.get(id) ?? 0);
          },
        },
        receiveAndReply: {
          RegisterWorker({ id, cores }) {
            if (cores < 1) throw new RangeError(`Cannot register ${id}: no cores`);
            workers.set(id, 0);
            return { accepted: true };
          },
          async RequestStatus(_, context) {
            context.signal.throwIfAborted();
            await null;
            return [...workers.keys()];
          },
        },
      };
    }),
  );
  const { signal } = new AbortController();
  const master = typedRef<Master>(await client.setupEndpointRef(`spark://Master@${env.address}`, { signal }));
  const { accepted } = await master.ask("RegisterWorker", { id: "w1", cores: 4 }, { timeoutMs: 5_000 });
  assertEquals(accepted, true);
  assertEquals(await master.ask("RequestStatus"), ["w1"]);
  master.send("Heartbeat", { id: "w1" });
  assert(await within(beats.promise, "the heartbeat") > 0);
  const error = await assertRejects(() => master.ask("RegisterWorker", { id: "w2", cores: 0 }), RpcRemoteError);
  assertStringIncludes(error.message, "Cannot register w2: no cores");
  assertEquals(await typedRef(ref).ask("RequestStatus"), ["w1"]);
});

test("Ref.ask() and send(): an untyped endpoint sees a TypedMessage", async (context) => {
  const { server, client } = await environments(context);
  const seen: unknown[] = [];
  server.setupEndpoint("Master", {
    receive: (message) => seen.push(message),
    receiveAndReply: (message) => {
      seen.push(message);
      return [];
    },
  });
  const master = typedRef<Master>(await client.setupEndpointRef(`spark://Master@${server.address}`));
  master.send("Heartbeat", { id: "w1" });
  assertEquals(await master.ask("RequestStatus"), []);
  const parts = seen.map((message) => message instanceof TypedMessage && [message.tag, message.payload]);
  assertEquals(parts, [["Heartbeat", { id: "w1" }], ["RequestStatus", undefined]]);
});

/** A codec outside an environment: no reference is in what these tests encode. */
const noRefs: SerializerContext = { encodeRef: () => undefined, decodeRef: () => ({}), exposeStack: false };

function encode(message: unknown): string {
  const out = new ByteSink();
  cborSerializer.encode(message, out, noRefs);
  return toHex(out.view());
}

test("Ref: a payload that is undefined is left out of the bytes", async (context) => {
  const env = await environment(context);
  const messages: unknown[] = [];
  const ref = typedRef<Master>(env.setupEndpoint("Master", { receiveAndReply: (message) => messages.push(message) }));
  await ref.ask("RequestStatus");
  await ref.ask("RequestStatus", undefined, { timeoutMs: 5_000 });
  // Tag 27 of an array of one text: the tag alone.
  const bytes = `d9d9f7d81b816d${toHex(new TextEncoder().encode("RequestStatus"))}`;
  assertEquals(messages.map(encode), [bytes, bytes]);
  const decoded = cborSerializer.decode(MessageBody.of(fromHex(bytes)), noRefs);
  assertInstanceOf(decoded, TypedMessage);
  assertEquals([decoded.tag, decoded.payload], ["RequestStatus", undefined]);
});

test("Ref: a tag of this project's own is refused before anything is sent", async (context) => {
  interface Wrong {
    receive: { "sparkwire:failure"(): void };
    receiveAndReply: { "sparkwire:ref"(): void };
  }
  const env = await environment(context);
  const seen: unknown[] = [];
  const see = (message: unknown): unknown => seen.push(message);
  const wrong = typedRef<Wrong>(env.setupEndpoint("Wrong", { receive: see, receiveAndReply: see }));
  const text = "Cannot use the tag sparkwire:failure: those that begin with sparkwire: are reserved";
  assertThrows(() => wrong.send("sparkwire:failure"), RangeError, text);
  const asked = wrong.ask("sparkwire:ref");
  await assertRejects(() => asked, RangeError, "Cannot use the tag sparkwire:ref");
  assertEquals(await wrong.ref.ask("first"), 1);
});

test("Ref: the serializer refuses the tags that a typed reference refuses", () => {
  assertThrows(() => encode(new TypedMessage(`${RESERVED_TAG_PREFIX}ref`, [])), SerializerError, "sparkwire:ref");
});

interface Anything {
  receive: { Put(m: unknown): void };
  receiveAndReply: { Put(m: unknown): unknown };
}

test("Ref: one in a payload is an encode error that names .ref", async (context) => {
  const { server, client } = await environments(context);
  const self = typedRef(server.setupEndpoint(
    "Anything",
    endpoint<Anything>(() => ({ receive: { Put() {} }, receiveAndReply: { Put: (m) => m } })),
  ));
  const remote = typedRef<Anything>(await client.setupEndpointRef(`spark://Anything@${server.address}`));
  for (const payload of [remote, { deep: [{ ref: remote }] }, new Map([["ref", remote]])]) {
    const error = await assertRejects(() => remote.ask("Put", payload), SerializerError);
    assertStringIncludes(error.message, ".ref");
    assertThrows(() => remote.send("Put", payload), SerializerError, ".ref");
  }
  assertEquals(await remote.ask("Put", 1), 1);
  assert(typedRef<Anything>(await remote.ask("Put", self.ref) as RpcEndpointRef).equals(self));
});

interface Worker {
  receive: { Launch(m: { job: string }): void };
  receiveAndReply: { Cores(): number };
}

interface Registry {
  receive: { Watch(m: { who: RpcEndpointRef<Worker>; job: string }): void };
  receiveAndReply: { Register(m: { self: RpcEndpointRef<Worker> }): { cores: number; worker: RpcEndpointRef<Worker> } };
}

test("Ref.ref travels, and is called at the other end over the connection that it came by", async (context) => {
  const { server, client } = await environments(context);
  server.setupEndpoint(
    "Registry",
    endpoint<Registry>(() => ({
      receive: {
        Watch({ who, job }) {
          typedRef(who).send("Launch", { job });
        },
      },
      receiveAndReply: {
        async Register({ self }) {
          return { cores: await typedRef(self).ask("Cores"), worker: self };
        },
      },
    })),
  );
  const launched = deferred<string>();
  const registry = typedRef<Registry>(await client.setupEndpointRef(`spark://Registry@${server.address}`));
  const registered = deferred<number>();
  const ref = client.setupEndpoint(
    "Worker",
    endpoint<Worker>((self) => ({
      onStart() {
        // It is asked while it waits here, so the wait must not be awaited: one message at a time.
        registry.ask("Register", { self: self.ref }).then(({ cores, worker }) => {
          assert(worker.equals(self.ref));
          registered.resolve(cores);
        }, registered.reject);
      },
      receive: { Launch: ({ job }) => launched.resolve(job) },
      receiveAndReply: { Cores: () => 4 },
    })),
  );
  assertEquals(await within(registered.promise, "the worker's registration"), 4);
  registry.send("Watch", { who: ref, job: "count" });
  assertEquals(await within(launched.promise, "the launch"), "count");
  assertEquals(server.stats().connections.length, 1);
});

test("Ref.equals(), toString(), name and address are those of the endpoint", async (context) => {
  const { server, client } = await environments(context);
  const ref = server.setupEndpoint(
    "Worker",
    endpoint<Worker>(() => ({ receive: { Launch() {} }, receiveAndReply: { Cores: () => 1 } })),
  );
  server.setupEndpoint("Other", {});
  const worker = typedRef(ref);
  const again = typedRef<Worker>(await client.setupEndpointRef(`spark://Worker@${server.address}`));
  const other = typedRef<Worker>(await client.setupEndpointRef(`spark://Other@${server.address}`));
  assert(worker.equals(again));
  assert(again.equals(typedRef(again.ref)));
  assertEquals([worker.equals(other), worker.equals(ref), worker.equals(undefined)], [false, false, false]);
  assertEquals(String(again), String(ref));
  assertEquals(String(again), `NettyRpcEndpointRef(spark://Worker@${server.address})`);
  assertEquals([again.name, String(again.address)], ["Worker", String(server.address)]);
  assertEquals(typedRef(client.setupEndpoint("Here", {}) as RpcEndpointRef<Worker>).address, undefined);
});

test("Ref.ask() hands timeout and signal on", async (context) => {
  const { server, client } = await environments(context);
  server.setupEndpoint(
    "Worker",
    endpoint<Worker>(() => ({ receive: { Launch() {} }, receiveAndReply: { Cores: (_, context) => context.later } })),
  );
  const worker = typedRef<Worker>(await client.setupEndpointRef(`spark://Worker@${server.address}`));
  await assertRejects(() => worker.ask("Cores", undefined, { timeoutMs: 1 }), RpcTimeoutError, "timeoutMs");
  const controller = new AbortController();
  const asked = worker.ask("Cores", undefined, { signal: controller.signal });
  controller.abort(new RangeError("enough"));
  await assertRejects(() => asked, RangeError, "enough");
});
