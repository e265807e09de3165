/**
 * The names under which Spark's own endpoints and environments are known.
 *
 * Spark: they lie with the classes that set the endpoints up, such as CoarseGrainedSchedulerBackend.ENDPOINT_NAME in
 * core/…/scheduler/cluster/CoarseGrainedSchedulerBackend.scala.
 *
 * @module
 */

/** The endpoints that Spark's parts look for in each other. A block manager's is `BlockManagerEndpoint` and a number. */
export const EndpointName = {
  /** In the driver: executors register here, and report on their tasks. */
  coarseGrainedScheduler: "CoarseGrainedScheduler",
  /** In the driver: executors say that they live. */
  heartbeatReceiver: "HeartbeatReceiver",
  /** In the driver: where the outputs of shuffles lie. */
  mapOutputTracker: "MapOutputTracker",
  /** In the driver: where blocks lie. */
  blockManagerMaster: "BlockManagerMaster",
  /** In the driver: block managers say that they live. */
  blockManagerMasterHeartbeat: "BlockManagerMasterHeartbeat",
  /** In the driver: which attempt of a task may write its output. */
  outputCommitCoordinator: "OutputCommitCoordinator",
  /** In the driver: where the tasks of a barrier stage wait for each other. */
  barrierSync: "barrierSync",
  /** In the driver, for a standalone cluster's master. */
  appClient: "AppClient",
  /** In an executor: tasks come here. */
  executor: "Executor",
  /** In an executor: it ends with its worker. */
  workerWatcher: "WorkerWatcher",
  /** In a standalone cluster's master. */
  master: "Master",
  /** In a standalone cluster's worker. */
  worker: "Worker",
  /** In whoever submits a driver to a standalone cluster. */
  client: "client",
} as const;

/** One of the well-known names. */
export type EndpointName = (typeof EndpointName)[keyof typeof EndpointName];

/** What Spark's environments are called in logs and errors. */
export const SystemName = {
  /** A driver's. */
  driver: "sparkDriver",
  /** An executor's. */
  executor: "sparkExecutor",
  /** A master's. */
  master: "sparkMaster",
  /** A worker's. */
  worker: "sparkWorker",
  /** The one in which an executor asks its driver for the configuration. */
  driverPropsFetcher: "driverPropsFetcher",
  /** That of whoever submits a driver. */
  driverClient: "driverClient",
} as const;

/** One of these names. */
export type SystemName = (typeof SystemName)[keyof typeof SystemName];
