import { assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { denoSocketDriver } from "../../src/socket/deno.ts";
import { nodeSocketDriver } from "../../src/socket/node.ts";
import { type Socket, type SocketAddress, SocketError } from "../../src/socket/socket.ts";
import { deferred, runtimeName, test, type TestContext, until, within } from "../_harness.ts";
import { socketSuite } from "./socket_suite.ts";

if (runtimeName === "deno") {
  // Deno 2.9 closes with FIN where others reset.
  socketSuite({ name: "deno", driver: denoSocketDriver, abortResets: false });
  socketSuite({ name: "node to deno", driver: denoSocketDriver, connectDriver: nodeSocketDriver, abortResets: false });
  socketSuite({ name: "deno to node", driver: nodeSocketDriver, connectDriver: denoSocketDriver, abortResets: false });

  test("denoSocketDriver accepts at once what waits behind connections that were reset while they waited", async (context) => {
    failAccepts(context, 300);
    const accepted: Socket[] = [];
    const listener = await denoSocketDriver.listen({ host: "127.0.0.1", port: 0 }, (socket) => {
      accepted.push(socket);
      socket.shutdown();
      return silent;
    });
    context.defer(() => listener.close());
    await dialUntilEnd(listener.address);
    await within(accepted[0]!.closed, "the connection to close");
  });

  test("denoSocketDriver rests before it accepts again where the system has no room, and closing ends the rest", async (context) => {
    const rests = catchRests(context);
    const rest = async (count: number) => {
      await until(() => rests.length === count, `rest ${count}`);
      return rests[count - 1]!;
    };
    let accepts = 0;
    changeAccept(context, (accept) => async () => {
      if (++accepts !== 2) throw Object.assign(new Error("Too many open files (os error 24)"), { code: "EMFILE" });
      return await accept();
    });
    const refused: string[] = [];
    const options = { onRefused: (error: SocketError) => void refused.push(`${error.socketCode}: ${error.message}`) };
    const attach = (socket: Socket) => (socket.shutdown(), silent);
    const listener = await denoSocketDriver.listen({ host: "127.0.0.1", port: 0 }, attach, options);
    const first = await rest(1);
    assertEquals(accepts, 1);
    assertEquals(refused, ["UNKNOWN: Cannot accept connections: failed: Too many open files (os error 24)"]);
    first.end();
    await dialUntilEnd(listener.address);
    const second = await rest(2);
    await within(listener.close(), "the listener to close in its rest");
    assertEquals([second.isCancelled, accepts, refused.length], [true, 3, 2]);
    const other = await denoSocketDriver.listen({ host: "127.0.0.1", port: 0 }, () => silent);
    await within(other.close(), "a listener to close");
    assertEquals(rests.length, 2);
  });

  test("denoSocketDriver goes on where a connection that was reset takes no flags", async (context) => {
    const broken = (conn: Deno.TcpConn): Deno.TcpConn => {
      conn.setNoDelay = () => {
        throw new Deno.errors.InvalidData("Invalid argument (os error 22)");
      };
      return conn;
    };
    changeAccept(context, (accept) => async () => broken(await accept()));
    changeConnect(context, (connect) => async (options) => broken(await connect(options)));
    const listener = await denoSocketDriver.listen({ host: "127.0.0.1", port: 0 }, (socket) => (socket.shutdown(), silent));
    context.defer(() => listener.close());
    for (let i = 0; i < 2; i++) await dialUntilEnd(listener.address);
  });

  test("denoSocketDriver attaches nobody whom it accepts after close()", async (context) => {
    const arrived = deferred();
    const closing = deferred();
    changeAccept(context, (accept) => async () => {
      const conn = await accept();
      arrived.resolve();
      await closing.promise;
      return conn;
    });
    let attached = 0;
    const listener = await denoSocketDriver.listen({ host: "127.0.0.1", port: 0 }, (socket) => {
      attached++;
      socket.shutdown();
      return silent;
    });
    const ended = dialUntilEnd(listener.address);
    await within(arrived.promise, "the connection to arrive");
    const closed = listener.close();
    closing.resolve();
    await within(closed, "the listener to close");
    await ended;
    assertEquals(attached, 0);
  });

  test("denoSocketDriver.connect() that is aborted as it succeeds closes the connection", async (context) => {
    const attached: Socket[] = [];
    const ended = deferred();
    const listener = await denoSocketDriver.listen({ host: "127.0.0.1", port: 0 }, (socket) => {
      attached.push(socket);
      return { ...silent, onEnd: () => (socket.shutdown(), ended.resolve()) };
    });
    context.defer(() => listener.close());
    await abortedConnect(context, listener.address, (connect, abort) => async (options) => {
      const conn = await connect(options);
      abort();
      return conn;
    });
    await within(ended.promise, "the other end to hear of it");
    await within(attached[0]!.closed, "the connection to close");
  });

  test("denoSocketDriver.connect() gives up an attempt that nobody answers", async (context) => {
    await abortedConnect(context, { host: "127.0.0.1", port: 1 }, (_connect, abort) => ({ signal }) => {
      queueMicrotask(abort);
      return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    });
  });

  test("denoSocketDriver says in onClose that the system did not take its FIN", async (context) => {
    const accepted: Socket[] = [];
    const listener = await denoSocketDriver.listen({ host: "127.0.0.1", port: 0 }, (socket) => {
      accepted.push(socket);
      return { ...silent, onEnd: () => socket.shutdown() };
    });
    context.defer(() => listener.close());
    changeConnect(context, (connect) => async (options) => {
      const conn = await connect(options);
      conn.closeWrite = () => Promise.reject(new Deno.errors.BrokenPipe("Broken pipe"));
      return conn;
    });
    const closed = deferred<SocketError | undefined>();
    const onClose = (_socket: Socket, error?: SocketError) => closed.resolve(error);
    const socket = await denoSocketDriver.connect(listener.address, () => ({ ...silent, onClose }));
    socket.shutdown();
    assertInstanceOf(await within(closed.promise, "the connection to close"), SocketError);
    await until(() => accepted.length === 1, "the connection to be accepted");
    await within(accepted[0]!.closed, "the other end to close");
  });
}

const silent = { onData() {}, onDrain() {}, onEnd() {}, onClose() {} };

/** Dials, and waits for the end that the other side sends. */
async function dialUntilEnd(address: SocketAddress): Promise<void> {
  const ended = new Promise<void>((onEnd) => {
    denoSocketDriver.connect(address, () => ({ ...silent, onEnd: (socket) => (socket.shutdown(), onEnd()) }));
  });
  await within(ended, "the end");
}

/** Lets the first `count` accepts of the next listener fail as Deno 2.9 does for a connection that its peer has reset by then. */
function failAccepts(context: TestContext, count: number): void {
  const errors = [
    Object.assign(new Deno.errors.NotConnected("Transport endpoint is not connected"), { code: "ENOTCONN" }),
    Object.assign(new Deno.errors.ConnectionAborted("Software caused connection abort"), { code: "ECONNABORTED" }),
  ];
  let left = count;
  changeAccept(context, (accept) => async () => {
    if (left-- > 0) throw errors[left % errors.length];
    return await accept();
  });
}

type Accept = () => Promise<Deno.TcpConn>;

/** Lets the next listener accept as `change` makes of what the runtime does. */
function changeAccept(context: TestContext, change: (accept: Accept) => Accept): void {
  const { listen } = Deno;
  const restore = (): void => void Object.assign(Deno, { listen });
  context.defer(restore);
  Object.assign(Deno, {
    listen(options: Deno.TcpListenOptions): Deno.TcpListener {
      restore();
      const listener = listen(options);
      listener.accept = change(listener.accept.bind(listener));
      return listener;
    },
  });
}

type Connect = (options: Deno.ConnectOptions) => Promise<Deno.TcpConn>;

/** Dials as `change` makes of what the runtime does, until the test is over. */
function changeConnect(context: TestContext, change: (connect: Connect) => Connect): void {
  const { connect } = Deno;
  context.defer(() => Object.assign(Deno, { connect }));
  Object.assign(Deno, { connect: change(connect) });
}

/** Dials by what `change` makes of what the runtime does, which aborts: that is what the connect must fail with. */
async function abortedConnect(
  context: TestContext,
  address: SocketAddress,
  change: (connect: Connect, abort: () => void) => Connect,
): Promise<void> {
  const controller = new AbortController();
  const reason = new Error("given up");
  changeConnect(context, (connect) => change(connect, () => controller.abort(reason)));
  const attach = (): never => {
    throw new Error("attached after the abort");
  };
  const dialled = denoSocketDriver.connect(address, attach, { signal: controller.signal });
  const thrown = await within(dialled.then(() => undefined, (error) => error), "the connect to fail");
  assertStrictEquals(thrown, reason);
}

interface Rest {
  end(): void;
  isCancelled: boolean;
}

/** Takes over the timers of rests, which last for 100 ms. */
function catchRests(context: TestContext): readonly Rest[] {
  const { setTimeout, clearTimeout } = globalThis;
  context.defer(() => Object.assign(globalThis, { setTimeout, clearTimeout }));
  const rests: Rest[] = [];
  Object.assign(globalThis, {
    setTimeout(callback: () => void, delayMs: number): unknown {
      if (delayMs !== 100) return setTimeout(callback, delayMs);
      const rest = { end: callback, isCancelled: false };
      rests.push(rest);
      return rest;
    },
    clearTimeout(handle: unknown): void {
      const rest = rests.find((one) => one === handle);
      if (rest === undefined) clearTimeout(handle as number);
      else rest.isCancelled = true;
    },
  });
  return rests;
}
