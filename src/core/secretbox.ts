// NaCl's box of octets, XSalsa20-Poly1305, once there is a key for it: for the commands of a handshake.

import type { Core } from "./instance.ts";

const KEY_SIZE = 32;
const NONCE_SIZE = 24;
const TAG_SIZE = 16;

/** Seals octets: the tag, then as many octets. */
export function sealBox(
  core: Core,
  key: Uint8Array,
  nonce: Uint8Array,
  plain: Uint8Array,
): Uint8Array {
  return borrow(core, key, nonce, TAG_SIZE + plain.length, (at, box) => {
    core.bytes.set(plain, box + TAG_SIZE);
    core.exports.secretboxSeal(at, at + KEY_SIZE, box, plain.length);
    return core.bytes.slice(box, box + TAG_SIZE + plain.length);
  });
}

/** Opens what `sealBox` made; undefined when it was made with another key or nonce, or was altered. */
export function openBox(
  core: Core,
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const size = sealed.length - TAG_SIZE;
  if (size < 0) return undefined;
  return borrow(core, key, nonce, sealed.length, (at, box) => {
    core.bytes.set(sealed, box);
    if (core.exports.secretboxOpen(at, at + KEY_SIZE, box, size) === 0) return undefined;
    return core.bytes.slice(box + TAG_SIZE, box + sealed.length);
  });
}

/** The key for boxes between two sides with a shared secret, which is wiped: the rest of NaCl's "beforenm". */
export function boxKeyOf(core: Core, secret: Uint8Array): Uint8Array {
  const key = borrow(core, secret, new Uint8Array(NONCE_SIZE), 0, (at) => {
    core.exports.hsalsa20(at, at + KEY_SIZE, at);
    return core.bytes.slice(at, at + KEY_SIZE);
  });
  secret.fill(0);
  return key;
}

/** Lends memory of the core that begins with a key and a nonce, and has room for `size` octets; wiped afterwards. */
function borrow<T>(
  core: Core,
  key: Uint8Array,
  nonce: Uint8Array,
  size: number,
  use: (at: number, box: number) => T,
): T {
  const block = KEY_SIZE + NONCE_SIZE + size;
  const at = core.block(block, "encrypt");
  core.bytes.set(key, at);
  core.bytes.set(nonce, at + KEY_SIZE);
  try {
    return use(at, at + KEY_SIZE + NONCE_SIZE);
  } finally {
    core.bytes.fill(0, at, at + block);
    core.exports.free(at, block);
  }
}
