// Frames as the octets of a file, from which can be told whether they are whole.
//
//   4 octets   "TSP1"
//   4 octets   CRC-32 of all that follows
//   4 octets   the number of frames
//   each:      4 octets of length, then the octets; numbers with the most significant octet first

import { Frame } from "../../../mod.ts";
import { octetsOf, sameOctets } from "../base/octets.ts";

const MAGIC = octetsOf("TSP1");
const HEAD = 12;

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n >>> 0;
});

/** CRC-32 as in zip and PNG. */
export function crc32(octets: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < octets.length; i++) crc = TABLE[(crc ^ octets[i]) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Frames as one record. */
export function encodeRecord(frames: readonly Uint8Array[]): Uint8Array {
  let size = HEAD;
  for (const frame of frames) size += 4 + frame.length;
  const record = new Uint8Array(size);
  const view = new DataView(record.buffer);
  record.set(MAGIC);
  view.setUint32(8, frames.length);
  let at = HEAD;
  for (const frame of frames) {
    view.setUint32(at, frame.length);
    record.set(frame, at + 4);
    at += 4 + frame.length;
  }
  view.setUint32(4, crc32(record.subarray(8)));
  return record;
}

/** The frames of a record; undefined when it is not whole. */
export function decodeRecord(record: Uint8Array): Frame[] | undefined {
  if (record.length < HEAD || !sameOctets(record.subarray(0, 4), MAGIC)) return undefined;
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  if (view.getUint32(4) !== crc32(record.subarray(8))) return undefined;
  const count = view.getUint32(8);
  const frames: Frame[] = [];
  let at = HEAD;
  while (at + 4 <= record.length) {
    const end = at + 4 + view.getUint32(at);
    if (end > record.length) return undefined;
    frames.push(new Frame(record.subarray(at + 4, end)));
    at = end;
  }
  return at === record.length && frames.length === count ? frames : undefined;
}
