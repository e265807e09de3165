/**
 * Prints what a standalone Master tells as tables: columns as wide as what is in them, on a terminal and elsewhere.
 *
 * @module
 */
import {
  type ApplicationSummary,
  type DriverStatus,
  type DriverSummary,
  type MasterProbe,
  type MasterStatus,
  RpcRemoteError,
  type WorkerSummary,
} from "../mod.ts";
import { printable, reasonOf } from "./_program.ts";

const GAP = "  ";

/** Lines of columns, the head's first. What has no value is a dash. */
export function formatTable(head: readonly string[], rows: readonly (readonly (string | number | undefined)[])[]): string {
  const cells = [head, ...rows].map((row) =>
    row.map((cell) => cell === undefined || cell === "" ? "-" : printable(String(cell)))
  );
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const lines = cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join(GAP).trimEnd());
  return lines.join("\n");
}

/** All that `status` prints; a table is left out where it would be empty. */
export function formatStatus(probes: readonly MasterProbe[], status: MasterStatus): string {
  const parts = [
    formatMasters(probes, status),
    section("Workers", status.workers, formatWorkers),
    section("Applications", status.activeApplications, formatApplications),
    section("Completed applications", status.completedApplications, formatApplications),
    section("Drivers", status.activeDrivers, formatDrivers),
    section("Completed drivers", status.completedDrivers, formatDrivers),
  ];
  return parts.join("\n\n");
}

/** What is at each address; the ports are those of the one that is alive. */
export function formatMasters(probes: readonly MasterProbe[], status?: MasterStatus): string {
  return formatTable(
    ["MASTER", "STATE", "WEB UI", "REST"],
    probes.map(({ address, state, error }) => {
      const ports = state === "ALIVE" ? [status?.webUiPort, status?.restPort] : [];
      return [address.toSparkURL(), state ?? (error && reasonOf(error)), ports[0], ports[1]];
    }),
  );
}

/** How a driver is. */
export function formatDriverStatus({ driverId, state, workerId, workerHostPort, error }: DriverStatus): string {
  const reason = error === undefined ? undefined : describeError(error);
  // Which one, the Master does not say.
  const note = state === "RELAUNCHING"
    ? "its worker was lost; it is started again as a driver of another id, see status"
    : undefined;
  const worker = [["worker", workerId], ["at", workerHostPort]];
  const lines = [["driver", driverId], ["state", state], ...worker, ["error", reason], ["note", note]];
  return lines.flatMap(([name, value]) => value === undefined ? [] : `${name!.padEnd(6)}  ${printable(value)}`).join("\n");
}

function section<T>(title: string, items: readonly T[], format: (items: readonly T[]) => string): string {
  return items.length === 0 ? `${title}: none` : `${title}: ${items.length}\n${format(items)}`;
}

function formatWorkers(workers: readonly WorkerSummary[]): string {
  return formatTable(
    ["ID", "HOST", "PORT", "CORES", "MEMORY", "WEB UI", "RESOURCES"],
    workers.map(({ id, host, port, cores, memoryMiB, webUiUrl, resources }) => [
      id,
      host,
      port,
      cores,
      formatMemory(memoryMiB),
      webUiUrl,
      Object.entries(resources).map(([name, addresses]) => `${name}: ${addresses.join(" ")}`).join(", "),
    ]),
  );
}

function formatApplications(applications: readonly ApplicationSummary[]): string {
  return formatTable(
    ["ID", "NAME", "USER", "STARTED", "MAX CORES", "MEMORY PER EXECUTOR", "UI"],
    applications.map(({ id, name, user, startedAt, maxCores, memoryPerExecutorMiB, uiUrl }) => [
      id,
      name,
      user,
      formatTime(startedAt),
      maxCores ?? "any",
      memoryPerExecutorMiB === undefined ? undefined : formatMemory(memoryPerExecutorMiB),
      uiUrl,
    ]),
  );
}

function formatDrivers(drivers: readonly DriverSummary[]): string {
  return formatTable(
    ["ID", "SUBMITTED", "CORES", "MEMORY", "SUPERVISED", "CLASS", "JAR"],
    drivers.map(({ id, submittedAt, cores, memoryMiB, supervise, mainClass, jarUrl }) => [
      id,
      formatTime(submittedAt),
      cores,
      formatMemory(memoryMiB),
      supervise ? "yes" : "no",
      mainClass,
      jarUrl,
    ]),
  );
}

function formatMemory(mebibytes: number): string {
  return mebibytes > 0 && mebibytes % 1024 === 0 ? `${mebibytes / 1024} GiB` : `${mebibytes} MiB`;
}

/** To the second, in UTC. */
function formatTime(time: Date): string | undefined {
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString().replace(/\.\d+Z$/, "Z");
}

/** An exception of a Spark: some say by their class alone what is wrong, some in their fields. */
export function describeError(error: Error): string {
  if (!(error instanceof RpcRemoteError)) return firstLine(error) ?? "";
  const { remoteClass = "", data = {} } = error;
  const fields = Object.entries(data).map(([name, value]) => `${name}: ${String(value)}`);
  const text = firstLine(error) ?? "";
  return (text.startsWith(remoteClass) ? text : `${remoteClass}: ${text}`) +
    (fields.length === 0 ? "" : ` (${fields.join(", ")})`);
}

function firstLine(error: Error | undefined): string | undefined {
  return error?.message.split("\n", 1)[0];
}
