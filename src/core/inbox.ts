// Messages that arrived, still as wire octets in slabs. Nothing is made for a message until it is asked for; then its
// frames are views on the slab.

import { FLAG_LONG, FLAG_MORE, LONG_HEADER, SHORT_HEADER } from "../../wasm/layout.ts";
import { Frame } from "../message.ts";

const NOTHING = new Uint8Array(0);

export class Inbox {
  /** Whole messages that can be taken. */
  messages = 0;
  #slabs: Uint8Array[] = [];
  #next = 0;
  #slab: Uint8Array = NOTHING;
  #buffer: ArrayBufferLike = NOTHING.buffer;
  #at = 0;
  /** The frame last made said MORE. */
  #more = false;

  /** Adds a slab of whole frames, in which `messages` messages end. */
  push(slab: Uint8Array, messages: number): void {
    this.#slabs.push(slab);
    this.messages += messages;
  }

  /** The next message. Only when `messages` is not 0. */
  shift(): Frame[] {
    const first = this.#frame();
    // A literal of one is small; a list that is pushed to starts with room for many.
    const frames = [first];
    while (this.#more) frames.push(this.#frame());
    this.messages--;
    // Nothing is left in the slab: do not keep its memory from being collected.
    if (this.messages === 0 && this.#at === this.#slab.length) this.#leave();
    return frames;
  }

  #frame(): Frame {
    if (this.#at === this.#slab.length) this.#turn();
    const slab = this.#slab;
    const at = this.#at;
    const flags = slab[at];
    let size = slab[at + 1];
    let start = at + SHORT_HEADER;
    if ((flags & FLAG_LONG) !== 0) {
      size = longSize(slab, at);
      start = at + LONG_HEADER;
    }
    this.#more = (flags & FLAG_MORE) !== 0;
    this.#at = start + size;
    return new Frame(this.#buffer, slab.byteOffset + start, size);
  }

  #turn(): void {
    const slab = this.#slabs[this.#next];
    this.#next++;
    if (this.#next === this.#slabs.length) {
      this.#slabs = [];
      this.#next = 0;
    } else if (this.#next === 64) {
      this.#slabs.splice(0, 64);
      this.#next = 0;
    }
    this.#slab = slab;
    this.#buffer = slab.buffer;
    this.#at = 0;
  }

  /** Drops the frames of a message whose end never came. */
  cut(): void {
    const slabs = [this.#slab.subarray(this.#at), ...this.#slabs.slice(this.#next)];
    const messages = this.messages;
    this.clear();
    let left = messages;
    for (const slab of slabs) {
      let at = 0;
      while (left > 0 && at < slab.length) {
        const long = (slab[at] & FLAG_LONG) !== 0;
        if ((slab[at] & FLAG_MORE) === 0) left--;
        at += long ? LONG_HEADER + longSize(slab, at) : SHORT_HEADER + slab[at + 1];
      }
      if (at > 0) this.#slabs.push(slab.subarray(0, at));
    }
    this.messages = messages;
  }

  /** Drops everything. */
  clear(): void {
    this.messages = 0;
    this.#slabs = [];
    this.#next = 0;
    this.#leave();
  }

  #leave(): void {
    this.#slab = NOTHING;
    this.#buffer = NOTHING.buffer;
    this.#at = 0;
  }
}

function longSize(slab: Uint8Array, at: number): number {
  let size = 0;
  for (let i = at + 1; i < at + LONG_HEADER; i++) size = size * 256 + slab[i];
  return size;
}
