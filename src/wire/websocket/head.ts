// Finds the end of an HTTP message's head in a stream of octets (RFC 9112, section 2), and refuses what is none early.

import { HttpRefusal } from "./fault.ts";

/** The longest head that is taken, in octets. */
export const HEAD_LIMIT = 8192;

const TAB = 9;
const LF = 10;
const CR = 13;

/** What came of some octets. */
export interface HeadPart {
  /** The head from its first line to the empty one, both included; undefined while it goes on. */
  readonly head: Uint8Array | undefined;
  /** How many of the octets belong to it. */
  readonly taken: number;
}

/** Collects the head of one message; each octet is looked at once. */
export class HeadReader {
  #octets = new Uint8Array(1024);
  #size = 0;
  /** How many octets of CR LF CR LF came last. */
  #ending = 0;

  /**
   * Takes the next octets.
   *
   * @throws {HttpRefusal} 431 for a head of more than 8 KiB, 400 for octets that no head has.
   */
  receive(octets: Uint8Array): HeadPart {
    const most = Math.min(octets.length, HEAD_LIMIT - this.#size);
    for (let i = 0; i < most; i++) {
      this.#look(octets[i], this.#size + i);
      if (this.#ending === 4) {
        this.#append(octets.subarray(0, i + 1));
        return { head: this.#octets.subarray(0, this.#size), taken: i + 1 };
      }
    }
    this.#append(octets.subarray(0, most));
    if (this.#size === HEAD_LIMIT) {
      throw new HttpRefusal(431, `the HTTP head is longer than the ${HEAD_LIMIT} octets allowed`);
    }
    return { head: undefined, taken: octets.length };
  }

  #look(octet: number, at: number): void {
    if (at === 0) checkFirst(octet);
    if (octet === CR && this.#ending % 2 === 0) this.#ending++;
    else if (octet === LF && this.#ending % 2 === 1) this.#ending++;
    else if (octet < 32 && octet !== TAB || octet === 127 || this.#ending % 2 === 1) {
      throw new HttpRefusal(
        400,
        `the HTTP head has octet ${hex(octet)} at ${at}, where only text and CR LF can be`,
      );
    } else this.#ending = 0;
  }

  #append(octets: Uint8Array): void {
    const size = this.#size + octets.length;
    if (size > this.#octets.length) {
      const all = new Uint8Array(Math.min(HEAD_LIMIT, Math.max(size, 2 * this.#octets.length)));
      all.set(this.#octets.subarray(0, this.#size));
      this.#octets = all;
    }
    this.#octets.set(octets, this.#size);
    this.#size = size;
  }
}

/** Other protocols show in their first octet, and would leave this one waiting. */
function checkFirst(octet: number): void {
  if (octet > 32 && octet < 127) return;
  const hint = octet === 0x16 || octet === 0x15
    ? "that is TLS: one side uses wss:// and the other ws://"
    : octet === 0xff
    ? "that is ZMTP: one side uses tcp:// and the other ws://"
    : "that is no HTTP";
  throw new HttpRefusal(400, `the first octet is ${hex(octet)}; ${hint}`);
}

function hex(octet: number): string {
  return `0x${octet.toString(16).padStart(2, "0")}`;
}
