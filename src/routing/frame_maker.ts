// What is sent as frames that other sockets of the context may hold.

import { Frame, framesOf, type Outgoing, type Part, toBytes, uncleared } from "../message.ts";

/** Octets up to this length are copied: a view on them would cost as much, and they may be changed afterwards. */
const COPIED_SIZE = 128;
/** Up to this length a loop copies as fast as `set`, and text is taken to be ASCII until it is seen not to be. */
const LOOP_SIZE = 32;
/** Shared by many short frames, so that one kept frame does not pin much memory. */
const SLAB_SIZE = 16 * 1024;

export class FrameMaker {
  readonly #pooledFrom: number;
  #slab: Uint8Array = new Uint8Array(0);
  #at = 0;

  /** Short copies of `pooledFrom` octets or more share their memory. */
  constructor(pooledFrom: number) {
    this.#pooledFrom = pooledFrom;
  }

  framesFrom(message: Outgoing): Frame[] {
    if (typeof message === "string" || message instanceof Uint8Array) return [this.#frame(message)];
    const frames: Frame[] = [];
    for (const part of framesOf(message)) frames.push(this.#frame(part));
    return frames;
  }

  #frame(part: Part): Frame {
    if (typeof part === "string") return this.#text(part);
    if (part instanceof Frame) return part;
    const size = part.length;
    if (size > COPIED_SIZE) return new Frame(part.buffer, part.byteOffset, size);
    if (size < this.#pooledFrom) return new Frame(part);
    const frame = this.#cut(size);
    if (size > LOOP_SIZE) this.#slab.set(part, this.#at - size);
    else for (let i = 0; i < size; i++) frame[i] = part[i];
    return frame;
  }

  #text(text: string): Frame {
    const size = text.length;
    if (size <= LOOP_SIZE) {
      const frame = size < this.#pooledFrom ? new Frame(size) : this.#cut(size);
      let all = 0;
      for (let i = 0; i < size; i++) {
        const code = text.charCodeAt(i);
        all |= code;
        frame[i] = code;
      }
      if (all < 128) return frame;
    }
    const octets = toBytes(text);
    return new Frame(octets.buffer, octets.byteOffset, octets.length);
  }

  /** The next octets of the slab. */
  #cut(size: number): Frame {
    if (this.#at + size > this.#slab.length) {
      this.#slab = uncleared(SLAB_SIZE);
      this.#at = 0;
    }
    const { buffer, byteOffset } = this.#slab;
    const at = this.#at;
    this.#at += size;
    return new Frame(buffer, byteOffset + at, size);
  }
}
