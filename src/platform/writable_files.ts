/**
 * Files that can be made, too: written from their beginning to their end, and put in place when they are whole.
 *
 * @module
 */

import { RpcError } from "../base/errors.ts";
import type { Files } from "./files.ts";

/** A file that is being written. */
export interface FileWriter extends AsyncDisposable {
  /** Appends all of `bytes`, which must not change until it has. One at a time. */
  write(bytes: Uint8Array): Promise<void>;
  /** Waits for the write that is under way, then closes. Later writes reject. */
  close(): Promise<void>;
}

/** Where files are, and can be made. Methods reject as those of {@linkcode Files} do. */
export interface WritableFiles extends Files {
  /** Makes a file that is not there yet; rejects if something has that path. */
  create(path: string): Promise<FileWriter>;
  /** Makes a folder and those that it lies in; nothing happens if it is there. */
  makeFolder(path: string): Promise<void>;
  /** Gives a file another path, in one step; a file that is there is replaced. */
  rename(from: string, to: string): Promise<void>;
  /** Takes a file away; nothing happens if there is none. */
  unlink(path: string): Promise<void>;
}

/** What `create` rejects with if something has that path. */
export function fileExists(path: string, cause?: unknown): RpcError {
  return new RpcError("STREAM", `File exists: ${path}`, cause === undefined ? {} : { cause });
}
