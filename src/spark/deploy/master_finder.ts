/**
 * Finds the one among several Masters that is alive.
 *
 * Spark: deploy/Client.scala sends each message to all Masters and passes over what standbys answer. Here all are asked for their
 * state, and messages go to the one that rules: a driver cannot be submitted twice.
 *
 * @module
 */

import { toError } from "../../base/errors.ts";
import type { RpcAddress } from "../../rpc/rpc_address.ts";
import type { AskOptions, RpcEndpointRef } from "../../rpc/rpc_endpoint_ref.ts";
import type { RpcEnv } from "../../rpc/rpc_env.ts";
import { sparkDeploy } from "../../serializer/java/deploy_messages.ts";
import { EndpointName } from "../endpoint_name.ts";
import { expectReply } from "./master_replies.ts";
import { type MasterProbe, NoAliveMasterError } from "./no_alive_master_error.ts";

/** A Master that answered. */
export interface FoundMaster {
  /** Where it was looked for, which need not be what it calls itself. */
  readonly address: RpcAddress;
  /** Leads to it. */
  readonly ref: RpcEndpointRef;
}

/** Looks for Masters at given addresses. */
export class MasterFinder {
  readonly #env: RpcEnv;
  readonly #addresses: readonly RpcAddress[];

  /** @param env Where to look from. */
  constructor(env: RpcEnv, addresses: readonly RpcAddress[]) {
    this.#env = env;
    this.#addresses = addresses;
  }

  /** What is at each address. */
  async probe(options: AskOptions): Promise<readonly MasterProbe[]> {
    const found = await Promise.all(this.#addresses.map((address) => this.#probe(address, options)));
    options.signal?.throwIfAborted();
    return found;
  }

  /**
   * The first that says that it is alive; the others are not waited for.
   *
   * @throws {NoAliveMasterError} If none does.
   */
  async find(options: AskOptions): Promise<FoundMaster> {
    const race = new AbortController();
    const stop = (): void => race.abort(options.signal?.reason);
    options.signal?.throwIfAborted();
    options.signal?.addEventListener("abort", stop, { once: true });
    const probes: MasterProbe[] = [];
    try {
      return await Promise.any(this.#addresses.map(async (address, at) => {
        const probe = await this.#probe(address, { ...options, signal: race.signal });
        probes[at] = probe;
        if (probe.state !== "ALIVE" || probe.ref === undefined) throw probe.error;
        return { address, ref: probe.ref };
      }));
    } catch (error) {
      options.signal?.throwIfAborted();
      const mistake = error instanceof AggregateError ? error.errors.find(isMistake) : undefined;
      throw mistake ?? new NoAliveMasterError(probes);
    } finally {
      options.signal?.removeEventListener("abort", stop);
      // Whoever has not answered yet is of no interest any more.
      race.abort();
    }
  }

  async #probe(address: RpcAddress, options: AskOptions): Promise<MasterProbe & { readonly ref?: RpcEndpointRef }> {
    try {
      const ref = await this.#env.setupEndpointRef({ address, name: EndpointName.master }, { ...options, serializer: "java" });
      const reply = await ref.ask(sparkDeploy.RequestMasterState, options);
      const { status } = expectReply(reply, sparkDeploy.MasterStateResponse, address);
      return { address, state: status, error: undefined, ref };
    } catch (thrown) {
      if (isMistake(thrown)) throw thrown;
      return { address, state: undefined, error: toError(thrown) };
    }
  }
}

/** An environment that has no Java, or a time limit that is none: nothing that a Master could help. */
function isMistake(error: unknown): boolean {
  return error instanceof RangeError;
}
