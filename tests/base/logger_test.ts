// deno-lint-ignore-file no-console -- it listens to what the console is told.
import { assertEquals } from "@std/assert";
import { consoleLogger, type Logger, loggerInForce } from "../../src/base/logger.ts";
import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import { noOpRpcHandler } from "../../src/transport/rpc_handler.ts";
import { TransportContext } from "../../src/transport/transport_context.ts";
import { test, within } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";

test("loggerInForce() hands lines on as they are, and is one to which that has been done", () => {
  const lines: unknown[][] = [];
  const take = (level: string) => (...line: unknown[]) => void lines.push([level, ...line]);
  const given: Logger = { debug: take("debug"), info: take("info"), warning: take("warning"), error: take("error") };
  const logger = loggerInForce(given);
  const cause = new Error("why");
  logger.debug("a");
  logger.info("b");
  logger.warning("c", cause);
  logger.error("d", cause);
  assertEquals(lines, [["debug", "a"], ["info", "b"], ["warning", "c", cause], ["error", "d", cause]]);
  assertEquals(loggerInForce(logger) === logger, true);
});

test("loggerInForce() never throws, and tells of a logger that does now and then", () => {
  const last = new MemoryLogger();
  const fail = () => {
    throw new Error("disk full");
  };
  const logger = loggerInForce({ debug: fail, info: fail, warning: fail, error: fail }, last);
  for (const level of ["debug", "info", "warning", "error", "error"] as const) logger[level]("lost");
  assertEquals(last.lines, [
    "error: The logger failed at debug: lost (1 lines so far) (disk full)",
    "error: The logger failed at info: lost (2 lines so far) (disk full)",
    "error: The logger failed at error: lost (4 lines so far) (disk full)",
  ]);
  assertEquals(loggerInForce(undefined, last) === last, true);
});

test("consoleLogger() tells of what is as grave as its level, and of the cause if there is one", (context) => {
  const told: unknown[][] = [];
  const { error } = console;
  console.error = (...line) => void told.push(line);
  context.defer(() => void (console.error = error));
  const cause = new Error("why");
  for (const logger of [consoleLogger(), consoleLogger({ level: "error" })]) {
    logger.info("a");
    logger.warning("b");
    logger.error("c", cause);
  }
  assertEquals(told, [["sparkwire warning: b"], ["sparkwire error: c", cause], ["sparkwire error: c", cause]]);
});

test("consoleLogger() never throws, as the console of Deno does where standard error is a file and the disk is full", (context) => {
  let told = 0;
  const { error } = console;
  console.error = () => {
    told++;
    throw new Error("No space left on device (os error 28)");
  };
  context.defer(() => void (console.error = error));
  const logger = consoleLogger({ level: "debug" });
  for (const level of ["debug", "info", "warning", "error"] as const) logger[level]("lost", new Error("why"));
  assertEquals(told, 4);
});

test("Environments and contexts go on when their logger throws, and say so on the console", async (context) => {
  const told: unknown[] = [];
  const { error } = console;
  console.error = (...line) => void told.push(line[0]);
  context.defer(() => void (console.error = error));
  const fail = () => {
    throw new Error("disk full");
  };
  const logger = { debug: fail, info: fail, warning: fail, error: fail };
  const env = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0, logger });
  context.defer(() => env.shutdown());
  env.setupEndpoint("echo", { receiveAndReply: (message) => message });
  const transport = await TransportContext.create(noOpRpcHandler, { logger });
  const factory = transport.createClientFactory();
  context.defer(() => factory.close());
  const client = await within(factory.createClient(env.address!), "the connection");
  // Bytes that are no message: that is told of, and costs their connection.
  client.channel.socket.write([new Uint8Array(8)]);
  await within(client.channel.socket.closed, "the connection to be closed");
  const ref = await env.setupEndpointRef({ address: env.address!, name: "echo" });
  assertEquals(await ref.ask("still here"), "still here");
  assertEquals(env.stats().connections.length, 0);
  assertEquals(told.some((line) => String(line).startsWith("sparkwire error: The logger failed at warning: ")), true);
});
