/**
 * Memory that pieces of files are read into, and that is used again as soon as the socket has sent them.
 *
 * @module
 */

/** How much of a file is read at once: less costs more CPU per byte, more gains nothing. */
export const PIECE_BYTES: number = 1024 * 1024;
/** One that is being sent, one that is ready, and one that is being read while the first one's last bytes leave. */
const MAX_PIECES = 3;
/** What is read at once where there is no memory left, since whoever is read gives much less than it is asked for. */
const SMALL_PIECE_BYTES = 256 * 1024;
/** What the connections of a context may have together; with so much in use each piece more is one of {@linkcode SPARE_PIECE_BYTES}. */
export const MAX_SHARED_BYTES: number = 256 * PIECE_BYTES;
/** Whoever asks for a file and reads nothing of it has pieces kept for as long as the connection lasts: there may be thousands of those. */
export const SPARE_PIECE_BYTES: number = 64 * 1024;

/** A part of the memory. */
export interface PieceBuffer {
  readonly bytes: Uint8Array;
  /** Up to which of all bytes of the connection it is in use: Infinity until that is known. */
  inUseUntil: number;
}

/** What all connections of a context have. */
export class SharedPieces {
  /** How much memory that is. */
  bytes = 0;

  /** How large the next piece may be. */
  get pieceBytes(): number {
    return this.bytes + PIECE_BYTES <= MAX_SHARED_BYTES ? PIECE_BYTES : SPARE_PIECE_BYTES;
  }
}

/** The pieces of one connection. */
export class PieceMemory {
  readonly #shared: SharedPieces;
  #pieces: PieceBuffer[] = [];

  /** @param shared Counts them, and those of other connections. */
  constructor(shared: SharedPieces) {
    this.#shared = shared;
  }

  /**
   * Memory for up to `wanted` bytes.
   *
   * @param leftBytes How many of all bytes of the connection have left.
   */
  take(wanted: number, leftBytes: number): PieceBuffer {
    const size = Math.min(wanted, this.#shared.pieceBytes);
    const free = this.#pieces.findIndex(({ inUseUntil }) => inUseUntil <= leftBytes);
    const piece = this.#pieces[free];
    if (piece !== undefined && piece.bytes.length >= size) {
      piece.inUseUntil = Infinity;
      return piece;
    }
    if (piece !== undefined) this.#forget(this.#pieces.splice(free, 1));
    if (this.#pieces.length === MAX_PIECES) {
      return { bytes: new Uint8Array(Math.min(size, SMALL_PIECE_BYTES)), inUseUntil: Infinity };
    }
    const made = { bytes: new Uint8Array(size), inUseUntil: Infinity };
    this.#pieces.push(made);
    this.#shared.bytes += size;
    return made;
  }

  /** Keeps none of it. */
  clear(): void {
    this.#forget(this.#pieces);
    this.#pieces = [];
  }

  #forget(pieces: readonly PieceBuffer[]): void {
    for (const { bytes } of pieces) this.#shared.bytes -= bytes.length;
  }
}
