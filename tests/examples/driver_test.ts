import { assertEquals, assertMatch } from "@std/assert";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { makeFolder } from "../_folder.ts";
import { runtimeName, test, until } from "../_harness.ts";
import { startProcess } from "../_process.ts";
import { runExample } from "./_example.ts";
import { BAD_REQUEST, listenAndSay } from "./_listen_and_say.ts";
import { countWords, DRIVER, isAlive, makeText, mixedRuntimes, skip, startJob } from "./_word_count.ts";

/** A job whose tasks take a while; each writes to a file whose it is. */
const slowJob = (log: string) => `
const { appendFileSync } = await import("node:fs");
const { pid } = await import("node:process");
export async function* run(split) {
  appendFileSync(${JSON.stringify(log)}, pid + " ");
  const decoder = new TextDecoder();
  const counts = new Map();
  let text = "";
  for await (const chunk of split) text += decoder.decode(chunk, { stream: true });
  await new Promise((resolve) => setTimeout(resolve, 100));
  for (const [word] of text.matchAll(/[a-z]+/g)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const words = [...counts.keys()].map((word) => word + "\\n").join("");
  yield { words, counts: Uint32Array.from(counts.values()) };
}
`;

test(
  "driver.ts counts what a count in one process does, whatever the number of executors and the size of splits",
  async (context) => {
    const folder = await makeFolder(context);
    const texts = [makeText(300_000, 1), makeText(100_000, 2, { lines: false }), "", "no end", "\ufeffmark"];
    await mkdir(join(folder, "input/deep"), { recursive: true });
    await Promise.all(
      texts.map((text, index) => writeFile(join(folder, "input", index % 2 ? "deep" : "", `${index}.txt`), text)),
    );
    // Cut characters, bytes that are none, and a letter that takes more bytes than it may.
    const broken = Uint8Array.of(0x61, 0xff, 0x62, 0xe6, 0xbc, 0x20, 0x63, 0xc1, 0xa1, 0x64, 0xf0, 0x9d, 0x94);
    await writeFile(join(folder, "broken.bin"), broken);
    const all = [...texts.map((text) => text.replace("\ufeff", "")), new TextDecoder().decode(broken)].join(" ");
    const expected = countWords(all);
    const bytes = texts.reduce((sum, text) => sum + new TextEncoder().encode(text).length, broken.length);

    for (const flags of [["--split", "4096"], ["--executors", "1"], ["--split", "100000", "--executors", "3"]]) {
      const inputs = ["--input", join(folder, "input"), "--input", join(folder, "broken.bin")];
      const { seconds, executors, ...counted } = await startJob(context, folder, [...inputs, "--top", "100", ...flags])
        .result();
      assertEquals(counted, { ...expected, bytes, top: expected.top.slice(0, 100) });
      assertEquals(seconds > 0, true);
      assertEquals(executors.every(({ runtime }) => runtime === runtimeName), true);
    }
  },
  { skip },
);

test("driver.ts has executors on every runtime work together", async (context) => {
  const folder = await makeFolder(context);
  const text = makeText(400_000, 3);
  await writeFile(join(folder, "input.txt"), text);
  const runtimes = mixedRuntimes();
  const args = ["--input", join(folder, "input.txt"), "--split", "10000", "--executors", "3", "--runtimes", runtimes];
  const job = startJob(context, folder, args);
  const { words, distinct, executors } = await job.result();
  const expected = countWords(text);
  assertEquals([words, distinct], [expected.words, expected.distinct]);
  const names = runtimes.split(",");
  assertEquals(
    executors.map(({ id, runtime }) => [id, runtime]),
    ["0", "1", "2"].map((id, i) => [id, names[i % names.length]]),
  );
  for (const { id, runtime, tasks } of executors) {
    assertMatch(job.driver.stdout, new RegExp(`^Executor ${id} \\(${runtime}\\): ${tasks} tasks, \\d+ %$`, "m"));
  }
  assertMatch(job.driver.stdout, /^ +[\d,]+ {2}the\n/);
}, { skip });

test("driver.ts loses an executor to SIGKILL and no word", async (context) => {
  const folder = await makeFolder(context);
  const text = makeText(8_000_000, 4);
  await writeFile(join(folder, "input.txt"), text);
  const args = ["--input", join(folder, "input.txt"), "--split", "200000", "--executors", "3", "--runtimes", mixedRuntimes()];
  const job = startJob(context, folder, args);
  process.kill(await job.registered(1), "SIGKILL");
  const { words, distinct, top } = await job.result();
  const expected = countWords(text);
  assertEquals({ words, distinct, top }, { ...expected, top: expected.top.slice(0, 20) });
  assertMatch(job.driver.stderr, /^Executor 1 \(\w+\) is lost: its (connection has closed|process has ended with SIGKILL)/m);
}, { skip });

test("driver.ts gives up an executor that stands still, and does not listen to it when it comes to", async (context) => {
  const folder = await makeFolder(context);
  const log = join(folder, "log.txt");
  await writeFile(join(folder, "input.txt"), "to be or not ".repeat(14_000));
  await writeFile(join(folder, "slow.mjs"), slowJob(log));
  // Some 9 s of work for one executor; 4 s of silence are too many.
  const quick = ["spark.network.timeout=4s", "spark.network.timeoutInterval=500ms"].flatMap((conf) => ["--conf", conf]);
  const args = ["--input", join(folder, "input.txt"), "--job", join(folder, "slow.mjs"), "--split", "1000", ...quick];
  const job = startJob(context, folder, args);
  const pid = await job.registered(0);
  await job.registered(1);
  await until(() => existsSync(log) && readFileSync(log, "utf8").includes(`${pid} `), "a task for the first executor");
  process.kill(pid, "SIGSTOP");
  await job.said(/^Executor 0 \(\w+\) is lost: Executor heartbeat timed out after \d+ ms; 2 of its tasks will run again$/m);
  process.kill(pid, "SIGCONT");
  // It hears that it is to stop, while the others go on.
  await until(() => !isAlive(pid), "the end of the executor that was given up");
  assertEquals(existsSync(join(folder, "result.json")), false);
  const { words, top, executors } = await job.result();
  assertEquals([words, top], [56_000, [["be", 14_000], ["not", 14_000], ["or", 14_000], ["to", 14_000]]]);
  // A split is cut before a space.
  assertEquals(executors.reduce((sum, { tasks }) => sum + tasks, 0), 182);
}, { skip });

test("driver.ts writes its result though nobody reads what it prints", async (context) => {
  const folder = await makeFolder(context);
  await writeFile(join(folder, "input.txt"), "a b a");
  const job = startJob(context, folder, ["--input", join(folder, "input.txt")]);
  job.driver.closeOutput();
  assertEquals((await job.result()).top, [["a", 2], ["b", 1]]);
}, { skip });

test("driver.ts ends when no executor is left", async (context) => {
  const folder = await makeFolder(context);
  await writeFile(join(folder, "input.txt"), "a b c");
  await writeFile(join(folder, "slow.mjs"), "export async function* run() { await new Promise(() => {}); }");
  const job = startJob(context, folder, ["--input", join(folder, "input.txt"), "--job", join(folder, "slow.mjs")]);
  for (const id of [0, 1]) process.kill(await job.registered(id), "SIGKILL");
  assertEquals(await job.ended(), 1);
  assertMatch(job.driver.stderr, /\ndriver: No executor is left; the last one, \d, is lost: [^\n]+\n$/);
  assertEquals(job.driver.stdout, "");
}, { skip });

test("driver.ts ends when a task has failed four times", async (context) => {
  const folder = await makeFolder(context);
  await writeFile(join(folder, "input.txt"), "good ".repeat(1_000) + "poison " + "good ".repeat(1_000));
  const jobs = {
    "poison.mjs":
      `export async function* run(split) { for await (const chunk of split) if (new TextDecoder().decode(chunk).includes("poison")) throw new RangeError("Poison\\nin it"); }`,
    "throws.mjs": `throw new RangeError("Poison\\nin it");`,
    "no_job.mjs": `export const walk = 1; // Poison in it`,
    "syntax.mjs": `export function* run( { Poison in it`,
    "odd.mjs": `export async function* run() { yield ["Poison in it"]; }`,
    "function.mjs": `export async function* run() { yield () => "Poison in it"; }`,
  };
  for (const [name, source] of Object.entries(jobs)) {
    await writeFile(join(folder, name), source);
    const args = ["--input", join(folder, "input.txt"), "--job", join(folder, name), "--split", "500"];
    const job = startJob(context, folder, args);
    assertEquals(await job.ended(), 1, name);
    const [, failures] =
      /\ndriver: Task \d+ failed (4) times; at last it failed on executor \d: [^\n]+\n$/.exec(job.driver.stderr) ?? [];
    assertEquals(failures, "4", job.driver.stderr);
    if (name === "poison.mjs") assertMatch(job.driver.stderr, /: RangeError: Poison in it\n$/);
    for (const [, pid] of job.driver.stderr.matchAll(/process (\d+) on/g)) assertEquals(isAlive(Number(pid)), false);
  }
}, { skip });

test("driver.ts counts nothing of a task's result that it refuses", async (context) => {
  const folder = await makeFolder(context);
  const log = join(folder, "log.txt");
  await writeFile(join(folder, "input.txt"), "a b");
  // Of the first result a word has no end; the next one is whole.
  const flaky = `
    const { appendFileSync, existsSync } = await import("node:fs");
    export async function* run() {
      const words = existsSync(${JSON.stringify(log)}) ? "a\\nb\\n" : "a\\nb";
      appendFileSync(${JSON.stringify(log)}, "run");
      yield { words: "a\\n", counts: Uint32Array.of(1) };
      yield { words, counts: Uint32Array.of(1, 1) };
    }`;
  await writeFile(join(folder, "flaky.mjs"), flaky);
  const job = startJob(context, folder, ["--input", join(folder, "input.txt"), "--job", join(folder, "flaky.mjs")]);
  assertEquals((await job.result()).top, [["a", 2], ["b", 1]]);
  assertMatch(job.driver.stderr, /^Task 0 failed on executor \d: RpcRemoteError: A part of the result is not /m);
}, { skip });

test("driver.ts says in one line what it cannot begin with", async (context) => {
  const folder = await makeFolder(context);
  const none = join(folder, "none");
  const cases: readonly [string[], number][] = [
    [["--input", none], 2],
    [["--input", "/dev/null"], 2],
    [["--executors", "0"], 2],
    [["--executors", "two"], 2],
    [["--split", "0"], 2],
    [["--runtimes", "deno,java"], 2],
    [["--no-such-flag"], 2],
    [["--conf", "=1"], 2],
    [["--input", folder, "--job", none], 1],
    [["--input", folder, "--host", "192.0.2.1"], 1],
    [["--input", folder, "--json", join(none, "result.json")], 2],
    [["--input", folder, "--json", folder], 2],
    [["--input", folder, "--conf", "spark.network.timeout=1s"], 1],
  ];
  for (const [args, expected] of cases) {
    const { code, stderr } = await runExample(context, DRIVER, args);
    assertEquals(code, expected, `${args} ${stderr}`);
    assertMatch(stderr, /^((Executor|Counting) [^\n]*\n)*driver: [^\n]+\n$/, args.join(" "));
  }
  const other = runtimeName === "node" ? "bun" : "node";
  const env = { PATH: folder, [`SPARKWIRE_${other.toUpperCase()}`]: "" };
  const { code, stderr } = await runExample(context, DRIVER, ["--input", folder, "--runtimes", other], { env });
  assertEquals([code, stderr], [
    2,
    `driver: There is no ${other} on PATH, nor does SPARKWIRE_${other.toUpperCase()} say where\n`,
  ]);
}, { skip });

test("driver.ts says which file its result cannot be written to, and prints it all the same", async (context) => {
  const folder = await makeFolder(context);
  const input = join(folder, "input.txt");
  await writeFile(input, "a b a");
  const { code, stdout, stderr } = await runExample(context, DRIVER, ["--input", input, "--json", "/dev/full"]);
  assertEquals(code, 1);
  assertMatch(stderr, /\ndriver: Cannot write \/dev\/full: [^\n]+\n$/);
  assertMatch(stdout, /^3 words, 2 of them different$/m);
}, { skip: skip ?? (existsSync("/dev/full") ? undefined : "there is no /dev/full") });

test(
  "driver.ts prints how to start its executors if it is not to do that, and says that it waits for them",
  async (context) => {
    const folder = await makeFolder(context);
    await writeFile(join(folder, "input.txt"), "a b a");
    const quick = ["--conf", "spark.starvation.timeout=50ms"];
    const job = startJob(context, folder, ["--input", join(folder, "input.txt"), "--no-spawn", "--executors", "1", ...quick]);
    const [, line = ""] = await job.driver.waitFor(
      /^(.+ --driver-url spark:\/\/CoarseGrainedScheduler@127\.0\.0\.1:\d+ --executor-id 0)\n/,
    );
    await job.said(/^(The job waits: no executor is registered\n){3}/);
    // What an executor is called is its own affair, and no lines of the driver's.
    const executor = startProcess(context, "/bin/sh", ["-c", `exec ${line}"$(printf '1\\n2')"`]);
    const { top, executors } = await job.result();
    assertEquals(top, [["a", 2], ["b", 1]]);
    assertEquals(executors, [{ id: "01\n2", runtime: runtimeName, tasks: 1 }]);
    assertMatch(job.driver.stdout, /^Executor 01 2 \(\w+\): 1 tasks, 100 %$/m);
    assertEquals([await executor.exited, executor.stderr], [0, ""]);
  },
  { skip },
);

test("driver.ts says that it waits when it has lost the executors that had registered", async (context) => {
  const folder = await makeFolder(context);
  const log = join(folder, "log.txt");
  await writeFile(join(folder, "input.txt"), "a b c");
  await writeFile(
    join(folder, "hangs.mjs"),
    `const { writeFileSync } = await import("node:fs");
    export async function* run() { writeFileSync(${JSON.stringify(log)}, ""); await new Promise(() => {}); }`,
  );
  // A runtime that comes to nothing, and does not end.
  const other = runtimeName === "node" ? "bun" : "node";
  await writeFile(join(folder, "other"), "#!/bin/sh\nexec sleep 90\n", { mode: 0o755 });
  const args = [
    "--input",
    join(folder, "input.txt"),
    "--job",
    join(folder, "hangs.mjs"),
    "--runtimes",
    `${runtimeName},${other}`,
  ];
  const env = { [`SPARKWIRE_${other.toUpperCase()}`]: join(folder, "other") };
  const job = startJob(context, folder, [...args, "--conf", "spark.starvation.timeout=50ms"], { env });
  const pid = await job.registered(0);
  await until(() => existsSync(log), "the task");
  process.kill(pid, "SIGKILL");
  await job.said(/ is lost: [^\n]+; 1 of its tasks will run again\n(The job waits: no executor is registered\n){3}/);
  job.driver.kill("SIGINT");
  assertEquals(await job.ended(), 130);
}, { skip });

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  test(`driver.ts leaves no process behind at a ${signal}`, async (context) => {
    const folder = await makeFolder(context);
    await writeFile(join(folder, "input.txt"), "a b c");
    await writeFile(join(folder, "slow.mjs"), "export async function* run() { await new Promise(() => {}); }");
    const job = startJob(context, folder, ["--input", join(folder, "input.txt"), "--job", join(folder, "slow.mjs")]);
    const pids = [await job.registered(0), await job.registered(1)];
    // One that hears nothing has to be killed.
    process.kill(pids[1]!, "SIGSTOP");
    job.driver.kill(signal);
    assertEquals(await job.ended(), code);
    assertEquals(pids.map(isAlive), [false, false]);
    assertMatch(job.driver.stderr, new RegExp(`\\ndriver: ${signal}: the job is given up\\n$`));
  }, { skip });
}

test("executor.ts keeps a result for as long as its driver stands still", async (context) => {
  const folder = await makeFolder(context);
  const log = join(folder, "log.txt");
  await writeFile(join(folder, "input.txt"), "a b a");
  await writeFile(
    join(folder, "go.mjs"),
    `
    const { existsSync, writeFileSync } = await import("node:fs");
    export async function* run() {
      writeFileSync(${JSON.stringify(log)}, "");
      while (existsSync(${JSON.stringify(log)})) await new Promise((resolve) => setTimeout(resolve, 20));
      yield { words: "a\\nb\\n", counts: Uint32Array.of(2, 1) };
    }`,
  );
  const args = ["--input", join(folder, "input.txt"), "--job", join(folder, "go.mjs"), "--executors", "1"];
  const job = startJob(context, folder, [...args, "--conf", "spark.rpc.askTimeout=1s"]);
  await until(() => existsSync(log), "the task");
  process.kill(job.driver.pid, "SIGSTOP");
  await rm(log);
  // Long enough for the report of the result to be given up, and for that of the failure.
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  process.kill(job.driver.pid, "SIGCONT");
  assertEquals((await job.result()).top, [["a", 2], ["b", 1]]);
  // What is said after 5 s is no failure.
  assertMatch(job.driver.stderr, /^Executor 0 \(\w+\) has registered: [^\n]+\n(Counting: [^\n]+\n)*$/);
}, { skip });

test("executor.ts ends when its driver is gone", async (context) => {
  const folder = await makeFolder(context);
  await writeFile(join(folder, "input.txt"), "a b c");
  await writeFile(join(folder, "slow.mjs"), "export async function* run() { await new Promise(() => {}); }");
  const args = ["--input", join(folder, "input.txt"), "--job", join(folder, "slow.mjs"), "--runtimes", mixedRuntimes()];
  const job = startJob(context, folder, [...args, "--executors", "3"]);
  const pids = [await job.registered(0), await job.registered(1), await job.registered(2)];
  job.driver.kill("SIGKILL");
  await until(() => !pids.some(isAlive), "the end of all executors");
}, { skip });

test("executor.ts says in one line why it cannot work", async (context) => {
  const url = "spark://CoarseGrainedScheduler@127.0.0.1:1";
  const cases: readonly [string[], number][] = [[[], 2], [["--driver-url", url], 2], [[
    "--driver-url",
    url,
    "--executor-id",
    "7",
  ], 1]];
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = await runExample(context, "examples/executor.ts", args);
    assertEquals([code, stdout], [expected, ""], stderr);
    assertMatch(stderr, expected === 2 ? /^executor: [^\n]+\nUsage: [^\n]+\n$/ : /^executor 7: [^\n]+\n$/);
  }
  const web = `spark://CoarseGrainedScheduler@${await listenAndSay(context, BAD_REQUEST)}`;
  const misled = await runExample(context, "examples/executor.ts", ["--driver-url", web, "--executor-id", "7"]);
  assertEquals(misled.code, 1);
  assertMatch(misled.stderr, /^executor 7: [^\n]+ so the peer is a web server or browser\n$/);
  const help = await runExample(context, "examples/executor.ts", ["--help"]);
  assertEquals([help.code, help.stderr], [0, ""]);
}, { skip });

test("The module of the job has no imports", async () => {
  const source = await readFile(join(process.env.SPARKWIRE_BUILD!, "examples/word_count.mjs"), "utf8");
  assertEquals(/^\s*import\b|\bimport\(/m.test(source), false);
  assertMatch(source, /export \{\n {2}run\n\};/);
}, { skip });
