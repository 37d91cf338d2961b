// What a WebSocket writes on its stream: the link's octets as frames, a piece at a time, and between them what else is to be
// said.

import type { WebSocketWriter } from "../../core/websocket_writer.ts";
import type { ByteStream } from "../stream.ts";

/** Something that is no part of the link's octets. */
interface Remark {
  readonly octets: Uint8Array;
  readonly taken: (() => void) | undefined;
}

export class Output {
  readonly #stream: ByteStream;
  /** Makes frames, once the WebSocket is open. */
  writer: WebSocketWriter | undefined;
  /** The stream was given octets that it did not take all. */
  #busy = false;
  readonly #remarks: Remark[] = [];
  /** The remark that is being written, and what is left of it. */
  #remark: Remark | undefined;
  #rest: Uint8Array = new Uint8Array(0);
  /** The writer has a piece, of which so many octets have left. */
  #piece = false;
  #offset = 0;
  /** What left last ended in the middle of a frame: nothing else may follow. */
  #inside = false;
  #over = false;
  #end: (() => void) | undefined;

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  /** How many remarks wait. */
  get remarks(): number {
    return this.#remarks.length;
  }

  /** Says something between two frames; `taken` is called when the stream has taken it. */
  say(octets: Uint8Array, taken?: () => void): void {
    this.#remarks.push({ octets, taken });
    this.#push();
  }

  /** Says octets of ZMTP, and answers how many were taken at once; the others must be offered again after `written`. */
  write(octets: Uint8Array): number {
    const writer = this.writer!;
    let at = 0;
    while (at < octets.length) {
      writer.take(at === 0 ? octets : octets.subarray(at));
      this.#piece = true;
      this.#offset = 0;
      this.#push();
      if (this.#piece) break;
      at += writer.plain;
    }
    return at;
  }

  /** The stream took `count` more octets. Answers how many of the link's have left with that; 0 when none did. */
  written(count: number): number {
    this.#busy = false;
    if (this.#remark !== undefined) this.#rest = this.#rest.subarray(count);
    else this.#offset += count;
    const had = this.#piece;
    this.#push();
    return had && !this.#piece ? this.writer!.plain : 0;
  }

  /** Says what waits, if that can be, and nothing more; then calls. */
  end(call: () => void): void {
    this.#end = call;
    this.#push();
  }

  /** The stream is gone. Answers how many of the link's octets were in frames that left whole, and not told yet. */
  lost(): number {
    this.#over = true;
    return this.#piece ? this.writer!.left(this.#offset) : 0;
  }

  /** Writes until the stream is busy or nothing is left. */
  #push(): void {
    while (!this.#busy && !this.#over) {
      if (this.#remark !== undefined) this.#goOn();
      else if (this.#free && this.#remarks.length > 0) this.#begin();
      else if (this.#piece) this.#pass();
      else break;
    }
    if (this.#busy || this.#over || this.#end === undefined) return;
    this.#over = true;
    this.#end();
  }

  /** A remark may come next. */
  get #free(): boolean {
    return !this.#inside && (!this.#piece || this.#offset === 0);
  }

  #begin(): void {
    this.#remark = this.#remarks.shift()!;
    this.#rest = this.#remark.octets;
  }

  #goOn(): void {
    if (this.#rest.length > 0) this.#rest = this.#rest.subarray(this.#give(this.#rest));
    if (this.#busy || this.#rest.length > 0) return;
    const { taken } = this.#remark!;
    this.#remark = undefined;
    taken?.();
  }

  #pass(): void {
    const writer = this.writer!;
    if (this.#offset < writer.size) this.#offset += this.#give(writer.wire(this.#offset));
    if (this.#offset < writer.size) return;
    writer.done();
    this.#piece = false;
    this.#inside = writer.inside;
  }

  #give(octets: Uint8Array): number {
    const taken = this.#stream.write(octets);
    this.#busy = taken < octets.length;
    return taken;
  }
}
