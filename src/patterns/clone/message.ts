// The messages of CHP (RFC 12), to frames and back.

import type { Frame, MessageLike } from "../../../mod.ts";
import { octetsOf } from "../base/octets.ts";

/** Properties of a value: text by name. */
export type CloneProperties = Readonly<Record<string, string>>;

/** One KVSYNC, KTHXBAI, KVPUB, HUGZ or KVSET: all have these five frames. */
export interface KeyValue {
  readonly key: string;
  readonly sequence: number;
  /** 16 octets, or none. */
  readonly uuid: Uint8Array;
  readonly properties: CloneProperties;
  /** Empty for a key that is deleted. */
  readonly value: Uint8Array;
}

/** What may be how long. */
export interface CloneLimits {
  readonly maxKeyLength: number;
  readonly maxValueSize: number;
}

export const ICANHAZ = "ICANHAZ?";
/** A third frame of ICANHAZ, between the servers of a pair: tell UUIDs and properties as well. */
export const WHOLE = "WHOLE";
/** The key of a KVSYNC that has UUIDs of published updates as its value; in answer to WHOLE only. */
export const UUIDS = "";
export const KTHXBAI = "KTHXBAI";
export const HUGZ = "HUGZ";

/** Properties of one value may be so long, in octets. */
export const MAX_PROPERTIES = 4096;
export const NONE: Uint8Array = new Uint8Array(0);
const NO_PROPERTIES: CloneProperties = Object.freeze({});
const SEQUENCE_LENGTH = 8;
export const UUID_LENGTH = 16;
const HIGH = 2 ** 32;
const SUBTREE = /^$|^\/(?:[^/]+\/)+$/;
const TTL = /^\d{1,9}$/;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What a peer sent that is no message of the protocol. */
export class Malformed extends Error {}

/** True for the keys that the protocol needs for itself. */
export function isReserved(key: string): boolean {
  return key === KTHXBAI || key === HUGZ || key === "";
}

/** True for "" (everything) and "/seg/…/". */
export function isSubtree(subtree: string): boolean {
  return SUBTREE.test(subtree);
}

/** The frames of a message. */
export function encodeKeyValue(message: KeyValue): MessageLike[] {
  const { key, sequence, uuid, properties, value } = message;
  return [key, encodeSequence(sequence), uuid, encodeProperties(properties), value];
}

/** A message from its frames; what is kept of them is copied. */
export function decodeKeyValue(
  frames: readonly Frame[],
  { maxKeyLength, maxValueSize }: CloneLimits,
): KeyValue {
  if (frames.length !== 5) throw new Malformed(`${frames.length} frames, not 5`);
  const [key, sequence, uuid, properties, value] = frames;
  if (key.length > maxKeyLength) throw new Malformed(`a key of ${key.length} octets`);
  if (value.length > maxValueSize) throw new Malformed(`a value of ${value.length} octets`);
  if (uuid.length !== 0 && uuid.length !== UUID_LENGTH) {
    throw new Malformed(`a UUID of ${uuid.length} octets`);
  }
  return {
    key: textOf(key),
    sequence: decodeSequence(sequence),
    uuid: uuid.slice(),
    properties: decodeProperties(properties),
    value: value.slice(),
  };
}

/** An ICANHAZ: what is asked for. */
export function decodeRequest(
  [command, tree, kind, ...rest]: readonly Frame[],
  maxLength: number,
): { readonly subtree: string; readonly whole: boolean } {
  if (command?.toString() !== ICANHAZ || tree === undefined || rest.length > 0) {
    throw new Malformed("no ICANHAZ");
  }
  const whole = kind !== undefined;
  if (whole && kind.toString() !== WHOLE) throw new Malformed("a third frame");
  const subtree = tree.length > maxLength ? undefined : textOf(tree);
  if (subtree === undefined || !isSubtree(subtree)) throw new Malformed("no subtree");
  return { subtree, whole };
}

/** A sequence number in 8 octets, the highest first. */
export function encodeSequence(sequence: number): Uint8Array {
  const octets = new Uint8Array(SEQUENCE_LENGTH);
  const view = new DataView(octets.buffer);
  view.setUint32(0, Math.floor(sequence / HIGH));
  view.setUint32(4, sequence % HIGH);
  return octets;
}

function decodeSequence(octets: Uint8Array): number {
  if (octets.length !== SEQUENCE_LENGTH) {
    throw new Malformed(`a sequence number of ${octets.length} octets`);
  }
  const view = new DataView(octets.buffer, octets.byteOffset, SEQUENCE_LENGTH);
  const sequence = view.getUint32(0) * HIGH + view.getUint32(4);
  if (!Number.isSafeInteger(sequence)) throw new Malformed("a sequence number above 2^53");
  return sequence;
}

/** Lines of "name=value". */
export function encodeProperties(properties: CloneProperties): string {
  let text = "";
  for (const [name, value] of Object.entries(properties)) text += `${name}=${value}\n`;
  return text;
}

/** True when the properties can be written and read back. */
export function areProperties(properties: unknown): properties is CloneProperties {
  if (typeof properties !== "object" || properties === null) return false;
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value !== "string" || name === "" || /[=\n]/.test(name) || value.includes("\n")) {
      return false;
    }
  }
  return octetsOf(encodeProperties(properties as CloneProperties)).length <= MAX_PROPERTIES;
}

function decodeProperties(frame: Frame): CloneProperties {
  if (frame.length === 0) return NO_PROPERTIES;
  if (frame.length > MAX_PROPERTIES) throw new Malformed(`properties of ${frame.length} octets`);
  const lines = textOf(frame).split("\n");
  if (lines.pop() !== "") throw new Malformed("a property without a newline");
  // Without a prototype: a property may be called "__proto__".
  const properties: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const at = line.indexOf("=");
    if (at <= 0) throw new Malformed("a property without a name");
    properties[line.slice(0, at)] = line.slice(at + 1);
  }
  return properties;
}

/** For how many seconds a value is to live; 0 when for ever. */
export function ttlOf({ ttl = "" }: CloneProperties): number {
  if (ttl === "") return 0;
  if (!TTL.test(ttl)) throw new Malformed("a ttl that is no number of seconds");
  return Number(ttl);
}

/** A fresh UUID, as octets. */
export function newUuid(): Uint8Array {
  const uuid = crypto.getRandomValues(new Uint8Array(UUID_LENGTH));
  uuid[6] = uuid[6] & 0x0f | 0x40;
  uuid[8] = uuid[8] & 0x3f | 0x80;
  return uuid;
}

function textOf(octets: Uint8Array): string {
  try {
    return decoder.decode(octets);
  } catch {
    throw new Malformed("text that is not UTF-8");
  }
}
