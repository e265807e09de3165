/**
 * What another copy of the module makes, as far as this one can tell: two are loaded where packages have one each.
 *
 * @module
 */

import type { EncodedRef, RefAddress } from "../src/serializer/serializer.ts";

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
