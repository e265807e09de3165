import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { test, type TestContext, within } from "../_harness.ts";
import type { TestProcess } from "../_process.ts";
import { type ExampleOptions, runExample, startExample, whyNot } from "./_example.ts";

const ECHO = "examples/echo.ts";
const skip = whyNot(ECHO);

async function startServer(
  context: TestContext,
  args: readonly string[] = [],
  options: ExampleOptions = {},
): Promise<{ server: TestProcess; uri: string }> {
  const server = startExample(context, ECHO, args, options);
  const [, uri = ""] = await server.waitFor(/^READY (spark:\/\/\w+@127\.0\.0\.1:\d+)\n/);
  return { server, uri };
}

test("echo.ts serves its own client, which sends, asks and is refused", async (context) => {
  const { server, uri } = await startServer(context);
  const { code, stdout, stderr } = await runExample(context, ECHO, [uri]);
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^Echo gives back Map\(1\)[^]*\[ 1, 2n, NaN \]/);
  assertStringIncludes(stdout, "\nRepeat gives hahaha\n");
  assertStringIncludes(stdout, "\nRepeat fails with RangeError: Times must be 0 to 10, not 1000000\n");
  await server.waitFor(/\nSomebody says "Good morning"\n/);
}, { skip });

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`echo.ts ends cleanly at a ${signal}`, async (context) => {
    const { server } = await startServer(context, ["--name", "Other"]);
    assertMatch(server.stdout, /^READY spark:\/\/Other@/);
    server.kill(signal);
    assertEquals(await within(server.exited, "the server's end"), 0);
    assertEquals(server.stderr, "");
  }, { skip });
}

test("echo.ts ends with its standard input if it is told to", async (context) => {
  const { server } = await startServer(context, ["--until-stdin-ends"], { pipeStdin: true });
  server.endStdin();
  assertEquals(await within(server.exited, "the server's end"), 0);
}, { skip });

test("echo.ts goes on serving when nobody reads any more what it prints", async (context) => {
  const { server, uri } = await startServer(context);
  server.closeOutput();
  for (let i = 0; i < 3; i++) {
    const { code, stderr } = await runExample(context, ECHO, [uri]);
    assertEquals([code, stderr], [0, ""]);
  }
  server.kill("SIGINT");
  assertEquals(await within(server.exited, "the server's end"), 0);
}, { skip });

test("echo.ts says in one line why it cannot go on", async (context) => {
  for (
    const args of [
      ["--port", "seven"],
      ["--name", "endpoint-verifier"],
      ["spark://Echo@127.0.0.1:1"],
      ["spark://Echo"],
      ["--no-such-option"],
      ["spark://a", "b"],
    ]
  ) {
    const { code, stdout, stderr } = await runExample(context, ECHO, args);
    assertEquals([code, stdout], [1, ""], args.join(" "));
    assertMatch(stderr, /^echo: [^\n]+\n$/);
  }
  const help = await runExample(context, ECHO, ["--help"]);
  assertEquals([help.code, help.stderr], [0, ""]);
  assertMatch(help.stdout, /^Usage: echo /);
}, { skip });
