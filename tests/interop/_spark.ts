/**
 * A real Spark, as a test sees it: the commands of `Session.java`, over a control connection of its own.
 *
 * The task `test:spark` starts the JVM and says by environment variables where it is and which Spark is in it.
 *
 * @module
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import { type Deferred, deferred, type TestContext, within } from "../_harness.ts";
import { startProcess, type TestProcess } from "../_process.ts";
import type { Notation } from "./_notation.ts";

const peer = process.env.SPARKWIRE_SPARK_PEER ?? "";

/** The version of the Spark at the other end. */
export const sparkVersion: string = process.env.SPARKWIRE_SPARK_VERSION ?? "";

/** Why these tests cannot run here, if so. */
export const skip: string | undefined = peer === "" ? "deno task test:spark starts the Spark that it talks with" : undefined;

/** Starts a JVM of the test's own, which it may kill; {@linkcode Spark.open} wants its address. */
export async function startSparkProcess(context: TestContext): Promise<TestProcess & { readonly address: string }> {
  const [command, ...args] = JSON.parse(process.env.SPARKWIRE_SPARK_COMMAND ?? "[]") as string[];
  const jvm = startProcess(context, command!, args, { pipeStdin: true, env: { SPARK_LOCAL_IP: "127.0.0.1" } });
  const [, address] = await jvm.waitFor(/^peer (\S+) spark/m, 60_000);
  return Object.assign(jvm, { address: address! });
}

/** An exception as the JVM describes it. */
export interface ThrowableNotation {
  readonly class: string;
  readonly message: string | null;
  /** How many elements its stack has. */
  readonly stack: number;
  /** The first of them. */
  readonly top?: string;
  readonly cause?: ThrowableNotation;
}

/** Something that happened in the JVM. */
export interface SparkEvent {
  readonly event: string;
  readonly env: string;
  readonly address?: string;
  readonly value?: Notation;
  readonly ref?: number;
  readonly message?: string;
  readonly cause?: ThrowableNotation;
}

/** A command failed in the JVM. */
export class SparkFailure extends Error {
  readonly described: ThrowableNotation;

  constructor(described: ThrowableNotation) {
    super(`${described.class}: ${described.message}`);
    this.described = described;
  }
}

interface Line extends Partial<SparkEvent> {
  readonly id?: number;
  readonly result?: unknown;
  readonly failure?: ThrowableNotation;
}

interface Waiter {
  readonly matches: (event: SparkEvent) => boolean;
  readonly found: Deferred<SparkEvent>;
}

/** How long a command may take unless it is told otherwise. */
const COMMAND_DEADLINE_MS = 30_000;

/** The JVM, for one test; what the test makes there ends with it. */
export class Spark {
  /** What happened that no one has waited for yet. */
  readonly events: SparkEvent[] = [];
  /** When the session has ended: with the test, or with the JVM. */
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  readonly #calls = new Map<number, Deferred<unknown>>();
  readonly #waiters = new Set<Waiter>();
  #lastId = 0;
  #ended = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const lines = createInterface({ input: socket, crlfDelay: Infinity });
    lines.on("line", (line: string) => this.#take(JSON.parse(line) as Line));
    const ended = deferred();
    this.ended = ended.promise;
    // Why it ended is of no interest: what still waits for the JVM fails.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#ended = true;
      for (const call of this.#calls.values()) call.reject(new Error("The session with the JVM has ended"));
      ended.resolve();
    });
  }

  /**
   * Opens a session, which ends with the test.
   *
   * @param address Where the JVM is; that of the task, unless the test has one of its own.
   */
  static async open(context: TestContext, address: string = peer): Promise<Spark> {
    const [host, port] = address.split(":");
    const socket = connect({ host: host!, port: Number(port) });
    const spark = new Spark(socket);
    context.defer(async () => {
      // What the test made there is gone when the next one begins: there is one driver in a JVM at a time.
      if (!spark.#ended) await spark.command("end");
      socket.end();
      await within(spark.ended, "the end of the session");
    });
    await within(once(socket, "connect"), "a session with the JVM");
    return spark;
  }

  #take(line: Line): void {
    if (line.id === undefined) return this.#tell(line as SparkEvent);
    const call = this.#calls.get(line.id);
    this.#calls.delete(line.id);
    if (line.failure === undefined) call?.resolve(line.result);
    else call?.reject(new SparkFailure(line.failure));
  }

  #tell(event: SparkEvent): void {
    for (const waiter of this.#waiters) {
      if (!waiter.matches(event)) continue;
      this.#waiters.delete(waiter);
      return waiter.found.resolve(event);
    }
    this.events.push(event);
  }

  /** Makes the JVM do something. */
  async command(op: string, details: object = {}, deadlineMs = COMMAND_DEADLINE_MS): Promise<unknown> {
    const id = ++this.#lastId;
    const call = deferred<unknown>();
    this.#calls.set(id, call);
    this.#socket.write(`${JSON.stringify({ id, op, ...details })}\n`);
    return await within(call.promise, `${op} in the JVM`, deadlineMs);
  }

  /** Waits for something to happen, unless it has; each event is given out once. */
  async event(name: string, matches: (event: SparkEvent) => boolean = () => true): Promise<SparkEvent> {
    const isIt = (event: SparkEvent) => event.event === name && matches(event);
    const at = this.events.findIndex(isIt);
    if (at >= 0) return this.events.splice(at, 1)[0]!;
    const waiter: Waiter = { matches: isIt, found: deferred<SparkEvent>() };
    this.#waiters.add(waiter);
    return await within(waiter.found.promise, `${name} in the JVM; there were ${JSON.stringify(this.events)}`);
  }

  /** Makes an RpcEnv with the endpoints of `Endpoints.java`. */
  async createEnv(name: string, options: SparkEnvOptions = {}): Promise<SparkRpcEnv> {
    const { address } = await this.command("createEnv", { env: name, ...options }) as { address: string | null };
    return new SparkRpcEnv(this, name, address ?? "");
  }
}

/** How an RpcEnv of Spark is made. */
export interface SparkEnvOptions {
  /** In client mode. */
  readonly client?: boolean;
  /** Where it listens; 0 lets the system choose. */
  readonly port?: number;
  readonly conf?: Readonly<Record<string, string>>;
}

/** How a Spark asks. */
export interface SparkAskOptions {
  readonly timeoutMs?: number;
  /** How long the test waits for the command. */
  readonly deadlineMs?: number;
}

/** An RpcEnv of Spark. */
export class SparkRpcEnv {
  readonly #spark: Spark;
  readonly name: string;
  /** `host:port`; empty in client mode. */
  readonly address: string;

  constructor(spark: Spark, name: string, address: string) {
    this.#spark = spark;
    this.name = name;
    this.address = address;
  }

  /** The URI of one of its endpoints. */
  uri(endpoint: string): string {
    return `spark://${endpoint}@${this.address}`;
  }

  async #command(op: string, details?: object, deadlineMs?: number): Promise<unknown> {
    return await this.#spark.command(op, { env: this.name, ...details }, deadlineMs);
  }

  /** Looks an endpoint up; gives the number by which the JVM knows the reference, and what the JVM says of it. */
  async lookup(uri: string): Promise<{ readonly ref: number; readonly value: Notation }> {
    return await this.#command("lookup", { uri }) as { ref: number; value: Notation };
  }

  /** Asks; gives what the answer is in Spark. */
  async ask(ref: number, value: Notation, { deadlineMs, ...options }: SparkAskOptions = {}): Promise<Notation> {
    return await this.#command("ask", { ref, value, ...options }, deadlineMs) as Notation;
  }

  /** Asks so many times at once; gives how many of the answers are equal to what was asked. */
  async askMany(ref: number, value: Notation, count: number): Promise<Notation> {
    return await this.#command("askMany", { ref, value, count }) as Notation;
  }

  /** Sends. */
  async send(ref: number, value: Notation): Promise<void> {
    await this.#command("send", { ref, value });
  }

  /** Sends the Integers from 0 to `count` - 1. */
  async sendMany(ref: number, count: number): Promise<void> {
    await this.#command("sendMany", { ref, count });
  }

  /** Answers the oldest ask that its endpoint `Later` has. */
  async release(value: Notation): Promise<void> {
    await this.#command("release", { value });
  }

  /** Downloads to nowhere. */
  async download(uri: string): Promise<{ readonly length: number; readonly sha256: string }> {
    return await this.#command("download", { uri }) as { length: number; sha256: string };
  }

  /** Serves a file; gives its URI. */
  async addFile(path: string): Promise<string> {
    return await this.#command("addFile", { path }) as string;
  }

  /** Serves a jar; gives its URI. */
  async addJar(path: string): Promise<string> {
    return await this.#command("addJar", { path }) as string;
  }

  /** Serves a folder; gives its URI. */
  async addDirectory(base: string, path: string): Promise<string> {
    return await this.#command("addDirectory", { base, path }) as string;
  }

  /** Ends it. */
  async shutdown(): Promise<void> {
    await this.#command("shutdown");
  }
}
