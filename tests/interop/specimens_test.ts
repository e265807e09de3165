import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { java, JavaNumber, SerializerError } from "../../mod.ts";
import { test, type TestContext, within } from "../_harness.ts";
import { createEnv } from "./_envs.ts";
import { skip, Spark, SparkFailure } from "./_spark.ts";

/** Asks the endpoint Specimens of a Spark. */
async function connect(context: TestContext) {
  const there = await (await Spark.open(context)).createEnv("there");
  const here = await createEnv(context, { serializers: [java], port: 0 });
  const specimens = await within(here.setupEndpointRef(there.uri("Specimens")), "lookup");
  const ask = (message: unknown) => within(specimens.ask(message), `answer to ${String(message)}`);
  return { there, here, ask };
}

test("what a JVM wrote goes back to it whole, whatever its classes do in a stream", async (context) => {
  const { ask } = await connect(context);
  const names = await ask("names") as string[];
  assert(names.length > 30);
  const changed: string[] = [];
  for (const name of names) {
    const value = await ask(name);
    const same = await ask([name, value]).catch((error: unknown) => String(error));
    if (same !== true) changed.push(`${name}: ${same}`);
  }
  assertEquals(changed, []);
}, { skip });

test("a JVM's objects go back to it whole in one message, where they share classes and parts", async (context) => {
  const { there, here, ask } = await connect(context);
  const names = await ask("names") as string[];
  const values: unknown[] = [];
  for (const name of names) values.push(await ask(name));
  const echo = await within(here.setupEndpointRef(there.uri("Echo")), "lookup");
  const back = await within(echo.ask([values, values]), "answer") as unknown[][];
  assert(back[0] === back[1]);
  for (const [i, name] of names.entries()) assertEquals([name, await ask([name, back[0]![i]])], [name, true]);
}, { skip });

test("a pair of Scala's is an array, also of primitives, of which there are classes of their own", async (context) => {
  const { ask } = await connect(context);
  const primitives = [new JavaNumber("char", "c"), 3, 4, 5n, true];
  assertEquals(await ask("tuples of one"), [[3], [4], [5n], ["a"]]);
  assertEquals(await ask("pairs of primitives"), primitives.flatMap((one) => primitives.map((other) => [one, other])));
}, { skip });

test("a JVM's proxy is refused, and only the ask that brought it fails", async (context) => {
  const { there, here, ask } = await connect(context);
  const error = await assertRejects(() => ask("proxy"), SerializerError);
  assertStringIncludes(error.message, "Proxies are refused");
  assertEquals(await ask(["UUID", await ask("UUID")]), true);
  // The other way round it is the JVM's ask that fails.
  here.setupEndpoint("Target", { receiveAndReply: (message) => message });
  const { ref } = await there.lookup(`spark://Target@${here.address}`);
  await assertRejects(() => there.ask(ref, ["proxy"]), SparkFailure);
  assertEquals(await there.ask(ref, "text"), "text");
}, { skip });
