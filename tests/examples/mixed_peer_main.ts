/**
 * The far side of the tests of mixed runtimes: it registers an endpoint of its own and does what that is asked, until told to stop.
 *
 * With `--listen` it has a port, so that references to its endpoint lead to an address; without, they lead over its connection.
 *
 * @module
 */
import process from "node:process";
import { endpoint, type RpcEndpointRef, RpcEnv, typedRef } from "../../mod.ts";
import { runtimeName } from "../_harness.ts";

/** What the test's own endpoint takes. */
export interface Registry {
  receiveAndReply: {
    Register(peer: { runtime: string; self: RpcEndpointRef<Peer> }): void;
    Echo(message: unknown): unknown;
  };
}

/** What the far side takes. */
export interface Peer {
  receive: {
    Count(number: number): void;
    Stop(): void;
  };
  receiveAndReply: {
    Echo(message: unknown): unknown;
    /** Asks the endpoint behind a reference that came in a message. */
    AskBack(request: { registry: RpcEndpointRef<Registry>; message: unknown }): unknown;
    /** The numbers that came so far. */
    Counted(): readonly number[];
    Fail(message: string): never;
    /** Never answers. */
    Wait(): void;
  };
}

const [uri = "", flag] = process.argv.slice(2);
const env = await RpcEnv.create({ name: "peer", host: "127.0.0.1", ...(flag === "--listen" && { port: 0 }) });
const self = env.setupEndpoint(
  "Peer",
  endpoint<Peer>(() => {
    const numbers: number[] = [];
    return {
      // The test looks at the failure that it is answered with; the log would only repeat it.
      onError() {},
      receive: {
        Count: (number) => numbers.push(number),
        Stop: () => void env.shutdown(),
      },
      receiveAndReply: {
        Echo: (message) => message,
        AskBack: ({ registry, message }) => typedRef(registry).ask("Echo", message),
        Counted: () => numbers,
        Fail(message) {
          throw new RangeError(message);
        },
        Wait: (_, context) => context.later,
      },
    };
  }, { threadSafe: false }),
);
await typedRef<Registry>(await env.setupEndpointRef(uri)).ask("Register", { runtime: runtimeName, self });
await env.awaitTermination();
