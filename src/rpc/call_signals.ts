/**
 * The signals of calls that end together: with the connection that they came over, or with their environment.
 *
 * @module
 */

/** The signals of calls that have not been answered. */
export class CallSignals {
  readonly #controllers = new Set<AbortController>();
  #reason: Error | undefined;

  /** The signal of a call that asks for it. It may be late to: when all is over it has been aborted, once `replied` it never is. */
  open(replied: boolean): AbortController {
    const controller = new AbortController();
    if (replied) return controller;
    if (this.#reason === undefined) this.#controllers.add(controller);
    else controller.abort(this.#reason);
    return controller;
  }

  /** The call behind `controller` has been answered. */
  close(controller: AbortController): void {
    this.#controllers.delete(controller);
  }

  /** Nobody waits for an answer any more. */
  end(reason: Error): void {
    this.#reason ??= reason;
    for (const controller of this.#controllers) controller.abort(this.#reason);
    this.#controllers.clear();
  }
}
