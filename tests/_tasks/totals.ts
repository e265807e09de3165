/**
 * How many tests passed, failed and were skipped, and the reports of test runners from which we know it.
 *
 * @module
 */

/** Counts of tests, or of steps that count as one each. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Nothing has run. */
export const NO_TOTALS: Totals = { passed: 0, failed: 0, skipped: 0 };

/** The sum of both. */
export function addTotals(a: Totals, b: Totals): Totals {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** The closing line of every task: `N passed, N failed`. */
export function formatTotals(totals: Totals): string {
  const line = `${totals.passed} passed, ${totals.failed} failed`;
  return totals.skipped === 0 ? line : `${line}, ${totals.skipped} skipped`;
}

/** A test case of a JUnit report, the one form that Deno, Bun and Node all write. */
interface TestCase {
  readonly name: string;
  readonly state: keyof Totals;
  /** Why it failed. */
  readonly text: string;
}

function testCasesOf(xml: string): TestCase[] {
  const cases = xml.matchAll(/<testcase\b((?:[^>"]|"[^"]*")*?)(?:\/>|>([^]*?)<\/testcase>)/g);
  return Array.from(cases, ([, attributes = "", body = ""]) => {
    const name = plainText(/\bname="([^"]*)"/.exec(attributes)?.[1] ?? "");
    // What cannot be read of a failure leaves it one.
    const state = /<(?:failure|error)\b/.test(body) ? "failed" : /<skipped\b/.test(body) ? "skipped" : "passed";
    const text = /<(?:failure|error)\b(?:[^>"]|"[^"]*")*>([^]*?)<\//.exec(body)?.[1] ?? "";
    return { name, state, text: plainText(text).trim() };
  });
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", "#10": "\n", amp: "&" };

/** What an XML text says. Node 20 writes the `"` of a name as `&amp;quot;`. */
function plainText(xml: string): string {
  return xml.replace(/&(?:amp;(?=quot;))?(lt|gt|quot|apos|#10|amp);/g, (_, name: string) => ENTITIES[name]!);
}

/**
 * Counts the test cases of a JUnit report.
 *
 * A runner that could not load a file may say so in its exit code alone, so the caller looks at that too.
 */
export function countJunit(xml: string): Totals {
  return testCasesOf(xml).reduce((sum, { state }) => addTotals(sum, { ...NO_TOTALS, [state]: 1 }), NO_TOTALS);
}

/** Of each failed test of a JUnit report its name, and below it the first `maxLines` lines of why. */
export function failuresInJunit(xml: string, maxLines = 40): string[] {
  const failed = testCasesOf(xml).filter(({ state }) => state === "failed");
  return failed.map(({ name, text }) => {
    const lines = text === "" ? [] : text.split("\n");
    const cut = lines.length > maxLines ? ["…"] : [];
    return [name, ...[...lines.slice(0, maxLines), ...cut].map((line) => `  ${line}`.trimEnd())].join("\n");
  });
}

/**
 * The totals of a run, of which its report and its exit code must both speak well.
 *
 * @param xml The report, if there is one.
 * @param exitCode The runner's.
 * @param filtered Tests were chosen by name. All runners call the others skipped, but they do not take part.
 */
export function runTotals(xml: string | undefined, exitCode: number, filtered: boolean): Totals {
  const counted = xml === undefined ? NO_TOTALS : countJunit(xml);
  const totals = filtered ? { ...counted, skipped: 0 } : counted;
  const { passed, failed, skipped } = totals;
  const unexplained = failed === 0 && (exitCode !== 0 || passed + skipped === 0);
  return unexplained ? addTotals(totals, { ...NO_TOTALS, failed: 1 }) : totals;
}

/**
 * Totals as a table in Markdown: a line for each of `rows`, a column for each name that occurs.
 *
 * @param corner What the lines are of.
 */
export function formatTable(corner: string, rows: ReadonlyMap<string, ReadonlyMap<string, Totals>>): string {
  const columns = [...new Set([...rows.values()].flatMap((cells) => [...cells.keys()]))];
  const lines = [[corner, ...columns]];
  for (const [name, cells] of rows) {
    lines.push([name, ...columns.map((column) => formatTotals(cells.get(column) ?? NO_TOTALS))]);
  }
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((cells) => cells[column]!.length)));
  const [head, ...body] = lines.map((cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`);
  return [head, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...body].join("\n");
}
