import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { endpoint, RpcEnv } from "../mod.ts";
import { runtimePath } from "./_entry_points.ts";
import { makeFolder } from "./_folder.ts";
import { deferred, test, type TestContext, within } from "./_harness.ts";
import { MemoryLogger } from "./_memory_logger.ts";
import { startProcess } from "./_process.ts";
import { projectRoot } from "./_project.ts";

/** The contract of the test's own endpoint; the program writes it down a second time, as somebody elsewhere would. */
interface Greeter {
  receive: { Wave(who: string): void };
  receiveAndReply: { Greet(who: { name: string }): string };
}

/** What one writes who has only Deno and the URL. `MODULE` stands for that. */
const PROGRAM = `
import { RpcEnv, RpcRemoteError, typedRef } from "MODULE";

interface Greeter {
  receive: { Wave(who: string): void };
  receiveAndReply: { Greet(who: { name: string }): string };
}

const env = await RpcEnv.create({ name: "remote" });
const greeter = typedRef<Greeter>(await env.setupEndpointRef(Deno.args[0]!));
greeter.send("Wave", "Ada");
console.log(await greeter.ask("Greet", { name: "Ada" }));
const error: unknown = await greeter.ask("Greet", { name: "" }).catch((error: unknown) => error);
if (error instanceof RpcRemoteError) console.log(error.code, error.remoteClass, error.message);
await env.shutdown();
`;

const OUTPUT = "Hello, Ada\nREMOTE RangeError Nobody to greet\n";

/** The published files and nothing else, as a plain server of files would give them. */
async function serveProject(context: TestContext): Promise<{ url: string; served: Set<string> }> {
  const served = new Set<string>();
  const server: Server = createServer((request, response) => {
    const path = request.url ?? "";
    const isPublished = path === "/mod.ts" || (/^\/src\/[\w/]+\.ts$/.test(path) && existsSync(join(projectRoot, path)));
    if (!isPublished) {
      response.writeHead(404).end();
      return;
    }
    served.add(path);
    response.writeHead(200, { "content-type": "application/typescript", connection: "close" });
    response.end(readFileSync(join(projectRoot, path)));
  });
  const listening = deferred();
  server.listen(0, "127.0.0.1", () => listening.resolve());
  await within(listening.promise, "the server to listen");
  context.defer(async () => {
    const closed = deferred();
    server.close(() => closed.resolve());
    await within(closed.promise, "the server to close");
  });
  const address = server.address();
  assert(address !== null && typeof address === "object");
  return { url: `http://127.0.0.1:${address.port}/mod.ts`, served };
}

/** Without the task `test`, Bun and Node do not know where a Deno is. */
const deno = runtimePath("deno");

/** An endpoint of the test's own, and who waved at it. */
async function serveGreeter(context: TestContext): Promise<{ uri: string; waves: string[] }> {
  const env = await RpcEnv.create({ name: "greeter", host: "127.0.0.1", port: 0, logger: new MemoryLogger() });
  context.defer(() => env.shutdown());
  const waves: string[] = [];
  const handlers = endpoint<Greeter>(() => ({
    receive: { Wave: (who) => waves.push(who) },
    receiveAndReply: {
      Greet({ name }) {
        if (name === "") throw new RangeError("Nobody to greet");
        return `Hello, ${name}`;
      },
    },
  }));
  return { uri: String(env.setupEndpoint("Greeter", handlers).endpointAddress), waves };
}

test(
  "mod.ts, imported by URL into a Deno program without any configuration, asks an endpoint with checked types",
  async (context) => {
    const { uri, waves } = await serveGreeter(context);
    const { url, served } = await serveProject(context);
    const folder = await makeFolder(context);
    writeFileSync(join(folder, "main.ts"), PROGRAM.replace("MODULE", url));
    const program = startProcess(context, deno!, ["run", "-A", "--check", "main.ts", uri], {
      cwd: folder,
      env: { DENO_DIR: join(folder, "cache"), NO_COLOR: "1" },
    });
    const code = await within(program.exited, "the end of the program", 60_000);
    assertEquals(code, 0, program.stderr);
    assertEquals(program.stdout, OUTPUT);
    assertEquals(waves, ["Ada"]);
    assertStringIncludes([...served].join(), "/src/rpc/rpc_env.ts");
  },
  { skip: deno === undefined ? "only the task test knows where Deno is" : undefined },
);
