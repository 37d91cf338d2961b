// Messages that arrived, still as wire octets in slabs. Nothing is made for a message until it is asked for; then its
// frames are views on the slab.

import { FLAG_LONG, FLAG_MORE, LONG_HEADER, SHORT_HEADER } from "../../wasm/layout.ts";
import { Frame } from "../message.ts";
import { concat } from "../octets.ts";
import { frameSize, headerSize, type Span } from "../span.ts";

const NOTHING = new Uint8Array(0);

export class Inbox {
  /** Whole messages that can be taken. */
  messages = 0;
  /** Messages that have come so far. */
  received = 0;
  /** Octets that have come so far, as the connection counts them. */
  octets = 0;
  /** A message that has begun was dropped: its other frames are not wanted either. */
  beheaded = false;
  /** Frames of at most so many octets are copies; longer ones are views on their slab. */
  copied = -1;
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
    this.received += messages;
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
      size = frameSize(slab, at) - LONG_HEADER;
      start = at + LONG_HEADER;
    }
    this.#more = (flags & FLAG_MORE) !== 0;
    this.#at = start + size;
    if (size <= this.copied) return copy(slab, start, size);
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

  /** The next message as it lies on the wire, without a frame being made. Only when `messages` is not 0. */
  take(span: Span): Span {
    let start = this.#pass();
    let slab = this.#slab;
    let end = this.#at;
    let pieces: Uint8Array[] | undefined;
    while (this.#more) {
      const next = this.#pass();
      if (this.#slab !== slab) {
        (pieces ??= []).push(slab.subarray(start, end));
        slab = this.#slab;
        start = next;
      }
      end = this.#at;
    }
    if (pieces !== undefined) {
      slab = concat([...pieces, slab.subarray(start, end)]);
      start = 0;
      end = slab.length;
    }
    span.slab = slab;
    span.start = start;
    span.end = end;
    this.messages--;
    if (this.messages === 0 && this.#at === this.#slab.length) this.#leave();
    return span;
  }

  /** Drops every message but the last one. */
  keepLast(): void {
    while (this.messages > 1) {
      do this.#pass(); while (this.#more);
      this.messages--;
    }
  }

  /** Drops the messages whose first frame is not wanted. */
  filter(wants: (octets: Uint8Array) => boolean): void {
    this.#rebuild(wants, true);
  }

  /** Drops the frames of a message whose end never came. */
  cut(): void {
    this.#rebuild(() => true, false);
  }

  #rebuild(wants: (octets: Uint8Array) => boolean, unfinished: boolean): void {
    const kept: Uint8Array[] = [];
    let messages = 0;
    for (let left = this.messages; left > 0; left--) {
      let wanted: boolean | undefined;
      do {
        const start = this.#pass();
        const frame = this.#slab.subarray(start, this.#at);
        wanted ??= wants(frame.subarray(headerSize(frame[0])));
        if (wanted) kept.push(frame);
      } while (this.#more);
      if (wanted) messages++;
    }
    const rest = [this.#slab.subarray(this.#at), ...this.#slabs.slice(this.#next)]
      .filter((slab) => slab.length > 0);
    if (unfinished && rest.length > 0) {
      const end = frameSize(rest[0], 0);
      this.beheaded = !wants(rest[0].subarray(headerSize(rest[0][0]), end));
    }
    const whole = unfinished && !this.beheaded ? kept.concat(rest) : kept;
    this.clear();
    this.#slabs = whole;
    this.messages = messages;
  }

  /** Passes over a frame, and answers where it starts in the slab; it ends at `#at`. */
  #pass(): number {
    if (this.#at === this.#slab.length) this.#turn();
    const slab = this.#slab;
    const start = this.#at;
    this.#more = (slab[start] & FLAG_MORE) !== 0;
    this.#at = start + frameSize(slab, start);
    return start;
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

function copy(slab: Uint8Array, start: number, size: number): Frame {
  const frame = new Frame(size);
  for (let i = 0; i < size; i++) frame[i] = slab[start + i];
  return frame;
}
