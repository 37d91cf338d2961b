// X25519 (RFC 7748) by the platform's WebCrypto, which every runtime has: pairs of keys, and the secret that two of them share.

import { CURVE_KEY_SIZE } from "../curve_key.ts";
import { ProtocolError, ZmqError } from "../errors.ts";

/** What a secret key of X25519 is wrapped in (RFC 8410): WebCrypto takes no bare ones. */
const PKCS8 = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 110, 4, 34, 4, 32);
const BASE_POINT = Uint8Array.of(9, ...new Array(CURVE_KEY_SIZE - 1).fill(0));

type Imported = Parameters<typeof crypto.subtle.deriveBits>[1];

export class KeyPair {
  readonly #secret: Imported;
  #publicKey: Promise<Uint8Array> | undefined;

  private constructor(secret: Imported, publicKey: Uint8Array | undefined) {
    this.#secret = secret;
    if (publicKey !== undefined) this.#publicKey = Promise.resolve(publicKey);
  }

  /** Computed when it is first asked for, where it was not known. */
  get publicKey(): Promise<Uint8Array> {
    return this.#publicKey ??= derive(this.#secret, BASE_POINT);
  }

  /** The pair of a secret key of 32 octets; WebCrypto keeps the secret from then on. */
  static async of(secret: Uint8Array, publicKey?: Uint8Array): Promise<KeyPair> {
    const wrapped = new Uint8Array(PKCS8.length + CURVE_KEY_SIZE);
    wrapped.set(PKCS8);
    wrapped.set(secret, PKCS8.length);
    let imported: Imported;
    try {
      imported = await crypto.subtle.importKey("pkcs8", wrapped, "X25519", false, ["deriveBits"]);
    } catch (cause) {
      throw new ZmqError("ENOTSUP", "Cannot use CURVE: WebCrypto has no X25519 here", { cause });
    } finally {
      wrapped.fill(0);
    }
    return new KeyPair(imported, publicKey);
  }

  /**
   * The secret shared with the owner of a public key.
   *
   * @throws {ProtocolError} `ERR_ZMTP_KEY_EXCHANGE` for a key with which every secret gives the same (RFC 7748, section 6.1).
   */
  async agree(publicKey: Uint8Array): Promise<Uint8Array> {
    let shared: Uint8Array;
    try {
      shared = await derive(this.#secret, publicKey);
    } catch (cause) {
      throw weak(cause);
    }
    // Not all platforms refuse it.
    if (shared.every((octet) => octet === 0)) throw weak(undefined);
    return shared;
  }
}

async function derive(secret: Imported, publicKey: Uint8Array): Promise<Uint8Array> {
  const { subtle } = crypto;
  const raw = new Uint8Array(publicKey);
  const other = await subtle.importKey("raw", raw, "X25519", true, []);
  return new Uint8Array(await subtle.deriveBits({ name: "X25519", public: other }, secret, 256));
}

function weak(cause: unknown): ProtocolError {
  return new ProtocolError(
    "ERR_ZMTP_KEY_EXCHANGE",
    "The peer sent a public key that makes no secret: a point of low order",
    { cause },
  );
}
