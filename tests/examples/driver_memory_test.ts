import { assertEquals } from "@std/assert";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { deferred, test, type TestContext, until } from "../_harness.ts";
import { makeFolder, makeText, skip, startJob } from "./_word_count.ts";

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

/** Runs a job, and gives by how much each of its processes has grown since the executors registered. */
async function growth(context: TestContext, folder: string, input: string, count: number): Promise<{ words: number; grown: number[] }> {
  // The executors register by themselves, and are measured before they have much to do and until they end.
  const job = startJob(context, folder, ["--input", input, "--executors", String(count)]);
  const pids = [job.driver.pid];
  for (let id = 0; id < count; id++) pids.push(await job.registered(id));
  const begun = await Promise.all(pids.map((pid) => memoryOf(pid, "VmRSS")));
  const most = [...begun];
  const ended = deferred();
  job.ended().then(() => ended.resolve(), ended.reject);
  let over = false;
  ended.promise.then(() => over = true, () => over = true);
  while (!over) {
    for (const [index, pid] of pids.entries()) {
      // One that has ended has no memory, and says so in its own way.
      const peak = await memoryOf(pid, "VmHWM").catch(() => 0);
      if (peak > most[index]!) most[index] = peak;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const { words } = await job.result();
  return { words, grown: most.map((peak, index) => peak - begun[index]!) };
}

test("driver.ts and executor.ts hold no file whole in memory", async (context) => {
  const folder = await makeFolder(context);
  const input = join(folder, "input.txt");
  const line = `${makeText(MIB, 7, { lines: false })} `;
  await writeMany(input, line, 160);
  const { words, grown } = await growth(context, folder, input, 1);
  assertEquals(words % 160, 0);
  assertEquals(grown.filter((bytes) => bytes > MAX_GROWTH_BYTES), [], `${grown.map((bytes) => Math.round(bytes / MIB))}`);
}, { skip: skip ?? noProc });

test("driver.ts and executor.ts hold no file whole in memory that has one split only", async (context) => {
  const folder = await makeFolder(context);
  const input = join(folder, "input.txt");
  // No ASCII byte that is no letter: words between signs of three bytes, and one word of 160 MiB.
  const words = makeText(MIB, 8).replace(/[\x00-\x40\x5b-\x60\x7b-\x7f]+/g, "。");
  for (const [text, times] of [[words, 100], ["aB".repeat(MIB / 2), 160]] as const) {
    await writeMany(input, text, times);
    const { grown } = await growth(context, folder, input, 1);
    assertEquals(grown.filter((bytes) => bytes > MAX_GROWTH_BYTES), [], `${grown.map((bytes) => Math.round(bytes / MIB))}`);
  }
}, { skip: skip ?? noProc });
