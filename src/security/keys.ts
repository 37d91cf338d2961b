// Keys of CURVE. The X25519 of the core is synchronous, which WebCrypto's is not.

import { SCRATCH } from "../../wasm/layout.ts";
import { Core } from "../core/instance.ts";
import { CURVE_KEY_LENGTH, CURVE_KEY_SIZE, parseCurveKey } from "../curve_key.ts";
import { withCode } from "../errors.ts";
import { encodeZ85 } from "../z85.ts";

/** A key pair for CURVE; both keys are Z85 text of 40 characters. */
export interface CurveKeyPair {
  /** To be given to everybody who has to recognise its owner: the `curveServerKey` of a server's clients. */
  publicKey: string;
  /** To be kept: whoever has it is its owner. */
  secretKey: string;
}

/** The u-coordinate of Curve25519's base point. */
const BASE = 9;

let core: Core | undefined;

/** The public key of 32 octets. */
function publicOctets(secret: Uint8Array): Uint8Array {
  // One for all keys: they come one at a time, and nothing of them stays in its memory.
  core ??= new Core();
  const { bytes, exports } = core;
  const point = SCRATCH + CURVE_KEY_SIZE;
  const end = point + CURVE_KEY_SIZE;
  bytes.set(secret, SCRATCH);
  bytes.fill(0, point, end);
  bytes[point] = BASE;
  exports.x25519(SCRATCH, point, point);
  const key = bytes.slice(point, end);
  bytes.fill(0, SCRATCH, end);
  return key;
}

/**
 * A new key pair for CURVE, from the system's source of entropy. `zmq_curve_keypair`.
 *
 * @example A server, and a client that talks to no other
 * ```ts
 * import { curveKeyPair, Reply, Request } from "@wasmq/wasmq";
 *
 * const serverKeys = curveKeyPair();
 * const clientKeys = curveKeyPair();
 * const server = new Reply({ curveServer: true, curveSecretKey: serverKeys.secretKey });
 * const client = new Request({
 *   curveServerKey: serverKeys.publicKey,
 *   curvePublicKey: clientKeys.publicKey,
 *   curveSecretKey: clientKeys.secretKey,
 * });
 *
 * await Promise.all([server.close(), client.close()]);
 * ```
 */
export function curveKeyPair(): CurveKeyPair {
  const secret = crypto.getRandomValues(new Uint8Array(CURVE_KEY_SIZE));
  const pair = { publicKey: encodeZ85(publicOctets(secret)), secretKey: encodeZ85(secret) };
  secret.fill(0);
  return pair;
}

/**
 * The public key, as Z85 text, that belongs to a secret one. `zmq_curve_public`.
 *
 * @param secretKey Z85 text of 40 characters, or 32 octets.
 * @throws {TypeError} `EINVAL` for what is neither text nor octets.
 * @throws {RangeError} `EINVAL` for what is no key. The text of the error never repeats it.
 *
 * @example
 * ```ts
 * import { curveKeyPair, curvePublicKeyOf } from "@wasmq/wasmq";
 *
 * const { publicKey, secretKey } = curveKeyPair();
 * console.log(curvePublicKeyOf(secretKey) === publicKey); // true
 * ```
 */
export function curvePublicKeyOf(secretKey: string | Uint8Array): string {
  const secret = parseCurveKey(secretKey);
  if (secret === undefined) throw noKey(secretKey);
  const publicKey = encodeZ85(publicOctets(secret));
  secret.fill(0);
  return publicKey;
}

/** What is wrong with a value that is no key, without the value. */
function noKey(value: unknown): TypeError | RangeError {
  const expected =
    `Cannot tell a public key: expected a secret key of ${CURVE_KEY_LENGTH} characters of Z85, or ${CURVE_KEY_SIZE} octets`;
  let got: string;
  if (typeof value === "string") {
    got = value.length === CURVE_KEY_LENGTH ? "text that is not Z85" : `${value.length} characters`;
  } else if (value instanceof Uint8Array) {
    got = `${value.length} octets`;
  } else {
    const type = value === null ? "null" : typeof value;
    return withCode(new TypeError(`${expected}, not ${type}`), "EINVAL");
  }
  return withCode(new RangeError(`${expected}, not ${got}`), "EINVAL");
}
