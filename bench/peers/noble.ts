// NaCl's box of @noble/ciphers, in JavaScript; the same file runs on Deno, Bun and Node.

import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { type Batch, boxesJob } from "./boxes.ts";
import { runJobs } from "./peer.ts";

function makeBatch(count: number, size: number): Batch {
  const key = crypto.getRandomValues(new Uint8Array(32));
  const nonces = Array.from({ length: count }, () => crypto.getRandomValues(new Uint8Array(24)));
  const text = new Uint8Array(size).fill(7);
  const seal = (nonce: Uint8Array) => xsalsa20poly1305(key, nonce).encrypt(text);
  const sealed = nonces.map(seal);
  return {
    seal() {
      for (const nonce of nonces) seal(nonce);
    },
    refill() {},
    open() {
      for (let i = 0; i < count; i++) xsalsa20poly1305(key, nonces[i]).decrypt(sealed[i]);
    },
  };
}

await runJobs(boxesJob((count, size) => [
  { sealed: "sealed", opened: "opened", batch: makeBatch(count, size) },
]));
