import { assert, assertEquals } from "@std/assert";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../_folder.ts";
import { test, type TestContext } from "../_harness.ts";
import { projectRoot } from "./_project_path.ts";

const CLEAN = `/**
 * Adds.
 *
 * @module
 */

/** Adds one. */
export function next(value: number): number {
  return value + 1;
}
`;

/** Each line breaks one rule that deno.json asks for, by a tag, by name or by the plugin. */
const OFFENCES: readonly (readonly [rule: string, line: string])[] = [
  ["ban-untagged-todo", "// TODO something"],
  ["no-explicit-any", "export const loose: any = 1;"],
  ["prefer-const", "let once = 1; export function get(): number { return once; }"],
  ["verbatim-module-syntax", 'import { Shape } from "./shape.ts"; export type Form = Shape;'],
  ["no-sync-fn-in-async-fn", 'export async function read(): Promise<string> { await 1; return Deno.readTextFileSync("x"); }'],
  ["default-param-last", "export function late(a = 1, b: number): number { return a + b; }"],
  ["eqeqeq", "export function same(a: unknown): boolean { return a == 1; }"],
  ["no-console", "console.log(1);"],
  ["sparkwire/layers", 'import type { Inbox } from "../rpc/inbox.ts"; export type Box = Inbox;'],
  ["sparkwire/imports", 'import type { Stats } from "node:fs"; export type Stat = Stats;'],
  ["sparkwire/forbidden-globals", "export const at = Date.now();"],
  ["sparkwire/promises", "export class Later extends Promise<void> {}"],
  ["sparkwire/no-default-export", "export default 1;"],
  ["sparkwire/size", "f();\n".repeat(401)],
];

/** What `deno lint` says of a file of src/base in a project with our deno.json. */
async function lint(context: TestContext, source: string): Promise<string[]> {
  const root = await makeFolder(context);
  for (const path of ["deno.json", "tests/lint", "tests/_std"]) {
    cpSync(join(projectRoot, path), join(root, path), { recursive: true });
  }
  mkdirSync(join(root, "src/base"), { recursive: true });
  writeFileSync(join(root, "src/base/offence.ts"), source);
  const command = new Deno.Command(Deno.execPath(), {
    args: ["lint", "--json", "src/base/offence.ts"],
    cwd: root,
    stdout: "piped",
    stderr: "piped",
  });
  const { stdout, stderr } = await command.output();
  const text = new TextDecoder().decode(stdout);
  assert(text !== "", new TextDecoder().decode(stderr));
  const { diagnostics, errors } = JSON.parse(text) as { diagnostics: { code: string }[]; errors: unknown[] };
  assertEquals(errors, []);
  return diagnostics.map((diagnostic) => diagnostic.code);
}

test("deno.json makes deno lint report each rule of ours, by tag, by name and by plugin", async (context) => {
  const found = await lint(context, OFFENCES.map(([, line]) => line).join("\n"));
  for (const [rule] of OFFENCES) assert(found.includes(rule), `${rule} is missing in ${found}`);
});

test("deno.json makes deno lint report nothing in a clean file", async (context) => {
  assertEquals(await lint(context, CLEAN), []);
});
