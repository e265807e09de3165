/**
 * Asks any endpoint from the command line, as grpcurl does for gRPC.
 *
 *     deno run -A examples/ask.ts spark://Echo@127.0.0.1:7077 Echo '{"hello": [1, 2, 3]}'
 *
 * @module
 */
import process from "node:process";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { RpcEndpointAddress, RpcEnv, RpcRemoteError, RpcTimeout, silentLogger, SparkConf, TypedMessage } from "../mod.ts";
import { describe as describeError, messageOf, outliveOutput } from "./_program.ts";
import { fromTaggedJson, type Json, TAGGED_JSON_HELP, toTaggedJson } from "./_tagged_json.ts";

const USAGE = "Usage: ask URI [METHOD] JSON [--send] [--serializer NAME] [--timeout 5s]";

const HELP = `${USAGE}

Asks an endpoint and prints its reply as JSON.

  URI                 spark://name@host:port
  METHOD              makes it a typed message, of which JSON is the payload
  JSON                the message; - reads it from standard input
  --send              send the message and want no reply
  --serializer NAME   the codec of the message: cbor, or java for a real Spark (default: cbor)
  --timeout TIME      how long to wait, for the lookup and then for the reply: 500ms, 5s, 2min (default: 120s);
                      it is spark.rpc.lookupTimeout and spark.rpc.askTimeout
  --help              print this

Exit code: 0 if all went well, 1 if the endpoint could not be asked or answered with a failure, 2 for wrong arguments.

What JSON lacks is written as an object with one key:
${TAGGED_JSON_HELP}
A key of your own that begins with $ and stands alone in its object gets one $ more.
`;

const SERIALIZERS = ["cbor", "java"];

/** What the arguments say. */
interface Call {
  readonly uri: string;
  readonly message: unknown;
  readonly conf: SparkConf;
  readonly serializer: string | undefined;
  readonly send: boolean;
}

const options = {
  send: { type: "boolean" },
  serializer: { type: "string" },
  timeout: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** Undefined if help is wanted. */
async function readCall(args: string[]): Promise<Call | undefined> {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  if (values.help === true) return undefined;
  const [uri, ...rest] = positionals;
  const [method, json] = rest.length === 2 ? rest : [undefined, rest[0]];
  if (uri === undefined || json === undefined || rest.length > 2) throw new TypeError("Expected URI [METHOD] JSON");
  RpcEndpointAddress.parse(uri);
  if (values.serializer !== undefined && !SERIALIZERS.includes(values.serializer)) {
    throw new TypeError(`There is no serializer ${values.serializer}; there are ${SERIALIZERS.join(" and ")}`);
  }
  const conf = new SparkConf();
  if (values.timeout !== undefined) {
    conf.set("spark.rpc.lookupTimeout", values.timeout).set("spark.rpc.askTimeout", values.timeout);
    RpcTimeout.ask(conf);
  }
  const payload = fromTaggedJson(parseJson(json === "-" ? await text(process.stdin) : json));
  const message = method === undefined ? payload : new TypedMessage(method, payload);
  return { uri, message, conf, serializer: values.serializer, send: values.send === true };
}

function parseJson(json: string): Json {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new TypeError(`Not JSON: ${messageOf(error)} (a text is in quotes: '"hello"')`);
  }
}

/** Prints the reply, if one is wanted. */
async function ask({ uri, message, conf, serializer, send }: Call): Promise<void> {
  // Without a port: client mode. What goes wrong is in the error, so the log has nothing to add.
  const env = await RpcEnv.create({ name: "ask", conf, logger: silentLogger });
  // Who has an answer, or has waited for one in vain, waits for nobody else.
  let deadlineMs: number | undefined = 500;
  try {
    const ref = await env.setupEndpointRef(uri, { serializer });
    if (send) {
      ref.send(message);
      // What was sent has to leave.
      deadlineMs = undefined;
    } else process.stdout.write(`${JSON.stringify(toTaggedJson(await ref.ask(message)), undefined, 2)}\n`);
  } finally {
    await env.shutdown({ deadlineMs });
  }
}

function describe(error: unknown): string {
  if (error instanceof RpcRemoteError) return `the endpoint failed with ${error.remoteClass ?? "Error"}: ${messageOf(error)}`;
  return describeError(error);
}

async function main(args: string[]): Promise<number> {
  outliveOutput();
  let call: Call | undefined;
  try {
    call = await readCall(args);
  } catch (error) {
    process.stderr.write(`ask: ${describeError(error)}\n${USAGE}\n`);
    return 2;
  }
  if (call === undefined) {
    process.stdout.write(HELP);
    return 0;
  }
  try {
    await ask(call);
    return 0;
  } catch (error) {
    process.stderr.write(`ask: ${call.uri}: ${describe(error)}\n`);
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
