// The example registers its tests with node:test, which is each runtime's own runner.
import "../../examples/simulated_test.ts";
