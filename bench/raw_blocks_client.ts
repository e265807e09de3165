/**
 * The process that reads the bytes of blocks from a raw socket; `blocks.ts` starts it.
 *
 * @module
 */

import { fetchOnCommand } from "./file_client.ts";
import { connectRawFile } from "./raw_file.ts";

await fetchOnCommand(({ port, size }) => connectRawFile(port, size));
