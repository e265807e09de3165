/**
 * The JVM with a real Spark in it: its Maven project is built, and it is started and ended.
 *
 * @module
 */
import { dirname, join, relative } from "node:path";
import { TextLineStream } from "@std/streams";
import { projectRoot } from "../_project.ts";
import { filesBelow } from "./entry_points.ts";
import { capture } from "./run.ts";

/** The Sparks that are tested against, one of each version that can be spoken to; the first unless others are asked for. */
export const SPARK_RELEASES: readonly string[] = ["4.2.0", "4.1.1", "4.0.1", "3.5.8"];

const PROJECT = join(projectRoot, "tests", "interop");
/** Of Maven with an empty cache: some 250 MB come down. */
const BUILD_DEADLINE_MS = 15 * 60_000;
const START_DEADLINE_MS = 60_000;
const END_DEADLINE_MS = 10_000;
const OLDEST_JAVA = 17;

/** What the JVM runs with. One test sends 100 MB, of which a Spark has several copies; the rest needs a tenth. */
const JVM_FLAGS = ["-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
/** What Spark reaches into; its own launcher says the same. */
const OPENED = [
  ...["java.io", "java.lang", "java.lang.invoke", "java.lang.reflect", "java.net", "java.nio", "java.util"],
  ...["java.util.concurrent", "java.util.concurrent.atomic", "sun.nio.ch", "sun.nio.cs", "sun.security.action"],
];

/** Why there can be no real Spark on this machine; undefined if there can. */
export async function whyNoSpark(): Promise<string | undefined> {
  const java = await capture({ command: "java", args: ["-version"] });
  if (java.code !== 0) return "there is no java on PATH";
  const version = /version "(\d+)/.exec(java.output)?.[1];
  if (version === undefined || Number(version) < OLDEST_JAVA) return `Java ${version ?? "?"} is older than ${OLDEST_JAVA}`;
  const maven = await capture({ command: "mvn", args: ["-version"] });
  return maven.code === 0 ? undefined : "there is no mvn on PATH";
}

/** Compiles the JVM's side and has Maven fetch that Spark, unless both has been done; gives the class path. */
export async function buildSparkPeer(version: string): Promise<string> {
  const folder = join(projectRoot, ".build", "interop", version);
  const written = join(folder, "classpath.txt");
  if (!await isUpToDate(written)) {
    const args = ["--quiet", "--batch-mode", "-Dstyle.color=never", `-Dspark.version=${version}`, "process-classes"];
    const { code, output } = await capture({ command: "mvn", args }, { cwd: PROJECT, deadlineMs: BUILD_DEADLINE_MS });
    if (code !== 0) throw new Error(`mvn failed in ${relative(projectRoot, PROJECT)}\n${output}`);
  }
  return `${join(folder, "classes")}:${(await Deno.readTextFile(written)).trim()}`;
}

async function isUpToDate(classPath: string): Promise<boolean> {
  const made = await modified(classPath);
  if (made === undefined) return false;
  const sources = ["tests/interop/pom.xml", ...filesBelow("tests/interop/src")].map((path) => join(projectRoot, path));
  for (const source of sources) if ((await modified(source) ?? Infinity) > made) return false;
  // Maven's cache may have been emptied since.
  for (const jar of (await Deno.readTextFile(classPath)).trim().split(":")) {
    if (await modified(jar) === undefined) return false;
  }
  return true;
}

async function modified(path: string): Promise<number | undefined> {
  const info = await Deno.stat(path).catch(() => undefined);
  return info === undefined ? undefined : info.mtime?.getTime() ?? 0;
}

/** A JVM with a Spark in it. */
export interface SparkPeer extends AsyncDisposable {
  /** What tests learn of it. */
  readonly env: Readonly<Record<string, string>>;
  /** Where its log is, below the project's root. */
  readonly log: string;
}

/** Starts a JVM with that Spark; it ends when it is disposed of, or with this process. */
export async function startSparkPeer(version: string): Promise<SparkPeer> {
  const classPath = await buildSparkPeer(version);
  const log = join(dirname(classPath.split(":")[0]!), "peer.log");
  const opened = OPENED.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`);
  const args = [...JVM_FLAGS, ...opened, "-cp", classPath, "sparkwire.interop.Peer"];
  const child = new Deno.Command("java", {
    args,
    env: { SPARK_LOCAL_IP: "127.0.0.1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const logged = child.stderr.pipeTo((await Deno.open(log, { write: true, create: true, truncate: true })).writable);
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream()).getReader();
  const timer = setTimeout(() => child.kill("SIGKILL"), START_DEADLINE_MS);
  const found = /^peer (?<address>\S+) spark (?<version>\S+)/.exec((await lines.read()).value ?? "")?.groups;
  clearTimeout(timer);
  const end = () => endPeer(child, lines, logged);
  if (found === undefined) {
    await end();
    throw new Error(`The JVM did not start, see ${relative(projectRoot, log)}`);
  }
  return {
    env: {
      SPARKWIRE_SPARK_PEER: found.address!,
      SPARKWIRE_SPARK_VERSION: found.version!,
      SPARKWIRE_SPARK_COMMAND: JSON.stringify(["java", ...args]),
    },
    log: relative(projectRoot, log),
    [Symbol.asyncDispose]: end,
  };
}

/** The JVM ends with its input. */
async function endPeer(
  child: Deno.ChildProcess,
  lines: ReadableStreamDefaultReader<string>,
  logged: Promise<void>,
): Promise<void> {
  const timer = setTimeout(() => child.kill("SIGKILL"), END_DEADLINE_MS);
  await child.stdin.close().catch(() => {});
  await lines.cancel();
  await child.status;
  clearTimeout(timer);
  await logged;
}
