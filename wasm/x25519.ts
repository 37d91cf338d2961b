// X25519 (RFC 7748): the public key of a secret one, or a secret that two share. It is called once for a key, so it is
// written to be short, not to be fast.
//
// Numbers are 256 bits in eight words of 32, the lowest first, and stand for themselves modulo p = 2^255 - 19. Since 2^256
// is 38 modulo p, whatever is carried out of the highest word comes in again below, times 38; only the answer is reduced.
//
// Constant time: every loop runs a fixed number of times, every branch is on a loop's counter, and every address is a
// constant or comes from a counter. A bit of the scalar becomes a mask, a carry is an addend like any other. What is left
// is addition, exclusive or, fixed shifts and the multiplication of 32-bit halves, which the processors that engines
// compile for do in the same time for all operands.

/** Octets of a number. */
const SIZE: u32 = 32;
const LIMB: u64 = 0xffffffff;

const numbers: u32 = u32(memory.data(14 * 32, 16));
// The ladder's two points as fractions, their common difference, and room for what is between.
const x1: u32 = numbers;
const x2: u32 = numbers + SIZE;
const z2: u32 = numbers + 2 * SIZE;
const x3: u32 = numbers + 3 * SIZE;
const z3: u32 = numbers + 4 * SIZE;
const a: u32 = numbers + 5 * SIZE;
const b: u32 = numbers + 6 * SIZE;
const c: u32 = numbers + 7 * SIZE;
const d: u32 = numbers + 8 * SIZE;
const e: u32 = numbers + 9 * SIZE;
/** (486662 - 2) / 4, the constant of Curve25519 in the ladder. */
const factor: u32 = numbers + 10 * SIZE;
/** The scalar with its fixed bits: the lowest three are 0, bit 254 is 1, and bit 255 does not count. */
const bits: u32 = numbers + 11 * SIZE;
/** Two numbers: a product before it is folded. */
const wide: u32 = numbers + 12 * SIZE;
const ALL: u32 = 14 * SIZE;

/** Brings in what was carried out of a number: from -1 to 38. */
function settle(out: u32, carry: i64): void {
  carry *= 38;
  for (let i: u32 = 0; i < SIZE; i += 4) {
    carry += i64(load<u32>(out + i));
    store<u32>(out + i, u32(carry));
    carry >>= 32;
  }
  // If something was carried again, the number is now within 38 * 38 of 0 or 2^256 and cannot wrap around once more.
  store<u32>(out, load<u32>(out) + u32(carry * 38));
}

function add(out: u32, left: u32, right: u32): void {
  let carry: i64 = 0;
  for (let i: u32 = 0; i < SIZE; i += 4) {
    carry += i64(load<u32>(left + i)) + i64(load<u32>(right + i));
    store<u32>(out + i, u32(carry));
    carry >>= 32;
  }
  settle(out, carry);
}

function subtract(out: u32, left: u32, right: u32): void {
  let carry: i64 = 0;
  for (let i: u32 = 0; i < SIZE; i += 4) {
    carry += i64(load<u32>(left + i)) - i64(load<u32>(right + i));
    store<u32>(out + i, u32(carry));
    carry >>= 32;
  }
  settle(out, carry);
}

function multiply(out: u32, left: u32, right: u32): void {
  memory.fill(wide, 0, SIZE);
  for (let i: u32 = 0; i < SIZE; i += 4) {
    const times: u64 = load<u32>(left + i);
    const row = wide + i;
    let carry: u64 = 0;
    // A product and two words more are at most 2^64 - 1.
    for (let j: u32 = 0; j < SIZE; j += 4) {
      carry += times * u64(load<u32>(right + j)) + u64(load<u32>(row + j));
      store<u32>(row + j, u32(carry));
      carry >>= 32;
    }
    store<u32>(row + SIZE, u32(carry));
  }
  let carry: u64 = 0;
  for (let i: u32 = 0; i < SIZE; i += 4) {
    carry += u64(load<u32>(wide + i)) + 38 * u64(load<u32>(wide + SIZE + i));
    store<u32>(out + i, u32(carry));
    carry >>= 32;
  }
  settle(out, i64(carry));
}

/** Exchanges two numbers when `swap` is 1, and does the same work when it is 0. */
function exchange(left: u32, right: u32, swap: u32): void {
  const mask = u64(0) - u64(swap);
  for (let i: u32 = 0; i < SIZE; i += 8) {
    const difference = (load<u64>(left + i) ^ load<u64>(right + i)) & mask;
    store<u64>(left + i, load<u64>(left + i) ^ difference);
    store<u64>(right + i, load<u64>(right + i) ^ difference);
  }
}

/** To the power of p - 2, which is the inverse, and 0 for 0. In binary p - 2 is 255 ones but for the bits 4 and 2. */
function invert(out: u32, number: u32): void {
  memory.copy(out, number, SIZE);
  for (let bit = 253; bit >= 0; bit--) {
    multiply(out, out, out);
    if (bit != 4 && bit != 2) multiply(out, out, number);
  }
}

/** Adds 19 times `times`, and takes bit 255 off, which is the answer. */
function addNineteen(out: u32, times: u64): u64 {
  let carry = 19 * times;
  for (let i: u32 = 0; i < SIZE; i += 4) {
    carry += load<u32>(out + i);
    store<u32>(out + i, u32(carry));
    carry >>= 32;
  }
  const top = load<u32>(out + SIZE - 4);
  store<u32>(out + SIZE - 4, top & 0x7fffffff);
  return u64(top >> 31);
}

/** Makes a number less than p. */
function reduce(out: u32): void {
  // Bit 255 counts as 19. What 19 add to may reach it again, but is then too small for a third time.
  const top = addNineteen(out, 0);
  const again = addNineteen(out, top);
  addNineteen(out, again);
  // Below 2^255, the number is p or more exactly when 19 more reach bit 255.
  memory.copy(wide, out, SIZE);
  const above = addNineteen(wide, 1);
  addNineteen(out, above);
}

/** The x-coordinate of the point at `point` times the scalar at `scalar`, to `out`, which may be one of them: 32 octets each. */
export function x25519(scalar: u32, point: u32, out: u32): void {
  memory.copy(bits, scalar, SIZE);
  store<u8>(bits, load<u8>(bits) & 248);
  store<u8>(bits + 31, load<u8>(bits + 31) | 64);
  memory.copy(x1, point, SIZE);
  store<u8>(x1 + 31, load<u8>(x1 + 31) & 127);
  memory.copy(x3, x1, SIZE);
  store<u32>(x2, 1);
  store<u32>(z3, 1);
  store<u32>(factor, 121665);

  // x2/z2 is the multiple of the point by the bits so far, x3/z3 that of one more.
  let swapped: u32 = 0;
  for (let bit: i32 = 254; bit >= 0; bit--) {
    const one: u32 = (u32(load<u8>(bits + (u32(bit) >> 3))) >> (u32(bit) & 7)) & 1;
    exchange(x2, x3, swapped ^ one);
    exchange(z2, z3, swapped ^ one);
    swapped = one;
    add(a, x2, z2);
    subtract(b, x2, z2);
    add(c, x3, z3);
    subtract(d, x3, z3);
    multiply(d, d, a);
    multiply(c, c, b);
    add(x3, d, c);
    multiply(x3, x3, x3);
    subtract(z3, d, c);
    multiply(z3, z3, z3);
    multiply(z3, z3, x1);
    multiply(a, a, a);
    multiply(b, b, b);
    multiply(x2, a, b);
    subtract(e, a, b);
    multiply(z2, e, factor);
    add(z2, z2, a);
    multiply(z2, z2, e);
  }
  // The last bits are 0, so nothing is exchanged any more.
  invert(a, z2);
  multiply(a, a, x2);
  reduce(a);
  memory.copy(out, a, SIZE);
  memory.fill(numbers, 0, ALL);
}
