/**
 * Whether this machine has IPv6: many containers have none.
 *
 * @module
 */

import { networkInterfaces } from "node:os";

const addresses = Object.values(networkInterfaces()).flatMap((found = []) => found.map(({ address }) => address));

/** Why a test that needs IPv6 cannot run here, if so. */
export const noIpv6: string | undefined = addresses.includes("::1") ? undefined : "this machine has no ::1";
