// Sees the memory of every instance of the core that is made from now on, so that a test can look for octets that should not
// be there any more.

import { concat } from "./octets.ts";

interface Instance {
  readonly exports: { readonly memory?: { readonly buffer: ArrayBuffer } };
}

interface WebAssemblyNames {
  Instance: new (module: unknown, imports?: unknown) => Instance;
}

/** The memories of the instances made while it watches. */
export class CoreMemories {
  readonly #names = (globalThis as unknown as { WebAssembly: WebAssemblyNames }).WebAssembly;
  readonly #usual = this.#names.Instance;
  readonly #instances: Instance[] = [];

  constructor() {
    const instances = this.#instances;
    this.#names.Instance = class extends this.#usual {
      constructor(module: unknown, imports?: unknown) {
        super(module, imports);
        instances.push(this);
      }
    };
  }

  /** How many instances were made. */
  get count(): number {
    return this.#instances.length;
  }

  /** In how many places eight octets in a row of these are; the ends do not matter, which X25519 changes. */
  find(octets: Uint8Array): number {
    let found = 0;
    for (const { exports: { memory } } of this.#instances) {
      if (memory === undefined) continue;
      const bytes = new Uint8Array(memory.buffer);
      for (let at = 4; at + 8 < octets.length; at += 8) {
        found += count(bytes, octets.subarray(at, at + 8));
      }
    }
    return found;
  }

  /** Watches no more. */
  stop(): void {
    this.#names.Instance = this.#usual;
  }
}

function count(bytes: Uint8Array, part: Uint8Array): number {
  let found = 0;
  for (let at = bytes.indexOf(part[0]); at >= 0; at = bytes.indexOf(part[0], at + 1)) {
    let same = 1;
    while (same < part.length && bytes[at + same] === part[same]) same++;
    if (same === part.length) found++;
  }
  return found;
}

/** Where these octets could be told in a text: as hex, base64, Z85 or a list of numbers. */
export function spellings(octets: Uint8Array, z85: string): string[] {
  const hex = [...octets].map((octet) => octet.toString(16).padStart(2, "0")).join("");
  const middle = octets.subarray(8, 20);
  return [
    hex.slice(0, 16),
    hex.slice(-16),
    btoa(String.fromCharCode(...octets)).slice(0, 12),
    z85.slice(0, 10),
    z85.slice(-10),
    [...middle].join(","),
    [...middle].join(", "),
    String.fromCharCode(...concat(middle)),
  ];
}
