/**
 * A program for the test of entry points: it says on which runtime it runs, and with which arguments.
 *
 * @module
 */
import process from "node:process";
import { runtimeName } from "../_harness.ts";

process.stdout.write(`${runtimeName} ${process.argv.slice(2).join(" ")}\n`);
