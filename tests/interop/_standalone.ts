/**
 * A standalone cluster of Spark's own processes: Masters, Workers, and what they need. They end with the test, and so do their files.
 *
 * @module
 */
import { execFile } from "node:child_process";
import { mkdir, symlink } from "node:fs/promises";
import { basename, join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { makeFolder } from "../_folder.ts";
import { type TestContext, within } from "../_harness.ts";
import { startProcess, type TestProcess } from "../_process.ts";

const START_DEADLINE_MS = 60_000;
/** A Worker waits up to 10 s for a driver that it ends. */
const END_DEADLINE_MS = 30_000;

/** The JVM of the task, but for the class at its end. */
const command = JSON.parse(process.env.SPARKWIRE_SPARK_COMMAND ?? "[]") as string[];
const [java, ...javaArgs] = command.slice(0, -1);
/** Where the classes of `src` are, then Spark's jars. */
const [classes, ...jars] = (command[command.indexOf("-cp") + 1] ?? "").split(":");

/** A Master. */
export interface MasterProcess {
  /** `spark://host:port`. */
  readonly url: string;
  readonly webUiPort: number;
  readonly restPort: number;
  readonly process: TestProcess;
}

/** Starts a program of Spark's that logs to its standard output. */
function startSpark(context: TestContext, main: string, args: readonly string[], options: StartOptions = {}): TestProcess {
  const properties = { "sparkwire.log.level": "info", "sparkwire.log.target": "SYSTEM_OUT", ...options.conf };
  const flags = Object.entries(properties).map(([key, value]) => `-D${key}=${value}`);
  return startProcess(context, java!, [...javaArgs, ...flags, main, ...args], {
    pipeStdin: true,
    env: { SPARK_LOCAL_IP: "127.0.0.1", SPARK_SCALA_VERSION: "2.13", ...options.env },
  });
}

/** How a program of Spark's is started. */
export interface StartOptions {
  readonly conf?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a Master; the system chooses its ports. */
export async function startMaster(context: TestContext, conf: Readonly<Record<string, string>> = {}): Promise<MasterProcess> {
  const master = startSpark(
    context,
    "org.apache.spark.deploy.master.Master",
    ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0"],
    { conf: { "spark.master.rest.enabled": "true", "spark.master.rest.port": "0", ...conf } },
  );
  const [, url] = await master.waitFor(/Starting Spark master at (spark:\/\/\S+)/, START_DEADLINE_MS);
  const [, webUiPort] = await master.waitFor(/service 'MasterUI' on port (\d+)/, START_DEADLINE_MS);
  const [, restPort] = await master.waitFor(/Started REST server .* with port (\d+)/, START_DEADLINE_MS);
  return { url: url!, webUiPort: Number(webUiPort), restPort: Number(restPort), process: master };
}

/** Waits until a Master that has nothing to remember rules. */
export async function untilElected(master: MasterProcess): Promise<void> {
  await master.process.waitFor(/elected leader! New state: ALIVE/, START_DEADLINE_MS);
}

/** Waits until a Master has taken over from one that is gone. */
export async function untilRecovered(master: MasterProcess): Promise<void> {
  await master.process.waitFor(/Recovery complete.* - resuming operations!/, START_DEADLINE_MS);
}

/** Starts a Worker with two cores and 1 GiB, and waits until it has registered. What it runs ends with it. */
export async function startWorker(context: TestContext, url: string, conf: StartOptions["conf"] = {}): Promise<TestProcess> {
  const home = await makeSparkHome(context);
  const sizes = ["--cores", "2", "--memory", "1g"];
  const places = ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0", "--work-dir", join(home, "work")];
  const worker = startSpark(context, "org.apache.spark.deploy.worker.Worker", [...sizes, ...places, url], {
    conf,
    env: { SPARK_HOME: home },
  });
  context.defer(async () => {
    // Asked to end it ends its drivers, which are processes of their own.
    worker.kill("SIGTERM");
    await within(worker.exited, "the end of the Worker", END_DEADLINE_MS);
  });
  await worker.waitFor(/Successfully registered with master/, START_DEADLINE_MS);
  return worker;
}

/** What a Worker takes the class path of drivers from: a folder with Spark's jars in it. */
async function makeSparkHome(context: TestContext): Promise<string> {
  const home = await makeFolder(context);
  await mkdir(join(home, "jars"));
  await Promise.all(jars.map((jar) => symlink(jar, join(home, "jars", basename(jar)))));
  return home;
}

/** Puts `SubmittedDriver.java` into a jar of its own; gives its path. */
export async function makeDriverJar(folder: string): Promise<string> {
  const path = join(folder, "driver.jar");
  await promisify(execFile)("jar", ["--create", "--file", path, "-C", classes!, "sparkwire/interop/SubmittedDriver.class"]);
  return path;
}

/** Starts a ZooKeeper; gives the configuration of Masters that stand in for each other. */
export async function startZooKeeper(context: TestContext): Promise<Readonly<Record<string, string>>> {
  const folder = await makeFolder(context);
  const zooKeeper = startSpark(context, "sparkwire.interop.ZooKeeper", [folder]);
  const [, address] = await zooKeeper.waitFor(/^zookeeper (\S+)$/m, START_DEADLINE_MS);
  return {
    "spark.deploy.recoveryMode": "ZOOKEEPER",
    "spark.deploy.zookeeper.url": address!,
    // Before 4.0 a Master that takes over waits for so many seconds, whether there are Workers to wait for or not.
    "spark.worker.timeout": "1",
  };
}
