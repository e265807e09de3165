/**
 * The bounds of Java content, in both directions.
 *
 * @module
 */

/** How deep objects may be nested, and how many super classes a class may have. */
export const MAX_DEPTH = 512;

/** How many objects, strings and classes one content may have. */
export const MAX_HANDLES = 1_000_000;

/** How many blocks of bytes one content may have; each takes two bytes of it, and the reader two hundred. */
export const MAX_BLOCKS = 1_000_000;

/** How many places of one content remember that their string or number is not the same as an equal one; others just do not. */
export const MAX_IDENTITIES = 1_000_000;

/** Values, fields and parts that are read for each byte of content, and besides. Classes are shared, so bytes alone do not bound them. */
export const BUDGET_PER_BYTE = 4;
/** See {@linkcode BUDGET_PER_BYTE}. */
export const BUDGET_BASE = 65_536;

/** How many bytes a BigInteger may have. */
export const MAX_BIGINT_BYTES = 65_536;

/** How many causes of an error of ours are written. */
export const MAX_CAUSES = 64;
