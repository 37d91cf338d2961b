// deno-fmt-ignore-file: it would drop the decorators of functions.

// Poly1305 (Bernstein, RFC 8439): a tag for octets, by a key that is used once. Four limbs to the base of 2^32, and no
// branch or address that depends on them: only the number of octets, which everybody can see, decides what is executed.
//
// Tags can wait: the cipher goes on with them while it makes a stream, as they need other units of the processor.

/**
 * The clamped key r in four words; from octet 16 on five quarters of r1 to r3; from 32 on the sum in four limbs of 64 bits;
 * from 64 on what is added last.
 */
const state: u32 = u32(memory.data(80, 16));
/** Where it is. Not a constant, because an address in a register makes shorter instructions. */
let place: u32 = 0;

/** Begins with a key of 32 octets. */
export function polyStart(key: u32): void {
  const r1 = load<u32>(key, 4) & 0x0ffffffc;
  const r2 = load<u32>(key, 8) & 0x0ffffffc;
  const r3 = load<u32>(key, 12) & 0x0ffffffc;
  store<u32>(state, load<u32>(key) & 0x0fffffff);
  store<u32>(state, r1, 4);
  store<u32>(state, r2, 8);
  store<u32>(state, r3, 12);
  // What is worth 2^128 and more comes back as five quarters: r1 to r3 are multiples of 4.
  store<u32>(state, r1 + (r1 >> 2), 16);
  store<u32>(state, r2 + (r2 >> 2), 20);
  store<u32>(state, r3 + (r3 >> 2), 24);
  v128.store(state, i64x2.splat(0), 32);
  v128.store(state, i64x2.splat(0), 48);
  v128.store(state, v128.load(key, 16), 64);
  place = state;
}

/**
 * Adds a block, and multiplies. Of the limbs the first has less than 2.1 * 2^32 before the block is added, the last less
 * than 2^34, the others 2^32; r has 28 bits a word: each sum of four products and a carry is below 2^64.
 */
@inline
function absorb(m0: u64, m1: u64, m2: u64, m3: u64): void {
  const at = place;
  const h0 = load<u64>(at, 32) + m0;
  const h1 = load<u64>(at, 40) + m1;
  const h2 = load<u64>(at, 48) + m2;
  const h3 = load<u64>(at, 56) + m3;
  const d0 = h0 * word(at, 0) + h1 * word(at, 24) + (h2 * word(at, 20) + h3 * word(at, 16));
  store<u64>(at, u64(u32(d0)), 32);
  const d1 = (d0 >> 32) + h0 * word(at, 4) + h1 * word(at, 0) +
    (h2 * word(at, 24) + h3 * word(at, 20));
  store<u64>(at, u64(u32(d1)), 40);
  const d2 = (d1 >> 32) + h0 * word(at, 8) + h1 * word(at, 4) +
    (h2 * word(at, 0) + h3 * word(at, 24));
  store<u64>(at, u64(u32(d2)), 48);
  const d3 = (d2 >> 32) + h0 * word(at, 12) + h1 * word(at, 8) +
    (h2 * word(at, 4) + h3 * word(at, 0));
  store<u64>(at, d3 & 0x3ffffffff, 56);
  store<u64>(at, load<u64>(at, 32) + (d3 >> 34) * 5, 32);
}

/** A word of the key. They are read where they are used: a compiler has no register for each of them. */
@inline
function word(at: u32, offset: u32): u64 {
  return load<u32>(at + offset);
}

/** Takes the 16 octets at `text`. */
@inline
export function polyBlock(text: u32): void {
  const last = u64(load<u32>(text, 12)) | 0x100000000;
  absorb(load<u32>(text), load<u32>(text, 4), load<u32>(text, 8), last);
}

/** Takes the last octets, or any number of whole blocks. The 16 octets before their end must be readable. */
export function polyUpdate(text: u32, size: u32): void {
  const end = text + size;
  for (; end - text >= 16; text += 16) polyBlock(text);
  const rest = end - text;
  if (rest == 0) return;
  // The octets before the rest are shifted out, and a 1 follows it.
  let low = load<u64>(end - 16);
  let high = load<u64>(end - 8);
  const bits = u64(16 - rest) << 3;
  if (bits >= 64) {
    low = high >> (bits - 64);
    high = 0;
  } else {
    low = (low >> bits) | (high << (64 - bits));
    high >>= bits;
  }
  if (rest >= 8) high |= u64(1) << (u64(rest - 8) << 3);
  else low |= u64(1) << (u64(rest) << 3);
  absorb(u64(u32(low)), low >> 32, u64(u32(high)), high >> 32);
}

/** Writes the tag to `tag`, and forgets the key. */
export function polyFinish(tag: u32): void {
  let h0 = load<u64>(state, 32);
  let h1 = load<u64>(state, 40) + (h0 >> 32);
  let h2 = load<u64>(state, 48) + (h1 >> 32);
  let h3 = load<u64>(state, 56) + (h2 >> 32);
  let h4 = h3 >> 32;
  // What is worth 2^130 comes back as 5; then h1 is so small that no carry reaches h2.
  h0 = u64(u32(h0)) + 5 * (h4 >> 2);
  h1 = u64(u32(h1)) + (h0 >> 32);
  h2 = u64(u32(h2));
  h3 = u64(u32(h3));
  h4 &= 3;
  // Of the sum and the sum less 2^130 - 5, the one that is reduced; a mask chooses.
  const g0 = u64(u32(h0)) + 5;
  const g1 = u64(u32(h1)) + (g0 >> 32);
  const g2 = u64(u32(h2)) + (g1 >> 32);
  const g3 = u64(u32(h3)) + (g2 >> 32);
  const mask = u64(0) - ((h4 + (g3 >> 32)) >> 2);
  h0 = (h0 & ~mask) | (g0 & mask);
  h1 = (h1 & ~mask) | (g1 & mask);
  h2 = (h2 & ~mask) | (g2 & mask);
  h3 = (h3 & ~mask) | (g3 & mask);
  const low = u64(u32(h0)) | (h1 << 32);
  const high = u64(u32(h2)) | (h3 << 32);
  const sum = low + load<u64>(state, 64);
  store<u64>(tag, sum);
  store<u64>(tag, high + load<u64>(state, 72) + u64(sum < low), 8);
  for (let i: u32 = 0; i < 80; i += 16) v128.store(state + i, i64x2.splat(0));
}

// Tags that wait

/** Of each message its text, the octets of that, the key of its tag, and where the tag goes: 64 of them at most. */
const list: u32 = u32(memory.data(64 * 16, 16));
const ITEM: u32 = 16;

/** Where the whole blocks are that come next, of the tag under way, and where they end. */
export let blocksAt: u32 = 0;
export let blocksEnd: u32 = 0;
/** Tags in the list that are not finished. */
export let tagsLeft: u32 = 0;
/** The one under way, or the first; and where the next one is put. */
let item: u32 = 0;
let free: u32 = 0;
let begun: bool = false;

/** Lets whole blocks of the tag that was begun with polyStart wait. */
@inline
export function blocksWait(text: u32, end: u32): void {
  blocksAt = text;
  blocksEnd = end;
}

/** Takes the blocks that wait. */
export function blocksTake(): void {
  polyUpdate(blocksAt, blocksEnd - blocksAt);
  blocksAt = blocksEnd;
}

/** Lets a whole message wait, whose key and text stay where they are until its tag is there. */
export function tagWait(text: u32, size: u32, key: u32, tag: u32): void {
  if (tagsLeft == 0) {
    item = list;
    free = list;
  }
  store<u32>(free, text);
  store<u32>(free, size, 4);
  store<u32>(free, key, 8);
  store<u32>(free, tag, 12);
  free += ITEM;
  ++tagsLeft;
}

/** When no block waits: finishes the tag that was under way, and begins the next one. */
export function tagNext(): void {
  if (begun) {
    polyUpdate(blocksEnd, load<u32>(item, 4) & 15);
    polyFinish(load<u32>(item, 12));
    item += ITEM;
    --tagsLeft;
    begun = false;
  }
  if (tagsLeft == 0) return;
  polyStart(load<u32>(item, 8));
  const text = load<u32>(item);
  blocksWait(text, text + (load<u32>(item, 4) & ~15));
  begun = true;
}

/** Makes all tags that wait. */
export function tagsFinish(): void {
  while (tagsLeft != 0) {
    blocksTake();
    tagNext();
  }
}
