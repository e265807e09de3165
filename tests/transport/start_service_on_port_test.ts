import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { SocketError, type SocketErrorCode } from "../../src/socket/socket.ts";
import { startServiceOnPort } from "../../src/transport/start_service_on_port.ts";
import { test } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";
import { transportTest } from "./_stage.ts";

/** Starts where all ports but `free` fail with `code`; the ports that were tried, and the log. */
async function tryPorts(startPort: number, maxRetries: number, free: number, code: SocketErrorCode = "ADDRESS_IN_USE") {
  const tried: number[] = [];
  const logger = new MemoryLogger();
  const start = (port: number): Promise<string> => {
    tried.push(port);
    return port === free
      ? Promise.resolve(`on ${port}`)
      : Promise.reject(new SocketError(code, `Cannot listen on port ${port}`));
  };
  const outcome = await startServiceOnPort(startPort, start, { name: "Master", maxRetries, logger }).catch((error) => error);
  return { tried, outcome, lines: logger.lines };
}

test("startServiceOnPort() takes the first port if it is free", async () => {
  assertEquals(await tryPorts(7077, 16, 7077), { tried: [7077], outcome: "on 7077", lines: [] });
});

test("startServiceOnPort() tries the ports after the first, as often as it is told", async () => {
  const { tried, outcome, lines } = await tryPorts(7077, 2, 7079);
  assertEquals([tried, outcome], [[7077, 7078, 7079], "on 7079"]);
  assertEquals(lines, [
    "warning: Service 'Master' could not bind on port 7077. Attempting port 7078.",
    "warning: Service 'Master' could not bind on port 7078. Attempting port 7079.",
  ]);
});

test("startServiceOnPort() goes on at 1024 after 65535", async () => {
  const { tried, outcome, lines } = await tryPorts(65_534, 16, 1_025);
  assertEquals([tried, outcome], [[65_534, 65_535, 1_024, 1_025], "on 1025"]);
  assertEquals(lines[1], "warning: Service 'Master' could not bind on port 65535. Attempting port 1024.");
});

test("startServiceOnPort() says what to do when all ports were in use", async () => {
  const { tried, outcome } = await tryPorts(7077, 2, 0);
  assertEquals(tried, [7077, 7078, 7079]);
  assertEquals(
    outcome.message,
    "Cannot listen on port 7079: Service 'Master' failed after 2 retries (starting from 7077)! Consider explicitly setting the " +
      "appropriate port for the service 'Master' (for example spark.ui.port for SparkUI) to an available port or increasing " +
      "spark.port.maxRetries.",
  );
  assertEquals([outcome.socketCode, outcome.cause.message], ["ADDRESS_IN_USE", "Cannot listen on port 7079"]);
});

test("startServiceOnPort() tries port 0 again as 0, also where the address is not of this machine", async () => {
  for (const code of ["ADDRESS_IN_USE", "ADDRESS_NOT_AVAILABLE"] as const) {
    const { tried, outcome, lines } = await tryPorts(0, 2, -1, code);
    assertEquals(tried, [0, 0, 0]);
    const warning = "warning: Service 'Master' could not bind on a random free port. You may check whether configuring an " +
      "appropriate binding address.";
    assertEquals(lines, [warning, warning]);
    assertEquals(
      outcome.message,
      "Cannot listen on port 0: Service 'Master' failed after 2 retries (on a random free port)! Consider explicitly setting " +
        "the appropriate binding address for the service 'Master' (for example spark.driver.bindAddress for SparkDriver) to " +
        "the correct binding address.",
    );
    assertEquals(outcome.socketCode, code);
  }
});

test("startServiceOnPort() does not try again after any other failure", async () => {
  for (const code of ["PERMISSION_DENIED", "HOST_NOT_FOUND", "ADDRESS_NOT_AVAILABLE", "UNKNOWN"] as const) {
    const { tried, outcome, lines } = await tryPorts(7077, 16, 0, code);
    assertEquals([tried, lines], [[7077], []]);
    assertEquals([outcome.socketCode, outcome.message], [code, "Cannot listen on port 7077"]);
  }
  const failure = new TypeError("not even a socket");
  const options = { name: "x", maxRetries: 16, logger: new MemoryLogger() };
  assertStrictEquals(await startServiceOnPort(0, () => Promise.reject(failure), options).catch((error) => error), failure);
});

test("startServiceOnPort() refuses a port that cannot be", async () => {
  const options = { name: "x", maxRetries: 16, logger: new MemoryLogger() };
  const text = "requirement failed: startPort should be between 1024 and 65535 (inclusive), or 0 for a random free port.";
  for (const port of [-1, 1, 80, 1_023, 65_536, 7_077.5, NaN, Infinity]) {
    const error = await assertRejects(() => startServiceOnPort(port, () => Promise.resolve(), options), RangeError);
    assertEquals(error.message, `${text} It is ${port}`);
  }
  const fromEnv = "7077" as unknown as number;
  const error = await assertRejects(() => startServiceOnPort(fromEnv, () => Promise.resolve(), options), RangeError);
  assertEquals(error.message, `${text} It is no number: "7077"`);
});

transportTest("startServiceOnPort() finds the next free port of the machine", async (stage) => {
  const end = stage.end();
  const taken = await end.listen();
  const start = async (port: number): Promise<number> => {
    const server = await end.context.createServer(port);
    stage.defer("the second server", () => server.close());
    return server.port;
  };
  const options = { name: "second", maxRetries: 100, logger: end.logger };
  const port = await startServiceOnPort(taken.port, start, options);
  assertEquals(port !== taken.port, true);
  assertEquals(end.logger.lines[0]?.startsWith(`warning: Service 'second' could not bind on port ${taken.port}. `), true);
});
