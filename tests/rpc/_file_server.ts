/**
 * What tests of the file server have in common: two environments, a folder on disk, downloads read to their end.
 *
 * @module
 */

import { assertRejects } from "@std/assert";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import type { RpcEnvOptions } from "../../src/rpc/rpc_env.ts";
import { defaultSocketDriver } from "../../src/socket/default.ts";
import { nodeSocketDriver } from "../../src/socket/node.ts";
import type { SocketDriver } from "../../src/socket/socket.ts";
import { makeFolder } from "../_folder.ts";
import { runtimeName, test, type TestContext, type TestOptions, until, within } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";

/** A test's environments, which must have nothing open when it is over. */
export class FileStage {
  readonly context: TestContext;
  readonly driver: SocketDriver;

  constructor(context: TestContext, driver: SocketDriver) {
    this.context = context;
    this.driver = driver;
  }

  /** An environment, in client mode unless it has a port. */
  async env(options: Partial<RpcEnvOptions> = {}): Promise<RpcEnv> {
    const env = await RpcEnv.create({
      name: "local",
      host: "127.0.0.1",
      driver: this.driver,
      logger: new MemoryLogger(),
      ...options,
    });
    this.context.defer(async () => {
      await within(env.shutdown(), "the shutdown");
      await settled(env);
    });
    return env;
  }

  /** An environment that serves and one that fetches. */
  async pair(options: Partial<RpcEnvOptions> = {}): Promise<{ readonly server: RpcEnv; readonly client: RpcEnv }> {
    return { server: await this.env({ name: "server", port: 0, ...options }), client: await this.env({ name: "client" }) };
  }

  /** A folder on disk with these files, by their paths below it; its real path. */
  async folder(files: Readonly<Record<string, Uint8Array | string>>): Promise<string> {
    const folder = await makeFolder(this.context);
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), content);
    }
    return folder;
  }
}

/** Registers a test for each driver of this runtime. */
export function fileTest(name: string, body: (stage: FileStage) => Promise<void>, options?: TestOptions): void {
  const own = `${runtimeName}'s own sockets`;
  test(`${name} [${own}]`, async (context) => body(new FileStage(context, await defaultSocketDriver())), options);
  if (runtimeName === "node") return;
  test(`${name} [node:net]`, (context) => body(new FileStage(context, nodeSocketDriver)), options);
}

/** Waits until nothing is on its way and no file is open. */
export async function settled(env: RpcEnv): Promise<void> {
  const left = (): number => {
    const { downloads, streamsBeingSent, openFiles } = env.stats();
    return downloads + streamsBeingSent + openFiles;
  };
  await until(() => left() === 0, "all streams and files to be closed");
}

/** All bytes of a download. */
export async function fetchBytes(env: RpcEnv, uri: string): Promise<Uint8Array> {
  return new Uint8Array(await within(new Response(env.openChannel(uri)).arrayBuffer(), `the download of ${uri}`));
}

/** Its text. */
export async function fetchText(env: RpcEnv, uri: string): Promise<string> {
  return new TextDecoder().decode(await fetchBytes(env, uri));
}

/** What a download fails with; fails if it does not. */
export function fetchFailure(env: RpcEnv, uri: string): Promise<Error> {
  return failureOf(env.openChannel(uri).getReader());
}

/** Reads to the failure. */
export function failureOf(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Error> {
  const readAll = async () => {
    while (!(await reader.read()).done);
  };
  return within(assertRejects(readAll, Error), "the failure");
}
