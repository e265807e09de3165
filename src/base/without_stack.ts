/**
 * Errors that a peer sent, made here: without a stack of this end.
 *
 * @module
 */

/**
 * Makes an error whose stack is its text alone: one that a peer sent, since how it was read would lead nobody anywhere. To note that
 * takes Node 20 up to 60 µs, and a message may have a hundred thousand errors.
 *
 * @param make Makes it, and calls nobody else.
 */
export function withoutStack<T extends Error>(make: () => T): T {
  const limit: unknown = Reflect.get(Error, "stackTraceLimit");
  // Where there is none, or it cannot be changed, it takes its time.
  const limited = typeof limit === "number" && Reflect.set(Error, "stackTraceLimit", 0);
  try {
    const error = make();
    const { name, message } = error;
    // Without lines Bun 1.4 has no stack at all.
    const value = message === "" ? name : `${name}: ${message}`;
    return Object.defineProperty(error, "stack", { value, writable: true, enumerable: false, configurable: true });
  } finally {
    if (limited) Reflect.set(Error, "stackTraceLimit", limit);
  }
}
