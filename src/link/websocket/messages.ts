// Frames of ZMTP 3 and messages of a WebSocket that the runtime frames: each is one of the other, with a flag octet for the
// header (RFC 45).

import { FLAG_COMMAND, FLAG_LONG, FLAG_MORE, LONG_HEADER } from "../../../wasm/layout.ts";
import { frameSize, headerSize } from "../../span.ts";

/** The flag octets: more frames follow, a command; 0 is for the last frame of a message. */
export const MORE = 1;
export const COMMAND = 2;

/** Puts messages together from the octets of frames. */
export class MessageMaker {
  readonly #made: (message: Uint8Array) => void;
  /** The one that goes on in the next octets, and how far it is. */
  #message: Uint8Array | undefined;
  #filled = 0;

  /** `made` gets each message, in memory of its own. */
  constructor(made: (message: Uint8Array) => void) {
    this.#made = made;
  }

  /** Takes octets from `at` on: frames, the last of which may go on in the next call, but not within its header. */
  take(octets: Uint8Array, at: number): void {
    while (at < octets.length) {
      if (this.#message === undefined) at = this.#begin(octets, at);
      const message = this.#message!;
      const end = Math.min(octets.length, at + message.length - this.#filled);
      message.set(octets.subarray(at, end), this.#filled);
      this.#filled += end - at;
      at = end;
      if (this.#filled < message.length) return;
      this.#message = undefined;
      this.#made(message);
    }
  }

  #begin(octets: Uint8Array, at: number): number {
    const flags = octets[at];
    const header = headerSize(flags);
    this.#message = new Uint8Array(1 + frameSize(octets, at) - header);
    this.#message[0] = flags & FLAG_COMMAND ? COMMAND : flags & FLAG_MORE;
    this.#filled = 1;
    return at + header;
  }
}

/** The header of the frame that a message is. */
export function headerOf(message: Uint8Array): Uint8Array {
  const flags = message[0] === COMMAND ? FLAG_COMMAND : message[0];
  const size = message.length - 1;
  if (size < 256) return Uint8Array.of(flags, size);
  const header = new Uint8Array(LONG_HEADER);
  header[0] = flags | FLAG_LONG;
  new DataView(header.buffer).setBigUint64(1, BigInt(size));
  return header;
}
