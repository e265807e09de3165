/**
 * Pairs of runtimes. This one serves and each of the three comes to it, so that the runs on all three make all nine pairs.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { toTaggedJson } from "../../examples/_tagged_json.ts";
import { endpoint, type Ref, type RpcEndpointRef, RpcEnv, RpcRemoteError, RpcTimeoutError, typedRef } from "../../mod.ts";
import { RUNTIME_NAMES, type RuntimeName } from "../_entry_points.ts";
import { deferred, runtimeName, test, type TestContext, within } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";
import type { TestProcess } from "../_process.ts";
import { runExample, startExample, whyNot } from "./_example.ts";
import type { Peer, Registry } from "./mixed_peer_main.ts";

const PEER = "tests/examples/mixed_peer_main.ts";

/** What engines and runtimes might write differently: numbers, text, bytes, collections, errors. */
const AWKWARD: readonly unknown[] = [
  ...[undefined, null, -0, NaN, -Infinity, 2 ** 53, 1e300, 5e-324, -1, 65_536, 2n ** 64n, -(2n ** 200n)],
  ...["", "ä€𝄞", "a".repeat(70), "\ud800 alone", "\0"],
  ...[new Date(0), new Date(NaN), /a+/giu, new Map<unknown, unknown>([[1, { a: 1 }], [{}, "x"]]), new Set(["b", "a"])],
  ...[Uint8Array.of(1, 2, 3), Float64Array.of(0.1, NaN), BigInt64Array.of(-1n), new Uint16Array([1, 2]).buffer],
  { nested: { list: [[], {}, [[1]]], 7: "number", "": "empty" } },
];

/** The other side of a pair, and what it takes to talk to it. */
interface Pair {
  readonly program: TestProcess;
  readonly peer: Ref<Peer>;
  readonly registry: RpcEndpointRef<Registry>;
  /** Resolves when the connection is gone. */
  readonly disconnected: Promise<void>;
}

async function pairWith(context: TestContext, runtime: RuntimeName, args: readonly string[]): Promise<Pair> {
  const env = await RpcEnv.create({ name: "registry", host: "127.0.0.1", port: 0, logger: new MemoryLogger() });
  context.defer(() => env.shutdown());
  const registered = deferred<{ runtime: string; self: RpcEndpointRef<Peer> }>();
  const disconnected = deferred();
  const registry = env.setupEndpoint(
    "Registry",
    endpoint<Registry>(() => ({
      onDisconnected: () => disconnected.resolve(),
      receiveAndReply: {
        Register: (peer) => registered.resolve(peer),
        Echo: (message) => message,
      },
    })),
  );
  const program = startExample(context, PEER, [String(registry.endpointAddress), ...args], { runtime });
  const { runtime: registeredAs, self } = await within(registered.promise, `${runtime} to register`);
  assertEquals(registeredAs, runtime);
  assertEquals(self.address === undefined, args.length === 0);
  return { program, peer: typedRef(self), registry, disconnected: disconnected.promise };
}

/** Everything that two sides do with each other, first to last. */
async function talk({ program, peer, registry, disconnected }: Pair): Promise<void> {
  // As tagged JSON, which tells all of them apart; assertEquals takes 0 for -0, and on Node 20 cannot compare Sets.
  assertEquals(toTaggedJson(await peer.ask("Echo", AWKWARD)), toTaggedJson(AWKWARD));
  // The reference goes to the peer, whose ask comes back here: two hops each way, and each side reads what the other wrote.
  assertEquals(toTaggedJson(await peer.ask("AskBack", { registry, message: AWKWARD })), toTaggedJson(AWKWARD));

  const circle: { self?: unknown; twice: unknown[] } = { twice: [AWKWARD, AWKWARD] };
  circle.self = circle;
  const round = await peer.ask("Echo", circle) as typeof circle;
  assertEquals([round.self === round, round.twice[0] === round.twice[1]], [true, true]);

  const large = new Uint8Array(3_000_000).map((_, index) => index * 31 >> 3);
  const back = await peer.ask("AskBack", { registry, message: large });
  assertEquals(back instanceof Uint8Array && back.every((byte, index) => byte === large[index]), true);

  const numbers = Array.from({ length: 2_000 }, (_, index) => index);
  const asks = numbers.map((number) => {
    peer.send("Count", number);
    return peer.ask("Echo", number);
  });
  assertEquals(await Promise.all(asks), numbers);
  assertEquals(await peer.ask("Counted"), numbers);

  const failure = await assertRejects(() => peer.ask("Fail", "No"), RpcRemoteError, "No");
  assertEquals(failure.remoteClass, "RangeError");
  await assertRejects(() => peer.ask("Wait", undefined, { timeoutMs: 20 }), RpcTimeoutError);

  peer.send("Stop");
  assertEquals([await within(program.exited, "the peer's end"), program.stderr], [0, ""]);
  await within(disconnected, "the connection's end");
}

for (const runtime of RUNTIME_NAMES) {
  const skip = whyNot(PEER, runtime);

  test(`A client on ${runtime} and a server on ${runtimeName} ask each other over one connection`, async (context) => {
    await talk(await pairWith(context, runtime, []));
  }, { skip });

  test(`Servers on ${runtime} and ${runtimeName} ask each other at their addresses`, async (context) => {
    await talk(await pairWith(context, runtime, ["--listen"]));
  }, { skip });

  test(`ask.ts on ${runtime} asks echo.ts on ${runtimeName}`, async (context) => {
    const server = startExample(context, "examples/echo.ts", []);
    const [, uri = ""] = await server.waitFor(/^READY (\S+)\n/);
    const json = '{"map": {"$map": [[1, "ä€𝄞"]]}, "big": {"$bigint": "18446744073709551616"}}';
    const { code, stdout, stderr } = await runExample(context, "examples/ask.ts", [uri, "Echo", json], { runtime });
    assertEquals([code, stderr], [0, ""]);
    assertEquals(JSON.parse(stdout), JSON.parse(json));
  }, { skip });
}
