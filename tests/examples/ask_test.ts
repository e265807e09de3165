import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type RpcEndpoint, RpcEnv, silentLogger, TypedMessage, unhandled } from "../../mod.ts";
import { test, type TestContext, until } from "../_harness.ts";
import { type ExampleResult, runExample, whyNot } from "./_example.ts";
import { BAD_REQUEST, listenAndSay } from "./_listen_and_say.ts";

const ASK = "examples/ask.ts";
const skip = whyNot(ASK);

/** An environment of the test's own with that endpoint, called Target. */
async function serve(context: TestContext, target: RpcEndpoint): Promise<string> {
  const env = await RpcEnv.create({ name: "target", host: "127.0.0.1", port: 0, logger: silentLogger });
  context.defer(() => env.shutdown());
  return String(env.setupEndpoint("Target", target).endpointAddress);
}

const ask = (context: TestContext, ...args: string[]): Promise<ExampleResult> => runExample(context, ASK, args);

test("ask.ts prints the reply as JSON", async (context) => {
  const received: unknown[] = [];
  const uri = await serve(context, {
    receiveAndReply(message) {
      received.push(message);
      return { seen: new Set([message]), at: new Date(0), self: undefined };
    },
  });
  const { code, stdout, stderr } = await ask(context, uri, '{"hello": [1, {"$bytes": "AQID"}]}');
  assertEquals([code, stderr], [0, ""]);
  assertEquals(received, [{ hello: [1, Uint8Array.of(1, 2, 3)] }]);
  assertEquals(JSON.parse(stdout), {
    seen: { $set: [{ hello: [1, { $bytes: "AQID" }] }] },
    at: { $date: "1970-01-01T00:00:00.000Z" },
    self: { $undefined: true },
  });
}, { skip });

test("ask.ts makes a METHOD a typed message, whose payload may come from standard input", async (context) => {
  const uri = await serve(context, {
    receiveAndReply: (message) => message instanceof TypedMessage ? [message.tag, message.payload] : unhandled,
  });
  const { code, stdout, stderr } = await runExample(context, ASK, [uri, "Register", "-"], { input: '{"id": "w1"}' });
  assertEquals([code, stderr], [0, ""]);
  assertEquals(JSON.parse(stdout), ["Register", { id: "w1" }]);
}, { skip });

test("ask.ts --send wants no reply and does not end before the message has left", async (context) => {
  const received: unknown[] = [];
  const uri = await serve(context, { receive: (message) => received.push(message) });
  const { code, stdout, stderr } = await ask(context, uri, '"hello"', "--send");
  assertEquals([code, stdout, stderr], [0, "", ""]);
  await until(() => received.length > 0, "the message");
  assertEquals(received, ["hello"]);
}, { skip });

test("ask.ts says in one line what failed, where, and by which key", async (context) => {
  const uri = await serve(context, {
    receiveAndReply() {
      throw new RangeError("Too\u001b[2J much\nof it");
    },
  });
  const silent = await listenAndSay(context, "");
  const web = await listenAndSay(context, BAD_REQUEST);
  const nobody = uri.replace("Target", "Nobody");
  const cases: readonly [args: readonly string[], line: string][] = [
    [[uri, "1"], `ask: ${uri}: the endpoint failed with RangeError: Too [2J much`],
    [
      [`spark://Target@${silent}`, "1", "--timeout", "50ms"],
      `Cannot receive any reply from ${silent} in 50 milliseconds. ` +
      "This timeout is controlled by spark.rpc.lookupTimeout (TIMEOUT)",
    ],
    [[nobody, "1"], `ask: ${nobody}: Cannot find endpoint: ${nobody} (NOT_FOUND)`],
    [[uri, "1", "--serializer", "java"], `ask: ${uri}: the endpoint failed with java.lang.RuntimeException: Too [2J much`],
    [["spark://Target@127.0.0.1:1", "1"], "connection refused (SOCKET)"],
    [[`spark://Target@${web}`, "1"], "HTTP, so the peer is a web server or browser (DISCONNECTED)"],
  ];
  for (const [args, line] of cases) {
    const { code, stdout, stderr } = await ask(context, ...args);
    assertEquals([code, stdout], [1, ""], stderr);
    assertMatch(stderr, /^ask: spark:\/\/[^\n]*\n$/);
    assertStringIncludes(stderr, line);
  }
}, { skip });

test("ask.ts explains wrong arguments and asks nobody", async (context) => {
  const uri = "spark://Target@127.0.0.1:1";
  const cases: readonly [args: readonly string[], line: string][] = [
    [[], "Expected URI [METHOD] JSON"],
    [["Target", "1"], "Invalid Spark URL: Target: Expected scheme://authority (INVALID_ADDRESS)\n"],
    [["spark://Target@host", "1"], "Invalid Spark URL: spark://Target@host: Expected a port after the host: host "],
    [[uri, "hello"], "Not JSON: "],
    [[uri, '{"$date": "soon"}'], "No date: soon"],
    [[uri, "1", "--timeout", "5y"], "spark.rpc.askTimeout"],
    [[uri, "1", "--serializer", "xml"], "There is no serializer xml; there are cbor and java"],
  ];
  for (const [args, line] of cases) {
    const { code, stdout, stderr } = await ask(context, ...args);
    assertEquals([code, stdout], [2, ""], args.join(" "));
    assertMatch(stderr, /^ask: [^\n]+\nUsage: ask URI \[METHOD\] JSON [^\n]+\n$/);
    assertStringIncludes(stderr, line);
  }
  const help = await ask(context, "--help");
  assertEquals([help.code, help.stderr], [0, ""]);
  assertStringIncludes(help.stdout, '{"$bigint": ');
}, { skip });
