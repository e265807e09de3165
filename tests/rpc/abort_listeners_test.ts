import { assertEquals } from "@std/assert";
import { AbortListeners } from "../../src/rpc/abort_listeners.ts";
import { countListeners } from "../_counted_listeners.ts";
import { test } from "../_harness.ts";

class Waiting {
  reason: unknown = "none";

  abort(reason: unknown): void {
    this.reason = reason;
  }
}

test("AbortListeners.add() puts one listener on a signal, and remove() takes it off with the last one", () => {
  const listeners = new AbortListeners();
  const { signal } = new AbortController();
  const onSignal = countListeners(signal);
  const [a, b] = [new Waiting(), new Waiting()];
  listeners.add(signal, a);
  listeners.add(signal, b);
  assertEquals([onSignal(), listeners.size], [1, 1]);
  listeners.remove(signal, a);
  assertEquals([onSignal(), listeners.size], [1, 1]);
  listeners.remove(signal, b);
  listeners.remove(signal, b);
  assertEquals([onSignal(), listeners.size], [0, 0]);
});

test("AbortListeners aborts those who still wait, with the signal's reason", () => {
  const listeners = new AbortListeners();
  const controller = new AbortController();
  const [a, b] = [new Waiting(), new Waiting()];
  listeners.add(controller.signal, a);
  listeners.add(controller.signal, b);
  listeners.remove(controller.signal, a);
  controller.abort("enough");
  assertEquals([a.reason, b.reason, listeners.size], ["none", "enough", 0]);
});
