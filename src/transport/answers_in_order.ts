/**
 * Answers in the order of the requests, however long it takes to find each.
 *
 * @module
 */

/** The answers of one connection to requests of one kind. */
export class AnswersInOrder {
  #waiting = 0;
  #last: Promise<void> | undefined;

  /** How many have not been found, or wait behind one that has not. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Gives what was found to `answer`: at once if nothing waits, else in its turn.
   *
   * @param finding What was found, or will be; never rejects.
   * @param answer Sends it; never throws.
   */
  push<T>(finding: T | Promise<T>, answer: (found: T) => void): void {
    if (!(finding instanceof Promise) && this.#waiting === 0) {
      answer(finding);
      return;
    }
    this.#waiting++;
    this.#last = this.#answerLater(finding, answer, this.#last);
  }

  async #answerLater<T>(
    finding: T | Promise<T>,
    answer: (found: T) => void,
    previous: Promise<void> | undefined,
  ): Promise<void> {
    const found = await finding;
    await previous;
    this.#waiting--;
    answer(found);
  }
}
