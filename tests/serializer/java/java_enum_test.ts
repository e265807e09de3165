import { assertEquals } from "@std/assert";
import { asJava, javaTypes } from "../../../src/serializer/java/java_types.ts";
import { test, toHex } from "../../_harness.ts";
import { decode, encode } from "./_java.ts";

const unit = javaTypes.enum("java.util.concurrent.TimeUnit", ["DAYS", "HOURS"]);

/** The text DAYS, written in full. */
const DAYS = "74000444415953";

test("java.encode() writes the name of a constant in full, though its text has occurred", () => {
  // ObjectInputStream.readEnum() takes no reference for it: `invalid type code: 71`.
  const content = encode(["DAYS", asJava("DAYS", unit), "DAYS"]);
  assertEquals(toHex(content).split(DAYS).length - 1, 2);
  assertEquals(String(decode(content)), "DAYS,DAYS,DAYS");
});

test("java.encode() counts the name of a constant among what can be referred to", () => {
  const shared = [1];
  const content = encode([asJava("DAYS", unit), asJava("HOURS", unit), shared, shared]);
  const [days, hours, first, second] = decode(content) as unknown[];
  assertEquals([String(days), String(hours), first === second], ["DAYS", "HOURS", true]);
});

test("java reads two messages' constants and writes them in one", () => {
  const constants = [1, 2].map(() => decode(encode(asJava("DAYS", unit))));
  const content = encode(constants);
  assertEquals(toHex(content).split(DAYS).length - 1, 2);
  assertEquals(String(decode(content)), "DAYS,DAYS");
});
