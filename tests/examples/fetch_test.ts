import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type ManagedBuffer, RpcEnv, silentLogger } from "../../mod.ts";
import { commandFor } from "../_entry_points.ts";
import { makeFolder } from "../_folder.ts";
import { deferred, test, type TestContext, until, within } from "../_harness.ts";
import { startProcess } from "../_process.ts";
import { runExample, startExample, whyNot } from "./_example.ts";

const FETCH = "examples/fetch.ts";
const skip = whyNot(FETCH);

/** Bytes of which only the first come by themselves. */
class Part implements ManagedBuffer {
  readonly size = 1_000_000;
  readonly #readRest: () => Promise<number>;

  constructor(readRest: () => Promise<number>) {
    this.#readRest = readRest;
  }

  read(position: number, into: Uint8Array): number | Promise<number> {
    if (position > 0) return this.#readRest();
    into.fill(1, 0, 100_000);
    return 100_000;
  }

  retain(): this {
    return this;
  }

  release(): void {}
}

/** An environment of the test's own, and a folder. */
async function setUp(context: TestContext): Promise<{ readonly env: RpcEnv; readonly folder: string }> {
  const env = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0, logger: silentLogger });
  context.defer(() => env.shutdown({ deadlineMs: 0 }));
  return { env, folder: await makeFolder(context) };
}

/** Serves that many bytes, which say where they are; the source is in a folder of its own. */
async function serve(
  env: RpcEnv,
  folder: string,
  length: number,
): Promise<{ readonly uri: string; readonly bytes: Uint8Array }> {
  const bytes = new Uint8Array(length).map((_, i) => (i * 131) ^ (i >> 8));
  await mkdir(join(folder, "source"));
  await writeFile(join(folder, "source", "some file"), bytes);
  return { uri: await env.fileServer.addFile(join(folder, "source", "some file")), bytes };
}

test("fetch.ts fetches a file and replaces what was there", async (context) => {
  const { env, folder } = await setUp(context);
  const { uri, bytes } = await serve(env, folder, 3_000_000);
  const output = join(folder, "out.bin");
  await writeFile(output, "old");
  const { code, stdout, stderr } = await runExample(context, FETCH, [uri, "-o", output]);
  assertEquals([code, stdout, stderr], [0, `${output}: 2.9 MiB\n`, ""]);
  assertEquals(new Uint8Array(await readFile(output)), bytes);
  assertEquals((await readdir(folder)).sort(), ["out.bin", "source"]);
}, { skip });

test("fetch.ts fetches an empty file", async (context) => {
  const { env, folder } = await setUp(context);
  const { uri } = await serve(env, folder, 0);
  const { code, stderr } = await runExample(context, FETCH, [uri, "--output", join(folder, "out")]);
  assertEquals([code, stderr], [0, ""]);
  assertEquals((await readFile(join(folder, "out"))).length, 0);
}, { skip });

test("fetch.ts says in one line why there is no file, and leaves nothing behind", async (context) => {
  const { env, folder } = await setUp(context);
  const { uri } = await serve(env, folder, 10);
  const root = env.address!.toSparkURL();
  await mkdir(join(folder, "folder"));
  await writeFile(join(folder, "kept"), "kept");
  const kept = join(folder, "kept");
  const cases: readonly [args: readonly string[], code: number, line: string][] = [
    [[`${root}/files/none`, "-o", kept], 1, "Stream '/files/none' was not found. (STREAM)"],
    [[`${root}/nothing/here`, "-o", kept], 1, "requirement failed: Invalid stream URI: nothing not found. (STREAM)"],
    [["spark://127.0.0.1:1/files/x", "-o", kept], 1, "connection refused (SOCKET)"],
    [[uri, "-o", join(folder, "no", "such")], 1, "ENOENT"],
    [[uri, "-o", join(folder, "folder")], 2, "-o is a folder: "],
    [["spark://127.0.0.1/files/x", "-o", kept], 2, "requirement failed: Port must be defined."],
    [["http://127.0.0.1:80/x", "-o", kept], 2, "Expected scheme spark but got http"],
    [[uri], 2, "Expected -o FILE"],
    [["-o", kept], 2, "Expected one URI"],
    [[uri, uri, "-o", kept], 2, "Expected one URI"],
    [[uri, "-o", kept, "--fast"], 2, "--fast"],
    [[uri, "-o", "/dev/null"], 2, "-o is no file: /dev/null"],
  ];
  for (const [args, expected, line] of cases) {
    const { code, stdout, stderr } = await runExample(context, FETCH, args);
    assertEquals([code, stdout], [expected, ""], stderr);
    assertMatch(stderr, expected === 1 ? /^fetch: spark:[^\n]+\n$/ : /^fetch: [^\n]+\nUsage: fetch URI -o FILE\n$/);
    assertStringIncludes(stderr, line);
  }
  assertEquals((await readdir(folder)).sort(), ["folder", "kept", "source"]);
  assertEquals(await readFile(kept, "utf8"), "kept");
  const help = await runExample(context, FETCH, ["--help"]);
  assertEquals([help.code, help.stderr], [0, ""]);
}, { skip });

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`fetch.ts that is ended by ${signal} on the way leaves nothing behind`, async (context) => {
    const { env, folder } = await setUp(context);
    let begun = false;
    const rest = deferred<number>();
    // The server waits for what it reads, for a while.
    context.defer(() => rest.reject(new Error("The test is over")));
    env.fileServer.addSource("/slow", () =>
      new Part(() => {
        begun = true;
        return rest.promise;
      }));
    await writeFile(join(folder, "out"), "old");
    const fetching = startExample(context, FETCH, [`${env.address!.toSparkURL()}/slow/x`, "-o", join(folder, "out")]);
    await until(() => begun, "the download to begin");
    await untilPart(folder);
    fetching.kill(signal);
    assertEquals(await within(fetching.exited, "the end"), signal === "SIGINT" ? 130 : 143);
    assertMatch(fetching.stderr, /^fetch: spark:[^\n]+: Interrupted\n$/);
    assertEquals(await readdir(folder), ["out"]);
    assertEquals(await readFile(join(folder, "out"), "utf8"), "old");
  }, { skip });
}

test("fetch.ts whose server goes on the way leaves nothing behind", async (context) => {
  const { env, folder } = await setUp(context);
  env.fileServer.addSource("/short", () => new Part(() => Promise.reject(new Error("Broken"))));
  const { code, stdout, stderr } = await runExample(context, FETCH, [
    `${env.address!.toSparkURL()}/short/x`,
    "-o",
    join(folder, "out"),
  ]);
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^fetch: spark:[^\n]+ \((STREAM|SOCKET)\)\n$/);
  assertEquals(await readdir(folder), []);
}, { skip });

test("fetch.ts that finds no room leaves nothing behind", async (context) => {
  const { env, folder } = await setUp(context);
  const { uri } = await serve(env, folder, 40 * 1024 * 1024);
  const command = commandFor(FETCH)!;
  // No file may have more than 32 MiB: to a program that is much like a disk that is full.
  const limited = 'trap "" XFSZ; ulimit -f 65536; exec "$@"';
  const args = ["-c", limited, "sh", command.command, ...command.args, uri, "-o", join(folder, "out")];
  const fetching = startProcess(context, "sh", args, { env: { NO_COLOR: "1" } });
  assertEquals(await within(fetching.exited, "the end"), 1, fetching.stderr);
  assertMatch(fetching.stderr, /^fetch: spark:[^\n]+\n$/);
  assert(/EFBIG|too large/i.test(fetching.stderr), fetching.stderr);
  assertEquals(await readdir(folder), ["source"]);
}, { skip: skip ?? (process.platform === "win32" ? "Windows has no ulimit" : undefined) });

/** Waits until the unfinished file is there. */
async function untilPart(folder: string): Promise<void> {
  let names: readonly string[] = [];
  let looking = false;
  await until(() => {
    if (!looking) {
      looking = true;
      readdir(folder).then((found) => {
        names = found;
        looking = false;
      });
    }
    return names.some((name) => name.endsWith(".part"));
  }, "the unfinished file");
}
