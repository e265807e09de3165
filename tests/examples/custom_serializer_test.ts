import { assertEquals } from "@std/assert";
import { test } from "../_harness.ts";
import { runExample, whyNot } from "./_example.ts";

const CUSTOM_SERIALIZER = "examples/custom_serializer.ts";

test("custom_serializer.ts carries references, failures and what JSON cannot", async (context) => {
  const { code, stdout, stderr } = await runExample(context, CUSTOM_SERIALIZER, []);
  assertEquals([code, stderr], [0, ""]);
  // What follows the last colon is the engine's own text.
  assertEquals(stdout.replace(/(No JSON for this message): .*/, "$1").split("\n"), [
    "json: Good morning, Ada",
    "json: Nobody to greet",
    "json: No JSON for this message",
    "cbor: Good morning, Ada",
    "cbor: Nobody to greet",
    "cbor: 18446744073709551616",
    "",
  ]);
}, { skip: whyNot(CUSTOM_SERIALIZER) });
