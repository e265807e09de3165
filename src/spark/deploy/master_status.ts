/**
 * What a Master knows of its cluster, as far as it sends it.
 *
 * Spark: deploy/DeployMessage.scala MasterStateResponse, deploy/master/{WorkerInfo,ApplicationInfo,DriverInfo}.scala. Their live parts
 * are transient: whether a Worker lives, what is in use of it, which executors an application has, what a driver does. A driver's
 * state is what `driverStatus` tells; for the rest there is the JSON of the Master's web UI.
 *
 * @module
 */

import type {
  SparkApplicationInfo,
  SparkDriverInfo,
  SparkRecoveryState,
  SparkWorkerInfo,
} from "../../serializer/java/deploy_types.ts";
import type { sparkDeploy } from "../../serializer/java/deploy_messages.ts";
import { JavaObject } from "../../serializer/java/java_object.ts";

/** Where a Master listens. */
export interface MasterPorts {
  /** For messages. */
  readonly rpcPort: number;
  /** Its web UI. */
  readonly webUiPort: number;
  /** Its REST server; undefined if it has none. */
  readonly restPort: number | undefined;
}

/** A Worker that has registered. It may be dead since: that is not sent. */
export interface WorkerSummary {
  /** Its id. */
  readonly id: string;
  /** Where it listens. */
  readonly host: string;
  /** Where it listens. */
  readonly port: number;
  /** How many cores it gives. */
  readonly cores: number;
  /** How much memory it gives, in MiB. */
  readonly memoryMiB: number;
  /** Its web UI. */
  readonly webUiUrl: string;
  /** The addresses of its further resources, such as GPUs, by name. */
  readonly resources: Readonly<Record<string, readonly string[]>>;
}

/** An application. */
export interface ApplicationSummary {
  /** Its id. */
  readonly id: string;
  /** Its name. */
  readonly name: string;
  /** Who runs it. */
  readonly user: string;
  /** When it registered. */
  readonly startedAt: Date;
  /** How many cores it may have; undefined for any number. */
  readonly maxCores: number | undefined;
  /** How many cores an executor has; undefined for all of its Worker. */
  readonly coresPerExecutor: number | undefined;
  /** How much memory an executor has, in MiB. */
  readonly memoryPerExecutorMiB: number | undefined;
  /** Its web UI; may be empty. */
  readonly uiUrl: string;
}

/** A driver that was submitted. */
export interface DriverSummary {
  /** Its id. */
  readonly id: string;
  /** When it was submitted. */
  readonly submittedAt: Date;
  /** Its jar. */
  readonly jarUrl: string;
  /** Its own class; that which is started, if it was not submitted as Spark does. */
  readonly mainClass: string;
  /** What it is given. */
  readonly args: readonly string[];
  /** How many cores it has. */
  readonly cores: number;
  /** How much memory it has, in MiB. */
  readonly memoryMiB: number;
  /** Whether it is started again when it fails. */
  readonly supervise: boolean;
}

/** What a Master knows. */
export interface MasterStatus extends MasterPorts {
  /** Where it says that it is. */
  readonly host: string;
  /** Whether it is the one that rules. */
  readonly state: SparkRecoveryState;
  /** Its Workers. */
  readonly workers: readonly WorkerSummary[];
  /** Applications that wait or run. */
  readonly activeApplications: readonly ApplicationSummary[];
  /** Applications that are over; the Master keeps some. */
  readonly completedApplications: readonly ApplicationSummary[];
  /** Drivers that wait or run. */
  readonly activeDrivers: readonly DriverSummary[];
  /** Drivers that are over; the Master keeps some. */
  readonly completedDrivers: readonly DriverSummary[];
}

type Reply<K extends "BoundPortsResponse" | "MasterStateResponse"> = InstanceType<(typeof sparkDeploy)[K]>;

/** The ports in a Master's answer. */
export function portsOf({ rpcEndpointPort, webUIPort, restPort }: Reply<"BoundPortsResponse">): MasterPorts {
  return { rpcPort: rpcEndpointPort, webUiPort: webUIPort, restPort };
}

/** A Master's answers in one. */
export function statusOf(ports: Reply<"BoundPortsResponse">, state: Reply<"MasterStateResponse">): MasterStatus {
  return {
    ...portsOf(ports),
    host: state.host,
    state: state.status,
    workers: state.workers.map(summariseWorker),
    activeApplications: state.activeApps.map(summariseApplication),
    completedApplications: state.completedApps.map(summariseApplication),
    activeDrivers: state.activeDrivers.map(summariseDriver),
    completedDrivers: state.completedDrivers.map(summariseDriver),
  };
}

function summariseWorker({ id, host, port, cores, memory, webUiAddress, resources }: SparkWorkerInfo): WorkerSummary {
  const addresses = Array.from(resources, ([name, resource]) => [name, addressesOf(resource)] as const);
  return { id, host, port, cores, memoryMiB: memory, webUiUrl: webUiAddress, resources: Object.fromEntries(addresses) };
}

/** A WorkerResourceInfo is private to Spark, and inert here. */
function addressesOf(resource: unknown): readonly string[] {
  const addresses = resource instanceof JavaObject ? resource.get("addresses") : undefined;
  return Array.isArray(addresses) ? addresses.map(String) : [];
}

function summariseApplication({ id, desc, startTime }: SparkApplicationInfo): ApplicationSummary {
  const { executorResources } = desc.defaultProfile;
  const amountOf = (name: string) => {
    const amount = executorResources.get(name)?.amount;
    return amount === undefined ? undefined : Number(amount);
  };
  return {
    id,
    name: desc.name,
    user: desc.user,
    startedAt: new Date(Number(startTime)),
    maxCores: desc.maxCores,
    coresPerExecutor: amountOf("cores"),
    memoryPerExecutorMiB: amountOf("memory"),
    uiUrl: desc.appUiUrl,
  };
}

/** The class and the arguments of the driver itself come after the Worker's and the jar's place among those of the wrapper. */
function summariseDriver({ id, desc, startTime }: SparkDriverInfo): DriverSummary {
  const { mainClass, arguments: args } = desc.command;
  const wrapped = args[1] === "{{USER_JAR}}" && args.length > 2;
  return {
    id,
    submittedAt: new Date(Number(startTime)),
    jarUrl: desc.jarUrl,
    mainClass: wrapped ? args[2]! : mainClass,
    args: wrapped ? args.slice(3) : [...args],
    cores: desc.cores,
    memoryMiB: desc.mem,
    supervise: desc.supervise,
  };
}
