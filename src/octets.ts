// What several layers do with octets.

/** Something that names the memory its octets go to, and is told when they are there. */
export interface Filling {
  /** Where the next octets go; never empty. */
  target(): Uint8Array;
  /** The first `count` octets of `target` were filled. */
  filled(count: number): void;
}

/** Gives octets to something that names its own memory for them. */
export function fill(filling: Filling, octets: Uint8Array): void {
  for (let at = 0; at < octets.length;) {
    const target = filling.target();
    const piece = at === 0 && octets.length <= target.length
      ? octets
      : octets.subarray(at, at + target.length);
    target.set(piece);
    at += piece.length;
    filling.filled(piece.length);
  }
}

/** True for octets that are the same; how long it takes does not tell where they differ. */
export function sameOctets(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length;
  for (let i = 0; i < one.length; i++) difference |= one[i] ^ (other[i] ?? 0);
  return difference === 0;
}

/** The parts one after the other; a single one as it is. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0];
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
