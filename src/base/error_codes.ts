/**
 * The words by which failures are told apart.
 *
 * @module
 */

/**
 * What kind of failure an RpcError is.
 *
 * - `AUTH`: a peer may not have that: a stream of another connection, a block of another application.
 * - `DISCONNECTED`: the connection was closed before the answer came. The peer may have had the message.
 * - `INVALID_ADDRESS`: a URI or a host is none, or there is no address where one is needed.
 * - `NOT_FOUND`: there is no such endpoint, file or block, or no Master that is alive.
 * - `OVERLOADED`: a limit was reached, here or at the other end.
 * - `PROTOCOL`: bytes are not Spark's protocol, or a message is larger than messages may be.
 * - `REMOTE`: the other end failed; an RpcRemoteError has its words.
 * - `SERIALIZER`: a value cannot be encoded, or content cannot be decoded.
 * - `SOCKET`: a connection could not be made, or broke.
 * - `STOPPED`: the environment or the endpoint has been stopped, the ask answered, the file closed already.
 * - `STREAM`: a stream, chunk, upload or part of a file could not be opened, or broke off.
 * - `TIMEOUT`: no answer came in time.
 * - `UNSUPPORTED_MESSAGE`: the endpoint takes no such message.
 */
export type RpcErrorCode =
  | "AUTH"
  | "DISCONNECTED"
  | "INVALID_ADDRESS"
  | "NOT_FOUND"
  | "OVERLOADED"
  | "PROTOCOL"
  | "REMOTE"
  | "SERIALIZER"
  | "SOCKET"
  | "STOPPED"
  | "STREAM"
  | "TIMEOUT"
  | "UNSUPPORTED_MESSAGE";

/**
 * How far an ask had come when its time was up.
 *
 * - `lookup`: it was one of `setupEndpointRef`, wherever it was.
 * - `connecting`: no connection stood yet; TLS is part of that.
 * - `handshake`: a bootstrap asked, before anybody else had the connection.
 * - `queued`: the connection stood, but not all that was to be sent over it had left this process, as where the peer does not read.
 * - `waiting`: all had left, and no answer had come. An ask of an endpoint of the same environment always waits.
 */
export type AskPhase = "lookup" | "connecting" | "handshake" | "queued" | "waiting";
