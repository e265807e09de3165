/**
 * All that a simulated cluster may be busy with.
 *
 * @module
 */

import type { Stage } from "../stage.ts";
import { askStorm, burst, lateAsks, localAsks } from "./asks.ts";
import { flood, largeMessages, tooLarge } from "./bulk.ts";
import { downloads } from "./downloads.ts";
import { endpointChurn, fullInbox } from "./endpoints.ts";
import { executors, travellingRefs } from "./refs.ts";
import { lastWords, orderedSends } from "./sends.ts";
import { streams } from "./streams.ts";
import { typedEndpoints } from "./typed.ts";

/** Does something with a cluster, then ends, whatever goes wrong meanwhile. */
export type Activity = (stage: Stage) => Promise<void>;

/** The activities by name; a new one goes to the end. */
export const ACTIVITIES: ReadonlyMap<string, Activity> = new Map(Object.entries({
  askStorm,
  lateAsks,
  localAsks,
  orderedSends,
  travellingRefs,
  executors,
  endpointChurn,
  fullInbox,
  largeMessages,
  flood,
  tooLarge,
  lastWords,
  typedEndpoints,
  streams,
  burst,
  downloads,
}));
