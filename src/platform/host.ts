/**
 * What the machine says of itself: the name that others reach it by.
 *
 * @module
 */

import { hostname } from "node:os";

/** Placeholder until the platform part replaces this file. */
export function localHostName(): string {
  return hostname();
}
