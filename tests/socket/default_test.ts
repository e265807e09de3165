import { assertEquals } from "@std/assert";
import { defaultSocketDriver } from "../../src/socket/default.ts";
import { runtimeName, test } from "../_harness.ts";

test("defaultSocketDriver() is the one of this runtime", async () => {
  assertEquals((await defaultSocketDriver()).name, runtimeName);
});
