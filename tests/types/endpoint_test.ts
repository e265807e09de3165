/**
 * The mistakes that the compiler finds in the handlers of a typed endpoint. Each case also runs: types are erased, so an
 * endpoint is made of what is written.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import type { RpcEndpoint } from "../../src/rpc/rpc_endpoint.ts";
import type { RpcEndpointRef } from "../../src/rpc/rpc_endpoint_ref.ts";
import type { RpcEnv } from "../../src/rpc/rpc_env.ts";
import type { Contract, Handlers } from "../../src/typed/contract.ts";
import { endpoint } from "../../src/typed/endpoint.ts";
import type { StandardSchema } from "../../src/typed/standard_schema.ts";
import type { Ref } from "../../src/typed/typed_ref.ts";
import { typedRef } from "../../src/typed/typed_ref.ts";
import { test } from "../_harness.ts";
import type { Master, Registry, Same } from "./_contracts.ts";
import { RecordingRef, sure } from "./_contracts.ts";

/** A contract small enough to be written out in each case. */
interface Echo {
  receive: { Note(m: { text: string }): void };
  receiveAndReply: { Echo(m: { text: string }): { text: string } };
}

/** A contract of asks with one answer of each kind. */
interface Answers {
  receiveAndReply: { Find(m: { id: string }): { found: boolean }; Stop(): void };
}

const Note = (): void => {};
const Stop = (): void => {};

/** Sets `made` up as an environment would, so that its handlers are made; returns which kinds it takes. */
function kinds(made: RpcEndpoint): string[] {
  made.onRegistered?.(new RecordingRef());
  return (["receive", "receiveAndReply"] as const).filter((kind) => made[kind] !== undefined);
}

const kindsOf = <C extends Contract>(make: (self: Ref<C>) => Handlers<C>): string[] => kinds(endpoint<C>(make));

test("endpoint() takes handlers that answer now, by a promise, or later", () => {
  const made = kindsOf<Master>((self) => {
    sure<Same<typeof self, Ref<Master>>>(true);
    return {
      onStart() {},
      onStop: () => self.send("Tick"),
      onError(error) {
        sure<Same<typeof error, Error>>(true);
      },
      async onDisconnected(address) {
        await address.hostPort;
      },
      receive: {
        Heartbeat({ id }, sender) {
          sure<Same<typeof id, string>>(true);
          sure<Same<typeof sender.port, number>>(true);
        },
        async Tick(payload) {
          sure<Same<typeof payload, undefined>>(true);
          await null;
        },
      },
      receiveAndReply: {
        RegisterWorker({ cores }, context) {
          if (cores > 1) return { accepted: true };
          context.reply({ accepted: false });
          return context.later;
        },
        async RequestStatus(_, context) {
          context.signal.throwIfAborted();
          await null;
          return [];
        },
        List: (m) => Array<string>(m?.limit ?? 1).fill("w"),
        Forget(_, context) {
          context.reply();
          return context.later;
        },
      },
    };
  });
  assertEquals(made, ["receive", "receiveAndReply"]);
});

test("endpoint(): a missing handler does not compile", () => {
  const made = [
    // @ts-expect-error There is no handler of Note.
    kindsOf<Echo>(() => ({ receive: {}, receiveAndReply: { Echo: (m) => m } })),
    // @ts-expect-error There are no handlers of what wants no answer.
    kindsOf<Echo>(() => ({ receiveAndReply: { Echo: (m: { text: string }) => m } })),
    // @ts-expect-error There are no handlers at all.
    kindsOf<Registry>(() => ({})),
  ];
  assertEquals(made, [["receive", "receiveAndReply"], ["receiveAndReply"], []]);
});

test("endpoint(): a handler with a wrong answer does not compile", () => {
  const made = [
    // @ts-expect-error The answer is an object.
    kindsOf<Answers>(() => ({ receiveAndReply: { Find: () => true, Stop } })),
    // @ts-expect-error `found` is a boolean.
    kindsOf<Answers>(() => ({ receiveAndReply: { Find: () => ({ found: "yes" }), Stop } })),
    // @ts-expect-error So too by a promise.
    kindsOf<Answers>(() => ({ receiveAndReply: { Find: () => Promise.resolve({ found: 1 }), Stop } })),
    // @ts-expect-error `later` is the only symbol.
    kindsOf<Answers>(() => ({ receiveAndReply: { Find: () => Symbol("later"), Stop } })),
    // @ts-expect-error Stop answers nothing; what is returned would be sent.
    kindsOf<Answers>(() => ({ receiveAndReply: { Find: () => ({ found: true }), Stop: () => 1 } })),
  ];
  assertEquals(made, Array(5).fill(["receiveAndReply"]));
});

test("endpoint(): a handler that forgets to answer on one path does not compile", () => {
  const made = [
    kindsOf<Answers>(() => ({
      receiveAndReply: {
        // @ts-expect-error Without an id there is no answer.
        Find({ id }) {
          if (id !== "") return { found: true };
        },
        Stop,
      },
    })),
    kindsOf<Answers>(() => ({
      receiveAndReply: {
        // @ts-expect-error So too in an async handler.
        async Find({ id }) {
          if (await id !== "") return { found: true };
        },
        Stop,
      },
    })),
    kindsOf<Answers>(() => ({
      receiveAndReply: {
        // @ts-expect-error It has answered, but does not say so: `return context.later`.
        Find(_, context) {
          context.reply({ found: true });
        },
        Stop,
      },
    })),
  ];
  assertEquals(made, Array(3).fill(["receiveAndReply"]));
});

test("endpoint(): a wrong answer by context.reply() does not compile", () => {
  const made = kindsOf<Answers>(() => ({
    receiveAndReply: {
      Find(_, context) {
        // @ts-expect-error `found` is missing.
        context.reply({});
        // @ts-expect-error There is an answer.
        context.reply();
        return context.later;
      },
      Stop(_, context) {
        // @ts-expect-error There is nothing to answer.
        context.reply(1);
      },
    },
  }));
  assertEquals(made, ["receiveAndReply"]);
});

test("endpoint(): a handler that wants another payload does not compile", () => {
  const made = [
    // @ts-expect-error The text is a string.
    kindsOf<Echo>(() => ({ receive: { Note }, receiveAndReply: { Echo: (m: { text: number }) => ({ text: `${m.text}` }) } })),
    // @ts-expect-error Nobody sends urgency.
    kindsOf<Echo>(() => ({ receive: { Note: (_: { urgent: boolean }) => {} }, receiveAndReply: { Echo: (m) => m } })),
    // @ts-expect-error There is no third argument.
    kindsOf<Echo>(() => ({ receive: { Note }, receiveAndReply: { Echo: (m, _context, _more) => m } })),
  ];
  assertEquals(made, Array(3).fill(["receive", "receiveAndReply"]));
});

test("endpoint(): a handler of the other kind of message does not compile", () => {
  const made = [
    // @ts-expect-error Echo wants an answer.
    kindsOf<Echo>(() => ({ receive: { Note, Echo: (m: { text: string }) => m }, receiveAndReply: { Echo: (m) => m } })),
    // @ts-expect-error Note wants none.
    kindsOf<Echo>(() => ({ receive: { Note }, receiveAndReply: { Echo: (m: { text: string }) => m, Note } })),
    // @ts-expect-error The contract has no messages that want no answer.
    kindsOf<Answers>(() => ({ receive: {}, receiveAndReply: { Find: () => ({ found: true }), Stop } })),
  ];
  assertEquals(made, [["receive", "receiveAndReply"], ["receive", "receiveAndReply"], ["receive", "receiveAndReply"]]);
});

test("endpoint(): a handler too many does not compile", () => {
  const made = [
    // @ts-expect-error Nothing gives a type to what a handler of no message is given.
    kindsOf<Echo>(() => ({ receive: { Note, Gone(_m) {} }, receiveAndReply: { Echo: (m) => m } })),
    // @ts-expect-error Nor to what a callback is given that there is not.
    kindsOf<Echo>(() => ({ onDisconected(_address) {}, receive: { Note }, receiveAndReply: { Echo: (m) => m } })),
    // @ts-expect-error One without parameters is found where the type is written down.
    kindsOf<Echo>((): Handlers<Echo> => ({ receive: { Note, Gone() {} }, receiveAndReply: { Echo: (m) => m } })),
  ];
  assertEquals(made, Array(3).fill(["receive", "receiveAndReply"]));
});

test("endpoint(): what is not a contract does not compile", () => {
  // @ts-expect-error Nothing says which contract.
  assertEquals(kinds(endpoint<unknown>(() => ({}))), []);
  // @ts-expect-error The contract has neither of the two kinds.
  assertEquals(kinds(endpoint<{ recieve: { Note(): void } }>(() => ({}))), []);
  interface Wrong {
    receive: { Two(a: number, b: number): void; Bare: Ref<Master> };
    receiveAndReply: { Ref(m: { self: Ref<Master> }): number };
  }
  kindsOf<Wrong>(() => ({
    receive: {
      Two(payload) {
        sure<Same<typeof payload, "A method of a contract takes one payload or none">>(true);
      },
      Bare(payload) {
        sure<Same<typeof payload, "A contract's receive and receiveAndReply consist of methods">>(true);
      },
    },
    receiveAndReply: {
      Ref(payload) {
        sure<Same<typeof payload, "A Ref does not travel in messages: declare RpcEndpointRef<C> and send .ref">>(true);
        return 1;
      },
    },
  }));
});

test("endpoint(): a schema that does not fit its payload does not compile", () => {
  const schemaOf = <T>(): StandardSchema<T> => ({
    "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: value as T }) },
  });
  const make = (): Handlers<Echo> => ({ receive: { Note }, receiveAndReply: { Echo: (m) => m } });
  endpoint<Echo>(make, { validate: { Note: schemaOf<{ text: string }>() } });
  // @ts-expect-error It makes something else.
  endpoint<Echo>(make, { validate: { Note: schemaOf<{ text: number }>() } });
  // @ts-expect-error The contract has no such tag.
  endpoint<Echo>(make, { validate: { Notes: schemaOf<{ text: string }>() } });
  assertThrows(
    // @ts-expect-error What is of this project is no tag.
    () => endpoint<Echo>(make, { validate: { "sparkwire:ref": schemaOf<{ text: string }>() } }),
    RangeError,
    "sparkwire:ref",
  );
});

test("RpcEnv.setupEndpoint() gives the reference its endpoint's contract", () => {
  // Only its types are of interest: the environment is never asked for anything.
  const setUp = (env: RpcEnv): void => {
    const answers = env.setupEndpoint(
      "Answers",
      endpoint<Answers>(() => ({ receiveAndReply: { Find: () => ({ found: true }), Stop } })),
    );
    sure<Same<typeof answers, RpcEndpointRef<Answers>>>(true);
    sure<Same<ReturnType<typeof typedRef<Answers>>, Ref<Answers>>>(true);
    const inferred = typedRef(answers);
    sure<Same<typeof inferred, Ref<Answers>>>(true);
    env.stop(answers);
    env.stop(inferred.ref);
    // @ts-expect-error An environment stops the untyped one: inferred.ref.
    env.stop(inferred);
    const plain = env.setupEndpoint("Plain", { receiveAndReply: (message) => message });
    sure<Same<typeof plain, RpcEndpointRef>>(true);
    // @ts-expect-error It is of another contract.
    const other: RpcEndpointRef<Echo> = answers;
    other.send("nothing");
  };
  assertEquals(typeof setUp, "function");
});

test("endpoint(): what the contract says to be a promise may be answered now", () => {
  interface Promised {
    receiveAndReply: { Now(): Promise<number>; Async(): Promise<number>; Later(): Promise<number>; Wrong(): Promise<number> };
  }
  const made = kindsOf<Promised>(() => ({
    receiveAndReply: {
      Now: () => 1,
      async Async() {
        return await 1;
      },
      Later(_, context) {
        context.reply(1);
        // @ts-expect-error It is a number all the same.
        context.reply("1");
        return context.later;
      },
      // @ts-expect-error So too when it is returned.
      Wrong: () => "1",
    },
  }));
  assertEquals(made, ["receiveAndReply"]);
});
