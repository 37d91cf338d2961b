// The only file that names WebAssembly: compiles the core once, instantiates it as often as needed, and keeps the views
// on an instance's memory.

import { SCRATCH, SCRATCH_SIZE, TOPIC_LIMIT } from "../../wasm/layout.ts";
import { ZmqError } from "../errors.ts";
import { BINARY } from "./binary.ts";

/** The functions of the core; wasm/README.md describes them. Addresses and sizes are in octets. */
export interface CoreExports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  memoryLimit(pages: number): void;
  alloc(size: number): number;
  free(block: number, size: number): void;
  filter(
    at: number,
    end: number,
    middle: number,
    topics: number,
    inverted: number,
    limit: number,
  ): number;
  scan(
    at: number,
    end: number,
    sofar: number,
    octets: number,
    limit: number,
    most: number,
    whole: number,
    slab: number,
  ): number;
  outboxNew(): number;
  outboxFree(box: number): void;
  outboxPush(box: number, size: number, flags: number): number;
  outboxPushReference(box: number, size: number, more: number): number;
  outboxPushMessage(box: number, size: number): number;
  outboxAbort(box: number): void;
  outboxClear(box: number, middle: number): void;
  outboxTake(box: number, limit: number): number;
  outboxRelease(box: number): void;
  outboxRewind(box: number, written: number): number;
  outboxTrim(box: number): number;
  topicsNew(): number;
  topicsFree(topics: number): void;
  topicsCount(topics: number): number;
  topicsLongest(topics: number): number;
  topicsAll(topics: number): number;
  topicsAdd(topics: number, key: number, size: number): number;
  topicsRemove(topics: number, key: number, size: number): number;
  topicsMatch(topics: number, key: number, size: number): number;
  topicsNext(topics: number, topic: number): number;
  topicsRead(topic: number, out: number): number;
  fanNew(): number;
  fanFree(fan: number): void;
  fanTopics(fan: number, list: number): number;
  fanLongest(fan: number, list: number): number;
  fanJoin(fan: number, box: number): void;
  fanLeave(fan: number, box: number): void;
  fanAdd(fan: number, list: number, box: number, key: number, size: number): number;
  fanRemove(fan: number, list: number, box: number, key: number, size: number): number;
  fanPop(fan: number, list: number, box: number, out: number): number;
  publish(
    fan: number,
    draft: number,
    key: number,
    size: number,
    only: number,
    mark: number,
    batch: number,
    flags: number,
  ): number;
  hsalsa20(key: number, input: number, out: number): void;
  secretboxSeal(key: number, nonce: number, text: number, size: number): void;
  secretboxOpen(key: number, nonce: number, text: number, size: number): number;
  boxUpdate(from: number, to: number, size: number, opening: number): void;
  boxTag(tag: number): void;
  boxMatches(tag: number): number;
  curveSeal(keys: number, at: number, end: number, out: number, room: number): number;
  curveLeft(at: number, end: number, sealed: number): number;
  curveBegin(keys: number, flags: number, size: number, out: number): number;
  curveOpen(keys: number, at: number, end: number, limit: number): number;
  curveOpening(keys: number, body: number, size: number): number;
  curveOpened(keys: number, inner: number): number;
  x25519(scalar: number, point: number, out: number): void;
  webSocketMask(at: number, size: number, key: number): number;
  webSocketRead(
    at: number,
    end: number,
    out: number,
    left: number,
    key: number,
    rules: number,
    limit: number,
  ): number;
  webSocketKeys(filled: number): number;
  webSocketWrite(
    at: number,
    end: number,
    out: number,
    room: number,
    left: number,
    key: number,
    masked: number,
  ): number;
}

/** Octets of a page of WebAssembly memory. */
export const PAGE = 65536;

let compiled: WebAssembly.Module | undefined;

/**
 * Hands in the compiled core, for runtimes that forbid compiling. Elsewhere it is compiled at first use.
 *
 * @throws {ZmqError} `EBUSY` when the core is in use already.
 */
export function provideCore(module: WebAssembly.Module): void {
  if (compiled !== undefined) {
    throw new ZmqError(
      "EBUSY",
      "Cannot provide the core: it is in use already; call provideCore before the first socket",
    );
  }
  compiled = module;
}

/** The octets of the core: what `spell` in wasm/build.ts wrote. */
function decode(text: string): Uint8Array<ArrayBuffer> {
  const octets = new Uint8Array(text.length);
  let size = 0;
  let base = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 35) {
      base = code === 32 ? 91 : 174;
    } else {
      octets[size++] = base + code - (code < 92 ? 39 : 40);
      base = 0;
    }
  }
  return octets.subarray(0, size);
}

function compile(): WebAssembly.Module {
  try {
    return new WebAssembly.Module(decode(BINARY));
  } catch (cause) {
    throw new ZmqError(
      "ENOTSUP",
      "Cannot compile the WebAssembly core here: @wasmq/wasmq/workerd brings it compiled for workerd " +
        "and Cloudflare Workers; a page's Content-Security-Policy has to " +
        "allow 'wasm-unsafe-eval'; elsewhere give a compiled module to provideCore",
      { cause },
    );
  }
}

/** One instance of the core with its memory. */
export class Core {
  readonly exports: CoreExports;
  /** Views on the memory; rebuilt by `refresh` when it grew. */
  bytes!: Uint8Array<ArrayBuffer>;
  words!: Uint32Array;
  floats!: Float64Array;
  /** Where a text is encoded before its size is known. */
  scratch!: Uint8Array<ArrayBuffer>;
  /** A block for what does not fit into the scratch; 0 until it is needed. */
  #long = 0;

  /** With `image`, a copy of that instance in a larger memory; addresses stay as they are. */
  constructor(image?: Core, pages: number = 0) {
    compiled ??= compile();
    this.exports = new WebAssembly.Instance(compiled).exports as unknown as CoreExports;
    if (pages > 0) this.exports.memory.grow(pages - this.exports.memory.buffer.byteLength / PAGE);
    this.refresh();
    if (image === undefined) return;
    this.bytes.set(image.bytes);
    this.#long = image.#long;
  }

  /** Must follow every call that may have grown the memory when `bytes.length` is 0. */
  refresh(): void {
    const buffer = this.exports.memory.buffer;
    this.bytes = new Uint8Array(buffer);
    this.words = new Uint32Array(buffer);
    this.floats = new Float64Array(buffer);
    this.scratch = this.bytes.subarray(SCRATCH, SCRATCH + SCRATCH_SIZE);
  }

  /**
   * A block of the memory, which `exports.free` takes back.
   *
   * @throws {ZmqError} `ENOBUFS` when there is none.
   */
  block(size: number, use: string): number {
    const at = this.exports.alloc(size) >>> 0;
    if (this.bytes.length === 0) this.refresh();
    if (at !== 0) return at;
    throw new ZmqError("ENOBUFS", `Cannot ${use}: the core's memory is exhausted`);
  }

  /**
   * Where a topic of `size` octets can lie until the next call of this or of `place`; 0 when it is too long, or there is no
   * memory.
   */
  room(size: number): number {
    if (size <= SCRATCH_SIZE) return SCRATCH;
    if (size > TOPIC_LIMIT) return 0;
    if (this.#long === 0) {
      this.#long = this.exports.alloc(TOPIC_LIMIT) >>> 0;
      if (this.bytes.length === 0) this.refresh();
    }
    return this.#long;
  }

  /** Puts a topic where the core can read it; its address, or 0 as `room`. */
  place(topic: Uint8Array): number {
    const at = this.room(topic.length);
    if (at !== 0) this.bytes.set(topic, at);
    return at;
  }
}
