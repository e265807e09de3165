// deno-lint-ignore-file no-console -- a program for the terminal.
/**
 * The first program to read: a server with one endpoint, and a client that sends, asks and is refused.
 *
 *     deno run -A examples/echo.ts --port 7077                     # serves until Ctrl-C
 *     deno run -A examples/echo.ts spark://Echo@127.0.0.1:7077     # talks to it, from another terminal
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { endpoint, RpcEnv, RpcRemoteError, typedRef } from "../mod.ts";
import { outliveOutput } from "./_program.ts";

/** The contract: which messages the endpoint takes. Both sides share it as a type, and nothing of it exists at run time. */
interface Echo {
  /** Messages that want no answer: `send`. */
  receive: {
    Say(text: string): void;
  };
  /** Messages that want one: `ask`. */
  receiveAndReply: {
    Echo(message: unknown): unknown;
    Repeat(request: { text: string; times: number }): string;
  };
}

/** Serves an Echo endpoint until the process is told to end. */
async function serve(name: string, host: string, port: number, untilStdinEnds: boolean): Promise<void> {
  // With a port, 0 too, the environment is a server.
  const env = await RpcEnv.create({ name: "echo-server", host, port });
  try {
    const ref = env.setupEndpoint(
      name,
      endpoint<Echo>(() => ({
        receive: {
          Say: (text) => console.log(`Somebody says ${JSON.stringify(text)}`),
        },
        receiveAndReply: {
          Echo: (message) => message,
          // What a handler throws, or rejects with, is the failure of its ask and of nothing else.
          Repeat: ({ text, times }) => {
            if (!(times >= 0 && times <= 10)) throw new RangeError(`Times must be 0 to 10, not ${times}`);
            return text.repeat(times);
          },
        },
      })),
    );

    // A shutdown handles what has come, sends what was answered, and closes. Calling it twice is calling it once.
    const end = () => void env.shutdown();
    process.once("SIGINT", end).once("SIGTERM", end);
    if (untilStdinEnds) process.stdin.once("end", end).resume();

    console.log(`READY ${ref.endpointAddress}`);
    await env.awaitTermination();
  } finally {
    // Whatever failed: as long as it listens, the process does not end.
    await env.shutdown();
  }
}

/** Talks to an Echo endpoint. */
async function talk(uri: string): Promise<void> {
  // Without a port it is in client mode: it opens connections and accepts none.
  const env = await RpcEnv.create({ name: "echo-client" });
  try {
    const echo = typedRef<Echo>(await env.setupEndpointRef(uri));

    // Messages are values: also Map, Set, Date, bigint, bytes, circular references, and references to endpoints.
    const message = new Map([["numbers", [1, 2n, NaN]]]);
    const same = await echo.ask("Echo", message, { timeoutMs: 5_000 });
    console.log("Echo gives back", same);

    // Messages of one sender arrive in the order in which they were sent.
    echo.send("Say", "Good morning");
    console.log("Repeat gives", await echo.ask("Repeat", { text: "ha", times: 3 }));

    // An ask ends in an answer or in an error; RpcTimeoutError and the like are errors too, with a `code` to tell them apart.
    const error = await echo.ask("Repeat", { text: "ha", times: 1_000_000 }).catch((error: unknown) => error);
    if (error instanceof RpcRemoteError) console.log(`Repeat fails with ${error.remoteClass}: ${error.message}`);
  } finally {
    await env.shutdown();
  }
}

try {
  // Behind `head`, which closes the pipe, Node would end at the next line.
  outliveOutput();
  const { values, positionals } = parseArgs({
    options: {
      host: { type: "string", default: "127.0.0.1" },
      port: { type: "string", default: "0" },
      name: { type: "string", default: "Echo" },
      "until-stdin-ends": { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
    allowPositionals: true,
  });
  const [uri, ...surplus] = positionals;
  if (surplus.length > 0) throw new TypeError(`Expected one URI, not also ${surplus.join(" ")}`);
  if (values.help) console.log("Usage: echo [--host HOST] [--port PORT] [--name NAME] [--until-stdin-ends] | URI");
  else if (uri !== undefined) await talk(uri);
  else await serve(values.name, values.host, Number(values.port), values["until-stdin-ends"]);
} catch (error) {
  console.error(`echo: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
