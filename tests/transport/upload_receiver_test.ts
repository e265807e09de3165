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
