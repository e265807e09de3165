/**
 * Cuts files into splits, one for each task. No word goes across a border: a split ends before an ASCII byte that is no letter.
 *
 * @module
 */
import { type FileHandle, open } from "node:fs/promises";

/** A range of bytes in a file. */
export interface Split {
  readonly path: string;
  readonly start: number;
  readonly length: number;
}

/** How much is read at a time in search of a border. */
const PIECE_BYTES = 64 * 1024;

/**
 * Cuts a file.
 *
 * @param path The file.
 * @param splitBytes How long a split is at least, but for the last one. It is longer by as much as there is no ASCII byte that
 * is no letter; in a file without such bytes there is one split.
 * @returns The splits, in order; none if the file is empty.
 * @throws {Error} It cannot be read, or has bytes and no length, as those in /proc.
 */
export async function* splitFile(path: string, splitBytes: number): AsyncGenerator<Split> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size === 0 && (await file.read(new Uint8Array(1), 0, 1, 0)).bytesRead > 0) {
      throw new Error(`${path} does not say how long it is: copy it to a file that does`);
    }
    for (let start = 0; start < size;) {
      const end = await findBorder(file, start + splitBytes, size);
      yield { path, start, length: end - start };
      start = end;
    }
  } finally {
    await file.close();
  }
}

/** Where the first byte at or after `position` is that no word contains and no character goes across; `size` if there is none. */
async function findBorder(file: FileHandle, position: number, size: number): Promise<number> {
  const piece = new Uint8Array(PIECE_BYTES);
  while (position < size) {
    const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, position);
    if (bytesRead === 0) break;
    const at = piece.subarray(0, bytesRead).findIndex(isBorder);
    if (at >= 0) return Math.min(position + at, size);
    position += bytesRead;
  }
  return size;
}

/** Whether it is an ASCII byte that is no letter. In UTF-8 such a byte is a character of its own, in broken UTF-8 too. */
function isBorder(byte: number): boolean {
  const lower = byte | 0x20;
  return byte < 0x80 && !(lower >= 0x61 && lower <= 0x7a);
}
