import { assertEquals, assertRejects } from "@std/assert";
import { fetchOneBlock } from "../../src/block/block_transfer_service.ts";
import type { BlockFetchingListener } from "../../src/block/block_fetching_listener.ts";
import { content, CountedBuffer } from "../_counted_buffer.ts";
import { test, within } from "../_harness.ts";

const peer = { host: "localhost-unused", port: 0, execId: "exec-id-unused" } as const;

function serviceOf(fetch: (blockId: string, listener: BlockFetchingListener) => void) {
  return {
    fetchBlocks: (_peer: unknown, blockIds: readonly string[], listener: BlockFetchingListener) =>
      fetch(blockIds[0]!, listener),
  };
}

// Spark: BlockTransferServiceSuite "fetchBlockSync should not hang when BlockFetchingListener.onBlockFetchSuccess fails".
test("fetchOneBlock() fails when the block cannot be kept", async () => {
  class Broken extends CountedBuffer {
    override retain(): this {
      throw new Error("Cannot be kept");
    }
  }
  const service = serviceOf((blockId, listener) => listener.onBlockFetchSuccess(blockId, new Broken(content(1))));
  await within(assertRejects(() => fetchOneBlock(service, peer, "block-id-unused"), Error, "Cannot be kept"), "the failure");
});

test("fetchOneBlock() keeps the block for its caller, and fails as the fetch does", async () => {
  const data = new CountedBuffer(content(1));
  const service = serviceOf((blockId, listener) => {
    listener.onBlockFetchSuccess(blockId, data);
    data.release();
  });
  assertEquals(await within(fetchOneBlock(service, peer, "a"), "the block"), data);
  assertEquals(data.holders, 1);
  const failing = serviceOf((blockId, listener) => listener.onBlockFetchFailure(blockId, new Error("Gone")));
  await within(assertRejects(() => fetchOneBlock(failing, peer, "a"), Error, "Gone"), "the failure");
});
