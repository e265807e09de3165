/**
 * A port behind which there is something else than was thought.
 *
 * @module
 */
import { defaultSocketDriver, type Socket, type SocketHandler } from "../../mod.ts";
import type { TestContext } from "../_harness.ts";

/** What a web server says to who is no browser. */
export const BAD_REQUEST = "HTTP/1.1 400 Bad Request\r\n\r\n";

/** A port that takes connections and answers with that text, or never. */
export async function listenAndSay(context: TestContext, text: string): Promise<string> {
  const driver = await defaultSocketDriver();
  const nothing = () => {};
  const onData = (socket: Socket) => void (text !== "" && socket.write([new TextEncoder().encode(text)]));
  const handler: SocketHandler = { onData, onDrain: nothing, onEnd: (socket) => socket.shutdown(), onClose: nothing };
  const listener = await driver.listen({ host: "127.0.0.1", port: 0 }, () => handler);
  context.defer(() => listener.close());
  return `127.0.0.1:${listener.address.port}`;
}
