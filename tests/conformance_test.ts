import { assertEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "./_harness.ts";
import { projectRoot } from "./_project.ts";

interface Case {
  readonly suite: string;
  readonly name: string;
  readonly where: string;
}

function readCases(): Case[] {
  const cases: Case[] = [];
  let suite = "";
  for (const line of readFileSync(join(projectRoot, "tests", "CONFORMANCE.md"), "utf8").split("\n")) {
    const heading = /^## (\w+Suite) \(/.exec(line);
    if (heading !== null) suite = heading[1]!;
    else if (line.startsWith("## ")) suite = "";
    const row = /^\| (.+?) +\| ([\w/]+\.ts|later: [a-z ]+?) +\|$/.exec(line);
    if (suite !== "" && row !== null) cases.push({ suite, name: row[1]!, where: row[2]! });
  }
  return cases;
}

test("CONFORMANCE.md names a test for each case, and the test says which case it is", () => {
  const cases = readCases();
  assertEquals(cases.length > 80, true);
  const missing = cases.filter(({ suite, name, where }) => {
    if (where.startsWith("later: ")) return !/^later: (security|main job|transport)$/.test(where);
    const comments = readFileSync(join(projectRoot, "tests", where), "utf8").split("\n").filter((line) =>
      line.includes("// Spark: ")
    );
    return !comments.some((line) =>
      line.includes(suite) && (line.includes(`"${name}"`) || line.split(/[ .;,]/).includes(name))
    );
  });
  assertEquals(missing, []);
});
