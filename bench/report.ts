/**
 * The comparison as a table, and as JSON.
 *
 * @module
 */

import type { Placement, Run } from "./measure.ts";
import type { Runtime, Target, Workload } from "./workloads.ts";

/** All slices of one workload on one runtime. */
export interface Comparison {
  readonly runtime: Runtime;
  readonly workload: Workload;
  readonly placement: Placement;
  readonly raw: readonly Run[];
  /** As many as of raw, each right before or after the one of the same index. */
  readonly ours: readonly Run[];
}

/** The best and the worst of some slices. */
export interface Spread {
  readonly best: number;
  readonly worst: number;
}

/** What a comparison comes to. */
export interface Verdict {
  readonly raw: Spread;
  readonly ours: Spread;
  /** Best of ours ÷ best of raw. */
  readonly ratio: number;
  /** The median of ours ÷ raw, slice by slice. */
  readonly medianRatio: number;
  /** Least CPU time of raw ÷ least of ours, so that more is better, as with rates. */
  readonly cpuRatio: number;
  readonly target?: Target;
  /** Whether the floor holds, and the goal. */
  readonly mark: "goal" | "floor" | "BELOW" | "-";
}

/** Judges a comparison. */
export function judge({ runtime, workload, raw, ours }: Comparison): Verdict {
  const lowerIsBetter = workload.kind === "roundtrip";
  const figure = (run: Run): number => lowerIsBetter ? run.p50Micros! : run.perSecond;
  const spread = (runs: readonly Run[]): Spread => {
    const sorted = runs.map(figure).sort((a, b) => lowerIsBetter ? a - b : b - a);
    return { best: sorted[0]!, worst: sorted.at(-1)! };
  };
  const cpu = (runs: readonly Run[]): number => Math.min(...runs.map((run) => run.cpuMicrosPerRequest));
  const rawSpread = spread(raw);
  const ourSpread = spread(ours);
  const ratios = ours.map((run, i) => figure(run) / figure(raw[i]!)).sort((a, b) => a - b);
  const ratio = ourSpread.best / rawSpread.best;
  const target = workload.targets?.[runtime];
  const holds = (limit: number): boolean => lowerIsBetter ? ratio <= limit : ratio >= limit;
  let mark: Verdict["mark"] = "-";
  if (target !== undefined) {
    if (!holds(target.floor)) mark = "BELOW";
    else mark = target.goal !== undefined && holds(target.goal) ? "goal" : "floor";
  }
  const medianRatio = ratios[ratios.length >>> 1]!;
  const verdict = { raw: rawSpread, ours: ourSpread, ratio, medianRatio, cpuRatio: cpu(raw) / cpu(ours), mark };
  return target === undefined ? verdict : { ...verdict, target };
}

const COLUMNS = [
  "runtime",
  "workload",
  "placed",
  "raw best",
  "(worst)",
  "ours best",
  "(worst)",
  "ours ÷ raw",
  "median",
  "floor",
  "goal",
  "",
  "by CPU",
];

/** The table that is printed at the end, in Markdown. */
export function table(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map((comparison) => {
    const { raw, ours, ratio, medianRatio, cpuRatio, target, mark } = judge(comparison);
    const unit = comparison.workload.kind === "roundtrip" ? micros : thousands;
    return [
      comparison.runtime,
      comparison.workload.title,
      comparison.placement,
      unit(raw.best),
      `(${unit(raw.worst)})`,
      unit(ours.best),
      `(${unit(ours.worst)})`,
      ratio.toFixed(2),
      medianRatio.toFixed(2),
      target?.floor.toFixed(2) ?? "-",
      target?.goal?.toFixed(2) ?? "-",
      mark,
      cpuRatio.toFixed(2),
    ];
  });
  const widths = COLUMNS.map((column, i) => Math.max(column.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => i < 3 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)).join(" | ")} |`;
  return [line(COLUMNS), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rows.map(line)].join("\n");
}

/** The same for a program: all slices, and what they come to. */
export function json(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map((comparison) => ({
    runtime: comparison.runtime,
    workload: comparison.workload.name,
    placement: comparison.placement,
    ...judge(comparison),
    slices: { raw: comparison.raw, ours: comparison.ours },
  }));
  return `${JSON.stringify(rows, undefined, 2)}\n`;
}

function micros(value: number): string {
  return value.toFixed(1);
}

function thousands(perSecond: number): string {
  const value = perSecond / 1000;
  return `${value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString("en")} k/s`;
}
