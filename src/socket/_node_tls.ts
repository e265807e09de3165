/**
 * What `node:tls` has for the sockets of `node.ts`: dialling, and a server that knows the handshakes which are under way.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import { isIPv6 } from "node:net";
import type { Server, Socket as Native, TcpNetConnectOpts } from "node:net";
import { checkServerIdentity, connect, createServer } from "node:tls";
import type { PeerCertificate, TLSSocket } from "node:tls";
import { type ListenOptions, SocketError, type TlsOptions } from "./socket.ts";
import { formatAddress, toSocketError } from "./socket_errors.ts";

/** How long a client may take for the TLS handshake with a listener. */
const HANDSHAKE_TIMEOUT_MS = 30_000;
/** How many handshakes a listener may have under way; for one more the oldest is cut off: who means it has ended by then. */
const MAX_HANDSHAKES = 8_192;

/** A server that speaks TLS. */
export interface TlsServer {
  /** Calls back for connections whose handshake has ended. */
  readonly server: Server;
  /** Ends those whose handshake has not. Nobody else knows of them: until they time out they would keep the process from ending. */
  abortHandshakes(): void;
}

/** Dials a server that speaks TLS. */
export function connectTls(target: TcpNetConnectOpts, tls: TlsOptions): Native {
  const { serverName, ...secrets } = pemOptions(tls);
  const name = serverName === undefined ? {} : { servername: serverName };
  // Without a word on it an environment with NODE_TLS_REJECT_UNAUTHORIZED=0 has any certificate accepted.
  return connect({ ...target, ...secrets, ...name, rejectUnauthorized: true, checkServerIdentity: checkIdentity });
}

/** Whether a certificate is for `host`. From 22.23.0 and 24.17.0 on some Nodes find no IPv6 address in any (nodejs/node#64144). */
function checkIdentity(host: string, certificate: PeerCertificate): Error | undefined {
  const error = checkServerIdentity(host, certificate);
  // What has a zone is no address for a certificate.
  if (error === undefined || !isIPv6(host) || host.includes("%")) return error;
  return new X509Certificate(certificate.raw).checkIP(host) === undefined ? error : undefined;
}

/**
 * Makes a server that speaks TLS.
 *
 * @param tls Its certificate; with `caCerts` it asks clients for theirs.
 * @param accept Gets each socket whose handshake has ended.
 * @param onRefused Hears of the others.
 * @param maxHandshakes How many handshakes may be under way.
 */
export function createTlsServer(
  tls: TlsOptions,
  accept: (native: Native) => void,
  onRefused: ListenOptions["onRefused"],
  maxHandshakes: number = MAX_HANDSHAKES,
): TlsServer {
  const handshakes = new Handshakes();
  const refuse = (native: TLSSocket, error: unknown): void => {
    // Node and Deno forget the address of what has been reset.
    const { remoteAddress: host, remotePort: port } = native;
    const peer = host === undefined || port === undefined ? "a peer" : formatAddress({ host, port });
    native.on("error", () => {}).destroy();
    onRefused?.(toSocketError(error, `Handshake with ${peer}`, "TLS"));
  };
  const asksForCertificates = tls.caCerts !== undefined;
  const server = createServer({
    ...pemOptions(tls),
    requestCert: asksForCertificates,
    rejectUnauthorized: asksForCertificates,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  }, (native) => {
    handshakes.end(native);
    // Not before: half open, whoever ends in the midst of a handshake would keep its descriptor until that times out.
    native.allowHalfOpen = true;
    if (!asksForCertificates || isVerified(native)) accept(native);
    else refuse(native, new Error("the session may be another listener's"));
  });
  server.on("connection", (native: Native) => {
    if (handshakes.size >= maxHandshakes) {
      handshakes.abortOldest();
      onRefused?.(new SocketError("TLS", `The oldest of ${maxHandshakes} TLS handshakes was cut off for the next one`));
    }
    handshakes.begin(native);
  });
  // Of a certificate that is not trusted the error says no more than that the connection is gone.
  server.on("tlsClientError", (error, native) => refuse(native, native.authorizationError ?? error));
  return { server, abortHandshakes: () => handshakes.abort() };
}

/** Deno 2.9 takes anything: its listener then refuses every client, and its client shows no certificate. */
function checkPem(name: keyof TlsOptions, text: string | undefined, what: string): void {
  if (text === undefined || new RegExp(`-----BEGIN (?:.+ )?${what}-----`).test(text)) return;
  throw new Error(`${name} is not in PEM: expected the text with -----BEGIN ${what}----- in it, not the name of its file`);
}

function pemOptions({ caCerts, ...rest }: TlsOptions): Omit<TlsOptions, "caCerts"> & { readonly ca?: string[] } {
  checkPem("cert", rest.cert, "CERTIFICATE");
  checkPem("key", rest.key, "PRIVATE KEY");
  for (const caCert of caCerts ?? []) checkPem("caCerts", caCert, "CERTIFICATE");
  return caCerts === undefined ? rest : { ...rest, ca: [...caCerts] };
}

/**
 * Whether it is here that the client's certificate was verified. The listeners of a Deno 2.9 share their sessions: one that was made
 * where other certificates are asked for, or none, is taken up again at any of them.
 */
function isVerified(native: TLSSocket): boolean {
  return native.authorized && !("Deno" in globalThis && native.isSessionReused());
}

/** The connections of a server whose handshake has not ended. */
class Handshakes {
  readonly #natives = new Map<string, Native>();

  get size(): number {
    return this.#natives.size;
  }

  /** @param native The socket below TLS. */
  begin(native: Native): void {
    const peer = peerOf(native);
    this.#natives.set(peer, native);
    native.once("close", () => {
      if (this.#natives.get(peer) === native) this.#natives.delete(peer);
    });
  }

  /** @param native The socket of TLS, which is another one than that below it. */
  end(native: Native): void {
    this.#natives.delete(peerOf(native));
  }

  abortOldest(): void {
    for (const [peer, native] of this.#natives) {
      this.#natives.delete(peer);
      native.destroy();
      return;
    }
  }

  abort(): void {
    for (const native of this.#natives.values()) native.destroy();
  }
}

function peerOf({ remoteAddress, remotePort }: Native): string {
  return `${remoteAddress} ${remotePort}`;
}
