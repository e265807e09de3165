/**
 * The mistakes that the compiler finds in the calls of a typed reference. Each case also runs, since types are erased: what is
 * written is what is sent.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { RpcEndpointRef } from "../../src/rpc/rpc_endpoint_ref.ts";
import type { Args, Asks, Sends, Travels } from "../../src/typed/contract.ts";
import type { Ref } from "../../src/typed/typed_ref.ts";
import { typedRef } from "../../src/typed/typed_ref.ts";
import { test } from "../_harness.ts";
import type { BiggerMaster, Master, Registry, Same } from "./_contracts.ts";
import { RecordingRef, sure } from "./_contracts.ts";

/** A typed reference and what went over it. */
function recording(): { master: Ref<Master>; messages: unknown[] } {
  const ref = new RecordingRef();
  return { master: typedRef<Master>(ref), messages: ref.messages };
}

test("Ref.ask() and send() take what the contract says", async () => {
  const recorder = new RecordingRef();
  const master = typedRef<Master>(recorder);
  const reply: { accepted: boolean } = await master.ask("RegisterWorker", { id: "w", cores: 1 });
  const names: readonly string[] = await master.ask("RequestStatus");
  await master.ask("RequestStatus", undefined, { timeoutMs: 5 });
  await master.ask("List");
  await master.ask("List", { limit: 1 }, { timeoutMs: 5 });
  const nothing: void = await master.ask("Forget", { id: "w" });
  master.send("Heartbeat", { id: "w" });
  master.send("Tick");
  assertEquals([reply, names, nothing], [undefined, undefined, undefined] as unknown[]);
  assertEquals(recorder.parts, [
    ["RegisterWorker", { id: "w", cores: 1 }],
    ["RequestStatus", undefined],
    ["RequestStatus", undefined],
    ["List", undefined],
    ["List", { limit: 1 }],
    ["Forget", { id: "w" }],
    ["Heartbeat", { id: "w" }],
    ["Tick", undefined],
  ]);
});

test("Ref.ask() and send(): a wrong tag does not compile", () => {
  const { master, messages } = recording();
  // @ts-expect-error The contract has no such tag.
  master.ask("Register", { id: "w", cores: 1 });
  // @ts-expect-error The contract has no such tag.
  master.send("Heartbeats", { id: "w" });
  // @ts-expect-error A name of Object.prototype is no tag either.
  master.send("constructor");
  // @ts-expect-error The kinds of messages are no tags.
  master.ask("receiveAndReply");
  assertEquals(messages.length, 4);
});

test("Ref.ask() and send(): a tag of the other kind does not compile", () => {
  const { master, messages } = recording();
  // @ts-expect-error Nobody answers a Heartbeat.
  master.ask("Heartbeat", { id: "w" });
  // @ts-expect-error A RegisterWorker wants its answer heard.
  master.send("RegisterWorker", { id: "w", cores: 1 });
  assertEquals(messages.length, 2);
});

test("Ref.ask() and send(): a missing payload does not compile", () => {
  const { master, messages } = recording();
  // @ts-expect-error RegisterWorker takes a payload.
  master.ask("RegisterWorker");
  // @ts-expect-error Undefined is not that payload, also where options follow.
  master.ask("RegisterWorker", undefined, { timeoutMs: 5 });
  // @ts-expect-error Heartbeat takes a payload.
  master.send("Heartbeat");
  assertEquals(messages.length, 3);
});

test("Ref.ask() and send(): a payload too many does not compile", () => {
  const { master, messages } = recording();
  // @ts-expect-error RequestStatus takes no payload.
  master.ask("RequestStatus", { verbose: true });
  // @ts-expect-error Tick takes no payload.
  master.send("Tick", {});
  // @ts-expect-error There is one payload, and a send has no options.
  master.send("Heartbeat", { id: "w" }, { timeoutMs: 5 });
  assertEquals(messages.length, 3);
});

test("Ref.ask() and send(): a payload with wrong fields does not compile", () => {
  const { master, messages } = recording();
  // @ts-expect-error Cores are a number.
  master.ask("RegisterWorker", { id: "w", cores: "4" });
  // @ts-expect-error Cores are missing.
  master.ask("RegisterWorker", { id: "w" });
  // @ts-expect-error There are no threads in a RegisterWorker.
  master.ask("RegisterWorker", { id: "w", cores: 1, threads: 1 });
  // @ts-expect-error The id is a string.
  master.send("Heartbeat", { id: 1 });
  assertEquals(messages.length, 4);
});

test("Ref.ask(): options in the place of the payload do not compile", () => {
  const { master, messages } = recording();
  // @ts-expect-error The second argument is the payload; options are the third.
  master.ask("RequestStatus", { timeoutMs: 5 });
  // @ts-expect-error So too where there is a payload.
  master.ask("RegisterWorker", { timeoutMs: 5 });
  // @ts-expect-error So too where it may be left out.
  master.ask("List", { timeoutMs: 5 });
  // @ts-expect-error There is no such option.
  master.ask("RequestStatus", undefined, { timeout: 5 });
  assertEquals(messages.length, 4);
});

test("Ref.ask(): a wrong use of the answer does not compile", async () => {
  const { master } = recording();
  const ask = (): Promise<{ accepted: boolean }> => Promise.resolve({ accepted: true });
  const { accepted } = await ask();
  const reply = master.ask("RegisterWorker", { id: "w", cores: 1 });
  sure<Same<typeof reply, Promise<{ accepted: boolean }>>>(true);
  // @ts-expect-error `accepted` is a boolean.
  const text: string = (await Promise.race([ask(), reply])).accepted;
  // @ts-expect-error The answer has no such field.
  const refused: unknown = (await Promise.race([ask(), reply])).refused;
  // @ts-expect-error An ask gives a promise.
  const early: unknown = reply.accepted;
  assertEquals([accepted, text, refused, early], [true, true, undefined, undefined] as unknown[]);
});

test("Ref<C> is invariant in its contract", () => {
  const { master } = recording();
  const bigger = typedRef<BiggerMaster>(new RecordingRef());
  // @ts-expect-error The endpoint behind it does not have Extra.
  const up: Ref<BiggerMaster> = master;
  // @ts-expect-error Its handlers of a Master's tags need not be a Master's.
  const down: Ref<Master> = bigger;
  // @ts-expect-error They share nothing at all.
  const other: Ref<Registry> = master;
  // @ts-expect-error The untyped reference carries the contract as well.
  const untyped: RpcEndpointRef<BiggerMaster> = master.ref;
  // @ts-expect-error A reference of one contract cannot be declared one of another.
  const again: Ref<Registry> = typedRef<Registry>(master.ref);
  assertEquals([up, down, other].map((ref) => ref.name), Array(3).fill("recording"));
  assertEquals([untyped, again].map((ref) => ref.name), ["recording", "recording"]);
});

test("Ref<C> is none of a contract whose payloads have less, or whose answers have more", () => {
  interface Mapper {
    receiveAndReply: { Run(m: { path: string }): { rows: number } };
  }
  interface Reducer {
    receiveAndReply: { Run(m: { path: string; partition: number }): { rows: number } };
  }
  interface Counter {
    receiveAndReply: { Run(m: { path: string }): { rows: number; bytes: number } };
  }
  interface Registry {
    receive: { Add(m: { mapper: RpcEndpointRef<Mapper> }): void };
  }
  const reducer = typedRef<Reducer>(new RecordingRef());
  const mapper = typedRef<Mapper>(new RecordingRef());
  const registry = typedRef<Registry>(new RecordingRef());
  // @ts-expect-error A Reducer wants a partition, which nobody sends to a Mapper.
  const less: Ref<Mapper> = reducer;
  // @ts-expect-error So too in a list of references.
  const many: readonly Ref<Mapper>[] = [mapper, reducer];
  // @ts-expect-error So too by the untyped reference.
  const untyped: RpcEndpointRef<Mapper> = reducer.ref;
  // @ts-expect-error So too in a payload.
  registry.send("Add", { mapper: reducer.ref });
  // @ts-expect-error So too where a contract is given.
  const given = typedRef<Mapper>(reducer.ref);
  // @ts-expect-error A Mapper answers without bytes.
  const more: Ref<Counter> = mapper;
  // What is another contract by name only, or by the syntax of its methods, is the same one.
  const same: Ref<{ readonly receiveAndReply: { readonly Run: (m: { path: string }) => { rows: number } } }> = mapper;
  assertEquals([less, ...many, untyped, given, more, same].map(({ name }) => name), Array(7).fill("recording"));
  // deno-lint-ignore no-explicit-any -- whoever stops endpoints of any contract may say so.
  const all: readonly Ref<any>[] = [mapper, reducer, registry];
  // By a cast everything is possible.
  const cast = (ref: RpcEndpointRef): RpcEndpointRef<Mapper> => ref as RpcEndpointRef<Mapper>;
  assertEquals([all.length, cast(new RecordingRef()).name], [3, "recording"]);
});

test("Ref<C>: a reference without a contract is none", () => {
  const untyped: RpcEndpointRef = new RecordingRef();
  // @ts-expect-error It has no contract: typedRef<Master>(untyped) gives it one.
  const ref: Ref<Master> = untyped;
  const unknown = typedRef(untyped);
  // @ts-expect-error Nothing says which contract, so there are no tags.
  unknown.send("Tick");
  // @ts-expect-error Nor is it a reference of any contract in particular.
  const master: Ref<Master> = unknown;
  // @ts-expect-error An untyped one with a contract is not a typed one.
  const typed: Ref<Master> = typedRef<Master>(untyped).ref;
  assertEquals([ref, master, typed].map(({ name }) => name), ["recording", "recording", "recording"]);
});

test("Ref<C> in a payload does not compile where the contract wants the untyped one", () => {
  const { master } = recording();
  const registry = typedRef<Registry>(new RecordingRef());
  registry.ask("Register", { self: master.ref });
  // @ts-expect-error What travels is master.ref.
  registry.ask("Register", { self: master });
  // @ts-expect-error The reference of another contract.
  registry.ask("Register", { self: registry.ref });
  assertEquals(registry.name, "recording");
});

test("Ref<C> in a contract: no value fits its payload or answer", async () => {
  interface Wrong {
    receive: { Bare(m: Ref<Master>): void; Field(m: { self: Ref<Master> }): void; Maybe(m: { self?: Ref<Master> }): void };
    receiveAndReply: { Many(m: { all: readonly Ref<Master>[] }): void; Answer(): Ref<Master> };
  }
  const { master } = recording();
  const ref = new RecordingRef();
  const wrong = typedRef<Wrong>(ref);
  // @ts-expect-error A Ref does not travel in messages.
  wrong.send("Bare", master);
  // @ts-expect-error Nor in a field.
  wrong.send("Field", { self: master });
  // @ts-expect-error Nor in a field that may be left out.
  wrong.send("Maybe", { self: master });
  // @ts-expect-error Nor in an array.
  wrong.ask("Many", { all: [master] });
  // @ts-expect-error Nor in an answer.
  const answer: Ref<Master> | undefined = await wrong.ask("Answer");
  assertEquals([ref.messages.length, answer], [5, undefined]);
});

test("Travels lets pass what is no typed reference", () => {
  const byAny: Travels<{ data: { [name: string]: never }; rest: readonly unknown[] }> = { data: {}, rest: [] };
  sure<Same<Travels<unknown>, unknown>>(true);
  sure<Same<Travels<{ ref: RpcEndpointRef<Master> }>, { ref: RpcEndpointRef<Master> }>>(true);
  sure<Same<Travels<RpcEndpointRef<Master>>, RpcEndpointRef<Master>>>(true);
  sure<Same<Travels<Map<string, Uint8Array> | string | undefined>, Map<string, Uint8Array> | string | undefined>>(true);
  // deno-lint-ignore no-explicit-any -- a user's contract may have it.
  sure<Same<Travels<{ data: any }>, { data: any }>>(true);
  // deno-lint-ignore no-explicit-any -- as above.
  sure<Same<Travels<any>, any>>(true);
  // deno-lint-ignore no-explicit-any -- as above; what is beside it is not looked at then.
  sure<Same<Travels<any[]>, any[]>>(true);
  // @ts-expect-error Deep is not too deep to be found.
  const found: Travels<{ self: Ref<Master>; data: string }> = { self: typedRef<Master>(new RecordingRef()), data: "" };
  assertEquals([byAny.rest.length, typeof found], [0, "object"]);
});

test("Args, Asks and Sends say what a contract has", () => {
  type Add = (m: { a: number }) => number;
  sure<Same<keyof Sends<Master>, "Heartbeat" | "Tick">>(true);
  sure<Same<keyof Asks<Registry>, "Register">>(true);
  sure<Same<keyof Sends<Registry>, never>>(true);
  sure<Same<Args<Add, [options?: string]>, [payload: { a: number }, options?: string]>>(true);
  sure<Same<Args<() => void, [options?: string]>, [payload?: undefined, options?: string]>>(true);
  sure<Same<Args<(m?: 1) => void>, [payload?: 1 | undefined]>>(true);
  // @ts-expect-error A method of a contract takes one payload or none.
  const two: Args<(a: number, b: number) => void> = [1, 2];
  assertEquals(two.length as number, 2);
});

test("Ref.ask() in generic code takes a payload that is said to travel", async () => {
  interface Store<V> {
    receiveAndReply: { Put(m: { key: string; value: V }): void; Get(key: string): V | undefined; First(): { value: V } };
  }
  class StoreClient<V> {
    readonly #store: Ref<Store<V>>;

    constructor(ref: RpcEndpointRef) {
      this.#store = typedRef<Store<V>>(ref);
    }

    put(key: string, value: V): Promise<void> {
      return this.#store.ask("Put", { key, value } as Travels<{ key: string; value: V }>);
    }

    get(key: string): Promise<V | undefined> {
      return this.#store.ask("Get", key);
    }

    async wrong(key: string, value: V): Promise<V | undefined> {
      // @ts-expect-error Whether a V travels is open here, so one has to say so.
      this.#store.ask("Put", { key, value });
      // @ts-expect-error The payload has a value.
      this.#store.ask("Put", { key } as Travels<{ key: string }>);
      return (await this.#store.ask("First"))?.value;
    }
  }
  const ref = new RecordingRef();
  const client = new StoreClient<number>(ref);
  await client.put("a", 1);
  const value: number | undefined = await client.get("a");
  await client.wrong("b", 2);
  assertEquals([ref.parts.length, value], [5, undefined]);
});

test("ask(): what the contract says to be a promise is the answer itself, also before it is awaited", async () => {
  interface Promised {
    receiveAndReply: { Count(): Promise<number>; Either(): Promise<string> | string };
  }
  const ref = typedRef<Promised>(new RecordingRef());
  const count: Promise<number> = ref.ask("Count");
  const either: Promise<string> = ref.ask("Either");
  const more: Promise<number> = ref.ask("Count").then((found) => (found ?? 0) + 1);
  // @ts-expect-error It is a number, not a promise of one.
  const twice: Promise<Promise<number>> = ref.ask("Count");
  assertEquals([await count, await either, await more, await twice], [undefined, undefined, 1, undefined] as unknown[]);
});
