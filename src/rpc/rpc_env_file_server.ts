/**
 * What an environment serves to its peers by `spark://` URI: files, jars, folders, and whatever else a source opens.
 *
 * Spark: RpcEnvFileServer in core/…/rpc/RpcEnv.scala, and Utils.encodeFileNameToURIRawPath. Differences: what is not there or is
 * no file is refused when it is registered, a folder's URI may have several names in it, and there are sources beside folders.
 *
 * @module
 */

import type { RpcError } from "../base/errors.ts";
import type { Files } from "../platform/files.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import { decodeEscapes, invalidAddress } from "./spark_uri.ts";

/**
 * Opens a stream of a prefix. What it throws, or rejects with, is told to the peer; undefined means that there is none.
 *
 * @param rest What follows the prefix and its slash: names between slashes, none of them empty, `.` or `..`, without NUL and `\`.
 */
export type StreamSource = (rest: string) => ManagedBuffer | undefined | Promise<ManagedBuffer | undefined>;

/**
 * The file server of an environment, which is the environment's `fileServer`. A peer gets what was registered and nothing else:
 * no `..`, link, encoding or absolute path leads out of it. Files are opened when they are asked for, and read as the peer takes
 * them.
 *
 * In client mode there is no address that a URI could name, so registering fails with an RpcError of code `INVALID_ADDRESS`.
 *
 * @example
 * ```ts
 * import { BytesManagedBuffer, RpcEnv } from "@sparkwire/sparkwire";
 *
 * const server = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0 });
 * server.fileServer.addSource("/greetings", (name) => new BytesManagedBuffer(new TextEncoder().encode(`Hello, ${name}`)));
 *
 * const client = await RpcEnv.create({ name: "client" });
 * const text = await new Response(client.openChannel(`spark://${server.address}/greetings/Ada`)).text();
 * if (text !== "Hello, Ada") throw new Error(text);
 *
 * await client.shutdown();
 * await server.shutdown();
 * ```
 */
export interface RpcEnvFileServer {
  /** The files that are served, with a count of those that are open: for sources that serve parts of files. */
  readonly files: Files;
  /**
   * Serves a file under its name, `spark://host:port/files/<name>`. Twice is the same as once.
   *
   * @returns The URI. Rejects with a RangeError if another file of that name is served or if it is no file, with an RpcError of
   * code `NOT_FOUND` if there is none.
   */
  addFile(path: string): Promise<string>;
  /** The same as {@linkcode addFile} under `/jars`: for code. */
  addJar(path: string): Promise<string>;
  /**
   * Serves all files below a folder, also those that come later.
   *
   * @param baseUri Where, such as `/classes`.
   * @param path The folder.
   * @returns The URI that a slash and a file's path below the folder are appended to, percent-encoded. Rejects with a RangeError
   * if `baseUri` is taken or cannot be one or if it is no folder, with an RpcError of code `NOT_FOUND` if there is none.
   */
  addDirectory(baseUri: string, path: string): Promise<string>;
  /** The same as {@linkcode addDirectory}, but what `baseUri` stands for already stays as it is. */
  addDirectoryIfAbsent(baseUri: string, path: string): Promise<string>;
  /** Serves a file no more; a download that is under way goes on. Nothing happens if there is none of that name. */
  removeFile(name: string): void;
  /** Serves a jar no more; a download that is under way goes on. Nothing happens if there is none of that name. */
  removeJar(name: string): void;
  /**
   * Serves what `open` gives for each name below a prefix.
   *
   * @param prefix Where, such as `/splits`; of two that match, the longer one is asked.
   * @param open Opens a stream by the rest of its name.
   * @throws {RangeError} If the prefix is taken or cannot be one.
   */
  addSource(prefix: string, open: StreamSource): void;
}

/**
 * The names of a folder's URI, without `.`, `..` and doubled slashes: `/dir2/../dir2/` is `dir2`.
 *
 * Spark: RpcEnvFileServer.validateDirectoryUri, which has the slash in front.
 *
 * @param baseUri As the user wrote it, percent-encoded or not.
 * @throws {RangeError} If it is the URI of files or of jars, or names nothing below the root.
 */
export function validateDirectoryUri(baseUri: string): string {
  const names: string[] = [];
  for (const name of decodeEscapes(baseUri).split("/")) {
    if (name === "" || name === ".") continue;
    if (name !== "..") names.push(name);
    else if (names.pop() === undefined) throw new RangeError(`Directory URI leads out of the root: ${baseUri}`);
  }
  const path = names.join("/");
  if (path === "files" || path === "jars") {
    throw new RangeError("requirement failed: Directory URI cannot be /files nor /jars.");
  }
  if (names[0] === "files" || names[0] === "jars") {
    throw new RangeError(`Directory URI cannot be below /files or /jars: ${baseUri}`);
  }
  if (path === "") throw new RangeError(`Directory URI has no name: ${baseUri}`);
  return path;
}

/** What java.net.URI leaves as it is in a path, besides what is not ASCII. */
const RAW = /[A-Za-z0-9_.!~*'();:&=+$,@/-]/;
/** Of what is not ASCII it encodes spaces and control characters. */
const ENCODED = /[\p{Z}\p{Cc}]/u;

/** A path as it stands in a URI. Spark: Utils.encodeFileNameToURIRawPath, for one name. */
export function encodeUriPath(path: string): string {
  return path.replace(/[^]/gu, (char) => {
    const isRaw = char <= "\x7f" ? RAW.test(char) : !ENCODED.test(char);
    return isRaw ? char : percentEncoded(char);
  });
}

/**
 * The name of a file, by which it is served.
 *
 * @throws {RangeError} If it cannot be told from a path, or there is none.
 */
export function fileNameOf(path: string): string {
  const name = path.replace(/\/+$/, "").split("/").at(-1)!;
  if (name === "" || name === "." || name === "..") throw new RangeError(`Path has no file name: ${path}`);
  // Spark: Utils.encodeFileNameToURIRawPath requires it.
  if (name.includes("\\")) throw new RangeError(`requirement failed: File name has a backslash: ${name}`);
  return name;
}

/** What registering in client mode fails with. */
export function noAddressError(name: string): RpcError {
  return invalidAddress(`${name} is in client mode: it has no address that a URI of a file could name`);
}

function percentEncoded(char: string): string {
  return Array.from(new TextEncoder().encode(char), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}
