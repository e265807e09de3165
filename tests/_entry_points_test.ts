import { assertEquals, assertThrows } from "@std/assert";
import { commandFor, entryPoint, RUNTIME_NAMES, runtimePath } from "./_entry_points.ts";
import { runtimeName, test, within } from "./_harness.ts";
import { startProcess } from "./_process.ts";

const ENTRY = "tests/_tasks/who_main.ts";

for (const runtime of RUNTIME_NAMES) {
  const command = commandFor(ENTRY, runtime);
  const skip = command === undefined ? `there is no ${runtime}, or it was not started by the task test` : undefined;
  test(`commandFor() starts a program on ${runtime}`, async (context) => {
    const program = startProcess(context, command!.command, [...command!.args, "a", "b c"]);
    const [, name, args] = await program.waitFor(/^(\w+) (.*)\n/);
    assertEquals([name, args], [runtime, "a b c"]);
    assertEquals(await within(program.exited, "the program's end"), 0, program.stderr);
  }, { skip });
}

test("runtimePath() knows the runtime that runs this test", () => {
  assertEquals(typeof runtimePath(runtimeName), "string");
});

test("entryPoint() refuses what is no entry point", () => {
  assertThrows(() => entryPoint("examples/no_such_program.ts", "deno"), Error, "is missing");
});
