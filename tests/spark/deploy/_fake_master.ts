/**
 * The Master of a standalone cluster, as far as its clients can tell: it knows what it is told, and runs nothing.
 *
 * Spark: deploy/master/Master.scala receiveAndReply, whose texts these are.
 *
 * @module
 */
import {
  java,
  type RpcEndpoint,
  type RpcEndpointRef,
  RpcEnv,
  sparkDeploy,
  type SparkDriverDescription,
  type SparkDriverInfo,
  type SparkDriverState,
  type SparkRecoveryState,
  unhandled,
} from "../../../mod.ts";
import type { TestContext } from "../../_harness.ts";
import { MemoryLogger } from "../../_memory_logger.ts";

/** How a {@linkcode FakeMaster} is at first. */
export interface FakeMasterOptions {
  readonly state?: SparkRecoveryState;
  /** A Master before Spark 4.0 has no such question. */
  readonly knowsReadyz?: boolean;
  /** Why it takes no driver, and tells of none. */
  readonly refusal?: string;
}

interface FakeDriver {
  readonly description: SparkDriverDescription;
  state: SparkDriverState;
  exception: Error | undefined;
}

/** One Master, which ends with the test. */
export class FakeMaster {
  readonly env: RpcEnv;
  readonly self: RpcEndpointRef;
  /** What it was asked, by the names of the messages. */
  readonly asked: string[] = [];
  readonly drivers = new Map<string, FakeDriver>();
  state: SparkRecoveryState;
  /** Called before each answer, with the name of the message; its result is waited for. */
  onAsked: (name: string) => unknown = () => {};
  /** What it says instead of all that it knows. */
  answerWith: unknown;
  readonly #options: FakeMasterOptions;

  private constructor(env: RpcEnv, options: FakeMasterOptions) {
    this.env = env;
    this.state = options.state ?? "ALIVE";
    this.#options = options;
    const endpoint: RpcEndpoint = { receiveAndReply: (message) => this.#reply(message) };
    this.self = env.setupEndpoint("Master", endpoint);
  }

  static async start(context: TestContext, options: FakeMasterOptions = {}): Promise<FakeMaster> {
    const env = await RpcEnv.create({
      name: "sparkMaster",
      host: "127.0.0.1",
      port: 0,
      serializers: [java],
      logger: new MemoryLogger(),
    });
    context.defer(() => env.shutdown());
    return new FakeMaster(env, options);
  }

  /** `spark://host:port`. */
  get url(): string {
    return this.env.address!.toSparkURL();
  }

  /** `host:port`. */
  get hostPort(): string {
    return this.env.address!.hostPort;
  }

  async #reply(message: unknown): Promise<unknown> {
    const name = nameOf(message);
    this.asked.push(name);
    await this.onAsked(name);
    if (this.answerWith !== undefined) return this.answerWith;
    if (message === sparkDeploy.RequestReadyz) return this.#readyz();
    if (message === sparkDeploy.RequestMasterState) return this.#masterState();
    if (message === sparkDeploy.BoundPortsRequest) {
      return new sparkDeploy.BoundPortsResponse({ rpcEndpointPort: this.#port, webUIPort: 8080, restPort: undefined });
    }
    if (message instanceof sparkDeploy.RequestSubmitDriver) return this.#submit(message.driverDescription);
    if (message instanceof sparkDeploy.RequestDriverStatus) return this.#driverStatus(message.driverId);
    if (message instanceof sparkDeploy.RequestKillDriver) return this.#kill(message.driverId);
    return unhandled;
  }

  get #port(): number {
    return this.env.address!.port;
  }

  /** What a Master in another state says to what only the one that is alive does. */
  #notAlive(only: string): string | undefined {
    return this.state === "ALIVE" ? undefined : `Current state is not alive: ${this.state}. Can only ${only} in ALIVE state.`;
  }

  #readyz(): boolean {
    if (this.#options.knowsReadyz !== false) return this.state !== "STANDBY";
    throw new Error("java.lang.ClassNotFoundException: org.apache.spark.deploy.DeployMessages$RequestReadyz$");
  }

  #submit(description: SparkDriverDescription) {
    const refusal = this.#notAlive("accept driver submissions") ?? this.#options.refusal;
    if (refusal !== undefined) {
      return new sparkDeploy.SubmitDriverResponse({ master: this.self, success: false, driverId: undefined, message: refusal });
    }
    const driverId = `driver-20260131120000-${String(this.drivers.size).padStart(4, "0")}`;
    this.drivers.set(driverId, { description, state: "SUBMITTED", exception: undefined });
    const message = `Driver successfully submitted as ${driverId}`;
    return new sparkDeploy.SubmitDriverResponse({ master: this.self, success: true, driverId, message });
  }

  #driverStatus(driverId: string) {
    const driver = this.drivers.get(driverId);
    const refusal = this.#notAlive("request driver status") ?? this.#options.refusal;
    if (refusal !== undefined || driver === undefined) {
      const none = { state: undefined, workerId: undefined, workerHostPort: undefined };
      const exception = refusal === undefined ? undefined : new Error(refusal);
      return new sparkDeploy.DriverStatusResponse({ found: false, ...none, exception });
    }
    const { state, exception } = driver;
    const runs = state !== "SUBMITTED";
    return new sparkDeploy.DriverStatusResponse({
      found: true,
      state,
      workerId: runs ? "worker-1" : undefined,
      workerHostPort: runs ? "127.0.0.1:7078" : undefined,
      exception,
    });
  }

  #kill(driverId: string) {
    const refusal = this.#notAlive("kill drivers");
    const driver = this.drivers.get(driverId);
    const success = refusal === undefined && (driver?.state === "SUBMITTED" || driver?.state === "RUNNING");
    if (success && driver !== undefined) driver.state = "KILLED";
    const message = refusal ??
      (success ? `Kill request for ${driverId} submitted` : `Driver ${driverId} has already finished or does not exist`);
    return new sparkDeploy.KillDriverResponse({ master: this.self, driverId, success, message });
  }

  #masterState() {
    const drivers = Array.from(this.drivers, ([id, driver]) => ({ driver, info: driverInfo(id, driver.description) }));
    const isActive = ({ driver }: { driver: FakeDriver }) => driver.state === "SUBMITTED" || driver.state === "RUNNING";
    return new sparkDeploy.MasterStateResponse({
      host: "127.0.0.1",
      port: this.#port,
      restPort: undefined,
      workers: [this.#worker()],
      activeApps: [],
      completedApps: [],
      activeDrivers: drivers.filter(isActive).map(({ info }) => info),
      completedDrivers: drivers.filter((each) => !isActive(each)).map(({ info }) => info),
      status: this.state,
    });
  }

  #worker() {
    return new sparkDeploy.WorkerInfo({
      id: "worker-1",
      host: "127.0.0.1",
      port: 7078,
      cores: 4,
      memory: 2048,
      endpoint: this.self,
      webUiAddress: "http://127.0.0.1:8081",
      resources: new Map(),
    });
  }
}

function driverInfo(id: string, desc: SparkDriverDescription): SparkDriverInfo {
  const startTime = Date.UTC(2026, 0, 31, 12);
  return new sparkDeploy.DriverInfo({
    startTime: BigInt(startTime),
    id,
    desc,
    submitDate: new Date(startTime),
    _resources: new Map(),
  });
}

const NAMES: ReadonlyMap<unknown, string> = new Map(Object.entries(sparkDeploy).map(([name, value]) => [value, name]));

function nameOf(message: unknown): string {
  const known = NAMES.get(message);
  if (known !== undefined) return known;
  return typeof message === "object" && message !== null ? NAMES.get(message.constructor) ?? message.constructor.name : "?";
}
