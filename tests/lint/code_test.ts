import { assertEquals } from "@std/assert";
import { test } from "../_harness.ts";
import { diagnose } from "./_diagnostics.ts";

const forbidden: readonly (readonly [source: string, name: string])[] = [
  ...[
    "setTimeout",
    "clearTimeout",
    "setInterval",
    "setImmediate",
    "queueMicrotask",
    "performance",
    "crypto",
    "console",
    "process",
    "navigator",
    "Deno",
    "Bun",
    "Buffer",
    "FinalizationRegistry",
    "globalThis",
  ].map((name) => [`f(${name});`, name] as const),
  ["Date.now();", "Date.now"],
  ['Date["now"]();', "Date.now"],
  ["new Date();", "new Date()"],
  ["Date();", "Date()"],
  ["Math.random();", "Math.random"],
  ["const random = Math.random;", "Math.random"],
  ["AbortSignal.timeout(5);", "AbortSignal.timeout"],
  ["const timer: ReturnType<typeof setTimeout> = f();", "setTimeout"],
  ["let conn: Deno.Conn;", "Deno"],
  ["const o = { process };", "process"],
  ["a[process] = 1;", "process"],
  ["function f(performance: number) {}", "performance"],
  ["export { Deno };", "Deno"],
  ["globalThis.setTimeout(f);", "setTimeout"],
  ["globalThis.performance.now();", "performance"],
  ['(globalThis as { Deno?: unknown })["Deno"];', "Deno"],
  ["(globalThis as unknown as { Bun?: unknown }).Bun;", "Bun"],
  ["globalThis[name];", "globalThis"],
  ["const { process: host } = globalThis;", "globalThis"],
  ['"Bun" in globalThis;', "globalThis"],
];

for (const [source, name] of forbidden) {
  test(`forbidden-globals refuses ${source}`, () => {
    const message = `${name} is not used in src/ outside the file named for it`;
    assertEquals(diagnose("forbidden-globals", "src/rpc/inbox.ts", source), [message]);
  });
}

const allowedAnywhere: readonly string[] = [
  "(globalThis as { Float16Array?: unknown }).Float16Array; globalThis.structuredClone(1);",
  "a.process(); this.console; a?.crypto;",
  "const o = { process: 1, console() {}, get performance() { return 1; } };",
  "class A { process() {} performance = 1; }",
  "interface A { process(): void; readonly crypto: number }",
  "type A = { Deno?: number };",
  "let a: N.Deno;",
  "new Date(5); Date.UTC(1970, 1); Math.floor(1); a.now(); clock.now();",
  'import { process } from "./process.ts"; process();',
  'import { performance as now } from "./a.ts";',
  'const text = "setTimeout"; // setTimeout(console)',
  "console: for (;;) break console;",
];

for (const source of allowedAnywhere) {
  test(`forbidden-globals allows ${source}`, () => {
    assertEquals(diagnose("forbidden-globals", "src/rpc/inbox.ts", source), []);
  });
}

const places: readonly (readonly [path: string, source: string, refused: number])[] = [
  ["src/base/clock.ts", "setTimeout; clearTimeout; setImmediate; queueMicrotask; performance;", 0],
  ["src/base/clock.ts", "Date.now(); setInterval; console; Deno;", 4],
  ["src/base/random.ts", "Math.random", 0],
  ["src/base/random.ts", "performance; crypto;", 2],
  ["src/base/logger.ts", "console.error(1);", 0],
  ["src/base/logger.ts", "process.stderr;", 1],
  ["src/socket/deno.ts", "Deno.connect({ port: 1 }); (globalThis as { Bun?: unknown }).Bun;", 0],
  ["src/socket/node.ts", 'import process from "node:process"; process.env;', 0],
  ["src/socket/node.ts", "process.env; setTimeout; Buffer;", 3],
  ["src/platform/host.ts", "Deno.env; Bun.version;", 0],
  ["mod.ts", "Deno.version;", 1],
  ["tests/rpc/inbox_test.ts", "setTimeout; Deno; console; Math.random();", 0],
  ["bench/ask_bench.ts", "Deno.bench; performance.now();", 0],
];

for (const [path, source, refused] of places) {
  test(`forbidden-globals finds ${refused} in ${path}: ${source}`, () => {
    assertEquals(diagnose("forbidden-globals", path, source).length, refused);
  });
}

test("promises refuses .finally() and subclasses of Promise in src/ and tests/sim/", () => {
  const never = ".finally() takes other ticks on each engine; use try … finally";
  const subclass = "A subclass of Promise takes other ticks on each engine";
  for (const path of ["src/rpc/inbox.ts", "mod.ts", "tests/sim/main.ts"]) {
    assertEquals(diagnose("promises", path, "p.finally(() => {});"), [never]);
    assertEquals(diagnose("promises", path, "p?.finally(f);"), [never]);
    assertEquals(diagnose("promises", path, 'p["finally"](f);'), [never]);
    assertEquals(diagnose("promises", path, "class A extends Promise<void> {}"), [subclass]);
    assertEquals(diagnose("promises", path, "const A = class extends Promise {};"), [subclass]);
  }
});

test("promises allows try … finally, other classes, and both outside src/ and tests/sim/", () => {
  assertEquals(diagnose("promises", "src/rpc/inbox.ts", "try { f(); } finally { g(); } class A extends B {}"), []);
  assertEquals(diagnose("promises", "tests/_harness.ts", "p.finally(f); class A extends Promise<void> {}"), []);
});

test("no-default-export refuses both forms everywhere but in the plugin", () => {
  const message = "A default export has another name in every file that imports it";
  for (const path of ["mod.ts", "src/rpc/inbox.ts", "tests/_harness.ts", "examples/echo.ts"]) {
    assertEquals(diagnose("no-default-export", path, "export default 1;"), [message]);
    assertEquals(diagnose("no-default-export", path, "export { a as default };"), [message]);
    assertEquals(diagnose("no-default-export", path, 'export { default } from "./a.ts";'), [message]);
    assertEquals(diagnose("no-default-export", path, 'export { default as a } from "./a.ts"; export const b = 1;'), []);
  }
  assertEquals(diagnose("no-default-export", "tests/lint/plugin.ts", "export default 1;"), []);
});

/** A function of `count` lines, its head and its end included. */
function functionOf(count: number, head: string, end: string): string {
  return `${head}\n${"  f();\n".repeat(count - 2)}${end}\n`;
}

const heads: readonly (readonly [what: string, head: string, end: string])[] = [
  ["function", "function a() {", "}"],
  ["arrow function", "const a = () => {", "};"],
  ["method", "const o = { a() {", "} };"],
  ["constructor", "class A { constructor() {", "} }"],
];

for (const [what, head, end] of heads) {
  test(`size counts the lines of a ${what}`, () => {
    assertEquals(diagnose("size", "src/rpc/inbox.ts", functionOf(70, head, end)), []);
    assertEquals(diagnose("size", "src/rpc/inbox.ts", functionOf(71, head, end)), [
      "This function has 71 lines, more than 70",
    ]);
    assertEquals(diagnose("size", "tests/rpc/inbox_test.ts", functionOf(71, head, end)), []);
  });
}

test("size counts the lines of a file, the newline at its end not being one", () => {
  assertEquals(diagnose("size", "src/rpc/inbox.ts", "f();\n".repeat(400)), []);
  assertEquals(diagnose("size", "src/rpc/inbox.ts", "f();\n".repeat(401)), ["This file has 401 lines, more than 400"]);
  assertEquals(diagnose("size", "src/rpc/inbox.ts", "// why\n".repeat(401)), ["This file has 401 lines, more than 400"]);
  assertEquals(diagnose("size", "tests/rpc/inbox_test.ts", "f();\n".repeat(401)), []);
});
