/**
 * The signals of calls that end together: with the connection that they came over, or with their environment.
 *
 * @module
 */

/** The signals of calls that have not been answered. */
export class CallSignals {
  readonly #controllers = new Set<AbortController>();
  #reason: Error | undefined;

  /** Aborts `controller` at the end; at once if that has come, since a handler may be late to ask for its signal. */
  watch(controller: AbortController): void {
    if (this.#reason === undefined) this.#controllers.add(controller);
    else controller.abort(this.#reason);
  }

  /** The call behind `controller` has been answered. */
  unwatch(controller: AbortController): void {
    this.#controllers.delete(controller);
  }

  /** Nobody waits for an answer any more. */
  end(reason: Error): void {
    this.#reason ??= reason;
    for (const controller of this.#controllers) controller.abort(this.#reason);
    this.#controllers.clear();
  }
}
