// A wire that changes what goes over it, at places that are given beforehand.

import { concat } from "../_util/octets.ts";
import { CORPUS } from "./corpus.ts";
import type { Tape } from "./tape.ts";

/** A change at a place of the stream: some octets go, some come instead. */
export interface Edit {
  readonly at: number;
  readonly drop: number;
  readonly insert: Uint8Array;
  /** Flips bits of the next octet. */
  readonly flip: number;
}

/** Changes around a place that counts: mostly near the start, where the handshake is. */
export function drawEdits(tape: Tape, most: number): Edit[] {
  return Array.from({ length: tape.pick([1, 1, 2, 3]) }, () => {
    const at = tape.oneIn(3) ? tape.below(most) : tape.below(Math.min(most, 200));
    switch (tape.below(5)) {
      case 1:
        return { at, drop: tape.between(1, 40), insert: new Uint8Array(0), flip: 0 };
      case 2:
        return { at, drop: 0, insert: tape.octets(tape.between(1, 12)), flip: 0 };
      case 3: {
        const insert = tape.pick(CORPUS).slice(0, 4_000);
        return { at, drop: tape.oneIn(2) ? insert.length : 0, insert, flip: 0 };
      }
      case 4:
        return { at, drop: 1, insert: Uint8Array.of(tape.octet()), flip: 0 };
    }
    return { at, drop: 0, insert: new Uint8Array(0), flip: 1 << tape.below(8) };
  });
}

/** One direction. */
export class EditedWire {
  readonly #edits: Edit[];
  #at = 0;
  #dropping = 0;

  constructor(edits: readonly Edit[]) {
    this.#edits = [...edits].sort((a, b) => a.at - b.at);
  }

  /** True while nothing was changed. */
  honest = true;

  /** What comes out of these octets. */
  pass(octets: Uint8Array): Uint8Array {
    const out: Uint8Array[] = [];
    let from = 0;
    while (from < octets.length) {
      const [next] = this.#edits;
      if (next !== undefined && next.at <= this.#at) {
        this.#edits.shift();
        this.honest = false;
        out.push(next.insert);
        this.#dropping += next.drop;
        if (next.flip > 0 && this.#dropping === 0) {
          out.push(Uint8Array.of(octets[from] ^ next.flip));
          this.#move(1);
          from++;
        }
        continue;
      }
      const left = next === undefined ? octets.length - from : next.at - this.#at;
      const size = Math.min(left, octets.length - from);
      const dropped = Math.min(size, this.#dropping);
      this.#dropping -= dropped;
      out.push(octets.subarray(from + dropped, from + size));
      this.#move(size);
      from += size;
    }
    return concat(...out);
  }

  #move(count: number): void {
    this.#at += count;
  }
}
