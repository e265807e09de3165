/**
 * A simulated connection: two wires, and the attempt to connect that leads to a socket at each end.
 *
 * @module
 */

import type { Timer } from "../base/clock.ts";
import { SimulatedSocket } from "./_sim_socket.ts";
import {
  type Departure,
  type SimulatedMedium,
  SimulatedWire,
  type WireEnd,
  type WireHost,
  type WirePair,
} from "./_sim_wire.ts";
import type { AttachSocket, ConnectOptions, ListenOptions, Socket, SocketAddress, SocketErrorCode } from "./socket.ts";
import { formatAddress, socketError } from "./socket_errors.ts";

/** What a connection asks of the network around it. */
export interface ConnectionRegistry {
  /** An end of `connection` has come into being. */
  opened(connection: SimulatedConnection): void;
  /** An end of `connection` is no more. */
  closed(connection: SimulatedConnection): void;
}

/** Where a connect leads, if somebody listens there. */
export interface Acceptor {
  readonly attach: AttachSocket;
  readonly options: ListenOptions;
}

/** A connection between two hosts, or of one with itself. */
export class SimulatedConnection implements WirePair {
  /** The one that dialled and the other; twice the same for a connection of a host with itself. */
  readonly hosts: readonly WireHost[];
  readonly extraDelayMs: number;
  /** From the one who dialled. */
  readonly forth: SimulatedWire;
  /** To the one who dialled. */
  readonly back: SimulatedWire;
  /** How many ends are in use; kept by the registry. */
  openEnds = 0;
  #silent = false;

  /** @param id Number of the end that dials; the other end has the next one. */
  constructor(medium: SimulatedMedium, id: number, from: WireHost, to: WireHost, client: SocketAddress, server: SocketAddress) {
    this.hosts = [from, to];
    this.extraDelayMs = medium.dice.upTo(medium.dice.faults.connectionDelayMs);
    const [near, far] = [`${from.name}:${client.port}`, `${to.name}:${server.port}`];
    this.forth = new SimulatedWire(medium, this, from, to, id, `${near} > ${far}`);
    this.back = new SimulatedWire(medium, this, to, from, id + 1, `${far} > ${near}`);
  }

  get silent(): boolean {
    return this.#silent || this.hosts.some((host) => host.silent);
  }

  fallSilent(): void {
    if (this.#silent) return;
    this.#silent = true;
    this.forth.record("falls silent");
    for (const wire of [this.forth, this.back]) if (wire.hasUnread) wire.keepTrying();
  }

  /** Ends a silence: each end learns that the other does not know it any more. */
  heal(): void {
    if (!this.#silent) return;
    this.#silent = false;
    this.resetBoth();
  }

  resetBoth(): void {
    this.forth.sendReset();
    this.back.sendReset();
  }
}

/** What an attempt to connect needs. */
export interface DialRequest {
  readonly id: number;
  readonly from: WireHost;
  readonly client: SocketAddress;
  readonly server: SocketAddress;
  readonly attach: AttachSocket;
  readonly options: ConnectOptions;
  /** Finds the host that is dialled, if there is one. */
  readonly findHost: () => WireHost | undefined;
  /** Finds who listens there. */
  readonly findAcceptor: () => Acceptor | undefined;
  /** How long to try, if nothing answers. */
  readonly timeoutMs: number;
  readonly resolve: (socket: Socket) => void;
  readonly reject: (reason: unknown) => void;
  /** Called once, when the dialling end is no more: the attempt failed or its socket closed. */
  readonly over: () => void;
}

/** An attempt to connect. Like everything that is sent, it leaves when the microtasks of its event have drained. */
export class SimulatedDial implements Departure, WireEnd {
  readonly id: number;
  readonly #medium: SimulatedMedium;
  readonly #registry: ConnectionRegistry;
  readonly #request: DialRequest;
  #connection: SimulatedConnection | undefined;
  #timer: Timer | undefined;
  #isOver = false;

  constructor(medium: SimulatedMedium, registry: ConnectionRegistry, request: DialRequest) {
    this.id = request.id;
    this.#medium = medium;
    this.#registry = registry;
    this.#request = request;
    request.options.signal?.addEventListener("abort", this.#cancel);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  depart(): void {
    const { from, client, server, findHost, timeoutMs } = this.#request;
    if (this.#isOver) return;
    const to = findHost();
    if (to === undefined) {
      from.clock.schedule(0, () => this.#fail("HOST_NOT_FOUND"));
      return;
    }
    const connection = new SimulatedConnection(this.#medium, this.id, from, to, client, server);
    this.#connection = connection;
    this.#registry.opened(connection);
    connection.back.receiver = this;
    connection.forth.record("dials");
    const refused = this.#medium.dice.chance(this.#medium.dice.faults.refuseProbability);
    connection.forth.carry(() => this.#accept(connection, to, refused));
    this.#timer = from.clock.schedule(timeoutMs, () => this.#fail("TIMED_OUT"));
  }

  resetArrived(): void {
    this.#fail("CONNECTION_RESET");
  }

  // Nothing but a reset can arrive before the connection is there, and nothing is sent.
  dataArrived(): void {}
  finArrived(): void {}
  roomMade(): void {}
  timedOut(): void {}

  /** At the host that was dialled. */
  #accept(connection: SimulatedConnection, to: WireHost, refused: boolean): void {
    const { client, server, options, findAcceptor } = this.#request;
    const acceptor = refused ? undefined : findAcceptor();
    const { back } = connection;
    if (acceptor === undefined || (acceptor.options.tls === undefined) !== (options.tls === undefined)) {
      back.record("refuses");
      back.carry(() => this.#fail(acceptor === undefined ? "CONNECTION_REFUSED" : "TLS"));
      return;
    }
    back.record("accepts");
    this.#registry.opened(connection);
    const socket = new SimulatedSocket({
      id: this.id + 1,
      medium: this.#medium,
      host: to,
      incoming: connection.forth,
      outgoing: back,
      ends: { local: server, remote: client },
      options: acceptor.options,
      over: () => this.#registry.closed(connection),
    });
    back.carry(() => this.#establish(connection));
    socket.open(acceptor.attach);
  }

  /** Back at the host that dials. */
  #establish(connection: SimulatedConnection): void {
    const { from, client, server, attach, options, over } = this.#request;
    // Given up in the meantime: the socket at the other end must not wait for this one.
    if (this.#isOver) return connection.forth.sendReset();
    this.#settle();
    connection.forth.record("connects");
    const socket = new SimulatedSocket({
      id: this.id,
      medium: this.#medium,
      host: from,
      incoming: connection.back,
      outgoing: connection.forth,
      ends: { local: client, remote: server },
      options,
      over: () => {
        over();
        this.#registry.closed(connection);
      },
    });
    const error = socket.open(attach);
    if (error === undefined) this.#request.resolve(socket);
    else this.#request.reject(error);
  }

  readonly #cancel = () => {
    this.#giveUp(this.#request.options.signal?.reason);
  };

  #fail(code: SocketErrorCode): void {
    if (!this.#isOver) this.#giveUp(socketError(code, `Cannot connect to ${formatAddress(this.#request.server)}`));
  }

  #giveUp(reason: unknown): void {
    this.#settle();
    this.#request.over();
    if (this.#connection !== undefined) this.#registry.closed(this.#connection);
    this.#request.reject(reason);
  }

  #settle(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#request.options.signal?.removeEventListener("abort", this.#cancel);
  }
}
