import { assert, assertEquals, assertInstanceOf, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { RpcError, RpcStoppedError, UnsupportedMessageError } from "../../src/base/errors.ts";
import { later } from "../../src/rpc/rpc_call_context.ts";
import type { RpcEndpointRef } from "../../src/rpc/rpc_endpoint_ref.ts";
import { TypedMessage } from "../../src/serializer/serializer.ts";
import type { ReplyContext } from "../../src/typed/contract.ts";
import { endpoint } from "../../src/typed/endpoint.ts";
import { typedRef } from "../../src/typed/typed_ref.ts";
import { deferred, test, within } from "../_harness.ts";
import { OtherTypedMessage } from "../_other_copy.ts";
import { environment, environments } from "./_environments.ts";

interface Echo {
  receive: { Note(m: string): void };
  receiveAndReply: { Echo(m: string): string };
}

const echoes = {
  receive: { Note() {} },
  receiveAndReply: { Echo: (m: string) => m },
};

test("endpoint(): a tag that nobody has is Spark's unsupported message", async (context) => {
  const { server, client } = await environments(context);
  const errors: string[] = [];
  const local = server.setupEndpoint(
    "Echo",
    endpoint<Echo>(() => ({ ...echoes, onError: (error) => errors.push(error.message) })),
  );
  const remote = await client.setupEndpointRef(`spark://Echo@${server.address}`);
  const error = await assertRejects(() => local.ask(new TypedMessage("Nope", 1)), UnsupportedMessageError);
  assertEquals(error.message, `Unsupported message Nope from ${server.address}`);
  const failure = await assertRejects(() => remote.ask(new TypedMessage("Nope", 1)), RpcError);
  assertStringIncludes(failure.message, "Unsupported message Nope from 127.0.0.1:");
  // A tag of the other kind is one that nobody has.
  await assertRejects(() => local.ask(new TypedMessage("Note", "n")), UnsupportedMessageError, "Unsupported message Note");
  local.send(new TypedMessage("Echo", "e"));
  assertEquals(await typedRef(local).ask("Echo", "still here"), "still here");
  assertEquals(errors.length, 4);
  assertEquals(errors[3], `Unsupported message Echo from ${server.address}`);
});

test("endpoint(): an untyped message is an unsupported one", async (context) => {
  const { server, client } = await environments(context);
  server.setupEndpoint("Echo", endpoint<Echo>(() => echoes));
  const ref = await client.setupEndpointRef(`spark://Echo@${server.address}`);
  // The last has what a typed message has, but is none.
  for (const message of ["Echo", 1, ["Echo", "m"], { tag: "Echo", payload: "m" }]) {
    await assertRejects(() => ref.ask(message), RpcError, "Unsupported message");
  }
});

test("endpoint(): a message of another copy of the module is one like its own", async (context) => {
  const { server, client } = await environments(context);
  const local = server.setupEndpoint("Echo", endpoint<Echo>(() => echoes));
  const remote = await client.setupEndpointRef(`spark://Echo@${server.address}`);
  const java = await client.setupEndpointRef(`spark://Echo@${server.address}`, { serializer: "java" });
  for (const ref of [local, remote]) assertEquals(await ref.ask(new OtherTypedMessage("Echo", "e")), "e");
  assertEquals(await remote.ask(new OtherTypedMessage("Echo")), undefined);
  await assertRejects(() => remote.ask(new OtherTypedMessage("Nope")), RpcError, "Unsupported message Nope from");
  await assertRejects(
    () => java.ask(new OtherTypedMessage("Echo")),
    RpcError,
    "Cannot encode a message Echo: no class of Java",
  );
});

test("endpoint(): names of Object.prototype are tags only if the contract has them", async (context) => {
  const { server, client } = await environments(context);
  interface Odd {
    receiveAndReply: { toString(): string; Own(): number };
  }
  server.setupEndpoint("Echo", endpoint<Echo>(() => echoes));
  server.setupEndpoint("Odd", endpoint<Odd>(() => ({ receiveAndReply: { toString: () => "own", Own: () => 1 } })));
  const echo = await client.setupEndpointRef(`spark://Echo@${server.address}`);
  const names = [...Object.getOwnPropertyNames(Object.prototype), ...Object.getOwnPropertyNames(Map.prototype)];
  for (const tag of [...names, "prototype", ""]) {
    await assertRejects(() => echo.ask(new TypedMessage(tag)), RpcError, `Unsupported message ${tag} from`);
  }
  const odd = typedRef<Odd>(await client.setupEndpointRef(`spark://Odd@${server.address}`));
  assertEquals(await odd.ask("toString"), "own");
  await assertRejects(() => odd.ref.ask(new TypedMessage("constructor")), RpcError, "Unsupported message constructor");
});

test("endpoint(): a contract without asks answers none, in Spark's words", async (context) => {
  const env = await environment(context);
  const ref = env.setupEndpoint("Log", endpoint<{ receive: { Line(m: string): void } }>(() => ({ receive: { Line() {} } })));
  await assertRejects(() => ref.ask(new TypedMessage("Line", "l")), RpcError, `${ref} won't reply anything`);
});

test("endpoint(): what make() sends to itself comes after onStart", async (context) => {
  const env = await environment(context);
  const events: string[] = [];
  const done = deferred();
  env.setupEndpoint(
    "Echo",
    endpoint<Echo>((self) => {
      events.push("make");
      self.send("Note", "first");
      self.ask("Echo", "second").then((echo) => {
        events.push(echo);
        done.resolve();
      }, done.reject);
      return {
        async onStart() {
          await null;
          events.push("onStart");
        },
        receive: { Note: (text) => events.push(text) },
        receiveAndReply: { Echo: (text) => text },
      };
    }),
  );
  assertEquals(events, ["make"]);
  await within(done.promise, "its answer to itself");
  assertEquals(events, ["make", "onStart", "first", "second"]);
});

test("endpoint(): what make() throws, setupEndpoint() throws, and the name is free", async (context) => {
  const env = await environment(context);
  const asked: Promise<unknown>[] = [];
  const broken = endpoint<Echo>((self) => {
    asked.push(self.ask("Echo", "nobody"));
    throw new RangeError("cannot be made");
  });
  assertThrows(() => env.setupEndpoint("Echo", broken), RangeError, "cannot be made");
  const ref = env.setupEndpoint("Echo", endpoint<Echo>(() => echoes));
  assertEquals(await typedRef(ref).ask("Echo", "here"), "here");
  await assertRejects(() => asked[0]!, RpcStoppedError, "Endpoint Echo is stopped");
  assertEquals(env.endpointRef(broken), undefined);
  assertEquals(env.stats().endpoints.map(({ name }) => name).sort(), ["Echo", "endpoint-verifier"]);
});

test("endpoint() makes an endpoint that is set up once", async (context) => {
  const env = await environment(context);
  const events: string[] = [];
  const callbacks = { onStart: () => events.push("onStart"), onStop: () => events.push("onStop") };
  const echo = endpoint<Echo>(() => ({ ...echoes, ...callbacks }));
  const ref = env.setupEndpoint("Echo", echo);
  const self = env.endpointRef(echo);
  assertThrows(() => env.setupEndpoint("Twice", echo), TypeError, "Cannot set up Twice: this typed endpoint has been set up");
  assertEquals(await typedRef(ref).ask("Echo", "here"), "here");
  // The one that lives is told nothing of the one that was refused, and keeps its reference.
  assertEquals(events, ["onStart"]);
  assert(self !== undefined && env.endpointRef(echo) === self);
});

test("RpcEnv.setupEndpoint() tells a plain endpoint its own reference before it returns", async (context) => {
  const env = await environment(context);
  const told: RpcEndpointRef[] = [];
  const plain = { onRegistered: (self: RpcEndpointRef) => void told.push(self), receiveAndReply: () => told.length };
  const ref = env.setupEndpoint("Plain", plain);
  assertEquals(told.length, 1);
  assert(told[0] === env.endpointRef(plain));
  assert(ref.equals(told[0]));
  assertEquals(await ref.ask("how often"), 1);
});

test("endpoint(): callbacks are called with their object as this", async (context) => {
  const env = await environment(context);
  const events: unknown[] = [];
  const ref = env.setupEndpoint(
    "Echo",
    endpoint<Echo>(() => ({
      ...echoes,
      receive: {
        Note(text) {
          throw new Error(`cannot take ${text}`);
        },
      },
      onStart() {
        events.push(["onStart", this.receive !== undefined]);
      },
      onStop() {
        events.push(["onStop", this.receive !== undefined]);
      },
      onError(error) {
        events.push(["onError", error.message, this.receive !== undefined]);
      },
    })),
  );
  ref.send(new TypedMessage("Note", "this"));
  env.stop(ref);
  await env.shutdown();
  assertEquals(events, [["onStart", true], ["onError", "cannot take this", true], ["onStop", true]]);
});

test("endpoint(): without onError an error is logged, as for any endpoint", async (context) => {
  const { server, client, logger } = await environments(context);
  server.setupEndpoint("Echo", endpoint<Echo>(() => echoes));
  const ref = await client.setupEndpointRef(`spark://Echo@${server.address}`);
  ref.send(new TypedMessage("Nope"));
  await ref.ask(new TypedMessage("Echo", "after"));
  assert(logger.has(": Unsupported message Nope from"));
});

test("endpoint() takes one message at a time across await, unless told otherwise", async (context) => {
  const env = await environment(context);
  const most = async (name: string, options: { threadSafe?: boolean; isolated?: boolean }): Promise<number> => {
    let inHand = 0;
    let maxInHand = 0;
    const ref = env.setupEndpoint(
      name,
      endpoint<Echo>(() => ({
        ...echoes,
        receiveAndReply: {
          async Echo(text) {
            maxInHand = Math.max(maxInHand, ++inHand);
            for (let turn = 0; turn < 3; turn++) await null;
            inHand--;
            return text;
          },
        },
      }), options),
    );
    const echo = typedRef(ref);
    assertEquals(await Promise.all(["a", "b", "c"].map((text) => echo.ask("Echo", text))), ["a", "b", "c"]);
    return maxInHand;
  };
  assertEquals(await most("Default", {}), 1);
  assertEquals(await most("Plain", { threadSafe: false }), 3);
  assertEquals(await most("Isolated", { isolated: true }), 1);
  assertEquals(await most("IsolatedPlain", { isolated: true, threadSafe: false }), 3);
  assertEquals(endpoint<Echo>(() => echoes, { isolated: true }).threadCount?.(), 1);
  assertEquals(endpoint<Echo>(() => echoes).threadCount, undefined);
});

test("endpoint(): a handler answers later by its context", async (context) => {
  const { server, client } = await environments(context);
  const answers: ((text: string) => void)[] = [];
  server.setupEndpoint(
    "Echo",
    endpoint<Echo>(() => ({
      ...echoes,
      receiveAndReply: {
        Echo(_, context) {
          if (answers.push((text) => context.reply(text)) === 2) answers.forEach((answer, index) => answer(`answer ${index}`));
          return context.later;
        },
      },
    })),
  );
  const echo = typedRef<Echo>(await client.setupEndpointRef(`spark://Echo@${server.address}`));
  assertEquals(await Promise.all([echo.ask("Echo", "a"), echo.ask("Echo", "b")]), ["answer 0", "answer 1"]);
});

test("endpoint(): an async handler answers later, too, and with one of its contract's literals", async (context) => {
  interface Job {
    receiveAndReply: { Wait(): string; Wake(): "awake" | "asleep" };
  }
  const env = await environment(context);
  const job = typedRef(env.setupEndpoint(
    "Job",
    endpoint<Job>(() => {
      const waiting: ReplyContext<string>[] = [];
      return {
        receiveAndReply: {
          async Wait(_, context) {
            waiting.push(await Promise.resolve(context));
            return later;
          },
          async Wake(): Promise<"awake" | "asleep"> {
            for (const context of waiting) await Promise.resolve(context.reply("now"));
            return "awake";
          },
        },
      };
    }),
  ));
  const answer = job.ask("Wait");
  assertEquals(await job.ask("Wake"), "awake");
  assertEquals(await answer, "now");
});

test("endpoint(): an ask that is dropped with its endpoint fails", async (context) => {
  const env = await environment(context);
  const echo = typedRef(env.setupEndpoint("Echo", endpoint<Echo>(() => echoes)));
  await env.shutdown();
  const error = await assertRejects(() => echo.ask("Echo", "late"), RpcStoppedError);
  assertInstanceOf(error, RpcError);
});

test("endpoint() refuses handlers of a class, or that are no functions", async (context) => {
  const env = await environment(context);
  class Receive {
    Note(): void {}
  }
  assertThrows(
    () => env.setupEndpoint("Class", endpoint<Echo>(() => ({ ...echoes, receive: new Receive() }))),
    TypeError,
    "Handlers in receive must be own members of an object literal, not methods of a class",
  );
  const bare: object = { Note: "text" };
  assertThrows(
    () => env.setupEndpoint("Text", endpoint<Echo>(() => ({ ...echoes, receive: bare as typeof echoes.receive }))),
    TypeError,
    "Handler Note in receive is not a function: string",
  );
  const orphan = Object.assign(Object.create(null), echoes.receive) as typeof echoes.receive;
  env.setupEndpoint("Orphan", endpoint<Echo>(() => ({ ...echoes, receive: orphan })));
});

test("endpoint() refuses tags of this project's own", async (context) => {
  const env = await environment(context);
  const wrong = endpoint<{ receive: { "sparkwire:ref"(): void } }>(() => ({ receive: { "sparkwire:ref"() {} } }));
  const text = "Cannot use the tag sparkwire:ref: those that begin with sparkwire: are reserved";
  assertThrows(() => env.setupEndpoint("Wrong", wrong), RangeError, text);
});

test("endpoint(): handlers and callbacks have the objects that they were written in as their this", async (context) => {
  const env = await environment(context);
  const events: string[] = [];
  const ref = env.setupEndpoint(
    "Echo",
    endpoint<Echo>(() => ({
      receive: {
        Note(m) {
          events.push(`${m} ${Object.keys(this)}`);
        },
      },
      receiveAndReply: {
        Echo(m) {
          return `${m} ${Object.keys(this)}`;
        },
      },
      onStart() {
        events.push(`onStart ${Object.keys(this)}`);
      },
    })),
  );
  typedRef(ref).send("Note", "noted");
  assertEquals(await typedRef(ref).ask("Echo", "asked"), "asked Echo");
  assertEquals(events, ["onStart receive,receiveAndReply,onStart", "noted Note"]);
});

test("endpoint(): a schema for a reserved tag is refused where it is given", () => {
  interface Reserved {
    receive: { "sparkwire:ref"(): void };
  }
  const schema = { "~standard": { version: 1, vendor: "test", validate: () => ({ value: undefined }) } } as const;
  const make = () =>
    endpoint<Reserved>(() => ({ receive: { "sparkwire:ref"() {} } }), { validate: { "sparkwire:ref": schema } });
  assertThrows(make, RangeError, "Cannot use the tag sparkwire:ref");
});
