/**
 * What user code gives back where it may promise it: a promise of another realm or library is no Promise here.
 *
 * @module
 */

/** Whether `value` is promised: it has a `then`. Throws what reading that throws. */
export function isPromised<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/**
 * The promise of `value`; undefined if it is none. What is only like a promise, or has a `then` or a class of its own, is awaited by one,
 * since it may call back twice, or at once, or throw. Throws what reading its `then` throws.
 */
export function promiseOf<T>(value: PromiseLike<T>): Promise<T>;
export function promiseOf(value: unknown): Promise<unknown> | undefined;
export function promiseOf(value: unknown): Promise<unknown> | undefined {
  if (!isPromised(value)) return undefined;
  // `resolve` gives back one of no class of its own as it is; the `then` of another would make one more of that class, which may throw.
  return value.then === Promise.prototype.then ? Promise.resolve(value) : new Promise((resolve) => resolve(value));
}
