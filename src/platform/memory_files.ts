/**
 * Files in memory, for tests and simulations: nothing in them takes a turn of the event loop.
 *
 * @module
 */

import { fileClosed, fileNotFound } from "./files.ts";
import type { FileHandle, FileInfo, Files } from "./files.ts";

/** How many links a path may lead over, as on Linux. */
const MAX_LINKS = 40;

class MemoryFileHandle implements FileHandle {
  readonly #path: string;
  #bytes: Uint8Array | undefined;

  constructor(path: string, bytes: Uint8Array) {
    this.#path = path;
    this.#bytes = bytes;
  }

  async stat(): Promise<FileInfo> {
    return { size: (await this.#contents()).length, isFile: true };
  }

  async readAt(position: number, into: Uint8Array): Promise<number> {
    const part = (await this.#contents()).subarray(position, position + into.length);
    into.set(part);
    return part.length;
  }

  close(): Promise<void> {
    this.#bytes = undefined;
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #contents(): Promise<Uint8Array> {
    return this.#bytes === undefined ? Promise.reject(fileClosed(this.#path)) : Promise.resolve(this.#bytes);
  }
}

/**
 * A tree of files under `/`. Folders are there as soon as something lies in them.
 *
 * @example
 * ```ts
 * import { MemoryFiles } from "@sparkwire/sparkwire";
 *
 * const files = new MemoryFiles();
 * files.write("/data/words", new Uint8Array(3));
 * files.link("/words", "data/words");
 * if (await files.realpath("/words") !== "/data/words") throw new Error("not found");
 * if ((await files.stat("/words")).size !== 3) throw new Error("not three bytes");
 * ```
 */
export class MemoryFiles implements Files {
  readonly #files = new Map<string, Uint8Array>();
  readonly #links = new Map<string, string>();

  /** Puts a file there, or other contents into it; who has it open still reads the old ones. */
  write(path: string, bytes: Uint8Array): void {
    this.#files.set(this.#resolve(path), bytes.slice());
  }

  /** Makes `path` a link that leads to `target`, which may be relative. */
  link(path: string, target: string): void {
    this.#links.set(this.#resolve(path, false), target);
  }

  /** Takes a file or a link away; nothing happens if there is none. */
  remove(path: string): void {
    const own = this.#resolve(path, false);
    if (!this.#links.delete(own)) this.#files.delete(own);
  }

  /** Opens a file as it is now: who has it open reads the old contents when it is written anew. */
  async open(path: string): Promise<FileHandle> {
    const bytes = this.#files.get(await this.realpath(path));
    if (bytes === undefined) throw new Error(`Is a folder: ${path}`);
    return new MemoryFileHandle(path, bytes);
  }

  /** What is known of a path, links followed. */
  async stat(path: string): Promise<FileInfo> {
    const bytes = this.#files.get(await this.realpath(path));
    return { size: bytes?.length ?? 0, isFile: bytes !== undefined };
  }

  /** The absolute path without links, `.` and `..`. */
  realpath(path: string): Promise<string> {
    try {
      const real = this.#resolve(path);
      return this.#exists(real) ? Promise.resolve(real) : Promise.reject(fileNotFound(path));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Whether something has that path, links followed. */
  protected has(path: string): boolean {
    return this.#exists(this.#resolve(path));
  }

  #exists(real: string): boolean {
    if (real === "/" || this.#files.has(real)) return true;
    for (const file of this.#files.keys()) if (file.startsWith(`${real}/`)) return true;
    return false;
  }

  /** Follows links name by name, as `..` after a link goes up from where it leads; one at the end only if `followLast`. */
  #resolve(path: string, followLast = true): string {
    const names = namesOf(path);
    let real = "";
    for (let links = 0; names.length > 0;) {
      const name = names.pop()!;
      if (name === "..") {
        real = real.slice(0, Math.max(0, real.lastIndexOf("/")));
        continue;
      }
      const target = followLast || names.length > 0 ? this.#links.get(`${real}/${name}`) : undefined;
      if (target === undefined) {
        real += `/${name}`;
        continue;
      }
      if (++links > MAX_LINKS) throw new Error(`More than ${MAX_LINKS} links: ${path}`);
      if (target.startsWith("/")) real = "";
      names.push(...namesOf(target));
    }
    return real === "" ? "/" : real;
  }
}

/** The names in a path, the last one first. */
function namesOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".").reverse();
}
