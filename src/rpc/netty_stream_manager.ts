/**
 * The file server: opens the streams that peers ask for, and never anything that was not registered.
 *
 * Spark: core/…/rpc/netty/NettyStreamManager.scala. Differences: a folder's files are found by their real path and only below the
 * folder's, where Spark appends whatever the id says; a folder's URI may have several names in it, where Spark finds it by the
 * first alone; there are sources.
 *
 * @module
 */

import { RpcError, toError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { CountedFiles } from "../platform/counted_files.ts";
import { type Files, liesBelow, realFiles } from "../platform/files.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import { FileSegmentManagedBuffer } from "../transport/file_segment_managed_buffer.ts";
import type { StreamManager } from "../transport/stream_manager.ts";
import type { RpcAddress } from "./rpc_address.ts";
import {
  encodeUriPath,
  fileNameOf,
  noAddressError,
  type RpcEnvFileServer,
  type StreamSource,
  validateDirectoryUri,
} from "./rpc_env_file_server.ts";

/** How much of a path is written into the log: a peer chooses how long it is. */
const MAX_LOGGED_PATH = 256;

/** The environment that a {@linkcode NettyStreamManager} serves for. */
export interface StreamManagerOwner {
  /** Its name, for errors. */
  readonly name: string;
  /** Where others reach it; undefined in client mode. */
  readonly address: RpcAddress | undefined;
  /** Hears what could not be opened. */
  readonly logger: Logger;
}

/** Files by name: each is the real path of one. */
type NamedFiles = Map<string, string>;

/** The streams of an environment. */
export class NettyStreamManager implements RpcEnvFileServer, StreamManager {
  readonly files: CountedFiles;
  readonly #realFiles: Files;
  readonly #owner: StreamManagerOwner;
  readonly #namespaces: Readonly<Record<"files" | "jars", NamedFiles>> = { files: new Map(), jars: new Map() };
  /** Folders and sources by their URI without the slash in front. */
  readonly #sources = new Map<string, StreamSource>();
  /** The most names that a key of those has: a peer's id may have very many. */
  #maxNames = 0;
  #streamsBeingSent = 0;

  /** @param owner Whose streams they are. @param files Where files are. */
  constructor(owner: StreamManagerOwner, files: Files) {
    this.#owner = owner;
    this.files = new CountedFiles(files);
    this.#realFiles = realFiles(this.files);
  }

  /** How many streams are on their way. */
  get streamsBeingSent(): number {
    return this.#streamsBeingSent;
  }

  addFile(path: string): Promise<string> {
    return this.#add("files", path);
  }

  addJar(path: string): Promise<string> {
    return this.#add("jars", path);
  }

  removeFile(name: string): void {
    this.#namespaces.files.delete(name);
  }

  removeJar(name: string): void {
    this.#namespaces.jars.delete(name);
  }

  async addDirectory(baseUri: string, path: string): Promise<string> {
    const key = validateDirectoryUri(baseUri);
    const uri = this.#uriOf(key);
    this.#register(key, await this.#folder(path));
    return uri;
  }

  async addDirectoryIfAbsent(baseUri: string, path: string): Promise<string> {
    const key = validateDirectoryUri(baseUri);
    const uri = this.#uriOf(key);
    if (this.#sources.has(key)) return uri;
    const folder = await this.#folder(path);
    if (!this.#sources.has(key)) this.#register(key, folder);
    return uri;
  }

  addSource(prefix: string, open: StreamSource): void {
    const key = validateDirectoryUri(prefix);
    this.#uriOf(key);
    this.#register(key, open);
  }

  /** @throws RpcError if nothing of that kind is served at all, in Spark's words. */
  openStream(streamId: string): ManagedBuffer | undefined | Promise<ManagedBuffer | undefined> {
    const path = streamId.startsWith("/") ? streamId.slice(1) : streamId;
    const slash = path.indexOf("/");
    const type = slash < 0 ? path : path.slice(0, slash);
    if (slash >= 0 && (type === "files" || type === "jars")) {
      const real = this.#namespaces[type].get(path.slice(slash + 1));
      return real === undefined ? undefined : this.#openFile(real, (now) => now === real);
    }
    const found = this.#find(path);
    if (found === undefined) throw new RpcError("NOT_FOUND", `requirement failed: Invalid stream URI: ${type} not found.`);
    return hasPlainNames(found.rest) ? found.open(found.rest) : undefined;
  }

  streamBeingSent(): void {
    this.#streamsBeingSent++;
  }

  streamSent(): void {
    this.#streamsBeingSent--;
  }

  async #add(type: "files" | "jars", path: string): Promise<string> {
    const name = fileNameOf(path);
    const uri = this.#uriOf(`${type}/${name}`);
    const real = await this.files.realpath(path);
    if (!(await this.files.stat(real)).isFile) throw new RangeError(`Not a file: ${path}`);
    const namespace = this.#namespaces[type];
    const old = namespace.get(name);
    if (old !== undefined && old !== real) {
      // A jar is a File in Spark too, and the parenthesis is missing there.
      const paths = `(old path = ${old}, new path = ${real}`;
      throw new RangeError(`requirement failed: File ${name} was already registered with a different path ${paths}`);
    }
    namespace.set(name, real);
    return uri;
  }

  async #folder(path: string): Promise<StreamSource> {
    const root = await this.files.realpath(path);
    if ((await this.files.stat(root)).isFile) throw new RangeError(`Not a folder: ${path}`);
    return (rest) => this.#openFile(`${root}/${rest}`, (real) => liesBelow(real, root));
  }

  #register(key: string, open: StreamSource): void {
    if (this.#sources.has(key)) throw new RangeError(`requirement failed: URI '/${key}' already registered.`);
    this.#sources.set(key, open);
    this.#maxNames = Math.max(this.#maxNames, key.split("/").length);
  }

  #uriOf(path: string): string {
    const { address, name } = this.#owner;
    if (address === undefined) throw noAddressError(name);
    return `${address.toSparkURL()}/${encodeUriPath(path)}`;
  }

  /** The source of the longest prefix of `path` that is one's. */
  #find(path: string): { readonly open: StreamSource; readonly rest: string } | undefined {
    let found;
    for (let slash = path.indexOf("/"), names = 1; slash >= 0 && names <= this.#maxNames; names++) {
      const open = this.#sources.get(path.slice(0, slash));
      if (open !== undefined) found = { open, rest: path.slice(slash + 1) };
      slash = path.indexOf("/", slash + 1);
    }
    return found;
  }

  /** The file at `path`, if its real path is one that may be served. The peer is not told why there is none. */
  async #openFile(path: string, mayServe: (real: string) => boolean): Promise<ManagedBuffer | undefined> {
    try {
      const real = await this.files.realpath(path);
      if (!mayServe(real)) return undefined;
      const { isFile, size } = await this.files.stat(real);
      return isFile ? new FileSegmentManagedBuffer(this.#realFiles, real, 0, size) : undefined;
    } catch (thrown) {
      this.#owner.logger.debug(`Cannot serve ${path.slice(0, MAX_LOGGED_PATH)}`, toError(thrown));
      return undefined;
    }
  }
}

/** Whether there is nothing in it that a file system or a careless source could take for a way out. */
function hasPlainNames(rest: string): boolean {
  return !/[\0\\]/.test(rest) && rest.split("/").every((name) => name !== "" && name !== "." && name !== "..");
}
