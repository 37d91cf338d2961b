// For runtimes that push chunks of their own at the reader.

import type { ByteSink } from "../link/stream.ts";

/** Gives a stream's chunk to a sink that names its own buffers. */
export function deliver(chunk: Uint8Array, sink: ByteSink): void {
  for (let at = 0; at < chunk.length;) {
    const target = sink.target();
    const piece = at === 0 && chunk.length <= target.length
      ? chunk
      : chunk.subarray(at, at + target.length);
    target.set(piece);
    at += piece.length;
    sink.filled(piece.length);
  }
}
