/**
 * The one rule for the tags of a contract: they do not begin with what names this project's own values on the wire.
 *
 * @module
 */

import { RESERVED_TAG_PREFIX } from "../serializer/serializer.ts";

/** Why `tag` may not be a tag of a contract; undefined if it may. */
export function reservedTagError(tag: string): RangeError | undefined {
  if (!tag.startsWith(RESERVED_TAG_PREFIX)) return undefined;
  return new RangeError(`Cannot use the tag ${tag}: those that begin with ${RESERVED_TAG_PREFIX} are reserved`);
}
