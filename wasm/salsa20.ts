// deno-fmt-ignore-file: it would drop the decorators of functions.

// Salsa20 (Bernstein): its stream, in groups of four blocks of 64 octets, and HSalsa20, which makes a key for it. There is
// no branch and no address that depends on a key, a nonce or the stream: only additions, exclusive ors and fixed shifts.

import { blocksAt, blocksEnd, blocksWait, polyBlock, tagNext, tagsLeft } from "./poly1305";

// "expand 32-byte k"
const C0: i32 = 0x61707865;
const C5: i32 = 0x3320646e;
const C10: i32 = 0x79622d32;
const C15: i32 = 0x6b206574;

/** Octets of a group. */
export const GROUP: u32 = 256;
/** Octets of its inputs: for each block the two words of the nonce and the two of the counter, block by block in a lane. */
export const INPUTS: u32 = 64;

@inline
function mix(x: v128, a: v128, b: v128, turn: i32): v128 {
  const sum = i32x4.add(a, b);
  return v128.xor(v128.xor(x, i32x4.shl(sum, turn)), i32x4.shr_u(sum, 32 - turn));
}

/** The state before the first round, a word of all blocks after the other. */
@inline
function begin(key: u32, inputs: u32, at: u32): void {
  v128.store(at, i32x4.splat(C0));
  v128.store(at, v128.load32_splat(key), 16);
  v128.store(at, v128.load32_splat(key, 4), 32);
  v128.store(at, v128.load32_splat(key, 8), 48);
  v128.store(at, v128.load32_splat(key, 12), 64);
  v128.store(at, i32x4.splat(C5), 80);
  v128.store(at, v128.load(inputs), 96);
  v128.store(at, v128.load(inputs, 16), 112);
  v128.store(at, v128.load(inputs, 32), 128);
  v128.store(at, v128.load(inputs, 48), 144);
  v128.store(at, i32x4.splat(C10), 160);
  v128.store(at, v128.load32_splat(key, 16), 176);
  v128.store(at, v128.load32_splat(key, 20), 192);
  v128.store(at, v128.load32_splat(key, 24), 208);
  v128.store(at, v128.load32_splat(key, 28), 224);
  v128.store(at, i32x4.splat(C15), 240);
}

/** Stores four words of each block where they belong. */
@inline
function put(at: u32, a: v128, b: v128, c: v128, d: v128): void {
  const abLow = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
  const abHigh = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  const cdLow = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
  const cdHigh = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  v128.store(at, v128.shuffle<u64>(abLow, cdLow, 0, 2));
  v128.store(at, v128.shuffle<u64>(abLow, cdLow, 1, 3), 64);
  v128.store(at, v128.shuffle<u64>(abHigh, cdHigh, 0, 2), 128);
  v128.store(at, v128.shuffle<u64>(abHigh, cdHigh, 1, 3), 192);
}

/** Adds the state before the first round to the one after the last, and leaves block after block. */
@inline
function end(key: u32, inputs: u32, at: u32): void {
  const x0 = i32x4.add(v128.load(at), i32x4.splat(C0));
  const x1 = i32x4.add(v128.load(at, 16), v128.load32_splat(key));
  const x2 = i32x4.add(v128.load(at, 32), v128.load32_splat(key, 4));
  const x3 = i32x4.add(v128.load(at, 48), v128.load32_splat(key, 8));
  const x4 = i32x4.add(v128.load(at, 64), v128.load32_splat(key, 12));
  const x5 = i32x4.add(v128.load(at, 80), i32x4.splat(C5));
  const x6 = i32x4.add(v128.load(at, 96), v128.load(inputs));
  const x7 = i32x4.add(v128.load(at, 112), v128.load(inputs, 16));
  const x8 = i32x4.add(v128.load(at, 128), v128.load(inputs, 32));
  const x9 = i32x4.add(v128.load(at, 144), v128.load(inputs, 48));
  const x10 = i32x4.add(v128.load(at, 160), i32x4.splat(C10));
  const x11 = i32x4.add(v128.load(at, 176), v128.load32_splat(key, 16));
  const x12 = i32x4.add(v128.load(at, 192), v128.load32_splat(key, 20));
  const x13 = i32x4.add(v128.load(at, 208), v128.load32_splat(key, 24));
  const x14 = i32x4.add(v128.load(at, 224), v128.load32_splat(key, 28));
  const x15 = i32x4.add(v128.load(at, 240), i32x4.splat(C15));
  put(at, x0, x1, x2, x3);
  put(at + 16, x4, x5, x6, x7);
  put(at + 32, x8, x9, x10, x11);
  put(at + 48, x12, x13, x14, x15);
}

/**
 * Writes groups of the stream of `key` to `out`; each has its own `inputs`. One group waits for its own results most of the
 * time: two rounds of each in turn keep the processor busy, and so do the tags that wait, a block of Poly1305 for each
 * round. What is left of these when the stream is made still waits.
 */
export function stream(key: u32, inputs: u32, out: u32, groups: u32): void {
  const last = out + groups * GROUP;
  for (let at = out, from = inputs; at != last; at += GROUP, from += INPUTS) begin(key, from, at);
  let text = blocksAt;
  let stop = blocksEnd;
  for (let i = 0; i < 10; i++) {
    for (let at = out; at != last; at += GROUP) {
      let x0 = v128.load(at);
      let x4 = v128.load(at, 64);
      let x8 = v128.load(at, 128);
      let x12 = v128.load(at, 192);
      x4 = mix(x4, x0, x12, 7);
      x8 = mix(x8, x4, x0, 9);
      x12 = mix(x12, x8, x4, 13);
      x0 = mix(x0, x12, x8, 18);
      let x5 = v128.load(at, 80);
      let x9 = v128.load(at, 144);
      let x13 = v128.load(at, 208);
      let x1 = v128.load(at, 16);
      x9 = mix(x9, x5, x1, 7);
      x13 = mix(x13, x9, x5, 9);
      x1 = mix(x1, x13, x9, 13);
      x5 = mix(x5, x1, x13, 18);
      let x10 = v128.load(at, 160);
      let x14 = v128.load(at, 224);
      let x2 = v128.load(at, 32);
      let x6 = v128.load(at, 96);
      x14 = mix(x14, x10, x6, 7);
      x2 = mix(x2, x14, x10, 9);
      x6 = mix(x6, x2, x14, 13);
      x10 = mix(x10, x6, x2, 18);
      let x15 = v128.load(at, 240);
      let x3 = v128.load(at, 48);
      let x7 = v128.load(at, 112);
      let x11 = v128.load(at, 176);
      x3 = mix(x3, x15, x11, 7);
      x7 = mix(x7, x3, x15, 9);
      x11 = mix(x11, x7, x3, 13);
      x15 = mix(x15, x11, x7, 18);
      if (text != stop) {
        polyBlock(text);
        text += 16;
      }
      x1 = mix(x1, x0, x3, 7);
      x2 = mix(x2, x1, x0, 9);
      x3 = mix(x3, x2, x1, 13);
      x0 = mix(x0, x3, x2, 18);
      v128.store(at, x0);
      v128.store(at, x1, 16);
      v128.store(at, x2, 32);
      v128.store(at, x3, 48);
      x6 = mix(x6, x5, x4, 7);
      x7 = mix(x7, x6, x5, 9);
      x4 = mix(x4, x7, x6, 13);
      x5 = mix(x5, x4, x7, 18);
      v128.store(at, x4, 64);
      v128.store(at, x5, 80);
      v128.store(at, x6, 96);
      v128.store(at, x7, 112);
      x11 = mix(x11, x10, x9, 7);
      x8 = mix(x8, x11, x10, 9);
      x9 = mix(x9, x8, x11, 13);
      x10 = mix(x10, x9, x8, 18);
      v128.store(at, x8, 128);
      v128.store(at, x9, 144);
      v128.store(at, x10, 160);
      v128.store(at, x11, 176);
      x12 = mix(x12, x15, x14, 7);
      x13 = mix(x13, x12, x15, 9);
      x14 = mix(x14, x13, x12, 13);
      x15 = mix(x15, x14, x13, 18);
      v128.store(at, x12, 192);
      v128.store(at, x13, 208);
      v128.store(at, x14, 224);
      v128.store(at, x15, 240);
      if (text != stop) {
        polyBlock(text);
        text += 16;
      } else if (tagsLeft != 0) {
        tagNext();
        text = blocksAt;
        stop = blocksEnd;
      }
    }
  }
  blocksWait(text, stop);
  for (let at = out, from = inputs; at != last; at += GROUP, from += INPUTS) end(key, from, at);
}

/** Where HSalsa20 has its input, and the stream of that. */
const inputs: u32 = u32(memory.data(64, 16));
const scratch: u32 = u32(memory.data(256, 16));

/** The 32 octets of HSalsa20 from a key of 32 octets and 16 more, to `out`, which may be the key. */
export function hsalsa20(key: u32, input: u32, out: u32): void {
  for (let i: u32 = 0; i < 4; i++) {
    v128.store(inputs + (i << 4), v128.load32_splat(input + (i << 2)));
  }
  stream(key, inputs, scratch, 1);
  // A block of the stream is what HSalsa20 wants, but for the input that Salsa20 adds at the end.
  store<u32>(out, load<u32>(scratch) - C0);
  store<u32>(out, load<u32>(scratch, 20) - C5, 4);
  store<u32>(out, load<u32>(scratch, 40) - C10, 8);
  store<u32>(out, load<u32>(scratch, 60) - C15, 12);
  v128.store(out, i32x4.sub(v128.load(scratch, 24), v128.load(input)), 16);
  memory.fill(scratch, 0, GROUP);
}
