// The golden vectors of CURVE: keys, commands and messages as octets.

import curve from "../conformance/vectors/curve.json" with { type: "json" };
import { CurveClient, CurveServer } from "./curve_oracle.ts";
import { keyPair } from "./curve_commands.ts";
import { expand } from "./vectors.ts";

/** A frame, and who sends it. */
export interface CurveVector {
  readonly id: string;
  readonly meaning: string;
  readonly from: string;
  readonly frame: Uint8Array;
  /** The frame without its header. */
  readonly body: Uint8Array;
}

/** A command of the handshake. */
export interface HandshakeVector extends CurveVector {
  /** Of the body, as hex. */
  readonly sha256: string | undefined;
}

/** A MESSAGE. */
export interface MessageVector extends CurveVector {
  readonly nonce: bigint;
  /** The flags and the payload inside. */
  readonly text: Uint8Array;
}

const bodyOf = (frame: Uint8Array): Uint8Array => frame.subarray(frame[0] & 2 ? 9 : 2);

/** Keys and nonces by their names. */
export const KEYS: Readonly<Record<keyof typeof curve.keys, Uint8Array>> = Object.fromEntries(
  Object.entries(curve.keys).map(([name, hex]) => [name, expand(hex)]),
) as Record<keyof typeof curve.keys, Uint8Array>;

/** HELLO, WELCOME, INITIATE, READY. */
export const HANDSHAKE: readonly HandshakeVector[] = curve.handshake.map(({ hex, ...vector }) => {
  const frame = expand(hex);
  return { sha256: undefined, ...vector, frame, body: bodyOf(frame) };
});

/** MESSAGEs of both sides. */
export const MESSAGES: readonly MessageVector[] = curve.messages.map((vector) => {
  const { id, meaning, from, nonce } = vector;
  const frame = expand(vector.hex);
  const text = expand(vector.text);
  return { id, meaning, from, frame, body: bodyOf(frame), nonce: BigInt(nonce), text };
});

/** As WELCOME and INITIATE have it. */
export const COOKIE: Uint8Array = expand(curve.parts[0].hex);

/** The properties in INITIATE. */
export const CLIENT_METADATA: Uint8Array = expand(curve.parts[1].hex);

/** The frame with this name. */
export function curveVector(id: string): Uint8Array {
  const found = [...HANDSHAKE, ...MESSAGES].find((entry) => entry.id === id);
  if (found === undefined) throw new Error(`There is no vector ${id}`);
  return found.frame;
}

/** The client of the vectors. */
export function vectorClient(): CurveClient {
  return new CurveClient({
    serverKey: KEYS.server,
    keys: keyPair(KEYS.clientSecret),
    transient: keyPair(KEYS.clientTransientSecret),
    vouchNonce: KEYS.vouchNonce,
    metadata: CLIENT_METADATA,
  });
}

/** The server of the vectors. */
export function vectorServer(): CurveServer {
  return new CurveServer({
    keys: keyPair(KEYS.serverSecret),
    transient: keyPair(KEYS.serverTransientSecret),
    cookieKey: KEYS.cookie,
    welcomeNonce: KEYS.welcomeNonce,
    cookieNonce: KEYS.cookieNonce,
  });
}
