/** The declarations of `@std/streams` that tests and examples use; the package itself comes without types from npm. */
export function toBytes(stream: ReadableStream<Uint8Array>): Promise<Uint8Array>;
export class TextLineStream extends TransformStream<string, string> {
  constructor(options?: { allowCR?: boolean });
}
