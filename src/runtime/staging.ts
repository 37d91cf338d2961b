// For runtimes that write in the background.

/** Memory of a stream's own for what it is writing: octets are lent to it for the call only. */
export class Staging {
  #memory: Uint8Array = new Uint8Array(0);
  #body: ArrayBufferLike | undefined;

  /** A copy that stays until the next call; a long body, all of its buffer or the rest of it, is not copied. */
  keep(octets: Uint8Array): Uint8Array {
    if (octets.length === octets.buffer.byteLength) this.#body = octets.buffer;
    else if (octets.buffer !== this.#body) this.#body = undefined;
    if (this.#body !== undefined) return octets;
    if (this.#memory.length < octets.length) this.#memory = new Uint8Array(octets.length);
    this.#memory.set(octets);
    return this.#memory.subarray(0, octets.length);
  }
}
