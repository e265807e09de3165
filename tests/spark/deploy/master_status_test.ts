import { assert, assertEquals } from "@std/assert";
import { java } from "../../../src/rpc/java_serializer.ts";
import { defineJavaClass, type JavaClass } from "../../../src/serializer/java/define_java_class.ts";
import { sparkDeploy } from "../../../src/serializer/java/deploy_messages.ts";
import { javaTypes } from "../../../src/serializer/java/java_types.ts";
import { portsOf, statusOf } from "../../../src/spark/deploy/master_status.ts";
import { test } from "../../_harness.ts";
import { decode, decodeVector, encode } from "../../serializer/java/_java.ts";

function vector<V extends object>(name: string, expected: JavaClass<V>): V {
  const value = decodeVector(name);
  assert(value instanceof expected);
  return value;
}

test("portsOf() tells what a real Master said", () => {
  const { BoundPortsResponse } = sparkDeploy;
  const ports = { rpcPort: 7077, webUiPort: 8080 };
  assertEquals(portsOf(vector("BoundPortsResponse", BoundPortsResponse)), { ...ports, restPort: 6066 });
  assertEquals(portsOf(vector("BoundPortsResponse_none", BoundPortsResponse)).restPort, undefined);
});

test("statusOf() tells what a real Master said", () => {
  const ports = vector("BoundPortsResponse", sparkDeploy.BoundPortsResponse);
  const status = statusOf(ports, vector("MasterStateResponse_full", sparkDeploy.MasterStateResponse));
  const startedAt = new Date("2023-11-14T22:13:20.000Z");
  assertEquals(status, {
    rpcPort: 7077,
    webUiPort: 8080,
    restPort: 6066,
    host: "127.0.0.1",
    state: "STANDBY",
    workers: [{
      id: "worker-1",
      host: "127.0.0.1",
      port: 7078,
      cores: 2,
      memoryMiB: 1024,
      webUiUrl: "http://127.0.0.1:8081",
      resources: {},
    }],
    activeApplications: [{
      id: "app-1",
      name: "app",
      user: "root",
      startedAt,
      maxCores: 4,
      coresPerExecutor: 1,
      memoryPerExecutorMiB: 1024,
      uiUrl: "http://127.0.0.1:4040",
    }],
    completedApplications: [],
    // It was submitted without Spark's wrapper: class and arguments are those that the Worker starts.
    activeDrivers: [{
      id: "driver-1",
      submittedAt: startedAt,
      jarUrl: "file:/tmp/app.jar",
      mainClass: "org.example.Main",
      args: ["a"],
      cores: 1,
      memoryMiB: 1024,
      supervise: false,
    }],
    completedDrivers: [],
  });
  const empty = statusOf(ports, vector("MasterStateResponse_empty", sparkDeploy.MasterStateResponse));
  assertEquals([empty.workers, empty.activeApplications, empty.completedDrivers], [[], [], []]);
});

test("statusOf() tells the addresses of a Worker's resources", () => {
  const { BoundPortsResponse, MasterStateResponse, WorkerInfo } = sparkDeploy;
  const state = vector("MasterStateResponse_full", MasterStateResponse);
  const WorkerResourceInfo = defineJavaClass("org.apache.spark.deploy.master.WorkerResourceInfo", {
    fields: { name: "String", addresses: javaTypes.seq("String") },
  });
  const info = new WorkerResourceInfo({ name: "gpu", addresses: ["0", "1"] });
  // As it comes: nobody told the codec of a class that is private to Spark.
  const gpu = decode(encode(info, java.with({ classes: [WorkerResourceInfo] })));
  const resources = new Map([["gpu", gpu], ["fpga", null]]);
  const workers = [new WorkerInfo({ ...state.workers[0]!, resources })];
  const status = statusOf(vector("BoundPortsResponse", BoundPortsResponse), new MasterStateResponse({ ...state, workers }));
  assertEquals(status.workers[0]?.resources, { gpu: ["0", "1"], fpga: [] });
});

test("statusOf() takes a driver's command for Spark's wrapper only where it names the jar and a class behind it", () => {
  const { BoundPortsResponse, Command, DriverDescription, DriverInfo, MasterStateResponse } = sparkDeploy;
  const state = vector("MasterStateResponse_full", MasterStateResponse);
  const ports = vector("BoundPortsResponse", BoundPortsResponse);
  const driver = state.activeDrivers[0]!;
  const summaryOf = (...args: readonly string[]) => {
    const command = new Command({ ...driver.desc.command, mainClass: "Wrapper", arguments: args });
    const desc = new DriverDescription({ ...driver.desc, command });
    const activeDrivers = [new DriverInfo({ ...driver, desc })];
    const summary = statusOf(ports, new MasterStateResponse({ ...state, activeDrivers })).activeDrivers[0]!;
    return [summary.mainClass, ...summary.args];
  };
  const [worker, jar] = ["{{WORKER_URL}}", "{{USER_JAR}}"];
  assertEquals(summaryOf(worker, jar, "Main", "a"), ["Main", "a"]);
  assertEquals(summaryOf(worker, jar, "Main"), ["Main"]);
  assertEquals(summaryOf(worker, jar), ["Wrapper", worker, jar]);
  assertEquals(summaryOf("a", "b", "c"), ["Wrapper", "a", "b", "c"]);
});
