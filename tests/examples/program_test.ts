import { assertEquals, assertMatch } from "@std/assert";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { reasonOf } from "../../examples/_program.ts";
import { RpcError } from "../../mod.ts";
import { commandFor } from "../_entry_points.ts";
import { makeFolder } from "../_folder.ts";
import { runtimeName, test, type TestContext, within } from "../_harness.ts";
import { startProcess } from "../_process.ts";
import type { ExampleResult } from "./_example.ts";
import { DRIVER, skip as skipJob } from "./_word_count.ts";

/** Writing there fails as on a disk that is full. */
const FULL = "/dev/full";
const skip = skipJob ?? (existsSync(FULL) ? undefined : `there is no ${FULL}`);

/** Runs an example with its output redirected as a shell does it. */
async function runRedirected(
  context: TestContext,
  redirection: string,
  entry: string,
  args: readonly string[] = [],
): Promise<ExampleResult> {
  const { command, args: first } = commandFor(entry, runtimeName)!;
  const shellArgs = ["-c", `exec "$@" ${redirection}`, "sh", command, ...first, ...args];
  const program = startProcess(context, "sh", shellArgs, { env: { NO_COLOR: "1" } });
  const code = await within(program.exited, `the end of ${entry}`, 200_000);
  return { code, stdout: program.stdout, stderr: program.stderr };
}

test("reasonOf() says once why a connection was lost", () => {
  const lost = (message: string, cause?: Error) => new RpcError("DISCONNECTED", message, { cause });
  const closed = "Connection from h:1 closed";
  for (
    const [error, expected] of [
      [lost(closed), closed],
      [lost(closed, new Error(closed)), closed],
      [lost(`Failed to send RPC to h:1: ${closed}`, new Error(closed)), `Failed to send RPC to h:1: ${closed}`],
      [lost(closed, new Error("Too large frame: 9")), `${closed}: Too large frame: 9`],
      [new RpcError("TIMEOUT", "Late", { cause: new Error("why") }), "Late"],
    ] as const
  ) assertEquals(reasonOf(error), expected);
});

test("outliveOutput() has a program go on that cannot print, tell of it in one line, and fail at its end", async (context) => {
  for (const entry of ["examples/ask.ts", "examples/blocks.ts", "examples/fetch.ts", "examples/spark_master.ts"]) {
    const { code, stderr } = await runRedirected(context, `> ${FULL}`, entry, ["--help"]);
    assertEquals(code, 1, entry);
    assertMatch(stderr, /^Cannot write to standard output: [^\n]+\n$/);
  }
  // It prints several lines.
  const { code, stderr } = await runRedirected(context, `> ${FULL}`, "examples/custom_serializer.ts");
  assertEquals(code, 1);
  assertMatch(stderr, /^Cannot write to standard output: [^\n]+\n$/);

  const folder = await makeFolder(context);
  const [input, json] = [join(folder, "input.txt"), join(folder, "result.json")];
  await writeFile(input, "a b a");
  const job = await runRedirected(context, `> ${FULL}`, DRIVER, ["--input", input, "--json", json]);
  assertEquals(job.code, 1);
  assertMatch(job.stderr, /\nCannot write to standard output: [^\n]+\n$/);
  assertEquals(JSON.parse(await readFile(json, "utf8")).words, 3);
}, { skip });

test("outliveOutput() has a program go on that cannot tell what goes wrong", async (context) => {
  const folder = await makeFolder(context);
  const input = join(folder, "input.txt");
  await writeFile(input, "a b a");
  const { code, stdout } = await runRedirected(context, `2> ${FULL}`, DRIVER, ["--input", input]);
  assertEquals(code, 0);
  assertMatch(stdout, /^3 words, 2 of them different$/m);
}, { skip });
