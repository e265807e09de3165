import { SimulatedNetwork } from "../../src/socket/sim.ts";
import { socketSuite } from "./socket_suite.ts";

const network = new SimulatedNetwork({ seed: 1 });

socketSuite({
  name: "sim",
  driver: network.driver("server"),
  connectDriver: network.driver("client"),
  host: "server",
  realNetwork: false,
  run: (promise) => network.settle(promise),
});
