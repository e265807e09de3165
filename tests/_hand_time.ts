/**
 * A clock for tests over real sockets: time stands still until the test moves it, turns of the event loop are real.
 *
 * @module
 */

import { systemClock } from "../src/base/clock.ts";
import { HandClock } from "./_hand_clock.ts";

/** Time by hand, turns by the runtime. */
export class HandTime extends HandClock {
  override soon(callback: () => void): void {
    systemClock.soon(callback);
  }

  override yieldThen(callback: () => void): void {
    systemClock.yieldThen(callback);
  }
}
