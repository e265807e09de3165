import { assertEquals, assertThrows } from "@std/assert";
import { test } from "../_harness.ts";
import { noArguments, taskArguments } from "./arguments.ts";
import { examplesIn } from "./doc_examples.ts";
import { isProgram } from "./entry_points.ts";
import {
  addTotals,
  countJunit,
  failuresInJunit,
  formatTable,
  formatTotals,
  NO_TOTALS,
  runTotals,
  type Totals,
} from "./totals.ts";

test("taskArguments() drops the -- that deno task passes through, and only that one", () => {
  assertEquals(taskArguments([]), []);
  assertEquals(taskArguments(["inbox", "--runtime", "bun"]), ["inbox", "--runtime", "bun"]);
  assertEquals(taskArguments(["--", "5", "--seeds", "3"]), ["5", "--seeds", "3"]);
  assertEquals(taskArguments(["--runtime", "deno", "--", "inbox", "--"]), ["--runtime", "deno", "inbox", "--"]);
});

test("noArguments() refuses any", () => {
  noArguments([]);
  assertThrows(() => noArguments(["--out", "lib"]), TypeError, "Expected no arguments, not --out lib");
});

/** As each runner writes it: a test that passes, one that fails, one that is skipped. */
const reports: Readonly<Record<string, string>> = {
  deno: `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="3" failures="1" errors="0" time="0.191">
    <testsuite name="./tests/_harness.ts" tests="3" disabled="1" errors="0" failures="1">
        <testcase name="a &gt; &quot;b&quot;" classname="./tests/_harness.ts" time="0.001" line="36" col="3">
        </testcase>
        <testcase name="fails" classname="./tests/_harness.ts" time="0.000" line="36" col="3">
            <failure message="Uncaught Error: boo">Error: boo &lt;testcase name=&quot;x&quot;/&gt;</failure>
        </testcase>
        <testcase name="skipped" classname="./tests/_harness.ts" time="0.000" line="36" col="3">
            <skipped/>
        </testcase>
    </testsuite>
</testsuites>`,
  bun: `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="3" assertions="0" failures="1" skipped="1" time="0.017">
  <testsuite name="a_test.js" file="a_test.js" tests="3" assertions="0" failures="1" skipped="1" time="0.0008" hostname="h">
    <testcase name="a > b" classname="" time="0.000165" file="a_test.js" line="12" assertions="0" />
    <testcase name="fails" classname="" time="0.000099" file="a_test.js" line="12" assertions="0">
      <failure type="Error" message="boo">Error: boo&#10;      at a_test.js:15:13&#10;</failure>
    </testcase>
    <testcase name="skipped" classname="" time="0" file="a_test.js" line="12" assertions="0">
      <skipped />
    </testcase>
  </testsuite>
</testsuites>`,
  node: `<?xml version="1.0" encoding="utf-8"?>
<testsuites>
	<testcase name="a > b" time="0.001458" classname="test"/>
	<testcase name="fails" time="0.000994" classname="test" failure="boo">
		<failure type="testCodeFailure" message="boo">
[Error [ERR_TEST_FAILURE]: boo] { at &lt;anonymous> (tests/a_test.ts:4:29) }
		</failure>
	</testcase>
	<testcase name="skipped" time="0.000135" classname="test">
		<skipped type="skipped" message="true"/>
	</testcase>
	<!-- tests 3 -->
</testsuites>`,
};

for (const [runner, xml] of Object.entries(reports)) {
  test(`countJunit() counts in a report of ${runner}`, () => {
    assertEquals(countJunit(xml), { passed: 1, failed: 1, skipped: 1 });
  });
}

const whyItFailed: Readonly<Record<string, string>> = {
  deno: 'fails\n  Error: boo <testcase name="x"/>',
  bun: "fails\n  Error: boo\n        at a_test.js:15:13",
  node: "fails\n  [Error [ERR_TEST_FAILURE]: boo] { at <anonymous> (tests/a_test.ts:4:29) }",
};

for (const [runner, xml] of Object.entries(reports)) {
  test(`failuresInJunit() finds what failed and why in a report of ${runner}`, () => {
    assertEquals(failuresInJunit(xml), [whyItFailed[runner]!]);
  });
}

test("failuresInJunit() reads names with quotes, failures without a text, and cuts long ones", () => {
  const xml = '<testcase name="a &amp;quot;b&amp;quot; &amp; &lt;c&gt;"><failure/></testcase>' +
    '<testcase name="d"><failure message="1 > 0">1\n2\n3\n</failure></testcase>';
  assertEquals(failuresInJunit(xml, 2), ['a "b" & <c>', "d\n  1\n  2\n  …"]);
  const odd = '<testcase name="e"><failure message="""></failure></testcase>';
  assertEquals([failuresInJunit(odd), countJunit(odd).failed], [["e"], 1]);
});

const runs: readonly (readonly [what: string, xml: string | undefined, code: number, expected: Totals])[] = [
  ["a good run", "<testcase/>", 0, { passed: 1, failed: 0, skipped: 0 }],
  ["a failed test", "<testcase><failure/></testcase><testcase/>", 1, { passed: 1, failed: 1, skipped: 0 }],
  ["a failure that is not in the report", "<testcase/>", 1, { passed: 1, failed: 1, skipped: 0 }],
  ["a run without a report", undefined, 1, { passed: 0, failed: 1, skipped: 0 }],
  ["a good run without a report", undefined, 0, { passed: 0, failed: 1, skipped: 0 }],
  ["a run of no test", "<testsuites/>", 0, { passed: 0, failed: 1, skipped: 0 }],
  ["a run of skipped tests", "<testcase><skipped/></testcase>", 0, { passed: 0, failed: 0, skipped: 1 }],
];

for (const [what, xml, code, expected] of runs) {
  test(`runTotals() of ${what}`, () => assertEquals(runTotals(xml, code, false), expected));
}

test("runTotals() does not count what was left out by its name", () => {
  const leftOut = "<testcase><skipped/></testcase>";
  assertEquals(runTotals(`${leftOut}<testcase/>`, 0, true), { passed: 1, failed: 0, skipped: 0 });
  assertEquals(runTotals(leftOut, 0, true), { passed: 0, failed: 1, skipped: 0 });
});

test("formatTotals() names skipped tests only if there are any", () => {
  assertEquals(formatTotals(NO_TOTALS), "0 passed, 0 failed");
  const sum = addTotals({ passed: 1, failed: 2, skipped: 0 }, { passed: 3, failed: 0, skipped: 1 });
  assertEquals(formatTotals(sum), "4 passed, 2 failed, 1 skipped");
});

test("examplesIn() finds the examples in the comments of a module, and no other text", () => {
  const fence = "```";
  const text = `
/**
 * One.
 *
 * @example
 * ${fence}ts
 * if (1 > 2) {
 *   throw new Error("not so");
 * }
 * ${fence}
 */
const one = "${fence}ts";
class Two {
  /** ${fence}sh */
  /**
   * ${fence}ts
   * two();
   * ${fence}
   */
}`;
  assertEquals(examplesIn(text), ['if (1 > 2) {\n  throw new Error("not so");\n}\n', "two();\n"]);
});

test("isProgram() tells programs from modules by their names", () => {
  for (const path of ["examples/echo.ts", "bench/compare.ts", "tests/sim/main.ts", "src/rpc/endpoint_worker.ts"]) {
    assertEquals([path, isProgram(path)], [path, true]);
  }
  const others = ["examples/_flags.ts", "bench/ask_bench.ts", "examples/README.md", "src/rpc/inbox.ts", "tests/_harness.ts"];
  for (const path of [...others, "tests/sim/main_test.ts", "src/main.ts", "examples/deep/echo.ts", "tests/vectors/a.jsonl"]) {
    assertEquals([path, isProgram(path)], [path, false]);
  }
});

test("formatTable() has a line for each row and a column for each name", () => {
  const passed = (count: number): Totals => ({ ...NO_TOTALS, passed: count });
  const rows = new Map([["4.2.0", new Map([["deno", passed(12)]])], [
    "3.5.8",
    new Map([["deno", passed(9)], ["bun", passed(8)]]),
  ]]);
  assertEquals(formatTable("Spark", rows).split("\n"), [
    "| Spark | deno                | bun                |",
    "| ----- | ------------------- | ------------------ |",
    "| 4.2.0 | 12 passed, 0 failed | 0 passed, 0 failed |",
    "| 3.5.8 | 9 passed, 0 failed  | 8 passed, 0 failed |",
  ]);
});
