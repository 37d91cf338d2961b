// The server of CURVE (RFC 26). What it knows of a client between WELCOME and INITIATE is in the cookie, which the client
// brings back; only the key of the cookie stays here, and is good for this one connection.

import { CurveKeys } from "../core/curve_keys.ts";
import { boxKeyOf } from "../core/secretbox.ts";
import { CURVE_KEY_SIZE } from "../curve_key.ts";
import { ProtocolError } from "../errors.ts";
import { sameOctets } from "../octets.ts";
import { type Command, encodeCommand } from "../wire/command.ts";
import { decodeMetadata, encodeMetadata, type Metadata } from "../wire/metadata.ts";
import {
  checkSize,
  COOKIE_SIZE,
  type CurveIdentity,
  cut,
  LONG_NONCE,
  NAME,
  nonceValue,
  open,
  openOnce,
  seal,
  SHORT_NONCE,
  shortNonce,
  TAG_SIZE,
  transientPair,
  VOUCH_SIZE,
} from "./curve_boxes.ts";
import { type Answer, malformed, type Mechanism, type Property, unexpected } from "./mechanism.ts";
import type { MechanismName } from "../wire/greeting.ts";
import { KeyPair } from "./x25519.ts";
import type { Door } from "./zap.ts";

const VERSION_SIZE = 2;
const PADDING_SIZE = 72;
const SIGNATURE_SIZE = 64;
const HELLO_SIZE: number = VERSION_SIZE + PADDING_SIZE + CURVE_KEY_SIZE + SHORT_NONCE + TAG_SIZE +
  SIGNATURE_SIZE;
/** Without metadata. */
const INITIATE_SIZE: number = COOKIE_SIZE + SHORT_NONCE + TAG_SIZE + CURVE_KEY_SIZE + VOUCH_SIZE;
/** The nonces of READY and of the first MESSAGE. */
const READY_NONCE = 1n;
const FIRST_NONCE = 2n;

export class CurveServer implements Mechanism {
  readonly name: MechanismName = NAME;
  readonly demands: string = NAME;
  readonly asServer = true;
  readonly mayRefuse = true;
  readonly #identity: CurveIdentity;
  readonly #properties: readonly Property[];
  readonly #door: Door;
  #greeted = false;
  /** The cookie's key, between WELCOME and INITIATE. */
  #cookieKey: Uint8Array | undefined;
  /** The nonce of HELLO. */
  #nonce = 0n;
  peer: Metadata | undefined;
  admission: Metadata | undefined;
  keys: CurveKeys | undefined;

  constructor(identity: CurveIdentity, properties: readonly Property[], door: Door) {
    this.#identity = identity;
    this.#properties = properties;
    this.#door = door;
  }

  start(): Answer {
    return [];
  }

  receive(command: Command): Promise<Answer> {
    const expected = this.#greeted ? "INITIATE" : "HELLO";
    if (command.name !== expected) throw unexpected(command, this, expected);
    const data = command.data.slice();
    if (this.#greeted) return this.#ready(data);
    this.#greeted = true;
    return this.#welcome(data);
  }

  async #welcome(data: Uint8Array): Promise<Answer> {
    checkSize("HELLO", data, HELLO_SIZE);
    const { core } = this.#identity;
    const [version, padding, clientTransient, nonce, box] = cut(
      data,
      VERSION_SIZE,
      PADDING_SIZE,
      CURVE_KEY_SIZE,
      SHORT_NONCE,
    );
    if (version[0] !== 1 || version[1] !== 0) {
      throw malformed("HELLO", `it is of version ${version[0]}.${version[1]}, not 1.0`);
    }
    if (padding.some((octet) => octet !== 0)) throw malformed("HELLO", "its padding is not zero");
    const own = await this.#identity.pair;
    const key = boxKeyOf(core, await own.agree(clientTransient));
    try {
      const signature = open(core, key, "CurveZMQHELLO---", nonce, box, "a HELLO");
      if (signature.some((octet) => octet !== 0)) {
        throw malformed("HELLO", "its signature box has other octets than zeros");
      }
      this.#nonce = nonceValue(nonce);
      return [await this.#invite(key, clientTransient)];
    } finally {
      key.fill(0);
    }
  }

  /** The WELCOME command, with all that has to be known of the client when it comes back. */
  async #invite(key: Uint8Array, clientTransient: Uint8Array): Promise<Uint8Array> {
    const { core, entropy } = this.#identity;
    const { pair, secret } = await transientPair(entropy);
    const cookieKey = this.#cookieKey = entropy(CURVE_KEY_SIZE);
    const welcomeNonce = entropy(LONG_NONCE);
    const cookieNonce = entropy(LONG_NONCE);
    const cookie = seal(core, cookieKey, "COOKIE--", cookieNonce, clientTransient, secret);
    secret.fill(0);
    const welcome = seal(
      core,
      key,
      "WELCOME-",
      welcomeNonce,
      await pair.publicKey,
      cookieNonce,
      cookie,
    );
    return encodeCommand("WELCOME", welcomeNonce, welcome);
  }

  async #ready(data: Uint8Array): Promise<Answer> {
    checkSize("INITIATE", data, INITIATE_SIZE, true);
    const { core } = this.#identity;
    const [cookieNonce, cookie, nonce, box] = cut(
      data,
      LONG_NONCE,
      COOKIE_SIZE - LONG_NONCE,
      SHORT_NONCE,
    );
    if (nonceValue(nonce) <= this.#nonce) {
      throw new ProtocolError(
        "ERR_ZMTP_INVALID_SEQUENCE",
        "The peer sent an INITIATE whose nonce is not above that of its HELLO",
      );
    }
    const [clientTransient, secret] = this.#openCookie(cookieNonce, cookie);
    const transient = await KeyPair.of(secret);
    secret.fill(0);
    const key = boxKeyOf(core, await transient.agree(clientTransient));
    try {
      const plain = open(core, key, "CurveZMQINITIATE", nonce, box, "an INITIATE");
      const metadata = await this.#identify(plain, transient, clientTransient);
      const answer = this.#accept(key);
      this.keys = new CurveKeys(core, key, true, { next: FIRST_NONCE, last: nonceValue(nonce) });
      this.peer = metadata;
      return [answer];
    } finally {
      key.fill(0);
    }
  }

  /** Who the client is, and what it announces: its permanent key vouches for the transient one, and the handler for that. */
  async #identify(
    plain: Uint8Array,
    transient: KeyPair,
    clientTransient: Uint8Array,
  ): Promise<Metadata> {
    const { core } = this.#identity;
    const [client, vouchNonce, vouch, metadata] = cut(
      plain,
      CURVE_KEY_SIZE,
      LONG_NONCE,
      VOUCH_SIZE - LONG_NONCE,
    );
    const vouchKey = boxKeyOf(core, await transient.agree(client));
    const vouched = openOnce(core, vouchKey, "VOUCH---", vouchNonce, vouch, "a vouch");
    const own = await (await this.#identity.pair).publicKey;
    const [vouchedTransient, vouchedServer] = cut(vouched, CURVE_KEY_SIZE);
    if (!sameOctets(vouchedTransient, clientTransient) || !sameOctets(vouchedServer, own)) {
      throw malformed("INITIATE", "its vouch is for another connection or another server");
    }
    const peer = decodeMetadata(metadata);
    this.admission = await this.#door.admit(NAME, [client]);
    return peer;
  }

  /** The READY command. */
  #accept(key: Uint8Array): Uint8Array {
    const readyNonce = shortNonce(READY_NONCE);
    const metadata = encodeMetadata(this.#properties);
    const ready = seal(this.#identity.core, key, "CurveZMQREADY---", readyNonce, metadata);
    return encodeCommand("READY", readyNonce, ready);
  }

  /** The client's transient key, and the secret of this side's; a cookie opens once. */
  #openCookie(nonce: Uint8Array, cookie: Uint8Array): Uint8Array[] {
    const key = this.#cookieKey!;
    this.#cookieKey = undefined;
    const { core } = this.#identity;
    return cut(openOnce(core, key, "COOKIE--", nonce, cookie, "a cookie"), CURVE_KEY_SIZE);
  }

  end(): void {
    this.#door.close();
    this.#cookieKey?.fill(0);
    this.#cookieKey = undefined;
    this.keys?.wipe();
  }
}
