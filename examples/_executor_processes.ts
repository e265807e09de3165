/**
 * The processes of the executors that a driver has started.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import type { Command } from "./_runtimes.ts";

/** Starts processes and leaves none behind. */
export class ExecutorProcesses {
  readonly #children = new Set<ChildProcess>();
  readonly #ends: Promise<void>[] = [];

  /**
   * Starts a process.
   *
   * @param onEnd Hears how it has ended, or why it could not be started.
   */
  start({ command, args }: Command, onEnd: (how: string) => void): void {
    // In a group of its own, a Ctrl-C is the driver's alone, which tells its executors to end.
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"], detached: true });
    this.#children.add(child);
    this.#ends.push(
      new Promise((resolve) => {
        const end = (how: string) => {
          this.#children.delete(child);
          resolve();
          onEnd(how);
        };
        child.on("error", (error) => end(`its process could not be started: ${error.message}`));
        child.on("exit", (code, signal) => end(`its process has ended with ${signal ?? `code ${code}`}`));
      }),
    );
  }

  /** Waits until all have ended, which they were told to; after `graceMs` they are killed. */
  async end(graceMs: number): Promise<void> {
    const ended = Promise.all(this.#ends);
    const patience = new AbortController();
    const passed = setTimeout(graceMs, undefined, { signal: patience.signal }).catch(() => {});
    await Promise.race([ended, passed]);
    patience.abort();
    // Also one that was stopped ends with this.
    for (const child of this.#children) child.kill("SIGKILL");
    await ended;
  }
}
