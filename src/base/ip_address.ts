/**
 * IP addresses as text: reading every form, and writing one; of IPv6 that of RFC 5952.
 *
 * Spark: core/…/util/Utils.scala normalizeIpIfNeeded. There only addresses of digits and colons are seen as IPv6; here also those
 * with letters, with an IPv4 tail and with a zone.
 *
 * @module
 */

const GROUPS = 8;

/**
 * The canonical text of an IPv6 address, without brackets: lower case, no leading zeros, the longest run of two or more zero
 * groups as `::`, an IPv4 tail where the address maps an IPv4 one. A zone is kept as it is.
 *
 * @param text The address, without brackets.
 * @returns The canonical text, or undefined if `text` is no IPv6 address.
 */
export function canonicalIpv6(text: string): string | undefined {
  const percent = text.indexOf("%");
  const zone = percent < 0 ? "" : text.slice(percent);
  if (zone !== "" && !/^%[A-Za-z0-9._~-]+$/.test(zone)) return undefined;
  const groups = parseIpv6(percent < 0 ? text : text.slice(0, percent));
  return groups === undefined ? undefined : formatIpv6(groups) + zone;
}

/** The value of an IPv4 address, or undefined if `text` is none. Leading zeros are decimal, as in java.net.URI. */
export function parseIpv4(text: string): number | undefined {
  if (!/^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/.test(text)) return undefined;
  let value = 0;
  for (const part of text.split(".")) {
    if (Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

/**
 * An IPv4 address without leading zeros, which are decimal in Java and octal to the system: it takes `010.0.0.1` for 8.0.0.1. Undefined
 * if `text` is no IPv4 address.
 */
export function canonicalIpv4(text: string): string | undefined {
  return parseIpv4(text) === undefined ? undefined : text.split(".").map(Number).join(".");
}

/** A host as sockets want it: an IPv6 address without the brackets that Java has around it, an IPv4 address without leading zeros. */
export function socketHost(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : canonicalIpv4(host) ?? host;
}

/** The eight groups of an IPv6 address, or undefined if `text` is none. */
function parseIpv6(text: string): readonly number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const last = halves.length - 1;
  const head = parseGroups(halves[0]!, last === 0);
  const tail = last === 0 ? [] : parseGroups(halves[1]!, true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = GROUPS - head.length - tail.length;
  // `::` stands for at least one group.
  if (last === 0 ? missing !== 0 : missing < 1) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** The groups of one side of `::`; the last one may be an IPv4 address where the text ends. */
function parseGroups(text: string, atEnd: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    const ipv4 = atEnd && index === parts.length - 1 ? parseIpv4(part) : undefined;
    if (ipv4 !== undefined) groups.push(Math.floor(ipv4 / 0x1_0000), ipv4 % 0x1_0000);
    else if (/^[0-9A-Fa-f]{1,4}$/.test(part)) groups.push(parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

function formatIpv6(groups: readonly number[]): string {
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${groups[6]! >> 8}.${groups[6]! & 0xff}.${groups[7]! >> 8}.${groups[7]! & 0xff}`;
  }
  const { start, length } = longestZeroRun(groups);
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  // A single zero group stays: RFC 5952, 4.2.2.
  if (length < 2) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let i = 0; i <= groups.length; i++) {
    if (groups[i] === 0) continue;
    if (i - start > best.length) best = { start, length: i - start };
    start = i + 1;
  }
  return best;
}
