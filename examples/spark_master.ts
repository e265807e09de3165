/**
 * Talks with the Master of a standalone Spark cluster: what it knows, and drivers that it is to run.
 *
 *     deno run -A examples/spark_master.ts spark://host:7077 status
 *     deno run -A examples/spark_master.ts spark://one:7077,two:7077 submit file:///apps/app.jar com.example.App 100 --wait
 *     deno run -A examples/spark_master.ts spark://host:7077 kill driver-20260131120000-0000
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import {
  describeDriver,
  type DriverLaunch,
  type DriverStatus,
  type MasterProbe,
  NoAliveMasterError,
  RpcEnv,
  RpcError,
  RpcTimeout,
  silentLogger,
  SparkConf,
  SparkMaster,
} from "../mod.ts";
import { describeError, formatDriverStatus, formatMasters, formatStatus } from "./_master_tables.ts";
import { describe, Interrupted, interruption, outliveOutput, printable, reasonOf, UsageError } from "./_program.ts";

const USAGE = "Usage: spark_master URL status | submit JAR CLASS [ARG…] | driver-status ID | kill ID [--json]";

const HELP = `${USAGE}

Talks with the Master of a standalone Spark cluster, of Spark 3.5 or later with Scala 2.13.

  URL                     spark://host:7077, or spark://one:7077,two:7077 where there are standbys
  status                  what is at each address; the ports, workers, applications and drivers of the Master that is alive.
                          A Master does not send what changes by the second, such as cores in use
  submit JAR CLASS ARG…   has a worker fetch the jar from its URL and run the class; prints the driver's id
  driver-status ID        the state of a driver
  kill ID                 ends a driver

  --json                  print JSON
  --timeout TIME          how long to wait for each look-up and each answer: 500ms, 5s (default: 10s)
  --help                  print this

For submit; what begins with - among its arguments comes after --
  --memory SIZE           the driver's: 512m, 2g; a bare number is MiB (default: 1g)
  --cores N               its cores (default: 1)
  --supervise             start it again when it fails
  --conf KEY=VALUE        a key of Spark's for it; may be repeated
  --java-option OPTION    an option of its JVM, such as --java-option=-XX:+UseG1GC; may be repeated
  --class-path ENTRY      comes before Spark's jars; may be repeated
  --env NAME=VALUE        a variable of its environment; may be repeated
  --wait                  wait until it is over

Exit code: 0 if all went well, 1 if not, also if a driver is unknown, or was waited for and failed, 2 for wrong arguments, 130 after
Ctrl-C, which leaves the driver alone.
`;

const MEBIBYTE = 2 ** 20;

const FLAGS = {
  json: { type: "boolean", default: false },
  timeout: { type: "string", default: "10s" },
  memory: { type: "string" },
  cores: { type: "string" },
  supervise: { type: "boolean", default: false },
  conf: { type: "string", multiple: true },
  "java-option": { type: "string", multiple: true },
  "class-path": { type: "string", multiple: true },
  env: { type: "string", multiple: true },
  wait: { type: "boolean", default: false },
  help: { type: "boolean", short: "h" },
} as const;

/** What the arguments say. */
interface Call {
  readonly url: string;
  readonly command: string;
  readonly operands: readonly string[];
  readonly conf: SparkConf;
  readonly json: boolean;
  readonly wait: boolean;
  /** What there is to say of a driver besides jar, class and arguments. */
  readonly launch: Omit<DriverLaunch, "jarUrl" | "mainClass">;
}

/** Where a command is run. */
interface Setting extends Call {
  readonly env: RpcEnv;
  readonly signal: AbortSignal;
}

/** Undefined if help is wanted. */
function readCall(args: string[]): Call | undefined {
  const { values, positionals } = parseArgs({ args, options: FLAGS, allowPositionals: true });
  if (values.help === true) return undefined;
  const [url, command, ...operands] = positionals;
  if (url === undefined || command === undefined) throw new UsageError("Expected URL and command");
  if (!Object.hasOwn(COMMANDS, command)) throw new UsageError(`Expected ${Object.keys(COMMANDS).join(", ")}, not ${command}`);
  const conf = new SparkConf({ "spark.rpc.askTimeout": values.timeout, "spark.rpc.lookupTimeout": values.timeout });
  RpcTimeout.ask(conf);
  const launch = {
    memoryMiB: values.memory === undefined ? undefined : readMemory(values.memory),
    cores: values.cores === undefined ? undefined : readCores(values.cores),
    supervise: values.supervise,
    conf: readPairs("--conf", values.conf),
    javaOptions: values["java-option"],
    classPath: values["class-path"],
    environment: readPairs("--env", values.env),
  };
  return { url, command, operands, conf, json: values.json, wait: values.wait, launch };
}

/** SparkConf knows how sizes are written. */
function readMemory(text: string): number {
  const size = /^\d+$/.test(text) ? `${text}m` : text;
  return Math.floor(new SparkConf({ "--memory": size }).sizeAsBytes("--memory") / MEBIBYTE);
}

function readCores(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new UsageError(`--cores is a number from 1 on, not ${text}`);
}

function readPairs(flag: string, pairs: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(pairs.map((pair) => {
    const at = pair.indexOf("=");
    if (at <= 0) throw new UsageError(`Expected ${flag} NAME=VALUE, not ${pair}`);
    return [pair.slice(0, at), pair.slice(at + 1)];
  }));
}

async function status({ url, operands, env, json, signal }: Setting): Promise<void> {
  if (operands.length > 0) throw new UsageError(`Expected nothing after status, not ${operands[0]}`);
  let master: SparkMaster;
  try {
    master = await SparkMaster.connect(url, { env, signal });
  } catch (error) {
    if (error instanceof NoAliveMasterError) {
      print(json ? toJson({ masters: error.masters.map(plainProbe) }) : formatMasters(error.masters));
    }
    throw error;
  }
  const [masters, known] = await Promise.all([SparkMaster.probe(url, { env, signal }), master.status({ signal })]);
  print(json ? toJson({ masters: masters.map(plainProbe), ...known }) : formatStatus(masters, known));
}

async function submit({ url, operands, env, json, wait, launch, signal }: Setting): Promise<void> {
  const [jarUrl, mainClass, ...args] = operands;
  if (jarUrl === undefined || mainClass === undefined) throw new UsageError("Expected JAR and CLASS");
  const driver: DriverLaunch = { ...launch, jarUrl, mainClass, args };
  // Wrong arguments are told of without a Master.
  describeDriver(driver);
  const master = await SparkMaster.connect(url, { env, signal });
  const submitted = await master.submitDriver(driver, { signal });
  if (!wait) return print(json ? toJson(submitted) : submitted.driverId);
  // Whoever interrupts the waiting wants to know which driver it was.
  if (!json) print(submitted.driverId);
  const ended = await master.awaitDriver(submitted.driverId, { signal });
  if (ended === undefined) throw new Error(`The Master does not know ${submitted.driverId} any more`);
  print(json ? toJson(plainStatus(ended)) : formatDriverStatus(ended));
  if (ended.state !== "FINISHED") process.exitCode = 1;
}

async function driverStatus({ url, operands, env, json, signal }: Setting): Promise<void> {
  const driverId = readDriverId(operands);
  const master = await SparkMaster.connect(url, { env, signal });
  const known = await master.driverStatus(driverId, { signal });
  if (known === undefined) throw new Error(`The Master at ${master.address} knows no driver ${driverId}`);
  print(json ? toJson(plainStatus(known)) : formatDriverStatus(known));
}

async function kill({ url, operands, env, json, signal }: Setting): Promise<void> {
  const driverId = readDriverId(operands);
  const master = await SparkMaster.connect(url, { env, signal });
  const { accepted, message } = await master.killDriver(driverId, { signal });
  if (!accepted && !json) throw new Error(message);
  print(json ? toJson({ driverId, accepted, message }) : message);
  if (!accepted) process.exitCode = 1;
}

const COMMANDS: Readonly<Record<string, (setting: Setting) => Promise<void>>> = {
  status,
  submit,
  "driver-status": driverStatus,
  kill,
};

function readDriverId([driverId, ...rest]: readonly string[]): string {
  if (driverId === undefined || rest.length > 0) throw new UsageError("Expected the id of one driver");
  return driverId;
}

function plainProbe({ address, state, error }: MasterProbe): object {
  return { url: address.toSparkURL(), state, error: error && reasonOf(error) };
}

/** An error has nothing of itself in JSON. */
function plainStatus({ error, ...status }: DriverStatus): object {
  return { ...status, error: error && describeError(error) };
}

function toJson(value: object): string {
  // What is not there is null: a program need not ask whether it is.
  return JSON.stringify(value, (_, item: unknown) => item === undefined ? null : item, 2);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function isUsageError(error: unknown): boolean {
  if (error instanceof UsageError || error instanceof TypeError || error instanceof RangeError) return true;
  return RpcError.is(error) && error.code === "INVALID_ADDRESS";
}

async function run(call: Call, signal: AbortSignal): Promise<void> {
  // Without a port: client mode. What goes wrong is in the error, so the log has nothing to add.
  const env = await RpcEnv.create({ name: "spark_master", conf: call.conf, logger: silentLogger });
  try {
    await COMMANDS[call.command]!({ ...call, env, signal });
  } finally {
    // Who has its answers, or has waited for one in vain, waits for nobody else.
    await env.shutdown({ deadlineMs: 0 });
  }
}

async function main(args: string[]): Promise<void> {
  outliveOutput();
  const signal = interruption();
  let call: Call | undefined;
  try {
    call = readCall(args);
    if (call === undefined) print(HELP.trimEnd());
    else await run(call, signal);
  } catch (error) {
    if (isUsageError(error)) {
      process.stderr.write(`spark_master: ${describe(error)}\n${USAGE}\n`);
      process.exitCode = 2;
      return;
    }
    process.stderr.write(`spark_master: ${call === undefined ? "" : `${printable(call.url)}: `}${describe(error)}\n`);
    process.exitCode = error instanceof Interrupted ? error.exitCode : 1;
  }
}

await main(process.argv.slice(2));
