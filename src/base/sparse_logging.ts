/**
 * Which of many events of a kind gets a line in the log.
 *
 * @module
 */

/** Whether the event that makes them `count` is logged: the first, the second, the fourth … A flood of them must not be one of lines. */
export function isWorthALine(count: number): boolean {
  return (count & (count - 1)) === 0;
}
