import { assertEquals, assertInstanceOf } from "@std/assert";
import { MessageBody } from "../../../src/base/message_body.ts";
import { DescImages, writtenImage } from "../../../src/serializer/java/_desc_images.ts";
import { JavaReader } from "../../../src/serializer/java/_java_reader.ts";
import { boxClasses } from "../../../src/serializer/java/boxes.ts";
import { JavaRegistry } from "../../../src/serializer/java/java_mapping.ts";
import { JavaObject } from "../../../src/serializer/java/java_object.ts";
import { test } from "../../_harness.ts";
import { classHex, context, decodeHex, encode, vector } from "./_java.ts";

/** Where the description is in a content that is an object. */
const START = 5;

function read(content: Uint8Array, registry: JavaRegistry): unknown {
  return new JavaReader(MessageBody.of(content), context, { registry, exactNumbers: false }).read();
}

test("DescImages.keep() keeps sixteen descriptions, the latest, and none of more than 4 KiB", () => {
  const images = new DescImages();
  const all = Array.from({ length: 17 }, (_, i) => new Uint8Array(4_096).fill(i));
  for (const bytes of all) images.keep(bytes, 0, bytes.length, []);
  assertEquals(all.map((bytes) => images.find(bytes, 0)?.bytes), [undefined, ...all.slice(1)]);
  const long = new Uint8Array(4_097).fill(0xff);
  images.keep(long, 0, long.length, []);
  assertEquals(images.find(long, 0), undefined);
});

test("contents that begin with a class that is known leave its description, others nothing", () => {
  const registry = new JavaRegistry([boxClasses]);
  const known = vector("Integer_42");
  const unknown = vector("java_Date");
  for (let i = 0; i < 2; i++) assertEquals(read(known, registry), 42);
  assertInstanceOf(read(unknown, registry), JavaObject);
  assertEquals(registry.images.find(known, START)?.handles.length, 2);
  assertEquals(registry.images.find(unknown, START), undefined);
});

test("what a content that is written begins with is kept", () => {
  const object = decodeHex(`73${classHex("a.B")}`);
  assertInstanceOf(object, JavaObject);
  assertEquals(writtenImage(object.desc), undefined);
  const first = encode(object);
  const image = writtenImage(object.desc);
  assertEquals(first.subarray(START, START + image!.bytes.length), image?.bytes);
  assertEquals(encode(object), first);
});
