/**
 * What another copy of the module makes, as far as this one can tell: two are loaded where packages have one each.
 *
 * @module
 */

import type { EncodedRef, RefAddress } from "../src/serializer/serializer.ts";

/** Its {@linkcode unhandled}. */
export const otherUnhandled = Symbol.for("sparkwire.unhandled");

/** Its {@linkcode later}. */
export const otherLater = Symbol.for("sparkwire.later");

/** Its TypedMessage. */
export class OtherTypedMessage {
  readonly tag: string;
  readonly payload: unknown;

  constructor(tag: string, payload?: unknown) {
    this.tag = tag;
    this.payload = payload;
  }

  get [Symbol.for("sparkwire.TypedMessage")](): true {
    return true;
  }
}

/** Its reference. */
export class OtherRef {
  readonly endpointAddress: { readonly name: string; readonly rpcAddress: RefAddress };

  constructor(name: string, rpcAddress: RefAddress) {
    this.endpointAddress = { name, rpcAddress };
  }

  get [Symbol.for("sparkwire.encodedRef")](): EncodedRef {
    const { name, rpcAddress } = this.endpointAddress;
    return { name, address: rpcAddress };
  }
}
