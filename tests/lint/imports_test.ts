import { assertEquals } from "@std/assert";
import { test } from "../_harness.ts";
import { diagnose } from "./_diagnostics.ts";

/** Importer, specifier, and the message or undefined where it is allowed. */
type Case = readonly [importer: string, specifier: string, message?: string];

const ORDER = "base → platform | socket | protocol | serializer → transport → rpc → typed | block → spark";

const layerCases: readonly Case[] = [
  ["src/rpc/inbox.ts", "../transport/rpc_handler.ts"],
  ["src/rpc/inbox.ts", "../base/assert.ts"],
  ["src/rpc/inbox.ts", "./dispatcher.ts"],
  ["src/serializer/java/reader.ts", "../serializer.ts"],
  ["src/serializer/java/reader.ts", "../../base/bytes.ts"],
  ["src/spark/spark_env.ts", "../block/disk_block_manager.ts"],
  ["mod.ts", "./src/spark/spark_env.ts"],
  ["tests/base/bytes_test.ts", "../../src/rpc/inbox.ts"],
  ["src/socket/deno.ts", "node:net"],
  ["src/base/bytes.ts", "../protocol/message.ts", `base imports protocol, which is not to its left: ${ORDER}`],
  ["src/protocol/message.ts", "../serializer/cbor.ts", `protocol imports serializer, which is not to its left: ${ORDER}`],
  ["src/typed/endpoint.ts", "../block/x.ts", `typed imports block, which is not to its left: ${ORDER}`],
  ["src/transport/x.ts", "../rpc/inbox.ts", `transport imports rpc, which is not to its left: ${ORDER}`],
  ["src/serializer/java/reader.ts", "../../rpc/inbox.ts", `serializer imports rpc, which is not to its left: ${ORDER}`],
  ["src/rpc/inbox.ts", "../../mod.ts", "src/rpc/inbox.ts imports mod.ts, which is not in src/"],
  ["src/rpc/inbox.ts", "../../tests/_harness.ts", "src/rpc/inbox.ts imports tests/_harness.ts, which is not in src/"],
  ["mod.ts", "./tests/_harness.ts", "mod.ts imports tests/_harness.ts, which is not in src/"],
  ["src/extra/x.ts", "../base/bytes.ts", "src/extra is in no layer; tests/lint/layers.ts lists them"],
  ["src/rpc/inbox.ts", "../extra/x.ts", "src/extra is in no layer; tests/lint/layers.ts lists them"],
  ["src/x.ts", "./base/bytes.ts", "src/x.ts is in no layer; tests/lint/layers.ts lists them"],
  ["src/socket/deno.ts", "./_runtime_types.ts"],
  ["src/socket/tls/node.ts", "../_runtime_types.ts"],
  ["tests/socket/deno_test.ts", "../../src/socket/_runtime_types.ts"],
  ["tests/base/bytes_test.ts", "../_harness.ts"],
  ["src/rpc/inbox.ts", "../socket/_runtime_types.ts", "src/socket/_runtime_types.ts is private to src/socket"],
  ["src/serializer/cbor.ts", "./java/_x.ts", "src/serializer/java/_x.ts is private to src/serializer/java"],
  ["mod.ts", "./src/socket/_runtime_types.ts", "src/socket/_runtime_types.ts is private to src/socket"],
  ["tests/rpc/inbox_test.ts", "../../src/socket/_x.ts", "src/socket/_x.ts is private to src/socket"],
  ["examples/echo.ts", "../src/socket/_x.ts", "src/socket/_x.ts is private to src/socket"],
];

for (const [importer, specifier, message] of layerCases) {
  test(`layers ${message === undefined ? "allows" : "refuses"} ${specifier} in ${importer}`, () => {
    assertEquals(diagnose("layers", importer, `import { a } from "${specifier}";`), message === undefined ? [] : [message]);
  });
}

const importCases: readonly Case[] = [
  ["mod.ts", "./src/rpc/inbox.ts"],
  ["src/rpc/inbox.ts", "../base/assert.ts"],
  ["src/platform/files.ts", "node:fs"],
  ["src/socket/node.ts", "node:tls"],
  ["tests/rpc/inbox_test.ts", "@std/assert"],
  ["examples/echo.ts", "@sparkwire/sparkwire"],
  ["src/rpc/inbox.ts", "node:fs", '"node:fs" belongs in src/platform/ or src/socket/'],
  ["mod.ts", "node:fs", '"node:fs" belongs in src/platform/ or src/socket/'],
  ["src/socket/node.ts", "net", '"net" is not a relative path; src/ has no dependencies'],
  ["src/socket/bun.ts", "bun", '"bun" is not a relative path; src/ has no dependencies'],
  ["src/rpc/inbox.ts", "@std/assert", '"@std/assert" is not a relative path; src/ has no dependencies'],
  ["src/rpc/inbox.ts", "npm:cbor-x@1", '"npm:cbor-x@1" is not a relative path; src/ has no dependencies'],
  ["src/rpc/inbox.ts", "https://a.example/b.ts", '"https://a.example/b.ts" is not a relative path; src/ has no dependencies'],
  ["mod.ts", "/src/rpc/inbox.ts", '"/src/rpc/inbox.ts" is not a relative path; src/ has no dependencies'],
];

for (const [importer, specifier, message] of importCases) {
  test(`imports ${message === undefined ? "allows" : "refuses"} ${specifier} in ${importer}`, () => {
    assertEquals(diagnose("imports", importer, `import { a } from "${specifier}";`), message === undefined ? [] : [message]);
  });
}

const forms: readonly string[] = [
  'import { a } from "SPECIFIER";',
  'import "SPECIFIER";',
  'import * as a from "SPECIFIER";',
  'import type { A } from "SPECIFIER";',
  'export { a } from "SPECIFIER";',
  'export * from "SPECIFIER";',
  'export type { A } from "SPECIFIER";',
  'const a = await import("SPECIFIER");',
  'type A = import("SPECIFIER").A;',
];

for (const form of forms) {
  test(`imports and layers see ${form}`, () => {
    assertEquals(diagnose("imports", "src/base/x.ts", form.replace("SPECIFIER", "node:fs")).length, 1);
    assertEquals(diagnose("layers", "src/base/x.ts", form.replace("SPECIFIER", "../rpc/inbox.ts")).length, 1);
  });
}

test("imports refuses a computed import in src/ and allows it elsewhere", () => {
  const message = "A computed import is invisible to bundlers and to an import by URL";
  assertEquals(diagnose("imports", "src/socket/default.ts", "await import(name);"), [message]);
  assertEquals(diagnose("imports", "tests/_harness.ts", "await import(name);"), []);
});
