// deno-fmt-ignore-file: it would drop the decorators of functions.

// XSalsa20-Poly1305, the box of NaCl: seals and opens octets in pieces, and whole messages with a nonce of 24 octets. The
// first 32 octets of the stream are the key of the tag, the message takes those behind. The tag is made of what is sealed.

import { blocksTake, blocksWait, polyFinish, polyStart, polyUpdate } from "./poly1305";
import { GROUP, hsalsa20, INPUTS, stream } from "./salsa20";

/** Octets of the stream that are made at once: two groups. */
const TILE: u32 = 512;
/** Octets of the stream that are the key of the tag. */
const TAG_KEY: u32 = 32;
const TAG: u32 = 16;

/** Two tiles of the stream: the one in use, and the next. */
const tiles: u32 = u32(memory.data(2 * 512, 16));
const inputs: u32 = u32(memory.data(2 * 64, 16));
const subkey: u32 = u32(memory.data(32, 16));

// The message under way.
let key: u32 = 0;
/** The tile in use, its octets, and how many of them were used. */
let tile: u32 = 0;
let length: u32 = 0;
let used: u32 = 0;

/** Makes the next tile of the stream, of one group where no more is needed. */
function advance(next: u32, size: u32): void {
  length = size > GROUP ? TILE : GROUP;
  stream(key, inputs, next, length / GROUP);
  tile = next;
  used = 0;
  const count = i32x4.splat(length / 64);
  v128.store(inputs, i32x4.add(v128.load(inputs, 32), count), 32);
  v128.store(inputs, i32x4.add(v128.load(inputs, INPUTS + 32), count), INPUTS + 32);
}

/** Begins a message under the 32 octets at `salsaKey`, which stay in use, with the eight octets of a nonce at `nonce`. */
export function boxStart(salsaKey: u32, nonce: u32): void {
  key = salsaKey;
  for (let at = inputs, count = 0; count < 8; at += INPUTS, count += 4) {
    v128.store(at, v128.load32_splat(nonce));
    v128.store(at, v128.load32_splat(nonce, 4), 16);
    v128.store(at, i32x4.add(i32x4.splat(count), i32x4(0, 1, 2, 3)), 32);
  }
  advance(tiles, TILE);
  polyStart(tile);
  used = TAG_KEY;
}

/**
 * Seals (`opening` 0) or opens the next octets from `from` to `to`: the same place, one before it, or one elsewhere. But for
 * the last, a piece has 32 octets less than a multiple of 256, or a multiple of 256 after the first.
 */
export function boxUpdate(from: u32, to: u32, size: u32, opening: u32): void {
  while (size != 0) {
    const at = tile + used;
    const some = min(length - used, size);
    const text = opening ? from : to;
    if (!opening) mask(from, to, at, some);
    if (size > some) {
      blocksWait(text, text + some);
      advance(tiles + (tiles + TILE - tile), size - some);
      blocksTake();
    } else {
      polyUpdate(text, some);
      used += some;
    }
    if (opening) mask(from, to, at, some);
    from += some;
    to += some;
    size -= some;
  }
}

/** Writes the tag of the message to `tag`, and forgets the stream. */
export function boxTag(tag: u32): void {
  polyFinish(tag);
  memory.fill(tiles, 0, 2 * TILE);
}

/** As boxTag, but answers 1 if the tag is that at `tag`. All 16 octets are compared, whatever the first ones are. */
export function boxMatches(tag: u32): u32 {
  polyFinish(tiles);
  const matches = tagsEqual(tiles, tag);
  memory.fill(tiles, 0, 2 * TILE);
  return u32(matches);
}

@inline
export function tagsEqual(a: u32, b: u32): bool {
  return !v128.any_true(v128.xor(v128.load(a), v128.load(b)));
}

/** The exclusive or of octets and the stream; `to` is as for boxUpdate. */
export function mask(from: u32, to: u32, stream: u32, size: u32): void {
  const end = from + size;
  for (; end - from >= 16; from += 16, to += 16, stream += 16) {
    v128.store(to, v128.xor(v128.load(from), v128.load(stream)));
  }
  if (size & 8) {
    store<u64>(to, load<u64>(from) ^ load<u64>(stream));
    from += 8;
    to += 8;
    stream += 8;
  }
  if (size & 4) {
    store<u32>(to, load<u32>(from) ^ load<u32>(stream));
    from += 4;
    to += 4;
    stream += 4;
  }
  for (; from != end; from++, to++, stream++) {
    store<u8>(to, load<u8>(from) ^ load<u8>(stream));
  }
}

function start(boxKey: u32, nonce: u32): void {
  hsalsa20(boxKey, nonce, subkey);
  boxStart(subkey, nonce + 16);
}

/** NaCl's secretbox, or the rest of its box: seals `size` octets at `text` + 16 in place, with the tag before them. */
export function secretboxSeal(boxKey: u32, nonce: u32, text: u32, size: u32): void {
  start(boxKey, nonce);
  boxUpdate(text + TAG, text + TAG, size, 0);
  boxTag(text);
  memory.fill(subkey, 0, 32);
}

/** Opens it in place: 1, or 0 when it was not sealed so, and nothing of it is left. */
export function secretboxOpen(boxKey: u32, nonce: u32, text: u32, size: u32): u32 {
  start(boxKey, nonce);
  boxUpdate(text + TAG, text + TAG, size, 1);
  const matches = boxMatches(text);
  memory.fill(subkey, 0, 32);
  if (!matches) memory.fill(text, 0, TAG + size);
  return matches;
}
