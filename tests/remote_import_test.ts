import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtimePath } from "./_entry_points.ts";
import { deferred, test, type TestContext, within } from "./_harness.ts";
import { startProcess } from "./_process.ts";
import { projectRoot } from "./_project.ts";

/** What one writes who has only Deno and the URL. `MODULE` stands for that. */
const PROGRAM = `
import { RpcError } from "MODULE";

const error: unknown = new RpcError("NOT_FOUND", "Cannot find endpoint: spark://Master@127.0.0.1:7077");
if (!RpcError.is(error)) throw new Error("no RpcError");
const code: "NOT_FOUND" | string = error.code;
console.log(code, error.message);
`;

const OUTPUT = "NOT_FOUND Cannot find endpoint: spark://Master@127.0.0.1:7077\n";

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

test("mod.ts is imported by URL into a Deno program without any configuration, and its types are checked", async (context) => {
  const { url, served } = await serveProject(context);
  const folder = mkdtempSync(join(tmpdir(), "sparkwire-remote-"));
  context.defer(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "main.ts"), PROGRAM.replace("MODULE", url));
  const program = startProcess(context, deno!, ["run", "-A", "--check", "main.ts"], {
    cwd: folder,
    env: { DENO_DIR: join(folder, "cache"), NO_COLOR: "1" },
  });
  const code = await within(program.exited, "the end of the program", 60_000);
  assertEquals(code, 0, program.stderr);
  assertEquals(program.stdout, OUTPUT);
  assertStringIncludes([...served].join(), "/src/base/errors.ts");
}, { skip: deno === undefined ? "only the task test knows where Deno is" : undefined });
