import { assert, assertEquals } from "@std/assert";
import process from "node:process";
import { silentLogger } from "../../src/base/logger.ts";
import { type Host, localHostName, systemHost } from "../../src/platform/host.ts";
import { test } from "../_harness.ts";

function hostOf(env: Record<string, string>, interfaces: Record<string, readonly string[]> = {}): Host {
  return {
    env: (name) => env[name],
    networkInterfaces: () => Object.entries(interfaces).map(([name, addresses]) => ({ name, addresses })),
  };
}

const LOOPBACK = { lo: ["127.0.0.1", "::1"] };

const CASES: readonly (readonly [string, Host, string])[] = [
  ["SPARK_LOCAL_HOSTNAME", hostOf({ SPARK_LOCAL_HOSTNAME: "one", SPARK_LOCAL_IP: "10.0.0.1" }), "one"],
  ["SPARK_LOCAL_IP", hostOf({ SPARK_LOCAL_IP: "10.0.0.1" }, { eth0: ["10.0.0.2"] }), "10.0.0.1"],
  [
    "an interface where both variables are empty",
    hostOf({ SPARK_LOCAL_HOSTNAME: "", SPARK_LOCAL_IP: "" }, { eth0: ["10.0.0.2"] }),
    "10.0.0.2",
  ],
  [
    "the first interface that leads outside",
    hostOf({}, { ...LOOPBACK, a: [], b: ["fe80::1", "169.254.1.1"], c: ["10.0.0.3"] }),
    "10.0.0.3",
  ],
  ["IPv4 before IPv6", hostOf({}, { ...LOOPBACK, eth0: ["2001:db8::1", "fe80::1", "10.0.0.4", "10.0.0.5"] }), "10.0.0.4"],
  [
    "IPv6 of the first interface before IPv4 of the next",
    hostOf({}, { eth0: ["FEBF::1", "2001:db8::1"], eth1: ["10.0.0.6"] }),
    "2001:db8::1",
  ],
  ["the loopback address where nothing leads outside", hostOf({}, { ...LOOPBACK, b: ["fe80::1"] }), "127.0.0.1"],
];

for (const [what, host, expected] of CASES) {
  test(`localHostName() is ${what}`, () => {
    assertEquals(localHostName({ host }), expected);
  });
}

test("localHostName() warns of a guess and says what to set", () => {
  const warnings: string[] = [];
  const logger = { ...silentLogger, warning: (message: string) => void warnings.push(message) };
  localHostName({ host: hostOf({ SPARK_LOCAL_IP: "10.0.0.1" }), logger });
  assertEquals(warnings, []);
  for (const interfaces of [{ eth0: ["10.0.0.2"] }, {}]) localHostName({ host: hostOf({}, interfaces), logger });
  assertEquals(warnings, [
    "Using the address 10.0.0.2 of the interface eth0 as the name of this machine",
    "Set SPARK_LOCAL_IP if you need to bind to another address",
    "No network interface leads out of this machine: using 127.0.0.1 as its name",
    "Set SPARK_LOCAL_IP if you need to bind to another address",
  ]);
});

test("localHostName() does not say what it must not look at", () => {
  const warnings: string[] = [];
  const logger = { ...silentLogger, warning: (message: string) => void warnings.push(message) };
  const host: Host = { ...hostOf({}), networkInterfaces: () => undefined };
  assertEquals(localHostName({ host, logger }), "127.0.0.1");
  assertEquals(warnings, [
    "The network interfaces may not be read: using 127.0.0.1 as the name of this machine",
    "Say where others reach it by `host`, or permit Deno to look: --allow-sys=networkInterfaces --allow-env",
  ]);
});

test("systemHost says what the machine says", ({ defer }) => {
  defer(() => delete process.env.SPARKWIRE_TEST_VARIABLE);
  assertEquals(systemHost.env("SPARKWIRE_TEST_VARIABLE"), undefined);
  process.env.SPARKWIRE_TEST_VARIABLE = "value";
  assertEquals(systemHost.env("SPARKWIRE_TEST_VARIABLE"), "value");
  for (const { name, addresses } of systemHost.networkInterfaces() ?? []) {
    assert(name !== "");
    for (const address of addresses) assert(/^[0-9a-f.:]+(%\w+)?$/i.test(address), address);
  }
});
