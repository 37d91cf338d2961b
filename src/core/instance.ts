// The only file that names WebAssembly: compiles the core once, instantiates it as often as needed, and keeps the views
// on an instance's memory.

import { SCRATCH, SCRATCH_SIZE } from "../../wasm/layout.ts";
import { ZmqError } from "../errors.ts";
import { BINARY } from "./binary.ts";

/** The functions of the core; wasm/README.md describes them. Addresses and sizes are in octets. */
export interface CoreExports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  memoryLimit(pages: number): void;
  alloc(size: number): number;
  free(block: number, size: number): void;
  scan(at: number, end: number, middle: number, limit: number, slab: number): number;
  outboxNew(): number;
  outboxFree(box: number): void;
  outboxPush(box: number, size: number, more: number): number;
  outboxPushReference(box: number, size: number, more: number): number;
  outboxAbort(box: number): void;
  outboxTake(box: number, limit: number): number;
  outboxRelease(box: number): void;
  outboxRewind(box: number, written: number): number;
  outboxTrim(box: number): number;
}

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

function decode(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

function compile(): WebAssembly.Module {
  try {
    return new WebAssembly.Module(decode(BINARY));
  } catch (cause) {
    throw new ZmqError(
      "ENOTSUP",
      "Cannot compile the WebAssembly core here: give a compiled module to provideCore",
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

  constructor() {
    compiled ??= compile();
    this.exports = new WebAssembly.Instance(compiled).exports as unknown as CoreExports;
    this.refresh();
  }

  /** Must follow every call that may have grown the memory when `bytes.length` is 0. */
  refresh(): void {
    const buffer = this.exports.memory.buffer;
    this.bytes = new Uint8Array(buffer);
    this.words = new Uint32Array(buffer);
    this.floats = new Float64Array(buffer);
    this.scratch = this.bytes.subarray(SCRATCH, SCRATCH + SCRATCH_SIZE);
  }
}
