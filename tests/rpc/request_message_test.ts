import { assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../src/base/errors.ts";
import { seededRandom } from "../../src/base/random.ts";
import { encodeRequestHeader, parseRequestHeader, requestHeaderEnd } from "../../src/rpc/request_message.ts";
import { RpcAddress } from "../../src/rpc/rpc_address.ts";
import { fromHex, test, toHex } from "../_harness.ts";
import { readVectors } from "../_vectors.ts";

interface Fields {
  readonly sender: string | null;
  readonly receiver: string | null;
  readonly name: string;
}

const vectors = readVectors<Fields>("requests");

function addressOf(hostPort: string | null): RpcAddress | undefined {
  if (hostPort === null) return undefined;
  const colon = hostPort.lastIndexOf(":");
  return new RpcAddress(hostPort.slice(0, colon), Number(hostPort.slice(colon + 1)));
}

for (const { name, hex, fields } of vectors) {
  const bytes = fromHex(hex);
  // The content is a Java stream of its own.
  const headerHex = hex.slice(0, hex.indexOf("aced0005"));

  test(`parseRequestHeader() reads Spark's ${name}`, () => {
    const header = parseRequestHeader(bytes);
    assertEquals(header.senderAddress?.hostPort ?? null, fields.sender);
    assertEquals(header.receiverAddress?.hostPort ?? null, fields.receiver);
    assertEquals([header.name, header.contentStart], [fields.name, headerHex.length / 2]);
    assertEquals(requestHeaderEnd(bytes), header.contentStart);
  });

  test(`encodeRequestHeader() writes Spark's ${name}`, () => {
    assertEquals(toHex(encodeRequestHeader(addressOf(fields.sender), addressOf(fields.receiver), fields.name)), headerHex);
  });

  test(`parseRequestHeader() refuses ${name} at every cut of its header`, () => {
    const end = headerHex.length / 2;
    for (let cut = 0; cut < end; cut++) {
      // Behind the cut lie the bytes of another message, which must not be read.
      const error = assertThrows(() => parseRequestHeader(bytes, 0, cut), ProtocolError);
      assertEquals(error.offset !== undefined && error.offset <= cut, true);
      assertEquals(requestHeaderEnd(bytes, 0, cut), -1);
      assertThrows(() => parseRequestHeader(bytes.slice(0, cut)), ProtocolError);
      assertEquals(requestHeaderEnd(bytes.slice(0, cut)), -1);
    }
    assertEquals(requestHeaderEnd(bytes, 0, end), end);
  });

  test(`parseRequestHeader() finds ${name} in the middle of a chunk`, () => {
    const chunk = new Uint8Array(bytes.length + 20).fill(0xee);
    chunk.set(bytes, 13);
    const header = parseRequestHeader(chunk, 13, 13 + bytes.length);
    assertEquals([header.name, header.contentStart], [fields.name, 13 + headerHex.length / 2]);
    assertEquals(requestHeaderEnd(chunk, 13, 13 + bytes.length), header.contentStart);
    const error = assertThrows(() => parseRequestHeader(chunk, 13, 13), ProtocolError);
    assertEquals(error.offset, 0);
  });
}

// Spark: NettyRpcEnvSuite "RequestMessage serialization"; the contents are in the suites of the serializers.
test("encodeRequestHeader() and parseRequestHeader() agree", () => {
  const sender = new RpcAddress("localhost", 12345);
  const receiver = new RpcAddress("localhost", 54321);
  for (const from of [sender, undefined]) {
    const bytes = encodeRequestHeader(from, receiver, "test");
    const header = parseRequestHeader(bytes);
    assertEquals(header.senderAddress?.hostPort, from?.hostPort);
    assertEquals(header.receiverAddress?.equals(receiver), true);
    assertEquals([header.name, header.contentStart], ["test", bytes.length]);
  }
});

test("parseRequestHeader() leaves hosts and ports as they were written", () => {
  const written = new RpcAddress("::0:1", -1, { asWritten: true });
  const { senderAddress, receiverAddress } = parseRequestHeader(encodeRequestHeader(written, written, "a"));
  assertEquals([senderAddress?.host, senderAddress?.port, receiverAddress?.hostPort], ["::0:1", -1, "::0:1:-1"]);
});

test("parseRequestHeader() takes any byte but 0 as true", () => {
  const bytes = encodeRequestHeader(new RpcAddress("h", 1), undefined, "a");
  bytes[0] = 0x7f;
  assertEquals(parseRequestHeader(bytes).senderAddress?.hostPort, "h:1");
  assertEquals(requestHeaderEnd(bytes), bytes.length);
});

test("parseRequestHeader() refuses what is no modified UTF-8, at its offset", () => {
  const bytes = encodeRequestHeader(undefined, undefined, "abc");
  bytes[5] = 0xff;
  assertEquals(assertThrows(() => parseRequestHeader(bytes), ProtocolError, "not modified UTF-8").offset, 5);
});

test("encodeRequestHeader() takes names of up to 65,535 bytes", () => {
  for (const name of ["a".repeat(65_535), "é".repeat(32_767) + "a", "", "\0\ud83d"]) {
    const bytes = encodeRequestHeader(undefined, undefined, name);
    assertEquals(parseRequestHeader(bytes).name, name);
    assertEquals(requestHeaderEnd(bytes), bytes.length);
  }
  for (const name of ["a".repeat(65_536), "é".repeat(32_768), "\0".repeat(32_768)]) {
    assertThrows(() => encodeRequestHeader(undefined, undefined, name), RangeError, "Endpoint name takes 65536 bytes");
  }
  const host = new RpcAddress("h".repeat(65_536), 1);
  assertThrows(() => encodeRequestHeader(host, undefined, "a"), RangeError, "Host takes 65536 bytes");
});

test("parseRequestHeader() throws nothing but ProtocolError, and requestHeaderEnd() agrees with it", () => {
  const random = seededRandom(43);
  for (let round = 0; round < 5_000; round++) {
    const source = fromHex(vectors[Math.floor(random() * vectors.length)]!.hex);
    const bytes = random() < 0.3 ? source.map(() => Math.floor(random() * 256)) : source;
    for (let i = 0; i < 3; i++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    const end = requestHeaderEnd(bytes);
    try {
      assertEquals(parseRequestHeader(bytes).contentStart, end);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
  }
});
