import { assertEquals } from "@std/assert";
import { TransportMetrics } from "../../src/transport/transport_metrics.ts";
import { UploadReceiver } from "../../src/transport/upload_receiver.ts";
import { test, until } from "../_harness.ts";

test("UploadReceiver reports an answer that cannot be written, also one that comes later", async () => {
  const errors: string[] = [];
  const receiver = new UploadReceiver({
    target: { id: "x", onData() {}, onFailure() {}, onComplete: () => Promise.resolve() },
    responder: {
      onSuccess() {
        throw new Error("no room");
      },
      onFailure() {
        throw new Error("no room for a failure");
      },
    },
    onBroken() {},
    onError: (error) => errors.push(error.message),
    metrics: new TransportMetrics(),
  });
  receiver.onComplete();
  await until(() => errors.length > 0, "the report");
  assertEquals(errors, ["no room for a failure"]);
});

test("UploadReceiver reports a target that fails to hear of its failure", () => {
  const errors: string[] = [];
  const answers: string[] = [];
  const cannot = (what: string) => () => {
    throw new Error(what);
  };
  const receiver = new UploadReceiver({
    target: { id: "x", onData() {}, onFailure: cannot("nobody hears"), onComplete: cannot("disk full") },
    responder: { onSuccess: () => 0, onFailure: (error) => answers.push(error.message) },
    onBroken() {},
    onError: (error) => errors.push(error.message),
    metrics: new TransportMetrics(),
  });
  receiver.onComplete();
  const text = "Failure post-processing complete stream; failing this rpc and leaving channel active: disk full";
  assertEquals([errors, answers], [["nobody hears"], [text]]);
});

test("UploadReceiver awaits what is like a promise as await does, and tells its target of one end", async () => {
  const heard: string[] = [];
  const metrics = new TransportMetrics();
  const onFailure = (_: unknown, error: Error) => void heard.push(error.message);
  // It calls back later and gives nothing.
  const completing = { then: (resolve: () => void) => queueMicrotask(resolve) };
  const receiver = new UploadReceiver({
    target: { id: "x", onData() {}, onFailure, onComplete: () => completing as unknown as Promise<void> },
    responder: { onSuccess: () => heard.push("answered"), onFailure: (error) => onFailure("", error) },
    onBroken() {},
    onError: (error) => onFailure("", error),
    metrics,
  });
  receiver.onComplete();
  await until(() => heard.length > 0, "the answer");
  assertEquals([heard, metrics.uploadsReceived, metrics.uploadsFailed], [["answered"], 1, 0]);
});
