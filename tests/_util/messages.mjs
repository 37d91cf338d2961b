// Messages that two processes generate alike, so that both can check every byte without sending
// the content over a side channel. Plain JavaScript: the libzmq peer runs on any Node.

/**
 * Which messages to make. Message `i` has `parts[0]` to `parts[1]` frames, in turn; the sizes go
 * round too, so that `sizes.length` times the number of part counts is one full grid.
 *
 * @typedef {object} MessageSpec
 * @property {number} seed
 * @property {number} count
 * @property {readonly number[]} sizes
 * @property {readonly [number, number]} parts
 */

const OFFSETS = 65_536;
const LARGEST = 1 << 20;
const pool = randomBytes(LARGEST + OFFSETS);

/**
 * Frames of message `index`: views on memory that is never written again.
 *
 * @param {MessageSpec} spec
 * @param {number} index
 * @returns {Uint8Array[]}
 */
export function makeMessage({ seed, sizes, parts: [least, most] }, index) {
  const variants = most - least + 1;
  const count = least + index % variants;
  const first = Math.floor(index / variants);
  const frames = new Array(count);
  for (let part = 0; part < count; part++) {
    const offset = mix(seed, index, part) % OFFSETS;
    frames[part] = pool.subarray(offset, offset + sizes[(first + part) % sizes.length]);
  }
  return frames;
}

/**
 * Says how a received message differs from message `index`; undefined if it does not.
 *
 * @param {readonly Uint8Array[]} actual
 * @param {MessageSpec} spec
 * @param {number} index
 * @returns {string | undefined}
 */
export function findDifference(actual, spec, index) {
  const expected = makeMessage(spec, index);
  if (actual.length !== expected.length || actual.some((x, i) => x.length !== expected[i].length)) {
    return `message ${index} has frames of ${sizesOf(actual)} bytes, expected ${sizesOf(expected)}`;
  }
  for (let part = 0; part < expected.length; part++) {
    const at = firstDifference(actual[part], expected[part]);
    if (at >= 0) {
      return `message ${index} differs in frame ${part} (${expected[part].length} bytes) ` +
        `at byte ${at}: ${actual[part][at]}, expected ${expected[part][at]}`;
    }
  }
  return undefined;
}

/** @param {readonly Uint8Array[]} frames */
function sizesOf(frames) {
  return `[${frames.map((frame) => frame.length).join(", ")}]`;
}

/**
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 */
function firstDifference(a, b) {
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) return i;
  return -1;
}

/**
 * @param {number} seed
 * @param {number} index
 * @param {number} part
 */
function mix(seed, index, part) {
  let hash = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b) ^
    Math.imul(part + 1, 0xc2b2ae35);
  hash = Math.imul(hash ^ hash >>> 15, 0x2c1b3c6d);
  return (hash ^ hash >>> 13) >>> 0;
}

/** @param {number} length */
function randomBytes(length) {
  const words = new Uint32Array(length / 4);
  let state = 0x12345678;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer);
}
