/**
 * Finds class and text of the exception in an RpcFailure, and of its causes, by walking the stream's structure.
 *
 * Spark: java.io.ObjectInputStream, for reading that makes no instance of anything: of every object only its class and what its
 * fields refer to is kept. It suffices for classes that write their fields as described, as every Throwable does.
 *
 * @module
 */

import { ByteReader } from "../../base/bytes.ts";
import { RpcRemoteError, SerializerError } from "../../base/errors.ts";
import { MAX_CAUSES, MAX_DEPTH, MAX_HANDLES } from "./java_limits.ts";
import { isPrimitive, PRIMITIVE_BYTES } from "./primitives.ts";
import { BASE_HANDLE, ClassFlag, Tag } from "./stream_format.ts";

class ClassNode {
  readonly name: string;
  flags = 0;
  fields: readonly { readonly name: string; readonly type: string }[] = [];
  superClass: ClassNode | undefined;

  constructor(name: string) {
    this.name = name;
  }
}

/** The fields whose values are kept: RpcFailure's one, and two of Throwable's. */
type KeptField = "e" | "cause" | "detailMessage";

class ObjectNode {
  readonly className: string;
  /** What its fields refer to; of a name used twice, the super class's. */
  e: Node;
  cause: Node;
  detailMessage: Node;

  constructor(className: string) {
    this.className = className;
  }
}

/** What is kept of a piece of the stream: nothing of null, arrays and enums. */
type Node = string | ClassNode | ObjectNode | undefined;

/**
 * The failure in a stream whose object is an RpcFailure.
 *
 * @param bytes The whole stream, whose header was checked.
 * @returns The exception's text and class, with its causes.
 * @throws SerializerError if the stream is cut, has another form, or goes beyond a limit.
 */
export function readRpcFailure(bytes: Uint8Array): RpcRemoteError {
  const walk = new StreamWalk(bytes);
  const root = walk.readValue();
  walk.expectEnd();
  const exception = root instanceof ObjectNode ? root.e : undefined;
  if (!(exception instanceof ObjectNode)) throw fail("Failure holds no exception", bytes.length);
  return toRemoteError(exception);
}

function toRemoteError(exception: ObjectNode): RpcRemoteError {
  const chain: ObjectNode[] = [];
  for (let at: Node = exception; at instanceof ObjectNode && chain.length < MAX_CAUSES; at = at.cause) {
    // An exception that is its own cause has none, and hostile ones may go round in a ring.
    if (chain.includes(at)) break;
    chain.push(at);
  }
  let cause: RpcRemoteError | undefined;
  for (const { className, detailMessage } of chain.reverse()) {
    const options = cause === undefined ? { remoteClass: className } : { remoteClass: className, cause };
    // As Throwable.toString does, the class stands for a text that is missing.
    cause = new RpcRemoteError(typeof detailMessage === "string" ? detailMessage : className, options);
  }
  return cause!;
}

function fail(message: string, offset: number): SerializerError {
  return new SerializerError(message, { direction: "decode", offset });
}

function isKeptField(name: string): name is KeptField {
  return name === "e" || name === "cause" || name === "detailMessage";
}

/** One pass over a stream. */
class StreamWalk {
  readonly #reader: ByteReader;
  readonly #handles: Node[] = [];
  #depth = 0;
  /** Pieces that may still be visited: work is bound by the input's size, also where classes are shared. */
  #budget: number;
  #kept = 0;

  constructor(bytes: Uint8Array) {
    this.#reader = new ByteReader(bytes, fail, 4);
    this.#budget = 4 * bytes.length + 65_536;
  }

  /** Throws unless the whole stream has been read. */
  expectEnd(): void {
    if (this.#reader.remaining > 0) throw this.#fail(`${this.#reader.remaining} bytes follow the value`);
  }

  /** Reads one value: null, a string, an object, an array, a class, an enum or a reference to one of them. */
  readValue(): Node {
    this.#enter();
    const node = this.#readTagged(this.#reader.readUint8("Kind of value"));
    this.#depth--;
    return node;
  }

  #readTagged(tag: number): Node {
    switch (tag) {
      case Tag.Null:
        return undefined;
      case Tag.Reference:
        return this.#readReference();
      case Tag.String:
        return this.#keep(this.#readName("string"));
      case Tag.LongString:
        return this.#keep(this.#reader.readModifiedUtf8(Number(this.#reader.readInt64("Length of string")), "String"));
      case Tag.Object:
        return this.#readObject();
      case Tag.Array:
        return this.#readArray();
      case Tag.Class:
        return this.#keep(this.#readClass());
      case Tag.Enum: {
        const { name } = this.#expectClass(this.#readClass());
        this.#keep(new ObjectNode(name));
        this.readValue();
        return undefined;
      }
      default:
        throw this.#fail(`Unknown kind of value: 0x${tag.toString(16)}`);
    }
  }

  #readReference(): Node {
    const index = this.#reader.readInt32("Reference") - BASE_HANDLE;
    if (index < 0 || index >= this.#handles.length) throw this.#fail(`Reference to nothing: ${index}`);
    return this.#handles[index];
  }

  #readObject(): ObjectNode {
    const ofClass = this.#expectClass(this.#readClass());
    const node = new ObjectNode(ofClass.name);
    this.#keep(node);
    const line: ClassNode[] = [];
    for (let at: ClassNode | undefined = ofClass; at !== undefined; at = at.superClass) {
      this.#spend();
      line.push(at);
    }
    for (const part of line.reverse()) this.#readPart(node, part);
    return node;
  }

  /** The values that one class of an object's line wrote. */
  #readPart(node: ObjectNode, part: ClassNode): void {
    if ((part.flags & ClassFlag.Externalizable) !== 0) {
      if ((part.flags & ClassFlag.BlockData) === 0) {
        throw this.#fail(`Cannot walk ${part.name}, which is written in its own way`);
      }
      this.#skipAnnotations();
      return;
    }
    if ((part.flags & ClassFlag.Serializable) === 0) return;
    for (const { name, type } of part.fields) {
      if (isPrimitive(type)) {
        this.#reader.skip(PRIMITIVE_BYTES[type], name);
        continue;
      }
      const value = this.readValue();
      if (isKeptField(name)) node[name] ??= value;
    }
    if ((part.flags & ClassFlag.WriteMethod) !== 0) this.#skipAnnotations();
  }

  #readArray(): undefined {
    const { name } = this.#expectClass(this.#readClass());
    this.#keep(undefined);
    const count = this.#reader.readInt32("Length of array");
    if (count < 0) throw this.#fail(`Length of array is negative: ${count}`);
    const letter = name.charAt(1);
    if (isPrimitive(letter)) this.#reader.skip(count * PRIMITIVE_BYTES[letter], "Array");
    // Each element takes a byte at least, so the input bounds the loop.
    else for (let i = 0; i < count; i++) this.readValue();
  }

  /** Reads a class description, new or referred to; undefined for null. */
  #readClass(): ClassNode | undefined {
    this.#enter();
    const tag = this.#reader.readUint8("Kind of class description");
    const node = this.#readTaggedClass(tag);
    this.#depth--;
    return node;
  }

  #readTaggedClass(tag: number): ClassNode | undefined {
    switch (tag) {
      case Tag.Null:
        return undefined;
      case Tag.Reference: {
        const node = this.#readReference();
        if (node instanceof ClassNode) return node;
        throw this.#fail("Reference is not to a class description");
      }
      case Tag.ClassDesc: {
        const node = new ClassNode(this.#readName("class name"));
        this.#reader.skip(8, "serialVersionUID");
        this.#keep(node);
        node.flags = this.#reader.readUint8("Class flags");
        node.fields = this.#readFields();
        return this.#readInheritance(node);
      }
      case Tag.ProxyClassDesc: {
        const node = new ClassNode("a proxy");
        this.#keep(node);
        node.flags = ClassFlag.Serializable;
        for (let left = this.#reader.readInt32("Interfaces of proxy"); left > 0; left--) this.#readName("interface name");
        return this.#readInheritance(node);
      }
      default:
        throw this.#fail(`Unknown kind of class description: 0x${tag.toString(16)}`);
    }
  }

  #readFields(): ClassNode["fields"] {
    const fields: { name: string; type: string }[] = [];
    for (let left = this.#reader.readUint16("Number of fields"); left > 0; left--) {
      const type = String.fromCharCode(this.#reader.readUint8("Type of field"));
      const name = this.#readName("field name");
      if (type === "L" || type === "[") this.readValue();
      else if (!isPrimitive(type)) throw this.#fail(`Unknown type of field ${name}: ${type}`);
      this.#countKept();
      fields.push({ name, type });
    }
    return fields;
  }

  #readInheritance(node: ClassNode): ClassNode {
    this.#skipAnnotations();
    const parent = this.#readClass();
    // A class below itself would be walked for ever.
    for (let at = parent; at !== undefined; at = at.superClass) {
      this.#spend();
      if (at === node) throw this.#fail(`Class inherits from itself: ${node.name}`);
    }
    node.superClass = parent;
    return node;
  }

  #skipAnnotations(): void {
    for (;;) {
      const tag = this.#reader.bytes[this.#reader.position];
      if (tag === Tag.EndBlockData || tag === Tag.BlockData || tag === Tag.BlockDataLong) this.#reader.readUint8("Annotation");
      if (tag === Tag.EndBlockData) return;
      if (tag === Tag.BlockData) this.#reader.skip(this.#reader.readUint8("Length of block"), "Block");
      else if (tag === Tag.BlockDataLong) this.#reader.skip(this.#reader.readInt32("Length of block"), "Block");
      else this.readValue();
    }
  }

  #readName(what: string): string {
    return this.#reader.readModifiedUtf8(this.#reader.readUint16(`Length of ${what}`), what);
  }

  #keep<T extends Node>(node: T): T {
    this.#countKept();
    this.#handles.push(node);
    return node;
  }

  #countKept(): void {
    if (++this.#kept > MAX_HANDLES) throw this.#fail(`Stream holds more than ${MAX_HANDLES} objects, classes and fields`);
  }

  #expectClass(node: ClassNode | undefined): ClassNode {
    if (node === undefined) throw this.#fail("Value has no class");
    return node;
  }

  #enter(): void {
    this.#spend();
    if (++this.#depth > MAX_DEPTH) throw this.#fail(`Values are nested deeper than ${MAX_DEPTH}`);
  }

  #spend(): void {
    if (--this.#budget < 0) throw this.#fail("Stream takes more steps than its size allows");
  }

  #fail(message: string): SerializerError {
    return fail(message, this.#reader.position);
  }
}
