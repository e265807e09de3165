import { SimulatedNetwork } from "../../src/socket/sim.ts";
import type { SimulatedFaults } from "../../src/socket/sim.ts";
import { socketSuite } from "./socket_suite.ts";

const HOST = "server";
const MIB = 1024 * 1024;

function simulatedSuite(name: string, faults: SimulatedFaults, tls: boolean): void {
  const network = new SimulatedNetwork({ seed: 1, faults, bufferBytes: MIB });
  socketSuite({
    name,
    driver: network.driver(HOST),
    connectDriver: network.driver("client"),
    host: HOST,
    realNetwork: false,
    run: (promise) => network.settle(promise),
    ...(tls ? { tls: { listen: {}, connect: {} } } : {}),
  });
}

simulatedSuite("sim", {}, false);
simulatedSuite("sim TLS", {}, true);

// Faults that no program may notice: the contract holds as it does without them.
simulatedSuite("sim with nuisances", {
  delayMinMs: 0.1,
  delayMeanMs: 2,
  connectionDelayMs: 5,
  splitProbability: 0.3,
  mergeProbability: 0.2,
  slowReaderProbability: 0.5,
  slowReadBytes: 50_000,
  slowReadMs: 1,
}, false);
