/**
 * Cases of the socket suite about what a driver asks of the runtime's own sockets, which nobody sees from outside.
 *
 * @module
 */

import { Server, Socket as NodeSocket } from "node:net";
import { assertEquals } from "@std/assert";
import type { SocketAddress, SocketOptions } from "../../src/socket/socket.ts";
import { socketCase, type SocketSuiteOptions } from "./_stage.ts";

/** What all sockets of a runtime have in common. */
interface Flags {
  setNoDelay(on: boolean): unknown;
  setKeepAlive(on: boolean): unknown;
}

/** What listens, in each runtime's words. */
interface Listens {
  listen(options: { readonly backlog?: number; readonly tcpBacklog?: number }, ...rest: unknown[]): unknown;
}

interface BunConnects extends Listens {
  connect(options: object): Promise<{ terminate(): void }>;
}

/** Registers the cases. */
export function flagCases(suite: SocketSuiteOptions): void {
  if (suite.realNetwork === false) return;

  socketCase(suite, "SocketOptions noDelay and keepAlive are set on the sockets of either end", async (stage) => {
    const { driver, connectDriver = driver } = suite;
    const cases: readonly [SocketOptions, readonly string[]][] = [
      [{}, ["setNoDelay true"]],
      [{ noDelay: true, keepAlive: false }, ["setNoDelay true"]],
      [{ noDelay: false, keepAlive: true }, ["setKeepAlive true", "setNoDelay false"]],
    ];
    const { address } = await stage.listen();
    const all = [await flagsOf(driver.name, address), await flagsOf(connectDriver.name, address)];
    for (const [options, expected] of cases) {
      const calls = await noteFlags(new Set(all), () => stage.pair({ client: { options }, server: { options } }));
      assertEquals(calls.sort(), [...expected, ...expected].sort());
    }
  });

  socketCase(suite, "ListenOptions backlog is what the runtime listens with", async (stage) => {
    const listens = listensOf(suite.driver.name);
    const { listen } = listens;
    const backlogs: (number | undefined)[] = [];
    listens.listen = function (options, ...rest) {
      backlogs.push(options.tcpBacklog ?? options.backlog);
      return listen.call(this, options, ...rest);
    };
    try {
      await stage.listen({ options: { backlog: 5 } });
      await stage.listen();
    } finally {
      listens.listen = listen;
    }
    assertEquals(backlogs, [5, undefined]);
  });
}

/** The flags that are set while `run` lasts. */
async function noteFlags(all: ReadonlySet<Flags>, run: () => Promise<unknown>): Promise<string[]> {
  const calls: string[] = [];
  const restore: (() => void)[] = [];
  let isInside = false;
  for (const flags of all) {
    for (const name of ["setNoDelay", "setKeepAlive"] as const) {
      const set = flags[name];
      restore.push(() => flags[name] = set);
      flags[name] = function (on) {
        // A socket of node:net hands it on to one of Bun's own.
        if (isInside) return set.call(this, on);
        calls.push(`${name} ${on}`);
        isInside = true;
        try {
          return set.call(this, on);
        } finally {
          isInside = false;
        }
      };
    }
  }
  try {
    await run();
  } finally {
    for (const back of restore) back();
  }
  return calls;
}

/** The prototype of a driver's native sockets, found by way of one of them. */
async function flagsOf(driver: string, { host, port }: SocketAddress): Promise<Flags> {
  if (driver === "node") return NodeSocket.prototype;
  if (driver === "deno") {
    const conn = await Deno.connect({ hostname: host, port });
    conn.close();
    return Object.getPrototypeOf(conn);
  }
  const socket = await bun().connect({ hostname: host, port, socket: { data() {} } });
  socket.terminate();
  return Object.getPrototypeOf(socket);
}

function listensOf(driver: string): Listens {
  if (driver === "node") return Server.prototype;
  return driver === "deno" ? Deno as unknown as Listens : bun();
}

function bun(): BunConnects {
  return (globalThis as unknown as { readonly Bun: BunConnects }).Bun;
}
