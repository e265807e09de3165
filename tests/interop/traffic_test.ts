import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { type RpcEndpoint, type RpcEndpointRef, RpcError, RpcRemoteError } from "../../mod.ts";
import { pattern } from "../_vectors.ts";
import { test, within } from "../_harness.ts";
import { createEnv } from "./_envs.ts";
import { integer } from "./_notation.ts";
import { skip, Spark, SparkFailure } from "./_spark.ts";

const echo: RpcEndpoint = { receiveAndReply: (message) => message };

test("thousands of a Spark's asks at once get each its own answer", async (context) => {
  const here = await createEnv(context, { port: 0 });
  here.setupEndpoint("Echo", echo);
  const there = await (await Spark.open(context)).createEnv("there", { client: true });
  const { ref } = await there.lookup(`spark://Echo@${here.address}`);
  assertEquals(await there.askMany(ref, ["ArrayList", ["a", integer(1)]], 5_000), integer(5_000));
}, { skip });

test("both ends flood each other with large asks, and all are answered", async (context) => {
  const here = await createEnv(context, { port: 0 });
  here.setupEndpoint("Echo", echo);
  const there = await (await Spark.open(context)).createEnv("there");
  const { ref } = await there.lookup(`spark://Echo@${here.address}`);
  const theirs = await within(here.setupEndpointRef(there.uri("Echo")), "lookup");
  const bytes = pattern(256 * 1024);
  const count = 150;
  const [asked, answers] = await Promise.all([
    there.askMany(ref, ["byte[]", bytes.length, 7], count),
    within(Promise.all(Array.from({ length: count }, () => theirs.ask(bytes))), "answers"),
  ]);
  assertEquals(asked, integer(count));
  for (const answer of answers) {
    assertInstanceOf(answer, Uint8Array);
    assertEquals(answer.length, bytes.length);
  }
  assertEquals(answers.at(-1), bytes);
}, { skip });

test("a reference outlives its Spark: the next ask connects anew", async (context) => {
  const spark = await Spark.open(context);
  const first = await spark.createEnv("first");
  const here = await createEnv(context);
  const ref = await within(here.setupEndpointRef(first.uri("Echo")), "lookup");
  await first.shutdown();
  await within(assertRejects(() => ref.ask("to nobody"), RpcError), "refusal");
  const second = await spark.createEnv("second", { port: Number(first.address.split(":")[1]) });
  assertEquals(second.address, first.address);
  assertEquals(await within(ref.ask("to the second"), "answer"), "to the second");
}, { skip });

test("a Spark's reference outlives our environment: the next ask connects anew", async (context) => {
  const first = await createEnv(context, { port: 0 });
  first.setupEndpoint("Echo", echo);
  const there = await (await Spark.open(context)).createEnv("there");
  const { ref } = await there.lookup(`spark://Echo@${first.address}`);
  assertEquals(await there.ask(ref, "to the first"), "to the first");
  const { port } = first.address!;
  await first.shutdown();
  await assertRejects(() => there.ask(ref, "to nobody"), SparkFailure);
  const second = await createEnv(context, { port, conf: { "spark.port.maxRetries": "0" } });
  second.setupEndpoint("Echo", echo);
  assertEquals(await there.ask(ref, "to the second"), "to the second");
}, { skip });

test("a reference that one Spark forwards leads to the other", async (context) => {
  const spark = await Spark.open(context);
  const [near, far] = [await spark.createEnv("near"), await spark.createEnv("far")];
  const here = await createEnv(context, { port: 0 });
  here.setupEndpoint("Asker", {
    receiveAndReply: async (
      message,
    ) => [await (message as RpcEndpointRef).ask("who"), String((message as RpcEndpointRef).address)],
  });
  const { ref: asker } = await near.lookup(`spark://Asker@${here.address}`);
  const { ref: forwarded } = await near.lookup(far.uri("Echo"));
  assertEquals(await near.ask(asker, ["kept", forwarded]), ["ArrayList", ["who", far.address]]);
}, { skip });

test(
  "a reference that we forward is one to us, for a Spark: it asks over the connection that it came over",
  async (context) => {
    const spark = await Spark.open(context);
    const [near, far] = [await spark.createEnv("near"), await spark.createEnv("far")];
    const here = await createEnv(context);
    const keeper = await within(here.setupEndpointRef(near.uri("Keeper")), "lookup");
    const forwarded = await within(here.setupEndpointRef(far.uri("Echo")), "lookup");
    await within(assertRejects(() => keeper.ask([forwarded, "who"]), RpcRemoteError, "Could not find Echo"), "refusal");
    here.setupEndpoint("Echo", { receiveAndReply: () => "here" });
    assertEquals(await within(keeper.ask([forwarded, "who"]), "answer"), "here");
  },
  { skip },
);

test("two Sparks and two references to each share no answer", async (context) => {
  const spark = await Spark.open(context);
  const here = await createEnv(context);
  const asked: Promise<unknown>[] = [];
  const expected: unknown[] = [];
  for (const name of ["one", "other"]) {
    const there = await spark.createEnv(name);
    for (const endpoint of ["Echo", "Describe"]) {
      const ref = await within(here.setupEndpointRef(there.uri(endpoint)), "lookup");
      for (let i = 0; i < 50; i++) {
        asked.push(ref.ask(`${name} ${i}`));
        expected.push(endpoint === "Echo" ? `${name} ${i}` : JSON.stringify(`${name} ${i}`));
      }
    }
  }
  assertEquals(await within(Promise.all(asked), "answers"), expected);
}, { skip });

test("localhost leads there and back", async (context) => {
  const there = await (await Spark.open(context)).createEnv("there");
  const here = await createEnv(context, { port: 0 });
  here.setupEndpoint("\u00c9cho \u{1f600}".replace(" ", "_"), echo);
  const ref = await within(here.setupEndpointRef(there.uri("Echo").replace("127.0.0.1", "localhost")), "lookup");
  assertEquals(await within(ref.ask(1), "answer"), 1);
  const { ref: ours } = await there.lookup(`spark://\u00c9cho_\u{1f600}@localhost:${here.address!.port}`);
  assertEquals(await there.ask(ours, "x"), "x");
}, { skip });

test("where a Spark has listened, a lookup fails", async (context) => {
  const there = await (await Spark.open(context)).createEnv("there");
  await there.shutdown();
  const here = await createEnv(context);
  // Its socket is closed a moment after its environment has ended, and can take a connection till then.
  await within(assertRejects(() => here.setupEndpointRef(there.uri("Echo")), RpcError), "refusal");
}, { skip });
