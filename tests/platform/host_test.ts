import { assert, assertEquals } from "@std/assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { silentLogger } from "../../src/base/logger.ts";
import { type Host, localHostName, systemHost } from "../../src/platform/host.ts";
import { runtimePath } from "../_entry_points.ts";
import { makeFolder } from "../_folder.ts";
import { test, within } from "../_harness.ts";
import { startProcess } from "../_process.ts";
import { projectRoot } from "../_project.ts";

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

/** Without the task `test`, Bun and Node do not know where a Deno is. */
const deno = runtimePath("deno");

test("systemHost says nothing where Deno may not look", async (context) => {
  const folder = await makeFolder(context);
  const module = pathToFileURL(join(projectRoot, "src/platform/host.ts")).href;
  const program = `import { systemHost as host } from "${module}";\nconsole.log(host.env("HOME"), host.networkInterfaces());\n`;
  await writeFile(join(folder, "look.ts"), program);
  // What node:child_process starts of Deno's own may do anything, unless it is denied (Deno 2.9).
  const flags = ["--no-prompt", "--deny-env", "--deny-sys"];
  const look = startProcess(context, deno!, ["run", "--quiet", ...flags, join(folder, "look.ts")]);
  assertEquals([await within(look.exited, "the program"), look.stdout, look.stderr], [0, "undefined undefined\n", ""]);
}, { skip: deno === undefined ? "only the task test knows where Deno is" : undefined });
