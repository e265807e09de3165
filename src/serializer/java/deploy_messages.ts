/**
 * The messages of Spark's standalone deploy mode: what a Master, its Workers and its clients say to each other.
 *
 * Spark: core/…/deploy/DeployMessage.scala, deploy/master/{MasterMessages,WorkerInfo,ApplicationInfo,DriverInfo}.scala, deploy/Command.scala,
 * deploy/{Application,Driver,Executor}Description.scala, resource/{ResourceProfile,ExecutorResourceRequest,TaskResourceRequest,ResourceInformation,ResourceRequirement}.scala.
 *
 * @module
 */

import { defineJavaClass, defineScalaObject, type JavaFields } from "./define_java_class.ts";
import type { JavaRegistryInit } from "./java_mapping.ts";
import { registrationsOf } from "./java_registrations.ts";
import type { SparkDeploy } from "./deploy_types.ts";
import { javaTypes } from "./java_types.ts";
import type { ScalaObject } from "./scala_object.ts";
import { addressType } from "./spark_classes.ts";

const { array, declaredAs, enumeration, nullable, option, ref, scalaList, scalaMap, seq } = javaTypes;

/** A class of `org.apache.spark`. */
function spark<const F extends JavaFields>(name: string, fields: F) {
  return defineJavaClass(`org.apache.spark.${name}`, { fields });
}

/** A message of `DeployMessages`. */
function message<const F extends JavaFields>(name: string, fields: F) {
  return spark(`deploy.DeployMessages$${name}`, fields);
}

/** A message of `DeployMessages` without fields. */
function object(name: string): ScalaObject {
  return defineScalaObject(`org.apache.spark.deploy.DeployMessages$${name}$`);
}

/** What a field with a URI holds: its text. */
const URI = defineJavaClass("java.net.URI", {
  serialVersionUID: -6052424284110960213n,
  fields: { string: "String" },
  writeObject: true,
});

const executorState = enumeration(
  "org.apache.spark.deploy.ExecutorState$",
  ["LAUNCHING", "RUNNING", "KILLED", "FAILED", "LOST", "EXITED", "DECOMMISSIONED"],
);
const driverState = enumeration(
  "org.apache.spark.deploy.master.DriverState$",
  ["SUBMITTED", "RUNNING", "FINISHED", "RELAUNCHING", "UNKNOWN", "KILLED", "FAILED", "ERROR"],
);
const recoveryState = enumeration(
  "org.apache.spark.deploy.master.RecoveryState$",
  ["STANDBY", "ALIVE", "RECOVERING", "COMPLETING_RECOVERY"],
);

const ResourceInformation = spark("resource.ResourceInformation", { name: "String", addresses: array("String") });
const ResourceRequirement = spark("resource.ResourceRequirement", { resourceName: "String", amount: "int", numParts: "int" });
const ExecutorResourceRequest = spark("resource.ExecutorResourceRequest", {
  resourceName: "String",
  amount: "long",
  discoveryScript: "String",
  vendor: "String",
});
const TaskResourceRequest = spark("resource.TaskResourceRequest", { resourceName: "String", amount: "double" });
const ResourceProfile = spark("resource.ResourceProfile", {
  _id: "int",
  executorResources: scalaMap("String", ExecutorResourceRequest),
  taskResources: scalaMap("String", TaskResourceRequest),
  _executorResourceSlotsPerAddr: option("Object"),
  _limitingResource: option("String"),
  _maxTasksPerExecutor: option("int"),
  _coresLimitKnown: "boolean",
});
const Command = spark("deploy.Command", {
  mainClass: "String",
  arguments: seq("String"),
  environment: declaredAs("scala.collection.Map", scalaMap("String", "String")),
  classPathEntries: seq("String"),
  libraryPathEntries: seq("String"),
  javaOpts: seq("String"),
});
const ApplicationDescription = spark("deploy.ApplicationDescription", {
  name: "String",
  maxCores: option("int"),
  command: Command,
  appUiUrl: "String",
  defaultProfile: ResourceProfile,
  eventLogDir: option(URI),
  eventLogCodec: option("String"),
  initialExecutorLimit: option("int"),
  user: "String",
});
const DriverDescription = spark("deploy.DriverDescription", {
  jarUrl: "String",
  mem: "int",
  cores: "int",
  supervise: "boolean",
  command: Command,
  resourceReqs: seq(ResourceRequirement),
});
const ExecutorDescription = spark("deploy.ExecutorDescription", {
  appId: "String",
  execId: "int",
  rpId: "int",
  cores: "int",
  memoryMb: "int",
  state: executorState,
});
const resources = scalaMap("String", ResourceInformation);
const WorkerInfo = spark("deploy.master.WorkerInfo", {
  id: "String",
  host: "String",
  port: "int",
  cores: "int",
  memory: "int",
  endpoint: ref,
  webUiAddress: "String",
  resources: scalaMap("String", "Object"),
});
const ApplicationInfo = spark("deploy.master.ApplicationInfo", {
  startTime: "long",
  id: "String",
  desc: ApplicationDescription,
  submitDate: "Date",
  driver: ref,
  defaultCores: "int",
  requestedCores: "int",
  _retryCount: "int",
});
const DriverInfo = spark("deploy.master.DriverInfo", {
  startTime: "long",
  id: "String",
  desc: DriverDescription,
  submitDate: "Date",
  _resources: resources,
});
const WorkerExecutorStateResponse = message("WorkerExecutorStateResponse", {
  desc: ExecutorDescription,
  resources,
});
const WorkerDriverStateResponse = message("WorkerDriverStateResponse", { driverId: "String", resources });

/**
 * The messages of Spark's standalone deploy mode, and what they are made of. The fields have Spark's names.
 *
 * What `WorkerInfo`, `ApplicationInfo` and `DriverInfo` tell is what Spark sends: no live figures.
 *
 * @example
 * ```ts
 * import { sparkDeploy } from "@sparkwire/sparkwire";
 *
 * const question = new sparkDeploy.RequestDriverStatus({ driverId: "driver-20260101000000-0000" });
 * if (question.driverId.length !== 26) throw new Error("not the driver");
 * ```
 */
export const sparkDeploy: SparkDeploy = {
  ApplicationDescription,
  ApplicationInfo,
  Command,
  DriverDescription,
  DriverInfo,
  ExecutorDescription,
  ExecutorResourceRequest,
  ResourceInformation,
  ResourceProfile,
  ResourceRequirement,
  TaskResourceRequest,
  URI,
  WorkerInfo,

  ApplicationFinished: message("ApplicationFinished", { id: "String" }),
  ApplicationRemoved: message("ApplicationRemoved", { message: "String" }),
  BoundPortsRequest: defineScalaObject("org.apache.spark.deploy.master.MasterMessages$BoundPortsRequest$"),
  BoundPortsResponse: spark("deploy.master.MasterMessages$BoundPortsResponse", {
    rpcEndpointPort: "int",
    webUIPort: "int",
    restPort: option("int"),
  }),
  DecommissionWorker: object("DecommissionWorker"),
  DecommissionWorkersOnHosts: message("DecommissionWorkersOnHosts", { hostnames: seq("String") }),
  DriverStateChanged: message("DriverStateChanged", {
    driverId: "String",
    state: driverState,
    exception: option("Throwable"),
  }),
  DriverStatusResponse: message("DriverStatusResponse", {
    found: "boolean",
    state: option(driverState),
    workerId: option("String"),
    workerHostPort: option("String"),
    exception: option("Throwable"),
  }),
  ExecutorAdded: message("ExecutorAdded", {
    id: "int",
    workerId: "String",
    hostPort: "String",
    cores: "int",
    memory: "int",
  }),
  ExecutorStateChanged: message("ExecutorStateChanged", {
    appId: "String",
    execId: "int",
    state: executorState,
    message: option("String"),
    exitStatus: option("int"),
  }),
  ExecutorUpdated: message("ExecutorUpdated", {
    id: "int",
    state: executorState,
    message: option("String"),
    exitStatus: option("int"),
    workerHost: option("String"),
  }),
  Heartbeat: message("Heartbeat", { workerId: "String", worker: ref }),
  KillAllDriversResponse: message("KillAllDriversResponse", { master: ref, success: "boolean", message: "String" }),
  KillDriver: message("KillDriver", { driverId: "String" }),
  KillDriverResponse: message("KillDriverResponse", {
    master: ref,
    driverId: "String",
    success: "boolean",
    message: "String",
  }),
  KillExecutor: message("KillExecutor", { masterUrl: "String", appId: "String", execId: "int" }),
  KillExecutors: message("KillExecutors", { appId: "String", executorIds: seq("String") }),
  LaunchDriver: message("LaunchDriver", { driverId: "String", driverDesc: DriverDescription, resources }),
  LaunchExecutor: message("LaunchExecutor", {
    masterUrl: "String",
    appId: "String",
    execId: "int",
    rpId: "int",
    appDesc: ApplicationDescription,
    cores: "int",
    memory: "int",
    resources,
  }),
  MasterChangeAcknowledged: message("MasterChangeAcknowledged", { appId: "String" }),
  MasterChanged: message("MasterChanged", { master: ref, masterWebUiUrl: "String" }),
  MasterInStandby: object("MasterInStandby"),
  MasterStateResponse: message("MasterStateResponse", {
    host: "String",
    port: "int",
    restPort: option("int"),
    workers: array(WorkerInfo),
    activeApps: array(ApplicationInfo),
    completedApps: array(ApplicationInfo),
    activeDrivers: array(DriverInfo),
    completedDrivers: array(DriverInfo),
    status: recoveryState,
  }),
  ReconnectWorker: message("ReconnectWorker", { masterUrl: "String" }),
  RegisterApplication: message("RegisterApplication", { appDescription: ApplicationDescription, driver: ref }),
  RegisterWorker: message("RegisterWorker", {
    id: "String",
    host: "String",
    port: "int",
    worker: ref,
    cores: "int",
    memory: "int",
    workerWebUiUrl: "String",
    masterAddress: addressType,
    resources,
  }),
  RegisterWorkerFailed: message("RegisterWorkerFailed", { message: "String" }),
  RegisteredApplication: message("RegisteredApplication", { appId: "String", master: ref }),
  RegisteredWorker: message("RegisteredWorker", {
    master: ref,
    masterWebUiUrl: "String",
    masterAddress: nullable(addressType),
    duplicate: "boolean",
  }),
  RequestClearCompletedDriversAndApps: object("RequestClearCompletedDriversAndApps"),
  RequestDriverStatus: message("RequestDriverStatus", { driverId: "String" }),
  RequestExecutors: message("RequestExecutors", {
    appId: "String",
    resourceProfileToTotalExecs: scalaMap(ResourceProfile, "int"),
  }),
  RequestKillAllDrivers: object("RequestKillAllDrivers"),
  RequestKillDriver: message("RequestKillDriver", { driverId: "String" }),
  RequestMasterState: object("RequestMasterState"),
  RequestReadyz: object("RequestReadyz"),
  RequestSubmitDriver: message("RequestSubmitDriver", { driverDescription: DriverDescription }),
  RequestWorkerState: object("RequestWorkerState"),
  SendHeartbeat: object("SendHeartbeat"),
  StopAppClient: object("StopAppClient"),
  SubmitDriverResponse: message("SubmitDriverResponse", {
    master: ref,
    success: "boolean",
    driverId: option("String"),
    message: "String",
  }),
  UnregisterApplication: message("UnregisterApplication", { appId: "String" }),
  WorkerDecommissioning: message("WorkerDecommissioning", { id: "String", workerRef: ref }),
  WorkerDriverStateResponse,
  WorkerExecutorStateResponse,
  WorkerLatestState: message("WorkerLatestState", {
    id: "String",
    executors: seq(ExecutorDescription),
    driverIds: seq("String"),
  }),
  WorkerRemoved: message("WorkerRemoved", { id: "String", host: "String", message: "String" }),
  WorkerSchedulerStateResponse: message("WorkerSchedulerStateResponse", {
    id: "String",
    execResponses: scalaList(WorkerExecutorStateResponse),
    driverResponses: seq(WorkerDriverStateResponse),
  }),
};

/** The classes of this file. */
export const deployClasses: readonly JavaRegistryInit[] = registrationsOf(Object.values(sparkDeploy));
