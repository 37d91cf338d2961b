// Reads octets out of a web stream.

/** Octets of one read: at first, and where reads fill it. */
const SMALLEST = 4 * 1024;
const LARGEST = 128 * 1024;
/** So many reads that would have fitted a quarter of the buffer halve it. */
const QUIET_READS = 64;

/** Takes octets out of a readable stream that nobody else reads, into one buffer over and over where the stream allows that. */
export class OctetReader {
  readonly #bring: ReadableStreamBYOBReader | undefined;
  readonly #plain: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #buffer: ArrayBuffer = new ArrayBuffer(0);
  #size = SMALLEST;
  #quiet = 0;

  constructor(readable: ReadableStream<Uint8Array>) {
    try {
      this.#bring = readable.getReader({ mode: "byob" });
    } catch {
      // It is no byte stream.
      this.#plain = readable.getReader();
    }
    const reader = this.#bring ?? this.#plain!;
    reader.closed.catch(ignore);
  }

  /** The next octets, valid until the next call; undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#bring === undefined) return await this.#nextPlain();
    const buffer = this.#buffer.byteLength === this.#size
      ? this.#buffer
      : new ArrayBuffer(this.#size);
    const { done, value } = await this.#bring.read(new Uint8Array(buffer));
    if (done || value === undefined) return undefined;
    this.#buffer = value.buffer;
    this.#adapt(value.length);
    return value;
  }

  async #nextPlain(): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#plain!.read();
    if (done) return undefined;
    if (value instanceof Uint8Array) return value;
    throw new TypeError(`The readable stream gave a ${typeof value}: only Uint8Array can be read`);
  }

  #adapt(count: number): void {
    if (count === this.#size) this.#size = Math.min(2 * this.#size, LARGEST);
    this.#quiet = count < this.#size / 4 ? this.#quiet + 1 : 0;
    if (this.#quiet < QUIET_READS) return;
    this.#quiet = 0;
    this.#size = Math.max(this.#size / 2, SMALLEST);
  }

  /** Gives the stream back; only before the first read. */
  release(): void {
    (this.#bring ?? this.#plain!).releaseLock();
  }

  /** Nothing more is wanted: a read under way ends. */
  cancel(): void {
    (this.#bring ?? this.#plain!).cancel().catch(ignore);
  }
}

function ignore(): void {}
