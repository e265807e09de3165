import { assertThrows } from "@std/assert";
import { RpcError } from "../../../src/base/errors.ts";
import { RpcAddress } from "../../../src/rpc/rpc_address.ts";
import { sparkDeploy } from "../../../src/serializer/java/deploy_messages.ts";
import { expectReply } from "../../../src/spark/deploy/master_replies.ts";
import { test } from "../../_harness.ts";

test("expectReply() says what came instead, and no more of it than its beginning", () => {
  // Its text would have 2^60 commas.
  let shared: unknown[] = [];
  for (let i = 0; i < 60; i++) shared = [shared, shared];
  const replies: readonly [unknown, string][] = [
    [7, "number 7"],
    ["on", "string on"],
    [{ className: "com.example.Person" }, "com.example.Person"],
    [{ className: shared }, '{"className":[[['],
    [{ constructor: { name: shared } }, '{"constructor":{"name":[[['],
    [new Map(), "Map(0)"],
  ];
  for (const [reply, text] of replies) {
    const expected = () => expectReply(reply, sparkDeploy.MasterStateResponse, new RpcAddress("127.0.0.1", 7077));
    assertThrows(expected, RpcError, `from the Master at 127.0.0.1:7077 but got ${text}`);
  }
});
