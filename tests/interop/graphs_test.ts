import { assertEquals } from "@std/assert";
import { java, type RpcEndpointRef } from "../../mod.ts";
import { type Random, seededRandom } from "../../src/base/random.ts";
import { test, type TestContext, within } from "../_harness.ts";
import { createEnv } from "./_envs.ts";
import { double, integer, long, type Notation } from "./_notation.ts";
import { skip, Spark } from "./_spark.ts";
import { Person } from "./_values.ts";

const GRAPHS = 200;
const MAX_DEPTH = 6;

/** Few of them, so that each occurs often. */
const LEAVES: readonly Notation[] = [
  ...["DAYS", "a", "\ud800", "java.util.ArrayList", ""],
  ...[null, integer(1), integer(-1), long(1n), double(1), double(0.5)],
  ...[["Boolean", "true"], ["Unit"], ["byte[]", "00ff"], ["object", "scala.None$"], ["RpcAddress", "a", 1]] as const,
  ...["DAYS", "HOURS"].map((name) => ["enum", "java.util.concurrent.TimeUnit", name] as const),
  ["FiniteDuration", "1", "DAYS"],
];

/** Kinds of objects that an ancestor can be, since they are there before their parts. */
const OPEN: readonly string[] = ["ArrayList", "LinkedHashMap", "Object[]"];
/** Kinds that a JVM writes once, however often they occur: of a collection of Scala it writes a new stand-in each time. */
const SHARED: readonly string[] = [
  ...[...OPEN, "Some", "scala.Tuple2", "Person"],
  ...["java.util.Arrays$ArrayList", "CopyOnWriteArrayList", "java.util.Collections$UnmodifiableList"],
];
/** The others, and how views of an ArrayList are called: they have stand-ins, too. */
const REPLACED: readonly string[] = [
  ...["List", "Vector", "ArraySeq"],
  ...["Unmodifiable", "Synchronized"].map((kind) => `java.util.Collections$${kind}RandomAccessList`),
];

/** Draws graphs of objects, with all that was met before to refer to. */
class Graph {
  readonly #random: Random;
  readonly #kinds: readonly string[];
  /** The kinds of all objects so far, and whether they can be referred to. */
  readonly #met: { readonly kind: string; done: boolean }[] = [];

  constructor(seed: number, kinds: readonly string[]) {
    this.#random = seededRandom(seed);
    this.#kinds = kinds;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  draw(depth = 0): Notation {
    const choice = this.#below(10);
    if (choice < 2 && depth > 0) return this.#reference() ?? LEAVES[0]!;
    if (depth === MAX_DEPTH || (choice < 5 && depth > 0)) return LEAVES[this.#below(LEAVES.length)]!;
    const kind = this.#kinds[this.#below(this.#kinds.length)]!;
    const place = { kind, done: false };
    this.#met.push(place);
    const drawn = this.#compose(kind, depth + 1);
    place.done = true;
    return drawn;
  }

  #reference(): Notation | undefined {
    const at = this.#below(this.#met.length);
    const { kind, done } = this.#met[at]!;
    return OPEN.includes(kind) || (done && SHARED.includes(kind)) ? ["#", at] : undefined;
  }

  #compose(kind: string, depth: number): Notation {
    switch (kind) {
      case "LinkedHashMap":
        return [kind, Array.from({ length: this.#below(4) }, (_, i) => [`key ${i}`, this.draw(depth)])];
      case "Some":
        return [kind, this.draw(depth)];
      case "scala.Tuple2":
        return [kind, [this.draw(depth), this.draw(depth)]];
      case "Person":
        return [kind, "DAYS", this.#below(3), "1", "0", true, ["object", "scala.None$"], [
          "object",
          "scala.collection.immutable.Nil$",
        ], null];
      case "ArrayList":
      case "Object[]":
        return [kind, this.#items(this.#below(8), depth)];
      default:
        return [kind, this.#items(1 + this.#below(4), depth)];
    }
  }

  #items(length: number, depth: number): Notation[] {
    return Array.from({ length }, () => this.draw(depth));
  }
}

async function connect(context: TestContext) {
  const there = await (await Spark.open(context)).createEnv("there");
  const here = await createEnv(context, { serializers: [java.with({ classes: [Person], exactNumbers: true })] });
  const ref = (name: string) => within(here.setupEndpointRef(there.uri(name)), "lookup");
  return { make: await ref("Make"), describe: await ref("Describe") };
}

async function described(describe: RpcEndpointRef, value: unknown): Promise<unknown> {
  return JSON.parse(String(await within(describe.ask(value), "description")));
}

test("any graph of a JVM's objects goes back to it as what it was", async (context) => {
  const { make, describe } = await connect(context);
  for (let seed = 1; seed <= GRAPHS; seed++) {
    const notation = new Graph(seed, [...SHARED, ...REPLACED]).draw();
    const value = await within(make.ask(JSON.stringify(notation)), `graph ${seed}`);
    assertEquals(await described(describe, value), notation, `graph ${seed}`);
  }
}, { skip });

/** The same graph, made here: nothing in it knows any more where it came from. */
function copy(value: unknown, copies: Map<unknown, unknown> = new Map()): unknown {
  const known = copies.get(value);
  if (known !== undefined) return known;
  if (Array.isArray(value)) {
    const made: unknown[] = [];
    copies.set(value, made);
    for (const item of value) made.push(copy(item, copies));
    return made;
  }
  if (!(value instanceof Map)) return value;
  const made = new Map<unknown, unknown>();
  copies.set(value, made);
  for (const [key, item] of value) made.set(key, copy(item, copies));
  return made;
}

test("a graph of objects made here is the same graph in a JVM", async (context) => {
  const { make, describe } = await connect(context);
  for (let seed = 1; seed <= GRAPHS; seed++) {
    const notation = new Graph(seed, ["ArrayList", "LinkedHashMap"]).draw();
    const value = copy(await within(make.ask(JSON.stringify(notation)), `graph ${seed}`));
    assertEquals(await described(describe, value), notation, `graph ${seed}`);
  }
}, { skip });
