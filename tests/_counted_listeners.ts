/**
 * Counts who listens to a signal.
 *
 * @module
 */

/** Returns how many listeners `signal` has been given from now on that were not taken off again. */
export function countListeners(signal: AbortSignal): () => number {
  let listeners = 0;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (listeners--, remove(...args));
  return () => listeners;
}
