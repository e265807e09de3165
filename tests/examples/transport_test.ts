import { assertEquals, assertMatch } from "@std/assert";
import { RUNTIME_NAMES } from "../_entry_points.ts";
import { test, type TestContext, within } from "../_harness.ts";
import { noIpv6 } from "../_ipv6.ts";
import type { TestProcess } from "../_process.ts";
import { type ExampleOptions, runExample, startExample, whyNot } from "./_example.ts";

const TRANSPORT = "examples/transport.ts";

async function startServer(
  context: TestContext,
  options: ExampleOptions = {},
): Promise<{ server: TestProcess; address: string }> {
  const server = startExample(context, TRANSPORT, [], options);
  const [, address = ""] = await server.waitFor(/^READY (127\.0\.0\.1:\d+)\n/);
  return { server, address };
}

/** What the client prints. */
const TALK = `The upload is answered with kept 42 bytes
long: 67108864 bytes
poem: 42 bytes
As a stream: Roses are red, violets are blue, and so on
As chunks: Roses ar|e red, v|iolets a|re blue,| and so |on
Refused: There is no note "nothing"
Not streamed: There is no note "nothing"
Given up: true and the connection is open: false
`;

for (const runtime of RUNTIME_NAMES) {
  test(`transport.ts asks, uploads, streams and fetches chunks from a server on ${runtime}`, async (context) => {
    const { server, address } = await startServer(context, { runtime });
    const { code, stdout, stderr } = await runExample(context, TRANSPORT, [address]);
    assertEquals([code, stderr, stdout], [0, "", TALK]);
    await server.waitFor(/\n127\.0\.0\.1 says Good morning\n/);
    server.kill("SIGTERM");
    assertEquals(await within(server.exited, "the server's end"), 0);
  }, { skip: whyNot(TRANSPORT) ?? whyNot(TRANSPORT, runtime) });
}

test("transport.ts serves at an IPv6 address, and says it as its client takes it", async (context) => {
  const server = startExample(context, TRANSPORT, ["--host", "::1"]);
  const [, address = ""] = await server.waitFor(/^READY (\[::1\]:\d+)\n/);
  const { code, stdout, stderr } = await runExample(context, TRANSPORT, [address]);
  assertEquals([code, stderr, stdout], [0, "", TALK]);
  server.kill("SIGTERM");
  assertEquals(await within(server.exited, "the server's end"), 0);
}, { skip: whyNot(TRANSPORT) ?? noIpv6 });

test("transport.ts says in one line why it cannot go on", async (context) => {
  for (const args of [["--port", "seven"], ["127.0.0.1:1"], ["127.0.0.1"], ["--no-such-option"]]) {
    const { code, stdout, stderr } = await runExample(context, TRANSPORT, args);
    assertEquals([code, stdout], [1, ""], args.join(" "));
    assertMatch(stderr, /^transport: [^\n]+\n$/);
  }
}, { skip: whyNot(TRANSPORT) });
