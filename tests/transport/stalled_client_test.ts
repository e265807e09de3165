import { assert, assertEquals } from "@std/assert";
import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { int64FromSafe } from "../../src/base/int64.ts";
import { MessageType } from "../../src/protocol/message.ts";
import { nodeFiles } from "../../src/platform/node_files.ts";
import { FileSegmentManagedBuffer } from "../../src/transport/file_segment_managed_buffer.ts";
import type { StreamManager } from "../../src/transport/stream_manager.ts";
import { makeFolder } from "../_folder.ts";
import { memoryMeter } from "../_garbage.ts";
import { until } from "../_harness.ts";
import { dialRaw } from "./_raw_peer.ts";
import { ask, echo, transportTest } from "./_stage.ts";
import { CountingFiles } from "./_counting_files.ts";

const MIB = 1024 * 1024;
/** A sparse file, so that its size costs nothing. SPARKWIRE_STALLED_MIB makes it as large as one likes. */
const FILE_BYTES = Number(process.env.SPARKWIRE_STALLED_MIB ?? 512) * MIB;
const MAX_GROWTH_BYTES = 32 * MIB;

for (const kind of ["stream", "chunk"] as const) {
  transportTest(`A ${kind} of a large file to clients that stall keeps the server's memory small`, async (stage) => {
    const path = join(await makeFolder(stage.test), "large");
    await writeFile(path, "");
    await truncate(path, FILE_BYTES);
    const files = new CountingFiles(nodeFiles);
    // A frame may be no larger than 2 GiB.
    const size = kind === "chunk" ? Math.min(FILE_BYTES, 2 ** 31 - 100) : FILE_BYTES;
    const segment = (): FileSegmentManagedBuffer => new FileSegmentManagedBuffer(files, path, 0, size);
    const streamManager: StreamManager = { openStream: segment, getChunk: segment };
    const { connection, listening, server } = await stage.pair({ handler: { ...echo, streamManager } });
    assertEquals(await ask(connection, "before"), "before");
    const memoryBytes = memoryMeter();
    const before = memoryBytes();

    const peers = await Promise.all([1, 2, 3, 4].map(() => dialRaw(stage, listening)));
    for (const peer of peers) {
      peer.read(0);
      if (kind === "stream") peer.send({ type: MessageType.StreamRequest, streamId: "large" });
      else peer.send({ type: MessageType.ChunkFetchRequest, streamId: int64FromSafe(1), chunkIndex: 0 });
    }
    const written = (): number => server.context.stats().bytesWritten;
    let stood = 0;
    let last = -1;
    await until(
      () => {
        stood = written() === last && last > MIB ? stood + 1 : 0;
        last = written();
        return stood > 50;
      },
      "the server to be held back",
      30_000,
    );
    const growth = memoryBytes() - before;
    assert(growth < MAX_GROWTH_BYTES, `${Math.round(growth / MIB)} MiB more for ${peers.length} clients`);
    assert(last < size, "most of the file has not been sent");
    assertEquals(await ask(connection, "and others are served"), "and others are served");

    for (const peer of peers) peer.reset();
    await server.connections(1);
    await until(() => files.opened === files.closed, "the file to be closed");
    assertEquals([server.context.stats().queuedBytes, files.opened], [0, 4]);
  });
}
