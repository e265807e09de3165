/**
 * What is known of the Spark at the other end of a connection, and what waits until more is.
 *
 * Spark: there is no such thing; a peer of another build fails with an InvalidClassException, or is never answered. Here a peer is
 * written to in its own version's classes. That version is learnt from every class that it sends and from every one that it refuses;
 * and before something is sent whose loss nobody would notice (a message that wants no answer, an answer: a Spark that cannot read
 * one leaves its ask to time out) the peer is asked, if what it is makes a difference to that.
 *
 * @module
 */

import type { ByteSink } from "../base/byte_sink.ts";
import { RpcError, RpcOverloadedError, type RpcRemoteError, toError } from "../base/errors.ts";
import {
  buildsOf,
  describeBuilds,
  findIncompatibleClass,
  incompatibleClass,
  PeerSparkVersion,
  sparkUid,
  type SparkVersion,
} from "../serializer/java/spark_versions.ts";
import type { EncodedRef, RefAddress, Serializer, SerializerContext } from "../serializer/serializer.ts";
import type { RpcResponder } from "../transport/rpc_response_callback.ts";
import type { TransportClient } from "../transport/transport_client.ts";
import { ClassProbe, PROBED_ENDPOINT, probeFor } from "./class_probe.ts";
import type { SparkPeers } from "./spark_peers.ts";
import { type ClassPlace, type DescribedClass, HeldBack, VersionedContent } from "./versioned_content.ts";

/** How long a peer is given to say what it is. After that it is taken for the newest that it can be. */
export const PROBE_TIMEOUT_MS = 30_000;

/** How often it is asked: a refusal tells of one class. */
const MAX_ROUNDS = 8;

/** The class that is another in each version. */
const TELLING_CLASS = "org.apache.spark.SparkException";

const NO_HEADER = new Uint8Array(0);

/** The peer of a connection; as a context, that in which content is written for it. */
export class SparkPeer implements SerializerContext {
  readonly #peers: SparkPeers;
  readonly #client: TransportClient | undefined;
  /** Under which address the peer is remembered. */
  readonly #address: string | undefined;
  readonly #known = new PeerSparkVersion();
  /** What it was when it was last talked to. */
  readonly #before: SparkVersion | undefined;
  /** Where the content that is being written has classes that depend on the version. */
  #places: ClassPlace[] | undefined;
  #probing: Promise<void> | undefined;
  /** It did not say what it is when it was asked. */
  #silent = false;
  #heldBytes = 0;

  /** @param client Leads to it; without, there is no connection yet. @param address Where it was dialled. */
  constructor(peers: SparkPeers, client: TransportClient | undefined, address: string | undefined) {
    this.#peers = peers;
    this.#client = client;
    this.#address = address;
    this.#before = address === undefined ? undefined : peers.remembered(address);
  }

  /** The version that is written for it: the newest that it can be, but what it was before if it still can be that. */
  get sparkVersion(): SparkVersion {
    const { candidates } = this.#known;
    return this.#before !== undefined && candidates.includes(this.#before) ? this.#before : candidates[0]!;
  }

  /** The versions that it can be. */
  get candidates(): readonly SparkVersion[] {
    return this.#known.candidates;
  }

  /** Why it may not be spoken to, in words; undefined if it can, as far as is known. */
  get problem(): string | undefined {
    return this.#known.problem;
  }

  get exposeStack(): boolean {
    return this.#peers.encoding.exposeStack;
  }

  encodeRef(ref: object): EncodedRef | undefined {
    return this.#peers.encoding.encodeRef(ref);
  }

  decodeRef(name: string, address: RefAddress | undefined): object {
    return this.#peers.encoding.decodeRef(name, address);
  }

  wroteSparkClass(className: string, uid: bigint, at: number): void {
    (this.#places ??= []).push({ className, uid, at });
  }

  /** Learns from a class that the peer has. */
  observe(className: string, uid: bigint): void {
    const { problem } = this;
    if (!this.#known.observe(className, uid)) return;
    this.#silent = false;
    if (this.problem !== problem) this.#peers.logger.warning(`${this.#name()} is no Spark that is known: ${this.problem}`);
    else if (this.#address !== undefined) this.#peers.remember(this.#address, this.sparkVersion);
  }

  /**
   * Writes `message` behind `header`.
   *
   * @returns The same once more if it is not sure that the peer can read it; undefined as a rule.
   */
  write(serializer: Serializer, message: unknown, out: ByteSink, header: Uint8Array = NO_HEADER): VersionedContent | undefined {
    const outer = this.#begin();
    const start = out.position;
    try {
      out.writeBytes(header);
      serializer.encode(message, out, this);
      return this.#unsure(out, start, header.length);
    } finally {
      this.#places = outer;
    }
  }

  /** Writes an answer. Throws a HeldBack unless the peer can read it. */
  writeAnswer(serializer: Serializer, answer: unknown, out: ByteSink): void {
    const content = this.write(serializer, answer, out);
    if (content !== undefined) throw new HeldBack(content);
  }

  /** Fails an ask; as text if the peer could not read more. */
  fail(responder: RpcResponder, serializer: Serializer, error: Error): void {
    // One that cannot be spoken to can read a text.
    if (this.problem !== undefined) responder.onFailure(error);
    else {
      try {
        responder.onSuccess((out) => this.#writeFailure(serializer, error, out));
      } catch (thrown) {
        if (!(thrown instanceof HeldBack)) throw thrown;
        this.answer(responder, thrown.content, error);
      }
    }
  }

  #writeFailure(serializer: Serializer, error: Error, out: ByteSink): void {
    const outer = this.#begin();
    const start = out.position;
    try {
      serializer.encodeFailure(error, out, this);
      const content = this.#unsure(out, start, 0);
      if (content !== undefined) throw new HeldBack(content);
    } finally {
      this.#places = outer;
    }
  }

  /** Content may be written while other content is: by a getter that asks. */
  #begin(): ClassPlace[] | undefined {
    const outer = this.#places;
    this.#places = undefined;
    return outer;
  }

  #unsure(out: ByteSink, start: number, headerLength: number): VersionedContent | undefined {
    if (this.#places === undefined) return undefined;
    const places = this.#places.map((place) => place.at < 0 ? place : { ...place, at: place.at + headerLength });
    if (places.every(({ className, uid }) => this.#known.isSure(className, uid))) return undefined;
    return new VersionedContent(out.copy(start), places);
  }

  /** Makes `content` what the peer reads, as far as that is known. */
  aim(content: VersionedContent): void {
    content.retarget(this.sparkVersion);
  }

  /**
   * Makes `content` what the peer reads.
   *
   * @returns A promise if what the peer is must be found out first; then this is to be called again.
   * @throws {RpcError} If the peer cannot read it, whatever is done.
   */
  prepare(content: VersionedContent): Promise<void> | undefined {
    this.aim(content);
    const unsure = content.classes.filter(({ className, uid }) => !this.#known.isSure(className, uid));
    if (unsure.length === 0) return undefined;
    for (const one of unsure) this.#checkReadable(one);
    if (this.#silent) return undefined;
    this.#probing ??= this.#probe(content.classes).then(() => {
      this.#probing = undefined;
    });
    return this.#probing;
  }

  /** Throws if the peer has the class, but not this one. */
  #checkReadable({ className, uid }: DescribedClass): void {
    const { candidates } = this;
    let problem = this.#known.problemOf(className);
    if (problem === undefined && candidates.some((version) => sparkUid(className, version) === uid)) return;
    const whose = describeBuilds(buildsOf(className, uid));
    problem ??= `${className} of ${whose} is not that of Spark ${candidates.join(" or ")} with Scala 2.13`;
    throw new RpcError("SERIALIZER", `${this.#name()} cannot read this: ${problem}`);
  }

  /**
   * Learns from the refusal of an ask that was not even decoded.
   *
   * @returns Whether `content`, the ask itself, is now another and worth to be sent again.
   */
  refused(error: RpcRemoteError, content: VersionedContent | undefined): boolean {
    const found = findIncompatibleClass(error.message);
    if (found === undefined) return false;
    const { className, sentUid, localUid } = found;
    this.observe(className, localUid);
    if (content === undefined) return false;
    const same = (one: DescribedClass) => one.className === className && one.uid === sentUid;
    if (!content.classes.some(same)) return false;
    content.retarget(this.sparkVersion);
    return !content.classes.some(same);
  }

  /** Answers with `content`, now or once it is known what the peer reads; as a last resort with `failure`, as text. */
  answer(responder: RpcResponder, content: VersionedContent, failure?: Error): void {
    try {
      const { length } = content.bytes;
      const waiting = this.prepare(content);
      if (waiting === undefined) {
        responder.onSuccess(content.bytes);
        return;
      }
      const limit = this.#peers.maxOutboxBytes;
      if (this.#heldBytes > 0 && this.#heldBytes + length > limit) {
        const queue = `answers to ${this.#name()}`;
        throw new RpcOverloadedError(`More than ${limit} bytes of ${queue} wait (maxOutboxBytes)`, queue, limit);
      }
      this.#heldBytes += length;
      waiting.then(() => {
        this.#heldBytes -= length;
        this.answer(responder, content, failure);
      });
    } catch (thrown) {
      responder.onFailure(failure ?? toError(thrown));
    }
  }

  /** Asks until a probe is read, or nothing more is to be learnt. Never rejects. */
  async #probe(wanted: readonly DescribedClass[]): Promise<void> {
    const names = wanted.map(({ className }) => className);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const classes = this.#probed([TELLING_CLASS, ...names]);
      const said = await this.#ask(classes);
      if (said === undefined) break;
      const found = findIncompatibleClass(said);
      if (found === undefined) {
        if (!said.includes(`Could not find ${PROBED_ENDPOINT}`)) break;
        for (const { className, uid } of classes) this.observe(className, uid);
        return;
      }
      this.observe(found.className, found.localUid);
      if (names.some((name) => this.#known.problemOf(name) !== undefined)) return;
    }
    if (this.candidates.length === 1) return;
    this.#silent = true;
    // Whose connection is gone was not silent, and nothing is written for it any more.
    if (this.#client?.isActive === false) return;
    const taken = `it is taken for Spark ${this.sparkVersion}`;
    this.#peers.logger.warning(`${this.#name()} does not say which version of Spark it is; ${taken}`);
  }

  /** Those of the classes that the peer may have as a known build does, as they are in the version that it is taken for. */
  #probed(names: readonly string[]): DescribedClass[] {
    return names.filter((name) => this.#known.problemOf(name) === undefined).flatMap((className) => {
      const uid = sparkUid(className, this.sparkVersion);
      return uid === undefined ? [] : { className, uid };
    });
  }

  async #ask(classes: readonly DescribedClass[]): Promise<string | undefined> {
    if (this.#client === undefined) return undefined;
    const probe = new ClassProbe(this.#peers.deadlines.after(PROBE_TIMEOUT_MS));
    try {
      this.#client.sendRpc(probeFor(classes), probe);
    } catch (thrown) {
      // It has no room for a request.
      probe.onFailure(toError(thrown));
    }
    return await probe.answer;
  }

  #name(): string {
    return this.#client?.channel.remote ?? this.#address ?? "The peer";
  }
}

/** What the refusal of an ask means, in words: which class, which Spark, which Scala; undefined if it is of no class of Spark's. */
export function explainRefusal(error: RpcRemoteError, peer: string): RpcError | undefined {
  const found = findIncompatibleClass(error.message);
  if (found === undefined) return undefined;
  const { className, sentUid, localUid } = found;
  const ours = buildsOf(className, sentUid);
  if (ours.length === 0) return undefined;
  const theirs = incompatibleClass(className, localUid);
  const text = `${peer} cannot read this, which was written for ${describeBuilds(ours)}: its ${theirs}`;
  return new RpcError("SERIALIZER", text, { cause: error });
}
