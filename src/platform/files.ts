/**
 * Files as the core sees them: opened for reading at any position, and looked up by their real path.
 *
 * @module
 */

import { RpcError } from "../base/errors.ts";

/** What is known of a path. */
export interface FileInfo {
  /** Length in bytes. */
  readonly size: number;
  /** Whether it is a regular file: one that has a length and ends. */
  readonly isFile: boolean;
}

/** A file that was opened. */
export interface FileHandle extends AsyncDisposable {
  /** What is known of this very file, whatever its path leads to by now. */
  stat(): Promise<FileInfo>;
  /**
   * Fills `into` with the bytes from `position` on. Several reads may be under way at once.
   *
   * @returns How many bytes there were: fewer than `into` holds only at the end of the file, 0 beyond it.
   */
  readAt(position: number, into: Uint8Array): Promise<number>;
  /** Waits for the reads that are under way, then closes. Later reads reject. */
  close(): Promise<void>;
}

/**
 * Where files are. Every method rejects with an {@linkcode RpcError} of code `NOT_FOUND` if nothing has that path, and with the
 * system's own error otherwise.
 */
export interface Files {
  /** Opens a file for reading. */
  open(path: string): Promise<FileHandle>;
  /** What is known of a path, links followed. */
  stat(path: string): Promise<FileInfo>;
  /** The absolute path without links, `.` and `..`: the only form in which one path may be said to lie below another. */
  realpath(path: string): Promise<string>;
}

/** What a method of {@linkcode Files} rejects with if nothing has that path. */
export function fileNotFound(path: string, cause?: unknown): RpcError {
  return new RpcError("NOT_FOUND", `No such file: ${path}`, cause === undefined ? {} : { cause });
}

/** What a method of {@linkcode FileHandle} rejects with after `close`. */
export function fileClosed(path: string): RpcError {
  return new RpcError("STOPPED", `File is closed: ${path}`);
}

/** Whether one path lies below another; both are what {@linkcode Files.realpath} gave. */
export function liesBelow(real: string, folder: string): boolean {
  // On Windows real paths begin with a drive or a share and have backslashes between names; elsewhere those are in names.
  const separator = /^([A-Za-z]:|\\)\\/.test(folder) ? "\\" : "/";
  return real.startsWith(folder.endsWith(separator) ? folder : folder + separator);
}

/**
 * `files` for paths that {@linkcode Files.realpath} gave: one is opened only while it still leads to itself. A peer can let as much
 * time go by between the two as it likes, in which others may have put a link there.
 */
export function realFiles(files: Files): Files {
  return {
    stat: (path) => files.stat(path),
    realpath: (path) => files.realpath(path),
    async open(path) {
      const handle = await files.open(path);
      try {
        if (await files.realpath(path) === path) return handle;
      } catch {
        // It has gone meanwhile.
      }
      await handle.close();
      throw fileNotFound(path);
    },
  };
}
