import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects } from "@std/assert";
import {
  defineJavaClass,
  endpoint,
  java,
  later,
  RpcAddress,
  type RpcCallContext,
  type RpcEndpoint,
  type RpcEndpointRef,
  type RpcEnv,
  RpcRemoteError,
  typedRef,
  unhandled,
} from "../../mod.ts";
import { pattern } from "../_vectors.ts";
import { deferred, test, type TestContext, until, within } from "../_harness.ts";
import { createEnv, type EnvOptions } from "./_envs.ts";
import { integer, list, longText, type Notation, ofLongText, ofManyBytes } from "./_notation.ts";
import { skip, Spark, type SparkEnvOptions, SparkFailure, type SparkRpcEnv } from "./_spark.ts";
import { Person, type Person as PersonValue, personFields, valueCases } from "./_values.ts";

/** Options of {@linkcode connect}. */
interface ConnectOptions {
  readonly here?: EnvOptions;
  readonly there?: SparkEnvOptions;
}

/** A server of ours with an endpoint `Target`, and a Spark that has looked it up. */
interface Ends {
  readonly spark: Spark;
  readonly there: SparkRpcEnv;
  readonly here: RpcEnv;
  /** The number by which Spark knows its reference to Target. */
  readonly target: number;
}

async function connect(context: TestContext, endpoint: RpcEndpoint, options: ConnectOptions = {}): Promise<Ends> {
  const here = await createEnv(context, { port: 0, ...options.here });
  here.setupEndpoint("Target", endpoint);
  const spark = await Spark.open(context);
  const there = await spark.createEnv("there", options.there);
  const { ref, value } = await there.lookup(`spark://Target@${here.address}`);
  assertEquals(value, ["ref", "Target", String(here.address)]);
  return { spark, there, here, target: ref };
}

/** Answers what it is asked, and keeps it. */
class Echo implements RpcEndpoint {
  readonly received: unknown[] = [];

  receiveAndReply(message: unknown): unknown {
    this.received.push(message);
    return message;
  }

  receive(message: unknown): void {
    this.received.push(message);
  }
}

/** What a command of Spark's failed with. */
async function failureOf(command: Promise<unknown>) {
  const { described } = await assertRejects(() => command, SparkFailure);
  return described;
}

for (const [group, cases] of Object.entries(valueCases)) {
  test(`a Spark asks, and is answered with what it sent: ${group}`, async (context) => {
    const echo = new Echo();
    const { there, target } = await connect(context, echo);
    for (const one of cases) {
      const answer = await there.ask(target, one.spark);
      const expected = "back" in one ? one.back : one.value;
      assertEquals(echo.received.pop(), expected, JSON.stringify(one.spark));
      assertEquals(answer, one.answered ?? one.spark);
    }
  }, { skip });

  test(`a Spark is answered with values made here: ${group}`, async (context) => {
    const { there, target } = await connect(context, {
      receiveAndReply: (message) => cases[message as number]!.value,
    });
    for (const [i, { spark }] of cases.entries()) assertEquals(await there.ask(target, integer(i)), spark);
  }, { skip });

  test(`a Spark sends what wants no answer: ${group}`, async (context) => {
    const echo = new Echo();
    const { there, target } = await connect(context, echo, { there: { client: true } });
    // A Spark does not send null: `requirement failed: Message is null`.
    const sent = cases.filter(({ spark }) => spark !== null);
    for (const { spark } of sent) await there.send(target, spark);
    await until(() => echo.received.length === sent.length, `${sent.length} messages`);
    assertEquals(echo.received, sent.map((one) => "back" in one ? one.back : one.value));
  }, { skip });
}

test("with exactNumbers every number goes back to a Spark as what it was", async (context) => {
  const serializers = [java.with({ classes: [Person], exactNumbers: true })];
  const { there, target } = await connect(context, new Echo(), { here: { serializers } });
  for (const { spark } of valueCases.numbers!) assertEquals(await there.ask(target, spark), spark);
}, { skip });

test("objects that occur twice or in themselves come from a Spark so, and go back so", async (context) => {
  const echo = new Echo();
  const { there, target } = await connect(context, echo);
  const twice = list(list(integer(1)), ["#", 1]);
  assertEquals(await there.ask(target, twice), twice);
  const [first, second] = echo.received.pop() as unknown[];
  assert(first === second);
  const ring = list(["#", 0], ["HashMap", [["ring", ["#", 0]]]]);
  assertEquals(await there.ask(target, ring), ring);
  const came = echo.received.pop() as unknown[];
  assert(came[0] === came && (came[1] as Map<string, unknown>).get("ring") === came);
}, { skip });

test("a text of 70,000 units comes from a Spark and goes back", async (context) => {
  const echo = new Echo();
  const { there, target } = await connect(context, echo);
  const text = longText(70_000);
  assertEquals(await there.ask(target, ["String", text.length]), ofLongText(text));
  assert(echo.received.pop() === text);
}, { skip });

test("100 MB of byte[] come from a Spark, and go to one", async (context) => {
  const bytes = pattern(100_000_000);
  const length = deferred<number>();
  const { spark, there, target } = await connect(context, {
    receive(message) {
      length.resolve(message instanceof Uint8Array ? message.length : -1);
    },
    receiveAndReply(message) {
      if (message === "bytes") return bytes;
      assertInstanceOf(message, Uint8Array);
      return ofManyBytes(message)![2];
    },
  });
  const [, , sum] = ofManyBytes(bytes)!;
  assertEquals(await there.ask(target, ["byte[]", bytes.length, 7], { deadlineMs: 60_000 }), sum as string);
  assertEquals(await there.ask(target, "bytes", { deadlineMs: 60_000 }), ofManyBytes(bytes));
  await there.send(target, ["byte[]", bytes.length, 7]);
  assertEquals(await within(length.promise, "message"), bytes.length);
  await spark.command("collect");
}, { skip });

test("a handler's error reaches a Spark as an exception with text and cause, and no stack unless told", async (context) => {
  for (const exposeStack of [false, true]) {
    const endpoint: RpcEndpoint = {
      receiveAndReply() {
        throw new RangeError("not \u00e9\u{1f600}", { cause: new TypeError("the cause") });
      },
    };
    const { there, target } = await connect(context, endpoint, { here: { exposeStack } });
    const described = await failureOf(there.ask(target, "x"));
    // Spark's ask throws its own around what came.
    const failure = described.class === "org.apache.spark.SparkException" ? described.cause! : described;
    assertEquals([failure.class, failure.message], ["java.lang.RuntimeException", "not \u00e9\u{1f600}"]);
    assertEquals([failure.cause?.class, failure.cause?.message], ["java.lang.RuntimeException", "the cause"]);
    assertEquals(failure.stack > 0, exposeStack);
    if (exposeStack) assertMatch(failure.top!, /receiveAndReply\(.*server_test\..*:\d+\)/);
  }
}, { skip });

test("an exception that came from a Spark goes to a Spark as what it was", async (context) => {
  const { there, target, here } = await connect(context, {
    async receiveAndReply(uri) {
      const failing = await here.setupEndpointRef(String(uri));
      return await failing.ask("own class");
    },
  });
  const described = await failureOf(there.ask(target, there.uri("Failing")));
  const failure = described.class === "org.apache.spark.SparkException" ? described.cause! : described;
  assertEquals([failure.class, failure.message], ["sparkwire.interop.OwnException", "of a class of its own"]);
  assertMatch(failure.top!, /Endpoints\$Failing\.answer/);
}, { skip });

test("sendFailure, an answer that cannot be written, and a message that is not taken fail a Spark's ask", async (context) => {
  const { there, target } = await connect(context, {
    receiveAndReply(message, call) {
      if (message === "function") return () => 0;
      if (message === "other") return unhandled;
      call.sendFailure(new Error("sent"));
      return later;
    },
  });
  const messageOf = async (value: Notation) => {
    const described = await failureOf(there.ask(target, value));
    return (described.cause ?? described).message;
  };
  assertEquals(await messageOf("send"), "sent");
  assertMatch(await messageOf("function") ?? "", /Cannot encode a function/);
  assertMatch(await messageOf("other") ?? "", /Unsupported message/);
}, { skip });

test("an endpoint that is not here is not found by a Spark", async (context) => {
  const { there, here } = await connect(context, new Echo());
  const failure = await failureOf(there.lookup(`spark://Nobody@${here.address}`));
  assertMatch(JSON.stringify(failure), /RpcEndpointNotFoundException/);
  assertMatch(JSON.stringify(failure), /Cannot find endpoint: spark:\/\/Nobody@/);
}, { skip });

test("a stopped endpoint fails a Spark's ask, and nobody else's", async (context) => {
  const { there, here, target } = await connect(context, new Echo());
  const other = here.setupEndpoint("Other", new Echo());
  const { ref } = await there.lookup(`spark://Other@${here.address}`);
  here.stop(other);
  const failure = await failureOf(there.ask(ref, "x"));
  assertMatch(JSON.stringify(failure), /Could not find Other/);
  assertEquals(await there.ask(target, "x"), "x");
}, { skip });

test("a late answer reaches a Spark, after others have; one that is too late hurts no other", async (context) => {
  const calls: RpcCallContext[] = [];
  const { there, target } = await connect(context, {
    receiveAndReply(message, call) {
      if (message !== "later") return message;
      calls.push(call);
      return later;
    },
  });
  const first = there.ask(target, "later");
  const second = there.ask(target, "later");
  await until(() => calls.length === 2, "two asks");
  assertEquals(await there.ask(target, "between"), "between");
  calls[1]!.reply("two");
  calls[0]!.reply("one");
  assertEquals((await within(Promise.all([first, second]), "answers")).sort(), ["one", "two"]);
  const failure = await failureOf(there.ask(target, "later", { timeoutMs: 50 }));
  assertMatch(JSON.stringify(failure), /This timeout is controlled by interop\.timeout/);
  calls[2]!.reply("too late");
  assertEquals(await there.ask(target, "after"), "after");
}, { skip });

test("what a Spark sends arrives in order", async (context) => {
  const echo = new Echo();
  const { there, target } = await connect(context, echo);
  await there.sendMany(target, 5_000);
  await until(() => echo.received.length === 5_000, "all messages");
  assertEquals(echo.received, Array.from({ length: 5_000 }, (_, i) => i));
}, { skip });

test("the sender of an ask is where its Spark listens, or its socket", async (context) => {
  const sender: RpcEndpoint = { receiveAndReply: (_, call) => call.senderAddress };
  const server = await connect(context, sender);
  assertEquals(await server.there.ask(server.target, "who"), ["RpcAddress", ...hostAndPort(server.there.address)]);
  const client = await connect(context, sender, { there: { client: true } });
  const [tag, host] = await client.there.ask(client.target, "who") as [string, string];
  assertEquals([tag, host], ["RpcAddress", "127.0.0.1"]);
}, { skip });

function hostAndPort(address: string): [string, number] {
  const [host, port] = address.split(":");
  return [host!, Number(port)];
}

test("references of a Spark's endpoints can be asked, also those of one in client mode", async (context) => {
  for (const there of [{ client: true }, {}]) {
    const ends = await connect(context, {
      async receiveAndReply(message) {
        const ref = message as RpcEndpointRef;
        return [await ref.ask("back"), String(ref.address), ref.name];
      },
    }, { there });
    const address = there.client === true ? null : ends.there.address;
    const answer = await ends.there.ask(ends.target, ["ref", "Echo", address]);
    assertEquals(answer, list("back", String(address ?? undefined), "Echo"));
  }
}, { skip });

test("references of our endpoints reach a Spark, and it asks through them", async (context) => {
  const other = new Echo();
  const { there, here, target, spark } = await connect(context, { receiveAndReply: () => self });
  const self = here.setupEndpoint("Other", other);
  assertEquals(await there.ask(target, "ref"), ["ref", "Other", String(here.address)]);
  // One that is sent there is kept, and asked later.
  const keeper = await within(here.setupEndpointRef(there.uri("Keeper")), "lookup");
  keeper.send(self);
  const { ref } = await spark.event("kept");
  assertEquals(await there.ask(ref!, integer(5)), integer(5));
  assertEquals(other.received, [5]);
}, { skip });

test("connections are seen at both ends: by their socket, and by where the peer listens", async (context) => {
  const [connected, disconnected]: [string[], string[]] = [[], []];
  const { spark, there, here } = await connect(context, {
    onConnected: (address) => void connected.push(String(address)),
    onDisconnected: (address) => void disconnected.push(String(address)),
  });
  await spark.event("connected", ({ address }) => address === String(here.address));
  await until(() => connected.length === 2, "both addresses");
  assertEquals(connected[1], there.address);
  await there.shutdown();
  await until(() => disconnected.length === 2, "the end of both");
  assertEquals(disconnected, connected);
}, { skip });

test("a Spark's endpoints learn that our environment has ended", async (context) => {
  const { spark, here } = await connect(context, new Echo());
  await here.shutdown();
  await spark.event("disconnected", ({ address }) => address === String(here.address));
}, { skip });

test("a Spark's asks that are under way fail when we go", async (context) => {
  const asked = deferred();
  const { there, here, target } = await connect(context, {
    receiveAndReply() {
      asked.resolve();
      return later;
    },
  });
  const failure = failureOf(there.ask(target, "never"));
  await within(asked.promise, "ask");
  await here.shutdown({ deadlineMs: 0 });
  assertMatch(JSON.stringify(await within(failure, "failure")), /Connection from .* closed|stopped/);
}, { skip });

test("an address that a Spark sends is equal to one made here", async (context) => {
  const echo = new Echo();
  const { there, target } = await connect(context, echo);
  await there.ask(target, ["RpcAddress", "2001:db8::1", 1]);
  assertInstanceOf(echo.received[0], RpcAddress);
  assertEquals([echo.received[0].host, echo.received[0].port], ["2001:db8::1", 1]);
}, { skip });

test("a class that is not known here comes as an inert record, and goes back to its Spark whole", async (context) => {
  const { there, target } = await connect(context, new Echo(), { here: { serializers: [java] } });
  for (const { spark } of valueCases["known classes"]!) assertEquals(await there.ask(target, spark), spark);
}, { skip });

test("an exception that a Spark sends as a value is one, and no failure", async (context) => {
  const echo = new Echo();
  const { there, target } = await connect(context, echo);
  const notation: Notation = ["Throwable", "java.lang.IllegalStateException", "a value", null];
  assertEquals(await there.ask(target, notation), notation);
  assertInstanceOf(echo.received[0], RpcRemoteError);
}, { skip });

/** Messages of a typed endpoint that are objects of a class of Java. */
interface People {
  receive: { Person(person: PersonValue): void };
  receiveAndReply: { Person(person: PersonValue): string };
}

test(
  "a class of the user's own is the message of a typed endpoint, whether a Spark sends it or is sent it",
  async (context) => {
    const Tagged = defineJavaClass("sparkwire.interop.Person", { serialVersionUID: 1n, fields: personFields, tag: "Person" });
    const sent = deferred<string>();
    const people = endpoint<People>(() => ({
      receive: { Person: ({ name }) => sent.resolve(name) },
      receiveAndReply: { Person: ({ name, email, tags }) => `${name} ${email} ${tags.length}` },
    }));
    const options = { here: { serializers: [java.with({ classes: [Tagged] })] } };
    const { there, here, target } = await connect(context, people, options);
    const { value, spark: notation } = valueCases["known classes"]!.find(({ value }) => value instanceof Person)!;
    assertEquals(await there.ask(target, notation), "Ada ada@a 1");
    await there.send(target, notation);
    assertEquals(await within(sent.promise, "message"), "Ada");
    const describe = await within(here.setupEndpointRef(there.uri("Describe")), "lookup");
    const described = await within(
      typedRef<People>(describe as RpcEndpointRef<People>).ask("Person", value as PersonValue),
      "answer",
    );
    assertEquals(JSON.parse(described), notation);
  },
  { skip },
);
