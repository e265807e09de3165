/**
 * Which Spark wrote a class: versions are told apart by the serialVersionUIDs of their classes, and chosen for writing by them.
 *
 * Spark: there is no such thing; two builds that differ fail with an InvalidClassException. See `spark_uids.ts` for the table.
 *
 * @module
 */

import { SPARK_BUILDS, SPARK_UIDS } from "./spark_uids.ts";

/** A version of Spark, with Scala 2.13, that can be spoken to. */
export type SparkVersion = "3.5" | "4.0" | "4.1" | "4.2";

/** All of them, the newest first. */
export const SPARK_VERSIONS: readonly SparkVersion[] = ["4.2", "4.1", "4.0", "3.5"];

/** The version that is written to a peer of which nothing is known. */
export const DEFAULT_SPARK_VERSION: SparkVersion = "4.2";

/** A build of Spark that somebody may run. */
export interface SparkBuild {
  /** Its version, such as `3.5`. */
  readonly spark: string;
  /** The version of Scala that it was built with. */
  readonly scala: string;
}

/** Of a class its serialVersionUID in each build; undefined where the build has no such class. */
type Row = readonly (bigint | undefined)[];

let table: ReadonlyMap<string, Row> | undefined;

/** Most processes never meet a Spark, so the table is read when it is first needed. */
function rows(): ReadonlyMap<string, Row> {
  table ??= new Map(SPARK_UIDS.trim().split("\n").map(parseRow));
  return table;
}

function parseRow(line: string): readonly [string, Row] {
  const [name, ...cells] = line.replace(/^~/, "org.apache.spark.").split(" ");
  const row: (bigint | undefined)[] = [];
  for (let i = 0; i < SPARK_BUILDS.length; i++) {
    const cell = cells[i] ?? "=";
    row.push(cell === "=" ? row[i - 1] : cell === "-" ? undefined : BigInt(cell));
  }
  return [name!, row];
}

/** The serialVersionUID of `className` in a version of Spark; undefined if that has no such class, or it is not known. */
export function sparkUid(className: string, version: SparkVersion): bigint | undefined {
  const column = SPARK_BUILDS.findIndex(({ spark, scala }) => spark === version && scala === "2.13");
  return rows().get(className)?.[column];
}

/** What the names of the table's classes begin with. */
export const OF_SPARK: RegExp = /^(org\.apache\.spark|scala)\./;

/** Whether the table has the class. */
export function isSparkClass(className: string): boolean {
  // Most classes are Java's, for which the table need not even be there.
  return OF_SPARK.test(className) && rows().has(className);
}

/** Whether the class's serialVersionUID is another in one of the versions that can be spoken to than in the rest. */
export function variesBySpark(className: string): boolean {
  if (!OF_SPARK.test(className)) return false;
  let first: bigint | undefined;
  for (const version of SPARK_VERSIONS) {
    const uid = sparkUid(className, version);
    first ??= uid;
    if (uid !== undefined && uid !== first) return true;
  }
  return false;
}

/** The builds in which `className` has this serialVersionUID. */
export function buildsOf(className: string, uid: bigint): readonly SparkBuild[] {
  const row = rows().get(className);
  return row === undefined ? [] : SPARK_BUILDS.filter((_, column) => row[column] === uid);
}

/** Builds in words, for an error: `Spark 2.4 or 3.5 with Scala 2.12`; `an unknown build` if there are none. */
export function describeBuilds(builds: readonly SparkBuild[]): string {
  const texts: string[] = [];
  for (const scala of new Set(builds.map((build) => build.scala))) {
    const versions = builds.filter((build) => build.scala === scala).map((build) => build.spark);
    texts.push(`Spark ${versions.join(" or ")} with Scala ${scala}`);
  }
  return texts.length === 0 ? "an unknown build" : texts.join(", or ");
}

/** What an InvalidClassException says. */
export interface IncompatibleClass {
  /** The class that both ends have, but not the same. */
  readonly className: string;
  /** The serialVersionUID that was sent. */
  readonly sentUid: bigint;
  /** The serialVersionUID of the one that says so. */
  readonly localUid: bigint;
}

const INCOMPATIBLE =
  /InvalidClassException: ([\w.$]+); local class incompatible: stream classdesc serialVersionUID = (-?\d{1,19}), local class serialVersionUID = (-?\d{1,19})/;

/** Finds what an InvalidClassException says in the text of a failure; undefined if it is none. */
export function findIncompatibleClass(text: string): IncompatibleClass | undefined {
  const found = INCOMPATIBLE.exec(text);
  if (found === null) return undefined;
  return { className: found[1]!, sentUid: BigInt(found[2]!), localUid: BigInt(found[3]!) };
}

/**
 * What is known of a peer's Spark: nothing at first, and more with each class that it sends.
 *
 * A look-up teaches nothing, since its classes are the same in all versions; a reference to an endpoint tells most of them apart.
 */
export class PeerSparkVersion {
  #candidates: readonly SparkVersion[] = SPARK_VERSIONS;
  #problem: string | undefined;
  /** Classes of the table that it has sent: a peer sends the same few again and again. */
  readonly #seen = new Map<string, bigint>();
  /** Those that it has as no known build does. */
  readonly #foreign = new Map<string, bigint>();

  /** The versions that it can be, the newest first. */
  get candidates(): readonly SparkVersion[] {
    return this.#candidates;
  }

  /** What is wrong with the first class of it that no known build has, in words; undefined if nothing is, as far as is known. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /**
   * Learns from a class that the peer has.
   *
   * @param className The class.
   * @param uid Its serialVersionUID there.
   * @returns Whether that told anything that was not known.
   */
  observe(className: string, uid: bigint): boolean {
    if (this.#seen.get(className) === uid || !isSparkClass(className)) return false;
    const having = SPARK_VERSIONS.filter((version) => sparkUid(className, version) === uid);
    if (having.length === 0) {
      const known = this.#foreign.get(className) === uid;
      this.#foreign.set(className, uid);
      this.#problem ??= incompatibleClass(className, uid);
      return !known;
    }
    this.#foreign.delete(className);
    const left = this.#candidates.filter((version) => having.includes(version));
    if (left.length === 0) this.#seen.clear();
    this.#seen.set(className, uid);
    if (left.length === this.#candidates.length) return false;
    // What contradicts all that was known is of another version: one peer may pass on what another sent.
    this.#candidates = left.length > 0 ? left : having;
    return true;
  }

  /** Whether the class has this serialVersionUID in whichever version the peer is; of a class that is not in the table, always. */
  isSure(className: string, uid: bigint): boolean {
    if (!isSparkClass(className)) return true;
    const foreign = this.#foreign.get(className);
    return foreign === undefined ? this.#candidates.every((version) => sparkUid(className, version) === uid) : foreign === uid;
  }

  /** What is wrong with a class of the peer's that no known build has, in words; undefined if nothing is. */
  problemOf(className: string): string | undefined {
    const foreign = this.#foreign.get(className);
    return foreign === undefined ? undefined : incompatibleClass(className, foreign);
  }
}

/**
 * Says in words that a class of the peer is not one that can be read or written.
 *
 * @param expected What it should have, if it is none of Spark's.
 */
export function incompatibleClass(className: string, uid: bigint, expected?: bigint): string {
  if (!isSparkClass(className)) {
    const why = expected === undefined ? "none was given of it" : `${expected} was expected`;
    return `${className} has the serialVersionUID ${uid}, but ${why}`;
  }
  const builds = buildsOf(className, uid);
  const whose = builds.length === 0 ? describeBuilds(builds) : `that of ${describeBuilds(builds)}`;
  return `${className} has the serialVersionUID ${uid}, ${whose}; known are Spark 3.5 to 4.2 with Scala 2.13`;
}
