import { assertEquals } from "@std/assert";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { makeFolder } from "../_folder.ts";
import { test, type TestContext } from "../_harness.ts";
import { makeText, skip, startJob } from "./_word_count.ts";

/** Where the system says how much memory a process has had at most. */
const noProc = await readFile("/proc/self/status", "utf8").then(() => undefined, () => "there is no /proc");

const MIB = 1024 * 1024;
/** Beyond the table of distinct words, which is small here. */
const MAX_GROWTH_BYTES = 128 * MIB;

async function memoryOf(pid: number, key: "VmRSS" | "VmHWM"): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) * 1024;
}

/** Writes `text` again and again: a file larger than the memory that a job may take. */
async function writeMany(path: string, text: string, times: number): Promise<void> {
  const file = await open(path, "w");
  const bytes = new TextEncoder().encode(text);
  for (let i = 0; i < times; i++) await file.write(bytes);
  await file.close();
}

/** Runs a job, and gives by how many bytes each of its processes has grown since the executors registered. */
async function growth(context: TestContext, folder: string, input: string, count: number): Promise<number[]> {
  const job = startJob(context, folder, ["--input", input, "--executors", String(count)]);
  const pids = [job.driver.pid];
  for (let id = 0; id < count; id++) pids.push(await job.registered(id));
  const begun = await Promise.all(pids.map((pid) => memoryOf(pid, "VmRSS")));
  const peaks = [...begun];
  let isOver = false;
  const result = job.result();
  result.then(() => isOver = true, () => isOver = true);
  while (!isOver) {
    for (const [index, pid] of pids.entries()) {
      // One that has ended has no memory, and says so in its own way.
      peaks[index] = Math.max(peaks[index]!, await memoryOf(pid, "VmHWM").catch(() => 0) || 0);
    }
    await setTimeout(5);
  }
  await result;
  return peaks.map((peak, index) => peak - begun[index]!);
}

function assertSmall(grown: readonly number[]): void {
  assertEquals(grown.filter((bytes) => bytes > MAX_GROWTH_BYTES), [], `MiB: ${grown.map((bytes) => Math.round(bytes / MIB))}`);
}

test("driver.ts and executor.ts hold no file whole in memory, be it one line", async (context) => {
  const folder = await makeFolder(context);
  const input = join(folder, "input.txt");
  await writeMany(input, `${makeText(MIB, 7, { lines: false })} `, 160);
  assertSmall(await growth(context, folder, input, 2));
}, { skip: skip ?? noProc });

test("driver.ts and executor.ts hold no file whole in memory that cannot be split", async (context) => {
  const folder = await makeFolder(context);
  const input = join(folder, "input.txt");
  // No ASCII byte that is no letter: words between signs of three bytes, and one word of 160 MiB.
  const words = makeText(MIB, 8).replace(/[^a-zA-Z\u0080-\uffff]+/g, "。");
  for (const [text, times] of [[words, 80], ["aB".repeat(MIB / 2), 160]] as const) {
    await writeMany(input, text, times);
    assertSmall(await growth(context, folder, input, 1));
  }
}, { skip: skip ?? noProc });
