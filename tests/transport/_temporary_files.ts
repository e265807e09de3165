/**
 * Files on disk for one test.
 *
 * @module
 */

import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "../_harness.ts";

/** A folder that goes with the test. */
export class TemporaryFiles {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(context: TestContext): Promise<TemporaryFiles> {
    const folder = await mkdtemp(join(tmpdir(), "sparkwire-"));
    context.defer(() => rm(folder, { recursive: true, force: true }));
    return new TemporaryFiles(folder);
  }

  /** Writes a file and returns its path. */
  async write(name: string, bytes: Uint8Array): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, bytes);
    return path;
  }

  /** Cuts a file. */
  async truncate(path: string, length: number): Promise<void> {
    await truncate(path, length);
  }

  async remove(path: string): Promise<void> {
    await rm(path);
  }
}
