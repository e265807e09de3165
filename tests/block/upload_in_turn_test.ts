import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { UploadInTurn } from "../../src/block/upload_in_turn.ts";
import type { StreamFlow } from "../../src/protocol/stream_callback.ts";
import type { StreamCallbackWithId } from "../../src/transport/stream_callback_with_id.ts";
import { test } from "../_harness.ts";

const flow: StreamFlow = { pause() {}, resume() {} };

/** An upload of `id`, what its target is told, and how often it has ended; a target that cannot be opened has no name. */
function uploadOf(id: string, parts: Partial<StreamCallbackWithId> = {}) {
  const told: unknown[][] = [];
  const ends: string[] = [];
  const memory = new Uint8Array(8);
  const upload = new UploadInTurn(id, () => {
    told.push(["open"]);
    if (id === "") throw new Error("No name");
    return {
      id,
      onStart: (...start) => void told.push(["start", ...start]),
      allocate: () => memory,
      onData: (_, chunk, owned, given) => void told.push(["data", chunk, owned, given === flow]),
      onComplete: (...end) => void told.push(["complete", ...end]),
      onFailure: (_, error) => void told.push(["failure", error.message]),
      ...parts,
    };
  }, () => ends.push(id));
  return { upload, told, ends, memory };
}

test("UploadInTurn keeps what comes before its turn, and then hands on what comes", async () => {
  const { upload, told, ends, memory } = uploadOf("a", { completionResponse: () => Uint8Array.of(7) });
  upload.onStart("a", 5);
  assertEquals(upload.allocate(), undefined);
  const [borrowed, owned] = [Uint8Array.of(1, 2), Uint8Array.of(3)];
  upload.onData("a", borrowed, false, flow);
  upload.onData("a", owned, true, flow);
  borrowed.fill(9);
  assertEquals(told, []);
  upload.begin();
  upload.check();
  const kept = [["data", Uint8Array.of(1, 2), true, true], ["data", owned, true, true]];
  assertEquals(told.splice(0), [["open"], ["start", "a", 5], ...kept]);
  assertEquals(upload.allocate() === memory, true);
  upload.onData("a", borrowed, false, flow);
  const [[what, chunk, isOwned]] = told as [unknown[]];
  assertEquals([what, chunk === borrowed, isOwned], ["data", true, false]);
  await upload.onComplete("a");
  assertEquals([told.slice(1), ends, upload.completionResponse()], [[["complete", "a"]], ["a"], Uint8Array.of(7)]);
});

test("UploadInTurn whose connection goes while it is opened, or told what has come, ends once and its target hears no more", () => {
  const lost = () => upload.onFailure("a", new Error("gone"));
  const { upload, told, ends } = uploadOf("a", { onStart: lost });
  upload.onStart("a", 1);
  upload.onData("a", Uint8Array.of(1), true, flow);
  upload.begin();
  assertEquals([told, ends], [[["open"], ["failure", "gone"]], ["a"]]);

  for (const opens of [true, false]) {
    const heard: string[] = [];
    const opened: UploadInTurn = new UploadInTurn("b", () => {
      opened.onFailure("b", new Error("gone"));
      if (!opens) throw new Error("No room");
      const other = () => void heard.push("other");
      return { id: "b", onStart: other, onData: other, onComplete: other, onFailure: (_, { message }) => heard.push(message) };
    }, () => heard.push("end"));
    opened.onStart("b", 1);
    opened.onData("b", Uint8Array.of(1), true, flow);
    opened.begin();
    assertEquals(heard, opens ? ["gone", "end"] : ["end"]);
  }
});

test("UploadInTurn that is complete before its turn is answered after it", async () => {
  const { upload, told, ends } = uploadOf("a");
  upload.onData("a", Uint8Array.of(1), true, flow);
  const completed = upload.onComplete("a");
  assertEquals([told, ends], [[], []]);
  upload.begin();
  await completed;
  assertEquals([told.map(([what]) => what), ends], [["open", "data", "complete"], ["a"]]);
  assertEquals(upload.completionResponse(), new Uint8Array(0));
});

test("UploadInTurn opens nothing if it has failed before its turn, which it gives back then", () => {
  const { upload, told, ends } = uploadOf("a");
  upload.onData("a", Uint8Array.of(1), true, flow);
  upload.onFailure("a", new Error("Gone"));
  assertEquals(ends, []);
  upload.begin();
  assertEquals([told, ends], [[], ["a"]]);
});

test("UploadInTurn gives its turn back once, however it fails", async () => {
  const onComplete = () => Promise.reject(new Error("No room"));
  const { upload, told, ends } = uploadOf("a", { onComplete });
  upload.begin();
  await assertRejects(() => upload.onComplete("a"), Error, "No room");
  assertEquals(ends, []);
  for (const reason of ["No room", "Gone"]) upload.onFailure("a", new Error(reason));
  assertEquals([told.slice(1), ends], [[["failure", "No room"], ["failure", "Gone"]], ["a"]]);
});

test("UploadInTurn that cannot begin says so at once, or when its turn comes to whoever brings the rest", async () => {
  const [now, later, complete] = [uploadOf(""), uploadOf(""), uploadOf("")];
  now.upload.begin();
  assertThrows(() => now.upload.check(), Error, "No name");
  later.upload.check();
  later.upload.begin();
  assertThrows(() => later.upload.onData("", Uint8Array.of(1), true, flow), Error, "No name");
  await assertRejects(() => later.upload.onComplete(""), Error, "No name");
  later.upload.onFailure("", new Error("No name"));
  const completed = complete.upload.onComplete("");
  complete.upload.begin();
  await assertRejects(() => completed, Error, "No name");
  complete.upload.onFailure("", new Error("No name"));
  for (const { ends, told } of [now, later, complete]) assertEquals([ends, told], [[""], [["open"]]]);
});
