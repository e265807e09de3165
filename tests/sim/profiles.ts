/**
 * How bad a simulated network is: from one that only takes its time to one where everything goes wrong at once.
 *
 * @module
 */

import type { SimulatedFaults } from "../../src/socket/sim.ts";
import type { Dice } from "./dice.ts";

/** A kind of network. */
export interface Profile {
  readonly name: string;
  /** Whether no application notices its faults: then every ask must be answered, and every message must arrive. */
  readonly harmless: boolean;
  /** Draws the numbers. */
  readonly draw: (dice: Dice) => SimulatedFaults;
}

const cuts = (dice: Dice): SimulatedFaults => ({
  delayMinMs: dice.between(0, 1),
  delayMeanMs: dice.between(1, 5),
  splitProbability: dice.between(0, 0.8),
  mergeProbability: dice.between(0, 0.5),
});

const breaks = (dice: Dice, scale: number): SimulatedFaults => ({
  refuseProbability: dice.between(0, 0.3) * scale,
  resetProbability: dice.between(0, 0.03) * scale,
  finProbability: dice.between(0, 0.02) * scale,
});

const hangs = (dice: Dice, scale: number): SimulatedFaults => ({
  freezeProbability: dice.between(0, 0.02) * scale,
  freezeMs: dice.small(1, 5_000),
  clockJumpProbability: dice.between(0, 0.01) * scale,
  clockJumpMs: dice.small(1, 200_000),
});

const slowReaders = (dice: Dice): SimulatedFaults => ({
  slowReaderProbability: dice.between(0, 0.7),
  slowReadBytes: dice.small(256, 16_384),
  slowReadMs: dice.between(0.1, 5),
});

/** All of them, the milder ones first. */
export const PROFILES: readonly Profile[] = [
  { name: "calm", harmless: true, draw: (dice) => ({ delayMeanMs: dice.between(0, 2) }) },
  { name: "cut", harmless: true, draw: cuts },
  { name: "slow", harmless: true, draw: (dice) => ({ ...cuts(dice), ...slowReaders(dice) }) },
  {
    name: "far",
    harmless: true,
    draw: (dice) => ({ ...cuts(dice), delayMeanMs: dice.between(10, 300), connectionDelayMs: dice.between(0, 200) }),
  },
  { name: "lossy", harmless: false, draw: (dice) => ({ ...cuts(dice), ...breaks(dice, 1) }) },
  { name: "silent", harmless: false, draw: (dice) => ({ ...cuts(dice), silenceProbability: dice.between(0, 0.01) }) },
  { name: "frozen", harmless: false, draw: (dice) => ({ ...cuts(dice), ...hangs(dice, 1) }) },
  {
    name: "wild",
    harmless: false,
    draw: (dice) => ({
      ...cuts(dice),
      ...slowReaders(dice),
      ...breaks(dice, 0.5),
      ...hangs(dice, 0.5),
      connectionDelayMs: dice.between(0, 50),
      silenceProbability: dice.between(0, 0.005),
    }),
  },
];
