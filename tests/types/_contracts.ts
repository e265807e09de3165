/**
 * The contracts that the type tests make mistakes with, and a reference that keeps what is sent over it.
 *
 * @module
 */

import type { AbortableRpcFuture, RpcEndpointRef } from "../../src/rpc/rpc_endpoint_ref.ts";
import { TypedMessage } from "../../src/serializer/serializer.ts";
import { RpcEndpointAddress } from "../../src/rpc/rpc_endpoint_address.ts";

/** The master of DESIGN §7, with a message that has an optional payload and one whose answer is nothing. */
export interface Master {
  receive: { Heartbeat(m: { id: string }): void; Tick(): void };
  receiveAndReply: {
    RegisterWorker(m: { id: string; cores: number }): { accepted: boolean };
    RequestStatus(): readonly string[];
    List(m?: { limit: number }): readonly string[];
    Forget(m: { id: string }): void;
  };
}

/** A contract with asks only, whose payload brings a reference. */
export interface Registry {
  receiveAndReply: { Register(m: { self: RpcEndpointRef<Master> }): boolean };
}

/** As {@linkcode Master} as far as the compiler could tell by structure, with one message more. */
export interface BiggerMaster extends Master {
  receiveAndReply: Master["receiveAndReply"] & { Extra(): number };
}

/** True if the two types are the same. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;

/** Compiles if `T` is true. */
export function sure<T extends true>(value: T): T {
  return value;
}

/** Goes nowhere; its asks are answered with undefined. */
export class RecordingRef implements RpcEndpointRef {
  readonly name = "recording";
  readonly address = undefined;
  readonly endpointAddress: RpcEndpointAddress = new RpcEndpointAddress(undefined, "recording");
  /** What was sent and asked. */
  readonly messages: unknown[] = [];

  /** The tags and payloads of those that are typed, which all are. */
  get parts(): unknown[] {
    return this.messages.map((message) => message instanceof TypedMessage && [message.tag, message.payload]);
  }

  send(message: unknown): void {
    this.messages.push(message);
  }

  ask(message: unknown): Promise<unknown> {
    this.messages.push(message);
    return Promise.resolve(undefined);
  }

  askAbortable(message: unknown): AbortableRpcFuture {
    return { future: this.ask(message), abort() {} };
  }

  equals(other: unknown): boolean {
    return other === this;
  }
}
