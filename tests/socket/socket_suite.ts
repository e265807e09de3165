/**
 * The contract of `src/socket/socket.ts` as tests, to be run over every driver, plain and over TLS, dialling and listening.
 *
 * No case looks at a clock: they wait for callbacks, with a deadline, so that a simulation can run them too.
 *
 * @module
 */

import { connectCases } from "./_connect_cases.ts";
import { flagCases } from "./_flag_cases.ts";
import { flowCases } from "./_flow_cases.ts";
import { lifeCases } from "./_life_cases.ts";
import type { SocketSuiteOptions } from "./_stage.ts";

export type { SocketSuiteOptions } from "./_stage.ts";

/** Registers all cases for one driver, or for one that dials and another that listens. */
export function socketSuite(options: SocketSuiteOptions): void {
  lifeCases(options);
  flowCases(options);
  connectCases(options);
  flagCases(options);
}
