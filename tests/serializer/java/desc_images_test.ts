import { assertEquals } from "@std/assert";
import { DescImages } from "../../../src/serializer/java/_desc_images.ts";
import { test } from "../../_harness.ts";

test("DescImages.keep() keeps sixteen descriptions, the latest, and none of more than 4 KiB", () => {
  const images = new DescImages();
  const all = Array.from({ length: 17 }, (_, i) => new Uint8Array(4_096).fill(i));
  for (const bytes of all) images.keep(bytes, 0, bytes.length, []);
  assertEquals(all.map((bytes) => images.find(bytes, 0)?.bytes), [undefined, ...all.slice(1)]);
  const long = new Uint8Array(4_097).fill(0xff);
  images.keep(long, 0, long.length, []);
  assertEquals(images.find(long, 0), undefined);
});
