/**
 * The types of the messages of Spark's standalone deploy mode, and of what they are made of.
 *
 * Spark: as in `deploy_messages.ts`, whose tables of fields the compiler compares with these types.
 *
 * @module
 */

import type { EncodedRef, RefAddress } from "../serializer.ts";
import type { JavaClass } from "./define_java_class.ts";
import type { ScalaObject } from "./scala_object.ts";

/** The states of an executor. */
export type SparkExecutorState = "LAUNCHING" | "RUNNING" | "KILLED" | "FAILED" | "LOST" | "EXITED" | "DECOMMISSIONED";

/** The states of a driver. */
export type SparkDriverState = "SUBMITTED" | "RUNNING" | "FINISHED" | "RELAUNCHING" | "UNKNOWN" | "KILLED" | "FAILED" | "ERROR";

/** The states of a Master. */
export type SparkRecoveryState = "STANDBY" | "ALIVE" | "RECOVERING" | "COMPLETING_RECOVERY";

/** A java.net.URI, as text. */
export type SparkUri = { readonly string: string };

/** A resource.ResourceInformation. */
export type SparkResourceInformation = { readonly name: string; readonly addresses: readonly string[] };

/** A resource.ResourceRequirement. */
export type SparkResourceRequirement = { readonly resourceName: string; readonly amount: number; readonly numParts: number };

/** A resource.ExecutorResourceRequest. */
export type SparkExecutorResourceRequest = {
  readonly resourceName: string;
  readonly amount: bigint;
  readonly discoveryScript: string;
  readonly vendor: string;
};

/** A resource.TaskResourceRequest. */
export type SparkTaskResourceRequest = { readonly resourceName: string; readonly amount: number };

/** A resource.ResourceProfile. */
export type SparkResourceProfile = {
  readonly _id: number;
  readonly executorResources: ReadonlyMap<string, SparkExecutorResourceRequest>;
  readonly taskResources: ReadonlyMap<string, SparkTaskResourceRequest>;
  readonly _executorResourceSlotsPerAddr: unknown;
  readonly _limitingResource: string | undefined;
  readonly _maxTasksPerExecutor: number | undefined;
  readonly _coresLimitKnown: boolean;
};

/** A deploy.Command. */
export type SparkCommand = {
  readonly mainClass: string;
  readonly arguments: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
  readonly classPathEntries: readonly string[];
  readonly libraryPathEntries: readonly string[];
  readonly javaOpts: readonly string[];
};

/** A deploy.ApplicationDescription. */
export type SparkApplicationDescription = {
  readonly name: string;
  readonly maxCores: number | undefined;
  readonly command: SparkCommand;
  readonly appUiUrl: string;
  readonly defaultProfile: SparkResourceProfile;
  readonly eventLogDir: SparkUri | undefined;
  readonly eventLogCodec: string | undefined;
  readonly initialExecutorLimit: number | undefined;
  readonly user: string;
};

/** A deploy.DriverDescription. */
export type SparkDriverDescription = {
  readonly jarUrl: string;
  readonly mem: number;
  readonly cores: number;
  readonly supervise: boolean;
  readonly command: SparkCommand;
  readonly resourceReqs: readonly SparkResourceRequirement[];
};

/** A deploy.ExecutorDescription. */
export type SparkExecutorDescription = {
  readonly appId: string;
  readonly execId: number;
  readonly rpId: number;
  readonly cores: number;
  readonly memoryMb: number;
  readonly state: SparkExecutorState;
};

/** A deploy.master.WorkerInfo. */
export type SparkWorkerInfo = {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly cores: number;
  readonly memory: number;
  readonly endpoint: EncodedRef;
  readonly webUiAddress: string;
  readonly resources: ReadonlyMap<string, unknown>;
};

/** A deploy.master.ApplicationInfo. */
export type SparkApplicationInfo = {
  readonly startTime: bigint;
  readonly id: string;
  readonly desc: SparkApplicationDescription;
  readonly submitDate: Date;
  readonly driver: EncodedRef;
  readonly defaultCores: number;
  readonly requestedCores: number;
  readonly _retryCount: number;
};

/** A deploy.master.DriverInfo. */
export type SparkDriverInfo = {
  readonly startTime: bigint;
  readonly id: string;
  readonly desc: SparkDriverDescription;
  readonly submitDate: Date;
  readonly _resources: ReadonlyMap<string, SparkResourceInformation>;
};

/** A WorkerExecutorStateResponse. */
export type SparkWorkerExecutorStateResponse = {
  readonly desc: SparkExecutorDescription;
  readonly resources: ReadonlyMap<string, SparkResourceInformation>;
};

/** A WorkerDriverStateResponse. */
export type SparkWorkerDriverStateResponse = {
  readonly driverId: string;
  readonly resources: ReadonlyMap<string, SparkResourceInformation>;
};

/** The messages of Spark's standalone deploy mode; see {@linkcode sparkDeploy}. */
export interface SparkDeploy {
  /** What an application asks for. */
  readonly ApplicationDescription: JavaClass<SparkApplicationDescription>;
  /** What a Master knows of an application. */
  readonly ApplicationInfo: JavaClass<SparkApplicationInfo>;
  /** What a Worker is to start. */
  readonly Command: JavaClass<SparkCommand>;
  /** What a driver needs. */
  readonly DriverDescription: JavaClass<SparkDriverDescription>;
  /** What a Master knows of a driver. */
  readonly DriverInfo: JavaClass<SparkDriverInfo>;
  /** What a Worker knows of an executor. */
  readonly ExecutorDescription: JavaClass<SparkExecutorDescription>;
  /** How much of a resource an executor needs. */
  readonly ExecutorResourceRequest: JavaClass<SparkExecutorResourceRequest>;
  /** A resource and its addresses, such as those of GPUs. */
  readonly ResourceInformation: JavaClass<SparkResourceInformation>;
  /** What executors and tasks of one kind need. */
  readonly ResourceProfile: JavaClass<SparkResourceProfile>;
  /** How much of a resource a driver needs. */
  readonly ResourceRequirement: JavaClass<SparkResourceRequirement>;
  /** How much of a resource a task needs. */
  readonly TaskResourceRequest: JavaClass<SparkTaskResourceRequest>;
  /** A URI. */
  readonly URI: JavaClass<SparkUri>;
  /** What a Master knows of a Worker. */
  readonly WorkerInfo: JavaClass<SparkWorkerInfo>;
  /** Master to Worker: an application is over, so that its files may go. */
  readonly ApplicationFinished: JavaClass<{ readonly id: string }>;
  /** Master to application: you are no more. */
  readonly ApplicationRemoved: JavaClass<{ readonly message: string }>;
  /** To a Master: where do you listen? It answers with BoundPortsResponse. */
  readonly BoundPortsRequest: ScalaObject;
  /** Where a Master listens. */
  readonly BoundPortsResponse: JavaClass<
    { readonly rpcEndpointPort: number; readonly webUIPort: number; readonly restPort: number | undefined }
  >;
  /** To a Worker: take nothing new. */
  readonly DecommissionWorker: ScalaObject;
  /** To a Master: decommission the Workers of these hosts. It answers with how many those are. */
  readonly DecommissionWorkersOnHosts: JavaClass<{ readonly hostnames: readonly string[] }>;
  /** Worker to Master: a driver is over. */
  readonly DriverStateChanged: JavaClass<
    { readonly driverId: string; readonly state: SparkDriverState; readonly exception: Error | undefined }
  >;
  /** What a Master says of a driver. */
  readonly DriverStatusResponse: JavaClass<
    {
      readonly found: boolean;
      readonly state: SparkDriverState | undefined;
      readonly workerId: string | undefined;
      readonly workerHostPort: string | undefined;
      readonly exception: Error | undefined;
    }
  >;
  /** Master to application: you have one more executor. */
  readonly ExecutorAdded: JavaClass<
    {
      readonly id: number;
      readonly workerId: string;
      readonly hostPort: string;
      readonly cores: number;
      readonly memory: number;
    }
  >;
  /** Worker to Master, which answers: an executor is in another state. */
  readonly ExecutorStateChanged: JavaClass<
    {
      readonly appId: string;
      readonly execId: number;
      readonly state: SparkExecutorState;
      readonly message: string | undefined;
      readonly exitStatus: number | undefined;
    }
  >;
  /** Master to application: one of your executors is in another state. */
  readonly ExecutorUpdated: JavaClass<
    {
      readonly id: number;
      readonly state: SparkExecutorState;
      readonly message: string | undefined;
      readonly exitStatus: number | undefined;
      readonly workerHost: string | undefined;
    }
  >;
  /** Worker to Master: I am there. */
  readonly Heartbeat: JavaClass<{ readonly workerId: string; readonly worker: EncodedRef }>;
  /** Whether a Master kills all drivers. */
  readonly KillAllDriversResponse: JavaClass<
    { readonly master: EncodedRef; readonly success: boolean; readonly message: string }
  >;
  /** Master to Worker: end a driver. */
  readonly KillDriver: JavaClass<{ readonly driverId: string }>;
  /** Whether a Master kills a driver. */
  readonly KillDriverResponse: JavaClass<
    { readonly master: EncodedRef; readonly driverId: string; readonly success: boolean; readonly message: string }
  >;
  /** Master to Worker: end an executor. */
  readonly KillExecutor: JavaClass<{ readonly masterUrl: string; readonly appId: string; readonly execId: number }>;
  /** Application to Master: end these executors. It answers with whether it knows the application. */
  readonly KillExecutors: JavaClass<{ readonly appId: string; readonly executorIds: readonly string[] }>;
  /** Master to Worker: start a driver. */
  readonly LaunchDriver: JavaClass<
    {
      readonly driverId: string;
      readonly driverDesc: SparkDriverDescription;
      readonly resources: ReadonlyMap<string, SparkResourceInformation>;
    }
  >;
  /** Master to Worker: start an executor. */
  readonly LaunchExecutor: JavaClass<
    {
      readonly masterUrl: string;
      readonly appId: string;
      readonly execId: number;
      readonly rpId: number;
      readonly appDesc: SparkApplicationDescription;
      readonly cores: number;
      readonly memory: number;
      readonly resources: ReadonlyMap<string, SparkResourceInformation>;
    }
  >;
  /** Application to Master: I know who you are now. */
  readonly MasterChangeAcknowledged: JavaClass<{ readonly appId: string }>;
  /** Master to Worker or application: I am the Master now. */
  readonly MasterChanged: JavaClass<{ readonly master: EncodedRef; readonly masterWebUiUrl: string }>;
  /** Master to Worker: I am not the Master. */
  readonly MasterInStandby: ScalaObject;
  /** What a Master knows. */
  readonly MasterStateResponse: JavaClass<
    {
      readonly host: string;
      readonly port: number;
      readonly restPort: number | undefined;
      readonly workers: readonly SparkWorkerInfo[];
      readonly activeApps: readonly SparkApplicationInfo[];
      readonly completedApps: readonly SparkApplicationInfo[];
      readonly activeDrivers: readonly SparkDriverInfo[];
      readonly completedDrivers: readonly SparkDriverInfo[];
      readonly status: SparkRecoveryState;
    }
  >;
  /** Master to Worker: register again. */
  readonly ReconnectWorker: JavaClass<{ readonly masterUrl: string }>;
  /** Application to Master: here I am. */
  readonly RegisterApplication: JavaClass<
    { readonly appDescription: SparkApplicationDescription; readonly driver: EncodedRef }
  >;
  /** Worker to Master: here I am. */
  readonly RegisterWorker: JavaClass<
    {
      readonly id: string;
      readonly host: string;
      readonly port: number;
      readonly worker: EncodedRef;
      readonly cores: number;
      readonly memory: number;
      readonly workerWebUiUrl: string;
      readonly masterAddress: RefAddress;
      readonly resources: ReadonlyMap<string, SparkResourceInformation>;
    }
  >;
  /** Master to Worker: I do not take you. */
  readonly RegisterWorkerFailed: JavaClass<{ readonly message: string }>;
  /** Master to application: I know you, by this id. */
  readonly RegisteredApplication: JavaClass<{ readonly appId: string; readonly master: EncodedRef }>;
  /** Master to Worker: I know you. */
  readonly RegisteredWorker: JavaClass<
    {
      readonly master: EncodedRef;
      readonly masterWebUiUrl: string;
      readonly masterAddress: RefAddress | null;
      readonly duplicate: boolean;
    }
  >;
  /** To a Master, from Spark 4.0 on: forget what is over. It answers with true. */
  readonly RequestClearCompletedDriversAndApps: ScalaObject;
  /** To a Master: how is a driver? It answers with DriverStatusResponse. */
  readonly RequestDriverStatus: JavaClass<{ readonly driverId: string }>;
  /** Application to Master: so many executors of each profile. It answers with whether it knows the application. */
  readonly RequestExecutors: JavaClass<
    { readonly appId: string; readonly resourceProfileToTotalExecs: ReadonlyMap<SparkResourceProfile, number> }
  >;
  /** To a Master, from Spark 4.0 on: kill all drivers. It answers with KillAllDriversResponse. */
  readonly RequestKillAllDrivers: ScalaObject;
  /** To a Master: kill a driver. It answers with KillDriverResponse. */
  readonly RequestKillDriver: JavaClass<{ readonly driverId: string }>;
  /** To a Master: what do you know? It answers with MasterStateResponse. */
  readonly RequestMasterState: ScalaObject;
  /** To a Master, from Spark 4.0 on: are you more than a standby? It answers with a boolean. */
  readonly RequestReadyz: ScalaObject;
  /** To a Master: run this driver. It answers with SubmitDriverResponse. */
  readonly RequestSubmitDriver: JavaClass<{ readonly driverDescription: SparkDriverDescription }>;
  /** To a Worker: what do you run? */
  readonly RequestWorkerState: ScalaObject;
  /** A Worker's message to itself. */
  readonly SendHeartbeat: ScalaObject;
  /** To an application's client: unregister. */
  readonly StopAppClient: ScalaObject;
  /** Whether a Master runs a driver, and under which id. */
  readonly SubmitDriverResponse: JavaClass<
    { readonly master: EncodedRef; readonly success: boolean; readonly driverId: string | undefined; readonly message: string }
  >;
  /** Application to Master: I am done. */
  readonly UnregisterApplication: JavaClass<{ readonly appId: string }>;
  /** Worker to Master: I take nothing new. */
  readonly WorkerDecommissioning: JavaClass<{ readonly id: string; readonly workerRef: EncodedRef }>;
  /** A driver that a Worker runs. */
  readonly WorkerDriverStateResponse: JavaClass<SparkWorkerDriverStateResponse>;
  /** An executor that a Worker runs. */
  readonly WorkerExecutorStateResponse: JavaClass<SparkWorkerExecutorStateResponse>;
  /** Worker to Master: what I run. */
  readonly WorkerLatestState: JavaClass<
    { readonly id: string; readonly executors: readonly SparkExecutorDescription[]; readonly driverIds: readonly string[] }
  >;
  /** Master to application: a Worker is gone. */
  readonly WorkerRemoved: JavaClass<{ readonly id: string; readonly host: string; readonly message: string }>;
  /** Worker to Master, which recovers: what I run. */
  readonly WorkerSchedulerStateResponse: JavaClass<
    {
      readonly id: string;
      readonly execResponses: readonly SparkWorkerExecutorStateResponse[];
      readonly driverResponses: readonly SparkWorkerDriverStateResponse[];
    }
  >;
}
