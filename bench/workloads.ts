/**
 * What is compared, and how much of the raw echo must be left: the floors that a change may not break, and the goals.
 *
 * @module
 */

import type { LoadKind } from "./load.ts";

/** The runtimes, in the order of the tables. */
export const RUNTIMES = ["node", "deno", "bun"] as const;
/** A runtime that is measured. */
export type Runtime = (typeof RUNTIMES)[number];

/** The endpoints that the small object goes to in turn; the client counts on four. */
export const SMALL_OBJECT_ENDPOINTS: readonly string[] = ["Echo0", "Echo1", "Echo2", "Echo3"];

/** What a ratio must and should reach: at least, or for a round trip at most. */
export interface Target {
  readonly floor: number;
  readonly goal?: number;
}

/** One row of the comparison. */
export interface Workload {
  /** How the command line names it. */
  readonly name: string;
  /** How the table names it. */
  readonly title: string;
  readonly kind: LoadKind;
  readonly outstanding: number;
  readonly bodyBytes: number;
  /** Our side sends the small object; the raw side the body alone. */
  readonly smallObject: boolean;
  /** Ours ÷ raw; a workload without is reported only. */
  readonly targets?: Readonly<Record<Runtime, Target>>;
}

/** All rows. */
export const WORKLOADS: readonly Workload[] = [
  {
    ...bytes("roundtrip", "round trip, 64 B, p50 µs", "roundtrip", 1, 64),
    targets: targets([1.15, 1.05], [1.15, 1.05], [1.20, 1.08]),
  },
  { ...pipelined("64x64", "64 B × 64", 64, 64), targets: targets([0.50, 0.75], [0.48, 0.70], [0.45, 0.65]) },
  { ...pipelined("64x1024", "64 B × 1024", 1024, 64), targets: targets([0.55, 0.85], [0.55, 0.78], [0.45, 0.65]) },
  { ...pipelined("1kx64", "1 KiB × 64", 64, 1024), targets: targets([0.50, 0.75], [0.55, 0.75], [0.48, 0.65]) },
  pipelined("1kx1024", "1 KiB × 1024", 1024, 1024),
  pipelined("64kx64", "64 KiB × 64", 64, 64 * 1024),
  {
    ...bytes("oneway", "one-way, 64 B", "oneway", 1, 64),
    targets: targets([0.13, 0.23], [0.14, 0.31], [0.18, 0.32]),
  },
  { ...smallObject("objectx64", "small object × 64", 64), targets: targets([0.28], [0.26], [0.24]) },
  { ...smallObject("objectx1024", "small object × 1024", 1024), targets: targets([0.29], [0.26], [0.21]) },
];

function bytes(name: string, title: string, kind: LoadKind, outstanding: number, bodyBytes: number): Workload {
  return { name, title, kind, outstanding, bodyBytes, smallObject: false };
}

function pipelined(name: string, title: string, outstanding: number, bodyBytes: number): Workload {
  return bytes(name, title, "pipelined", outstanding, bodyBytes);
}

function smallObject(name: string, title: string, outstanding: number): Workload {
  return { ...pipelined(name, title, outstanding, 64), smallObject: true };
}

type Pair = readonly [floor: number, goal?: number];

function targets(node: Pair, deno: Pair, bun: Pair): Readonly<Record<Runtime, Target>> {
  return { node: target(node), deno: target(deno), bun: target(bun) };
}

function target([floor, goal]: Pair): Target {
  return goal === undefined ? { floor } : { floor, goal };
}
