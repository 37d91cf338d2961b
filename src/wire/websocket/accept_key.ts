// The keys of a WebSocket handshake (RFC 6455, sections 4.1 and 4.2.2), and the SHA-1 (RFC 3174) they need. The hash protects
// nothing here, and the runtimes' own one is asynchronous.

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const BLOCK = 64;
/** The four constants of RFC 3174, section 5. */
const ROUNDS = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6];

/** True for the base64 of 16 octets. */
export function isKey(text: string): boolean {
  return /^[A-Za-z0-9+/]{22}==$/.test(text);
}

/** What a server answers to a client's key. */
export function acceptOf(key: string): string {
  return base64(sha1(new TextEncoder().encode(key + GUID)));
}

/** The SHA-1 of some octets, meant for a few dozen of them. */
export function sha1(octets: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil((octets.length + 9) / BLOCK) * BLOCK);
  padded.set(octets);
  padded[octets.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(octets.length) * 8n);
  const state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);
  for (let at = 0; at < padded.length; at += BLOCK) compress(state, view, at);
  const hash = new Uint8Array(20);
  const words = new DataView(hash.buffer);
  state.forEach((word, i) => words.setInt32(4 * i, word));
  return hash;
}

function compress(state: Int32Array, view: DataView, at: number): void {
  const words = new Int32Array(80);
  for (let t = 0; t < 80; t++) {
    words[t] = t < 16
      ? view.getInt32(at + 4 * t)
      : rotate(words[t - 3] ^ words[t - 8] ^ words[t - 14] ^ words[t - 16], 1);
  }
  let [a, b, c, d, e] = state;
  for (let t = 0; t < 80; t++) {
    const round = Math.floor(t / 20);
    const mixed = round === 0 ? (b & c) | (~b & d) : round === 2
      // The majority of the three.
      ? (b & c) | (b & d) | (c & d)
      : b ^ c ^ d;
    const next = (rotate(a, 5) + mixed + e + words[t] + ROUNDS[round]) | 0;
    [a, b, c, d, e] = [next, a, rotate(b, 30), c, d];
  }
  [a, b, c, d, e].forEach((word, i) => state[i] += word);
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

function base64(octets: Uint8Array): string {
  return btoa(String.fromCharCode(...octets));
}
