/**
 * Folders on disk for tests.
 *
 * @module
 */
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "./_harness.ts";

/** Makes an empty folder that goes with the test; its real path. */
export async function makeFolder({ defer }: TestContext): Promise<string> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), "sparkwire-"));
  defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
