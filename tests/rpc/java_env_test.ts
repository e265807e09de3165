import { assertEquals, assertInstanceOf, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { RpcRemoteError, SerializerError } from "../../src/base/errors.ts";
import { java } from "../../src/rpc/java_serializer.ts";
import { RpcAddress } from "../../src/rpc/rpc_address.ts";
import type { RpcEndpoint } from "../../src/rpc/rpc_endpoint.ts";
import type { RpcEndpointRef } from "../../src/rpc/rpc_endpoint_ref.ts";
import { RpcEndpointAddress } from "../../src/rpc/rpc_endpoint_address.ts";
import { RpcEnv, type RpcEnvOptions } from "../../src/rpc/rpc_env.ts";
import { SimulatedWorld } from "../../src/rpc/simulated_world.ts";
import { cborSerializer } from "../../src/serializer/cbor.ts";
import { defineJavaClass, defineScalaObject, type JavaClassValue } from "../../src/serializer/java/define_java_class.ts";
import { sparkDeploy } from "../../src/serializer/java/deploy_messages.ts";
import { JavaObject } from "../../src/serializer/java/java_object.ts";
import { javaTypes } from "../../src/serializer/java/java_types.ts";
import { javaTemplates } from "../../src/serializer/java/java_templates.ts";
import { defaultSocketDriver } from "../../src/socket/default.ts";
import { nodeSocketDriver } from "../../src/socket/node.ts";
import type { SocketDriver } from "../../src/socket/socket.ts";
import { endpoint } from "../../src/typed/endpoint.ts";
import { typedRef } from "../../src/typed/typed_ref.ts";
import { deferred, runtimeName, test, type TestContext, within } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";

const Add = defineJavaClass("com.example.Add", { serialVersionUID: 1n, fields: { a: "int", b: "int" }, tag: "Add" });
const Sum = defineJavaClass("com.example.Sum", { serialVersionUID: 1n, fields: { value: "int", parts: javaTypes.seq("int") } });
const Tick = defineScalaObject("com.example.Tick$", { serialVersionUID: 1n, tag: "Tick" });

interface Calculator {
  receive: { Tick(): void };
  receiveAndReply: { Add(m: { a: number; b: number }): JavaClassValue<typeof Sum> };
}

const told = java.with({ classes: [Add, Sum, Tick] });

/** All cases over one driver. */
function suite(driverName: string, driver: () => Promise<SocketDriver>): void {
  async function create(context: TestContext, options: Partial<RpcEnvOptions>): Promise<RpcEnv> {
    const env = await RpcEnv.create({
      name: "env",
      host: "127.0.0.1",
      logger: new MemoryLogger(),
      driver: await driver(),
      serializers: [cborSerializer, told],
      ...options,
    });
    context.defer(() => env.shutdown());
    return env;
  }

  /** A server with `given`, and a reference to it that sends in Java. */
  async function connect(context: TestContext, given: RpcEndpoint, options: Partial<RpcEnvOptions> = {}) {
    const server = await create(context, { port: 0 });
    server.setupEndpoint("Target", given);
    const client = await create(context, options);
    const target = await client.setupEndpointRef(`spark://Target@${server.address}`, { serializer: "java" });
    return { server, client, target };
  }

  test(`java over ${driverName}: an ask is answered in the codec that it came in`, async (context) => {
    const values = [null, 7, 2n ** 62n, "é😀", [1, ["a"]], new Map([["k", 1]]), new Uint8Array(100), undefined];
    // The client has no CBOR at all: an answer in it could not be read.
    const { target } = await connect(context, { receiveAndReply: (message) => message }, { serializers: [told] });
    for (const value of values) assertEquals(await within(target.ask(value), "answer"), value);
  });

  test(`java over ${driverName}: a message that wants no answer arrives`, async (context) => {
    const arrived = deferred<unknown>();
    const { target } = await connect(context, { receive: (message) => arrived.resolve(message) });
    target.send(new Set(["a", 1n]));
    assertEquals(await within(arrived.promise, "message"), new Set(["a", 1n]));
  });

  test(`java over ${driverName}: a failure has class and text, and no stack unless told`, async (context) => {
    const { target } = await connect(context, {
      receiveAndReply() {
        throw new RangeError("too much", { cause: new Error("inner") });
      },
    });
    const error = await within(assertRejects(() => target.ask(1), RpcRemoteError, "too much"), "failure");
    assertEquals([error.remoteClass, error.remoteStack], ["java.lang.RuntimeException", undefined]);
    assertEquals((error.cause as Error).message, "inner");
  });

  test(`java over ${driverName}: a reference in a message leads back to its endpoint, in Java`, async (context) => {
    const { client, target } = await connect(context, {
      async receiveAndReply(message) {
        const { self } = Object.fromEntries(message as Map<string, RpcEndpointRef>);
        return [await self!.ask("called back"), self!.address === undefined];
      },
    });
    const self = client.setupEndpoint("Back", { receiveAndReply: (message) => `${message}!` });
    assertEquals(await within(target.ask(new Map([["self", self]])), "answer"), ["called back!", true]);
  });

  test(`java over ${driverName}: classes of one's own are messages of a typed endpoint`, async (context) => {
    const ticked = deferred();
    const { target } = await connect(
      context,
      endpoint<Calculator>(() => ({
        receive: { Tick: () => ticked.resolve() },
        receiveAndReply: { Add: ({ a, b }) => new Sum({ value: a + b, parts: [a, b] }) },
      })),
    );
    const calculator = typedRef<Calculator>(target as RpcEndpointRef<Calculator>);
    const sum = await within(calculator.ask("Add", { a: 1, b: 2 }), "sum");
    assertInstanceOf(sum, Sum);
    assertEquals([sum.value, sum.parts], [3, [1, 2]]);
    calculator.send("Tick");
    await within(ticked.promise, "tick");
  });

  test(`java over ${driverName}: what one end does not know is inert there and whole at the other`, async (context) => {
    const { target } = await connect(context, {
      receiveAndReply(message) {
        assertInstanceOf(message, sparkDeploy.RequestDriverStatus);
        return new Sum({ value: 1, parts: [] });
      },
    }, { serializers: [cborSerializer, java] });
    const answer = await within(target.ask(new sparkDeploy.RequestDriverStatus({ driverId: "d" })), "answer");
    assertInstanceOf(answer, JavaObject);
    assertEquals(answer.get("value"), 1);
  });

  test(`java over ${driverName}: what cannot be encoded or decoded fails its own message only`, async (context) => {
    const { target } = await connect(context, { receiveAndReply: (message) => message === 1 ? () => 0 : message });
    assertThrows(() => target.send(() => 0), SerializerError, "Cannot encode a function");
    await within(assertRejects(() => target.ask(() => 0), SerializerError), "refusal");
    const error = await within(assertRejects(() => target.ask(1), RpcRemoteError), "failure");
    assertStringIncludes(error.message, "Cannot encode a function");
    assertEquals(await within(target.ask(2), "answer"), 2);
  });

  test(`java over ${driverName}: a door that is closed to it says so, look-ups aside`, async (context) => {
    const server = await create(context, { port: 0, accept: ["cbor"] });
    server.setupEndpoint("Target", { receiveAndReply: (message) => message });
    const client = await create(context, {});
    const target = await client.setupEndpointRef(`spark://Target@${server.address}`, { serializer: "java" });
    const error = await within(assertRejects(() => target.ask(1)), "refusal");
    assertStringIncludes((error as Error).message, "accepted are cbor");
  });
}

suite(`${runtimeName}'s own sockets`, defaultSocketDriver);
if (runtimeName !== "node") suite("node:net", () => Promise.resolve(nodeSocketDriver));

test("java over simulated sockets: asks and failures in Java", async () => {
  const world = new SimulatedWorld({ seed: 5 });
  const serializers = [cborSerializer, told];
  const server = await world.create({ host: "a", name: "server", port: 7077, serializers });
  server.setupEndpoint("Target", {
    receiveAndReply(message) {
      if (message === "fail") throw new Error("failed");
      return message;
    },
  });
  const client = await world.create({ host: "b", name: "client", serializers });
  const target = await world.settle(client.setupEndpointRef(`spark://Target@${server.address}`, { serializer: "java" }));
  assertEquals(await world.settle(target.ask([1, new Map([["k", 2n]])])), [1, new Map([["k", 2n]])]);
  await assertRejects(() => world.settle(target.ask("fail")), RpcRemoteError, "failed");
  await world.settle(Promise.all([client.shutdown(), server.shutdown()]));
});

test("RpcEnv.create() knows Java without being told, and sends in CBOR", async (context) => {
  const server = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0, logger: new MemoryLogger() });
  context.defer(() => server.shutdown());
  server.setupEndpoint("Target", { receiveAndReply: (message) => message });
  const client = await RpcEnv.create({ name: "client", logger: new MemoryLogger() });
  context.defer(() => client.shutdown());
  const target = await client.setupEndpointRef(`spark://Target@${server.address}`, { serializer: "java" });
  assertEquals(await within(target.ask(new RpcAddress("h", 1)), "answer"), new RpcAddress("h", 1));
  // A Spark writes a host as it was configured, and has it back so.
  const written = new RpcAddress("0:0:0:0:0:0:0:1", 1, { asWritten: true });
  for (const sent of [written, new RpcEndpointAddress(written, "e")]) {
    assertEquals(await within(target.ask(sent), "answer"), sent);
  }
  const plain = await client.setupEndpointRef(`spark://Target@${server.address}`);
  assertEquals(await within(plain.ask({ a: 1 }), "answer"), { a: 1 });
});

test("A reference is asked in the language of the message that brought it", async (context) => {
  const server = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0, logger: new MemoryLogger() });
  context.defer(() => server.shutdown());
  server.setupEndpoint("Target", { receiveAndReply: (ref) => (ref as RpcEndpointRef).ask("are you there?") });
  const client = await RpcEnv.create({ name: "client", logger: new MemoryLogger(), serializers: [java] });
  context.defer(() => client.shutdown());
  const own = client.setupEndpoint("Own", { receiveAndReply: () => "yes" });
  const target = await client.setupEndpointRef(`spark://Target@${server.address}`);
  assertEquals(await within(target.ask(own), "answer"), "yes");
});

test("RpcEnv.create() refuses to have no serializer, and to accept one that it has not", async () => {
  await assertRejects(
    () => RpcEnv.create({ name: "env", serializers: [] }),
    RangeError,
    "An environment needs at least one serializer",
  );
  const text = 'There is no serializer "xml"; this environment has cbor, java';
  await assertRejects(() => RpcEnv.create({ name: "env", accept: ["cbor", "xml"] }), RangeError, text);
});

test("A peer that has only the templates of Java is told what it would need", async (context) => {
  const server = await RpcEnv.create({
    name: "server",
    host: "127.0.0.1",
    port: 0,
    logger: new MemoryLogger(),
    serializers: [cborSerializer, javaTemplates],
  });
  context.defer(() => server.shutdown());
  server.setupEndpoint("Target", { receiveAndReply: (message) => message });
  const client = await RpcEnv.create({ name: "client", logger: new MemoryLogger() });
  context.defer(() => client.shutdown());
  const target = await client.setupEndpointRef(`spark://Target@${server.address}`, { serializer: "java" });
  const error = await within(assertRejects(() => target.ask(["a"])), "refusal");
  assertStringIncludes((error as Error).message, "the full Java codec is needed");
});
