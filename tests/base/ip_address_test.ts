import { assertEquals } from "@std/assert";
import { canonicalIpv6, parseIpv4, socketHost } from "../../src/base/ip_address.ts";
import { seededRandom } from "../../src/base/random.ts";
import { test } from "../_harness.ts";

test("canonicalIpv6() writes the form of RFC 5952", () => {
  const cases: [string, string][] = [
    ["::", "::"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["::1", "::1"],
    ["::0:1", "::1"],
    ["2600::", "2600::"],
    ["2600:0:0:0:0:0:0:0", "2600::"],
    ["FE80::ABCD", "fe80::abcd"],
    ["2001:0db8:0000:0000:0000:0000:0002:0001", "2001:db8::2:1"],
    // 4.2.2: one zero group alone stays
    ["2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    // 4.2.3: the longest run, of equal ones the first
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
    ["::ffff:127.0.0.1", "::ffff:127.0.0.1"],
    ["::FFFF:7f00:1", "::ffff:127.0.0.1"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["fe80::1%eth0", "fe80::1%eth0"],
    ["FE80:0:0::1%Ethernet_1.2", "fe80::1%Ethernet_1.2"],
  ];
  for (const [text, expected] of cases) assertEquals(canonicalIpv6(text), expected, text);
});

test("canonicalIpv6() refuses what is no IPv6 address", () => {
  const cases = [
    "",
    ":",
    ":::",
    "1",
    "1:2",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    "::12345",
    "::g",
    ":1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:",
    "1.2.3.4",
    "::1.2.3",
    "::1.2.3.256",
    "1.2.3.4::",
    "1:2:3:4:5:6:7:1.2.3.4",
    "fe80::1%",
    "fe80::1%a b",
    "fe80::1%a%b",
    "%eth0",
    "[::1]",
    " ::1",
  ];
  for (const text of cases) assertEquals(canonicalIpv6(text), undefined, text);
});

test("canonicalIpv6() agrees with the runtime's URL, and is its own fixed point", () => {
  const random = seededRandom(5952);
  for (let round = 0; round < 2_000; round++) {
    const groups = Array.from({ length: 8 }, () => random() < 0.5 ? 0 : Math.floor(random() * 0x1_0000));
    const text = groups.map((group) => group.toString(16)).join(":");
    const canonical = canonicalIpv6(text)!;
    // URL writes an IPv4 tail in hexadecimal; RFC 5952 does not.
    if (!canonical.includes(".")) assertEquals(`[${canonical}]`, new URL(`http://[${text}]`).hostname);
    assertEquals(canonicalIpv6(canonical), canonical);
  }
});

test("parseIpv4() reads four bytes", () => {
  assertEquals(parseIpv4("0.0.0.0"), 0);
  assertEquals(parseIpv4("127.0.0.1"), 0x7f000001);
  assertEquals(parseIpv4("255.255.255.255"), 2 ** 32 - 1);
  assertEquals(parseIpv4("010.1.1.1"), 0x0a010101);
  for (const text of ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.4.", "a.b.c.d", "1.2.-3.4"]) {
    assertEquals(parseIpv4(text), undefined, text);
  }
});

test("socketHost() reads leading zeros as Java does, and not as octal", () => {
  const cases = [["010.0.0.1", "10.0.0.1"], ["127.000.00.001", "127.0.0.1"], ["0.0.0.0", "0.0.0.0"], [
    "010.0.0",
    "010.0.0",
  ]] as const;
  for (const [host, expected] of [...cases, ["010.h", "010.h"], ["100.200.30.0", "100.200.30.0"]] as const) {
    assertEquals(socketHost(host), expected);
  }
});

test("socketHost() takes the brackets off", () => {
  for (const [host, expected] of [["[::1]", "::1"], ["::1", "::1"], ["[", "["], ["h", "h"], ["", ""]] as const) {
    assertEquals(socketHost(host), expected);
  }
});
