import { assert, assertEquals } from "@std/assert";
import { describeContent } from "../../src/rpc/describe_content.ts";
import { JavaClassDesc } from "../../src/serializer/java/class_desc.ts";
import { sparkDeploy } from "../../src/serializer/java/deploy_messages.ts";
import { JavaEnum, JavaObject } from "../../src/serializer/java/java_object.ts";
import { None, Some } from "../../src/serializer/java/scala_values.ts";
import { TypedMessage } from "../../src/serializer/serializer.ts";
import { test } from "../_harness.ts";

test("describeContent() shows a message as JSON does, a text as it is, a typed one by its tag", () => {
  const cases: readonly (readonly [unknown, string])[] = [
    ["text", "text"],
    [7, "7"],
    [-0.5, "-0.5"],
    [NaN, "NaN"],
    [true, "true"],
    [null, "null"],
    [undefined, "undefined"],
    [10n, "10"],
    [-(2n ** 300n), "a large bigint"],
    [Symbol("s"), "Symbol(s)"],
    [{}, "{}"],
    [[], "[]"],
    [{ what: 1, who: ["a", null, { x: 'say "y"' }] }, '{"what":1,"who":["a",null,{"x":"say \\"y\\""}]}'],
    [{ long: 10n, none: undefined }, '{"long":10,"none":undefined}'],
    [new Date(0), "1970-01-01T00:00:00.000Z"],
    [new Date(NaN), "Invalid Date"],
    [{ at: [new Date(0)] }, '{"at":[1970-01-01T00:00:00.000Z]}'],
    [new Uint8Array([1, 2]), "Uint8Array(2)"],
    [{ bytes: new Float64Array(3) }, '{"bytes":Float64Array(3)}'],
    [new Map([[1, 2]]), "Map(1)"],
    [new Set([1]), "Set(1)"],
    [new RangeError("too far"), "RangeError: too far"],
    [new TypedMessage("Register", { id: 1 }), "Register"],
    [Object.create(null), "{}"],
  ];
  for (const [content, expected] of cases) assertEquals(describeContent(content), expected);
});

test("describeContent() names the classes of Java and Scala", () => {
  const desc = new JavaClassDesc("com.example.Unknown", 1n);
  const cases: readonly (readonly [unknown, string])[] = [
    [sparkDeploy.BoundPortsRequest, "BoundPortsRequest"],
    [new sparkDeploy.RequestKillDriver({ driverId: "driver-1" }), 'RequestKillDriver{"driverId":"driver-1"}'],
    [[None, new Some({ value: 1 })], '[None,Some{"value":1}]'],
    [new JavaObject(desc, [], []), "JavaObject(com.example.Unknown)"],
    [new JavaEnum(desc, "RED"), "RED"],
    [{ constructor: { name: "Trap" } }, '{"constructor":{"name":"Trap"}}'],
  ];
  for (const [content, expected] of cases) assertEquals(describeContent(content), expected);
});

test("describeContent() looks at no more of a message than it shows", () => {
  let looks = 0;
  const leaf = {
    get seen(): number {
      return ++looks;
    },
  };
  // A message of a few bytes, since what is shared travels once, is a text of any length.
  let shared: unknown = leaf;
  for (let level = 0; level < 16; level++) shared = [shared, shared];
  const wide = new Array<object>(100_000).fill(leaf);
  const keys = Object.fromEntries(wide.map((value, i) => [`key${i}`, value]));
  for (const content of [shared, wide, keys, { deep: { wide } }]) {
    looks = 0;
    const text = describeContent(content);
    assert(looks <= 200, `${looks} looks`);
    assertEquals(text.length, 201);
    assert(text.endsWith("…"), text);
  }
});

test("describeContent() bounds every text, whatever the message", () => {
  const long = "x".repeat(100_000);
  let nested: unknown = 1;
  for (let level = 0; level < 100_000; level++) nested = [nested];
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const error = new RangeError(long);
  const texts = [long, new TypedMessage(long), { [long]: long }, { long }, [long, long], error, Symbol(long)];
  for (const content of [...texts, nested, cycle]) {
    const text = describeContent(content);
    assertEquals(text.length, 201);
    assert(text.endsWith("…"), text);
  }
});

test("describeContent() does not fail where a message does", () => {
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const broken = {
    get field(): never {
      throw new Error("broken");
    },
  };
  const untagged = {
    get tag(): never {
      throw new Error("broken");
    },
  };
  for (const content of [revoked.proxy, broken, [broken], untagged]) {
    assertEquals(describeContent(content), "a message that cannot be shown");
  }
});
