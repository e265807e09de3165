import { assertEquals } from "@std/assert";
import { formatStatus, formatTable } from "../../examples/_master_tables.ts";
import type { ApplicationSummary, MasterStatus, WorkerSummary } from "../../mod.ts";
import { test } from "../_harness.ts";

const application: ApplicationSummary = {
  id: "app-1",
  name: "count",
  user: "ada",
  startedAt: new Date(Date.UTC(2026, 0, 31, 12)),
  maxCores: 4,
  coresPerExecutor: 1,
  memoryPerExecutorMiB: 2048,
  uiUrl: "http://127.0.0.1:4040",
};
const worker: WorkerSummary = {
  id: "worker-1",
  host: "127.0.0.1",
  port: 7078,
  cores: 4,
  memoryMiB: 1500,
  webUiUrl: "http://127.0.0.1:8081",
  resources: { fpga: ["f1"], gpu: ["0", "1"] },
};
const status: MasterStatus = {
  rpcPort: 7077,
  webUiPort: 8080,
  restPort: undefined,
  host: "127.0.0.1",
  state: "ALIVE",
  workers: [worker],
  activeApplications: [application],
  completedApplications: [{ ...application, id: "app-0", maxCores: undefined, memoryPerExecutorMiB: undefined }],
  activeDrivers: [],
  completedDrivers: [],
};

test("formatStatus() prints applications, and the resources of Workers", () => {
  const [, ...parts] = formatStatus([], status).split("\n\n");
  assertEquals(parts, [
    "Workers: 1\n" +
    "ID        HOST       PORT  CORES  MEMORY    WEB UI                 RESOURCES\n" +
    "worker-1  127.0.0.1  7078  4      1500 MiB  http://127.0.0.1:8081  fpga: f1, gpu: 0 1",
    "Applications: 1\n" +
    "ID     NAME   USER  STARTED               MAX CORES  MEMORY PER EXECUTOR  UI\n" +
    "app-1  count  ada   2026-01-31T12:00:00Z  4          2 GiB                http://127.0.0.1:4040",
    "Completed applications: 1\n" +
    "ID     NAME   USER  STARTED               MAX CORES  MEMORY PER EXECUTOR  UI\n" +
    "app-0  count  ada   2026-01-31T12:00:00Z  any        -                    http://127.0.0.1:4040",
    "Drivers: none",
    "Completed drivers: none",
  ]);
});

test("formatTable() has no control character of a peer's in a cell, and a dash where there is nothing", () => {
  assertEquals(formatTable(["A", "B"], [["\x1b[31mred", undefined], ["", 0]]), "A         B\n [31mred  -\n-         0");
});
