/**
 * A peer that has the classes of one build of Spark and, as a JVM does, reads no others: it decodes a request before it looks for
 * the endpoint, and what it cannot decode it refuses with an InvalidClassException.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import type { MessageBody } from "../../src/base/message_body.ts";
import { SparkConf } from "../../src/base/spark_conf.ts";
import { java } from "../../src/rpc/java_serializer.ts";
import { PROBED_ENDPOINT } from "../../src/rpc/class_probe.ts";
import { encodeRequestHeader, parseRequestHeader } from "../../src/rpc/request_message.ts";
import { CheckExistence } from "../../src/serializer/java/check_existence.ts";
import type { JavaSerializer } from "../../src/serializer/java/java.ts";
import { SPARK_VERSIONS } from "../../src/serializer/java/spark_versions.ts";
import { RpcFailure, type SerializerContext } from "../../src/serializer/serializer.ts";
import { defaultSocketDriver } from "../../src/socket/default.ts";
import { noOpRpcHandler } from "../../src/transport/rpc_handler.ts";
import type { RpcResponder } from "../../src/transport/rpc_response_callback.ts";
import type { TransportClient } from "../../src/transport/transport_client.ts";
import { TransportConf } from "../../src/transport/transport_conf.ts";
import { TransportContext } from "../../src/transport/transport_context.ts";
import { type TestContext, within } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";
import { projectRoot } from "../_project.ts";
import { context as fakeContext, encode, FakeRef } from "../serializer/java/_java.ts";

/** A build of Spark, as `suids.tsv` names it. */
export type Build = "3.5.8_2.12" | "3.5.8_2.13" | "4.0.1_2.13" | "4.1.1_2.13" | "4.2.0_2.13";

/** Of each class its serialVersionUID in each build. */
const uids = readUids();

function readUids(): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const file = readFileSync(join(projectRoot, "tests", "vectors", "suids.tsv"), "utf8");
  const [head, ...rows] = file.trim().split("\n").map((line) => line.split("\t"));
  return new Map(rows.map(([name, ...cells]) => [name!, new Map(cells.map((cell, i) => [head![i + 1]!, cell]))]));
}

const EXISTENCE = "org.apache.spark.rpc.netty.RpcEndpointVerifier$CheckExistence";
/** After the stream's header, two marks and the name with its length. */
const EXISTENCE_UID_AT = 4 + 2 + 2 + EXISTENCE.length;

/** What a content describes is not what the fake has. */
class InvalidClass extends Error {
  readonly className: string;

  constructor(className: string, sent: bigint, local: bigint) {
    const uid = `stream classdesc serialVersionUID = ${sent}, local class serialVersionUID = ${local}`;
    super(
      `java.io.InvalidClassException: ${className}; local class incompatible: ${uid}\n\tat java.base/java.io.Fake(Fake.java:1)`,
    );
    this.className = className;
  }
}

/** A Spark of one build. */
export class FakeSpark {
  /** Which one; it may become another, as after a restart. */
  build: Build;
  /** Classes that it has otherwise than its build. */
  readonly own = new Map<string, bigint>();
  /** What it has heard, in order. */
  readonly heard: string[] = [];
  /** What it does with what is asked just to see whether it can read it: answers as a Spark, not at all, or with a value, as none does. */
  probes: "answered" | "ignored" | "valued" = "answered";
  /** The class that it says it cannot read of these, whatever is in them. */
  probesRefusedFor: string | undefined;
  /** Called before something is refused. */
  onRefused = (): void => {};
  /** Asks of the endpoint `Later`, which it does not answer by itself. */
  readonly later: RpcResponder[] = [];
  readonly #context: TransportContext;
  readonly #test: TestContext;
  port = 0;

  private constructor(test: TestContext, build: Build, context: (fake: FakeSpark) => TransportContext) {
    this.#test = test;
    this.build = build;
    this.#context = context(this);
    test.defer(() => within(this.#context.close(), "the fake Spark to close"));
  }

  /** Makes one, which ends with the test. */
  static async create(test: TestContext, build: Build): Promise<FakeSpark> {
    const driver = await defaultSocketDriver();
    const conf = new TransportConf("rpc", new SparkConf({}));
    const surroundings = { driver, clock: systemClock, logger: new MemoryLogger(), random: Math.random };
    return new FakeSpark(test, build, (fake) => new TransportContext(conf, fake.#handler, surroundings));
  }

  /** Makes one that listens. */
  static async listen(test: TestContext, build: Build): Promise<FakeSpark> {
    const fake = await FakeSpark.create(test, build);
    const server = await within(fake.#context.createServer(), "to listen");
    test.defer(() => server.close());
    fake.port = server.port;
    return fake;
  }

  /** The URI of one of its endpoints. */
  uri(name: string): string {
    return `spark://${name}@127.0.0.1:${this.port}`;
  }

  /** What it heard since the last time. */
  takeHeard(): readonly string[] {
    return this.heard.splice(0);
  }

  /** Connects in client mode. */
  async dial(port: number): Promise<TransportClient> {
    const factory = this.#context.createClientFactory();
    this.#test.defer(() => factory.close());
    return await within(factory.createClient({ host: "127.0.0.1", port }), "to connect");
  }

  /** Closes its connections. */
  disconnect(): void {
    for (const { client } of this.#context.connections) client.close();
  }

  /** Asks over a connection that it dialled. */
  async ask(client: TransportClient, name: string, message: unknown): Promise<unknown> {
    return await new Promise((resolve, reject) => {
      client.sendRpc(this.#request(name, message), {
        deadline: Infinity,
        onSuccess: (body) => {
          // A real one cannot read its answer either, and then waits for ever; here that is an error.
          try {
            const value = this.#decode(body);
            if (value instanceof RpcFailure) reject(value.error);
            else resolve(value);
          } catch (thrown) {
            reject(new Error("A Spark could not read its answer", { cause: thrown }));
          }
        },
        onFailure: reject,
        onTimeout: () => {},
      });
    });
  }

  #request(name: string, message: unknown): Uint8Array {
    const header = encodeRequestHeader(undefined, undefined, name);
    return new Uint8Array([...header, ...this.#encode(message)]);
  }

  get #codec(): JavaSerializer {
    const sparkVersion = SPARK_VERSIONS.find((version) => this.build.startsWith(version));
    return java.with({ sparkVersion });
  }

  #encode(value: unknown): Uint8Array {
    const bytes = encode(value, this.#codec, fakeContext);
    // What a Spark of Scala 2.12 writes is not known here, but for that.
    if (value instanceof CheckExistence) new DataView(bytes.buffer).setBigInt64(EXISTENCE_UID_AT, this.#existenceUid);
    return bytes;
  }

  get #existenceUid(): bigint {
    return BigInt(uids.get(EXISTENCE)!.get(this.build)!);
  }

  readonly #strict: SerializerContext = {
    ...fakeContext,
    sawJavaClass: (className, uid) => {
      const cell = uids.get(className)?.get(this.build);
      const local = this.own.get(className) ?? (cell === undefined || !/^-?\d+$/.test(cell) ? uid : BigInt(cell));
      if (local !== uid) throw new InvalidClass(className, uid, local);
    },
  };

  #decode(body: MessageBody): unknown {
    return this.#codec.decode(body, this.#strict);
  }

  #read(kind: string, body: MessageBody): { readonly name: string; readonly message: unknown } {
    const { name, contentStart } = parseRequestHeader(body.memory, body.start, body.end);
    body.start = contentStart;
    const what = name === PROBED_ENDPOINT ? "probe" : kind;
    try {
      if (what === "probe" && this.probesRefusedFor !== undefined) throw new InvalidClass(this.probesRefusedFor, 1n, 2n);
      const message = this.#decode(body);
      this.heard.push(name === PROBED_ENDPOINT ? "probe" : `${what} ${name} ${shown(message)}`);
      return { name, message };
    } catch (thrown) {
      const cause = thrown instanceof Error && thrown.cause instanceof InvalidClass ? thrown.cause : thrown;
      if (!(cause instanceof InvalidClass)) throw thrown;
      this.heard.push(`${what} refused: ${cause.className.replace(/^.*\./, "")}`);
      this.onRefused();
      throw new Error(cause.message);
    }
  }

  readonly #handler = {
    ...noOpRpcHandler,
    receive: (_: TransportClient, body: MessageBody, responder: RpcResponder): void => {
      if (this.probes === "ignored" && isProbe(body)) return;
      const { name, message } = this.#read("ask", body);
      if (this.probes === "valued" && name === PROBED_ENDPOINT) responder.onSuccess(this.#encode(true));
      else if (message instanceof CheckExistence) responder.onSuccess(this.#encode(true));
      else if (name === "Echo") responder.onSuccess(this.#encode(message));
      else if (name === "Give") responder.onSuccess(this.#encode(new FakeRef("Echo", { host: "127.0.0.1", port: this.port })));
      else if (name === "Later") this.later.push(responder);
      else if (name === "Failing") responder.onSuccess(this.#encode(new RpcFailure(new InvalidClass("a.B", 1n, 2n))));
      else responder.onFailure(new Error(`Could not find ${name}.`));
    },
    receiveOneWay: (_: TransportClient, body: MessageBody): void => {
      this.#read("send", body);
    },
  };
}

function isProbe(body: MessageBody): boolean {
  return parseRequestHeader(body.memory, body.start, body.end).name === PROBED_ENDPOINT;
}

function shown(value: unknown): string {
  if (value instanceof FakeRef) return `ref(${value.name})`;
  if (value instanceof CheckExistence) return value.name;
  return Array.isArray(value) ? `[${value.map(shown).join(", ")}]` : String(value);
}
