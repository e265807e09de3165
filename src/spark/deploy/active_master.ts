/**
 * Asks the Master that is alive, and looks for the one that took over when it is so no more.
 *
 * Spark: deploy/Client.scala ClientEndpoint, which asks all Masters and goes by what is not a standby's answer.
 *
 * @module
 */

import { RpcError } from "../../base/errors.ts";
import type { RpcAddress } from "../../rpc/rpc_address.ts";
import type { AskOptions } from "../../rpc/rpc_endpoint_ref.ts";
import type { FoundMaster, MasterFinder } from "./master_finder.ts";
import { NoAliveMasterError } from "./no_alive_master_error.ts";

/** A message to whichever Master is alive, and what its answer means. */
export interface MasterQuestion<T> {
  readonly message: unknown;
  /** Checks the answer. */
  readonly read: (reply: unknown, from: RpcAddress) => T;
  /** Whether that is the answer of a Master that is not alive. */
  readonly isNotAlive?: ((answer: T) => boolean) | undefined;
  /** Whether the Master may get it twice. */
  readonly repeatable: boolean;
}

/** The Master that was alive when it was asked last. */
export class ActiveMaster {
  readonly #finder: MasterFinder;
  #found: FoundMaster;
  /** Whether the last answer did not come in time: its machine may be gone, of which a connection does not tell. */
  #silent = false;

  private constructor(finder: MasterFinder, found: FoundMaster) {
    this.#finder = finder;
    this.#found = found;
  }

  /** @throws {NoAliveMasterError} If there is none. */
  static async find(finder: MasterFinder, options: AskOptions): Promise<ActiveMaster> {
    return new ActiveMaster(finder, await finder.find(options));
  }

  /** Where it was found. */
  get address(): RpcAddress {
    return this.#found.address;
  }

  /** Asks the Master that was alive, and if it is so no more, the one that is now. */
  async ask<T>(question: MasterQuestion<T>, options: AskOptions): Promise<T> {
    if (!this.#silent) {
      const answer = await this.#askOnce(question, options).catch((error: unknown) => {
        this.#silent = isTimeout(error);
        if (!isGone(error, question.repeatable)) throw error;
        return undefined;
      });
      if (answer !== undefined) return answer;
    }
    this.#found = await this.#finder.find(options);
    this.#silent = false;
    const answer = await this.#askOnce(question, options);
    if (answer !== undefined) return answer;
    throw new NoAliveMasterError(await this.#finder.probe(options));
  }

  /** The answer; undefined if it is that of a Master that is not alive. */
  async #askOnce<T>(question: MasterQuestion<T>, options: AskOptions): Promise<T | undefined> {
    const { address, ref } = this.#found;
    const answer = question.read(await ref.ask(question.message, options), address);
    return question.isNotAlive?.(answer) === true ? undefined : answer;
  }
}

/** Whether the Master cannot be reached, and the question may go to another: it never left, or does no harm twice. */
function isGone(error: unknown, repeatable: boolean): boolean {
  return RpcError.is(error) && (error.code === "SOCKET" || (repeatable && error.code === "DISCONNECTED"));
}

function isTimeout(error: unknown): boolean {
  return RpcError.is(error) && error.code === "TIMEOUT";
}
