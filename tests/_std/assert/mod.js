import * as std from "deno-std/assert/mod.js";

export * from "deno-std/assert/mod.js";

/**
 * Methods of Set that deno-std calls and Node 20 lacks. They are lent to it for one comparison at a time, so that a test
 * still fails where our own code calls them.
 */
const LENT = {
  union(other) {
    return new Set([...this, ...other]);
  },
  intersection(other) {
    return new Set([...this].filter((value) => other.has(value)));
  },
  symmetricDifference(other) {
    return new Set([
      ...[...this].filter((value) => !other.has(value)),
      ...[...other].filter((value) => !this.has(value)),
    ]);
  },
};

function lend(assertion) {
  if ("union" in Set.prototype) return assertion;
  return (...args) => {
    for (const [name, value] of Object.entries(LENT)) {
      Object.defineProperty(Set.prototype, name, { value, configurable: true });
    }
    try {
      return assertion(...args);
    } finally {
      for (const name of Object.keys(LENT)) delete Set.prototype[name];
    }
  };
}

export const assertArrayIncludes = lend(std.assertArrayIncludes);
export const assertEquals = lend(std.assertEquals);
export const assertNotEquals = lend(std.assertNotEquals);
export const assertObjectMatch = lend(std.assertObjectMatch);
