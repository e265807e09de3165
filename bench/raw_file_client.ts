/**
 * The process that fetches a file over a raw socket; `files.ts` starts it.
 *
 * @module
 */

import { fetchOnCommand } from "./file_client.ts";
import { connectRawFile } from "./raw_file.ts";

await fetchOnCommand(({ port, size }) => connectRawFile(port, size));
