import { assertEquals } from "@std/assert";
import { formatBytes } from "../../examples/_progress.ts";
import { test } from "../_harness.ts";

test("formatBytes() has no parts of bytes, and one digit of what is larger", () => {
  const sizes = [0, 31.936541959509196, 1023, 1024, 1536, 1024 ** 2, 2.5 * 1024 ** 3];
  assertEquals(sizes.map(formatBytes), ["0 B", "32 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "2.5 GiB"]);
});
