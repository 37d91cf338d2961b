// The commands of CURVE (RFC 26) once more, from the RFC's text and on the primitives of another library: each is made from its
// fields, whatever they are, and apart from the code under test.

import { hsalsa, xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { utf8 } from "./bytes.ts";
import { concat } from "./octets.ts";

/** The keys of one party. */
export interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

/** A pair from its secret half, or a new one. */
export function keyPair(secretKey: Uint8Array = random(32)): KeyPair {
  return { publicKey: x25519.getPublicKey(secretKey), secretKey };
}

/** Random octets. */
export function random(size: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(size));
}

/**
 * NaCl's crypto_box_beforenm. With a point of low order the shared result is zero whatever the secret is: then this is the
 * key that everybody knows, as an attacker would use it.
 */
export function boxKey(publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array {
  let shared: Uint8Array;
  try {
    shared = x25519.getSharedSecret(secretKey, publicKey);
  } catch {
    shared = new Uint8Array(32);
  }
  return hsalsa20(shared, "\0".repeat(16));
}

/** HSalsa20 of a key and 16 octets given as text: also what a box makes of its key and the start of its nonce. */
export function hsalsa20(key: Uint8Array, input: string): Uint8Array {
  const out = new Uint32Array(8);
  hsalsa(words(utf8("expand 32-byte k")), words(key), words(utf8(input)), out);
  return new Uint8Array(out.buffer);
}

function words(octets: Uint8Array): Uint32Array {
  return new Uint32Array(Uint8Array.from(octets).buffer);
}

/** A nonce of 24 octets: the prefix, then a counter or as many octets as are left. */
export function nonceOf(prefix: string, rest: bigint | Uint8Array): Uint8Array {
  const nonce = concat(utf8(prefix), typeof rest === "bigint" ? counter(rest) : rest);
  if (nonce.length !== 24) throw new RangeError(`A nonce of ${nonce.length} octets`);
  return nonce;
}

/** A short nonce as it lies on the wire. */
export function counter(value: bigint): Uint8Array {
  const octets = new Uint8Array(8);
  new DataView(octets.buffer).setBigUint64(0, value);
  return octets;
}

/** The tag, then the text in cipher. */
export function seal(key: Uint8Array, nonce: Uint8Array, text: Uint8Array): Uint8Array {
  return xsalsa20poly1305(key, nonce).encrypt(text);
}

/** What is in a box; throws when it was not sealed so. */
export function unseal(key: Uint8Array, nonce: Uint8Array, box: Uint8Array): Uint8Array {
  return xsalsa20poly1305(key, nonce).decrypt(box);
}

// Frames

export const OUTER_COMMAND = 4;
export const INNER_MORE = 1;
export const INNER_COMMAND = 2;

/** A frame with these flags; long when its body is, or when asked for. */
export function framed(
  body: Uint8Array,
  flags: number,
  long: boolean = body.length > 255,
): Uint8Array {
  const size = long ? counter(BigInt(body.length)) : Uint8Array.of(body.length);
  return concat(Uint8Array.of(flags | (long ? 2 : 0)), size, body);
}

/** The frame of a command of the handshake. */
export function commandFrame(body: Uint8Array): Uint8Array {
  return framed(body, OUTER_COMMAND);
}

/** The frame of a MESSAGE: libzmq sends it without the command flag. */
export function messageFrame(body: Uint8Array): Uint8Array {
  return framed(body, 0);
}

/** What ERROR says. */
export function errorBody(reason: string): Uint8Array {
  return concat(named("ERROR"), Uint8Array.of(reason.length), utf8(reason));
}

/** What a greeting may differ in. */
export interface GreetingFields {
  readonly minor?: number;
  readonly asServer?: number;
  readonly mechanism?: string;
}

/** A greeting for CURVE. */
export function curveGreeting(
  { minor = 1, asServer = 0, mechanism = "CURVE" }: GreetingFields = {},
): Uint8Array {
  const octets = new Uint8Array(64);
  octets.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, minor]);
  octets.set(utf8(mechanism), 12);
  octets[32] = asServer;
  return octets;
}

/** Properties as INITIATE and READY have them. */
export function properties(
  ...pairs: readonly (readonly [string, Uint8Array | string])[]
): Uint8Array {
  return concat(...pairs.map(([name, value]) => {
    const octets = typeof value === "string" ? utf8(value) : value;
    const size = new Uint8Array(4);
    new DataView(size.buffer).setUint32(0, octets.length);
    return concat(Uint8Array.of(name.length), utf8(name), size, octets);
  }));
}

/** How a command begins. */
export function named(name: string): Uint8Array {
  return concat(Uint8Array.of(name.length), utf8(name));
}

// Commands, each from its fields

export interface HelloFields {
  readonly version: Uint8Array;
  readonly padding: Uint8Array;
  readonly transient: Uint8Array;
  readonly nonce: bigint;
  readonly key: Uint8Array;
  readonly text: Uint8Array;
}

export function helloBody(
  { version, padding, transient, nonce, key, text }: HelloFields,
): Uint8Array {
  const box = seal(key, nonceOf("CurveZMQHELLO---", nonce), text);
  return concat(named("HELLO"), version, padding, transient, counter(nonce), box);
}

export interface WelcomeFields {
  readonly nonce: Uint8Array;
  readonly key: Uint8Array;
  readonly transient: Uint8Array;
  readonly cookie: Uint8Array;
}

export function welcomeBody({ nonce, key, transient, cookie }: WelcomeFields): Uint8Array {
  const box = seal(key, nonceOf("WELCOME-", nonce), concat(transient, cookie));
  return concat(named("WELCOME"), nonce, box);
}

export interface VouchFields {
  readonly nonce: Uint8Array;
  readonly key: Uint8Array;
  readonly transient: Uint8Array;
  readonly serverKey: Uint8Array;
}

export function vouchOf({ nonce, key, transient, serverKey }: VouchFields): Uint8Array {
  return concat(nonce, seal(key, nonceOf("VOUCH---", nonce), concat(transient, serverKey)));
}

export interface InitiateFields {
  readonly cookie: Uint8Array;
  readonly nonce: bigint;
  readonly key: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly vouch: Uint8Array;
  readonly metadata: Uint8Array;
}

export function initiateBody(
  { cookie, nonce, key, publicKey, vouch, metadata }: InitiateFields,
): Uint8Array {
  const text = concat(publicKey, vouch, metadata);
  const box = seal(key, nonceOf("CurveZMQINITIATE", nonce), text);
  return concat(named("INITIATE"), cookie, counter(nonce), box);
}

export interface ReadyFields {
  readonly nonce: bigint;
  readonly key: Uint8Array;
  readonly metadata: Uint8Array;
}

export function readyBody({ nonce, key, metadata }: ReadyFields): Uint8Array {
  const box = seal(key, nonceOf("CurveZMQREADY---", nonce), metadata);
  return concat(named("READY"), counter(nonce), box);
}

export interface MessageFields {
  readonly nonce: bigint;
  readonly flags: number;
  readonly key: Uint8Array;
  readonly prefix: string;
}

export function messageBody(
  payload: Uint8Array,
  { nonce, flags, key, prefix }: MessageFields,
): Uint8Array {
  const box = seal(key, nonceOf(prefix, nonce), concat(Uint8Array.of(flags), payload));
  return concat(named("MESSAGE"), counter(nonce), box);
}
