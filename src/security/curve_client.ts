// The client of CURVE (RFC 26): knows the server's key, shows its own, and has keys for this connection alone.

import { CurveKeys } from "../core/curve_keys.ts";
import { boxKeyOf } from "../core/secretbox.ts";
import { CURVE_KEY_SIZE } from "../curve_key.ts";
import { ProtocolError } from "../errors.ts";
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
  seal,
  SHORT_NONCE,
  shortNonce,
  TAG_SIZE,
  transientPair,
} from "./curve_boxes.ts";
import { type Answer, type Mechanism, type Property, unexpected } from "./mechanism.ts";
import type { MechanismName } from "../wire/greeting.ts";
import type { KeyPair } from "./x25519.ts";

const VERSION = Uint8Array.of(1, 0);
/** HELLO is as long as the answer to it, so that nobody can use a server to flood others. */
const PADDING = new Uint8Array(72);
const SIGNATURE = new Uint8Array(64);
const WELCOME_SIZE: number = LONG_NONCE + TAG_SIZE + CURVE_KEY_SIZE + COOKIE_SIZE;
const READY_SIZE: number = SHORT_NONCE + TAG_SIZE;
/** The nonces of HELLO, of INITIATE and of the first MESSAGE. */
const HELLO_NONCE = 1n;
const INITIATE_NONCE = 2n;
const FIRST_NONCE = 3n;

export class CurveClient implements Mechanism {
  readonly name: MechanismName = NAME;
  readonly demands: string = NAME;
  readonly asServer = false;
  readonly mayRefuse = false;
  readonly admission = undefined;
  readonly #identity: CurveIdentity;
  readonly #serverKey: Uint8Array;
  readonly #properties: readonly Property[];
  #transient: KeyPair | undefined;
  /** For boxes between the transient key and the server's, then between both transient keys. */
  #key: Uint8Array = new Uint8Array(0);
  #welcome = false;
  peer: Metadata | undefined;
  keys: CurveKeys | undefined;

  constructor(
    identity: CurveIdentity,
    serverKey: Uint8Array,
    properties: readonly Property[],
  ) {
    this.#identity = identity;
    this.#serverKey = serverKey;
    this.#properties = properties;
  }

  async start(): Promise<Answer> {
    const { core, entropy } = this.#identity;
    const { pair, secret } = await transientPair(entropy);
    secret.fill(0);
    this.#transient = pair;
    const [publicKey, shared] = await Promise.all([pair.publicKey, this.#agreeWithServer(pair)]);
    this.#key = boxKeyOf(core, shared);
    const nonce = shortNonce(HELLO_NONCE);
    const signature = seal(core, this.#key, "CurveZMQHELLO---", nonce, SIGNATURE);
    return [encodeCommand("HELLO", VERSION, PADDING, publicKey, nonce, signature)];
  }

  /** The key is the socket's own option: nobody sent it. */
  async #agreeWithServer(pair: KeyPair): Promise<Uint8Array> {
    try {
      return await pair.agree(this.#serverKey);
    } catch (cause) {
      throw new ProtocolError(
        "ERR_ZMTP_KEY_EXCHANGE",
        "curveServerKey is no key of a server: every secret makes the same of it",
        { cause },
      );
    }
  }

  receive(command: Command): Answer | Promise<Answer> {
    if (this.#welcome) {
      if (command.name !== "READY") throw unexpected(command, this, "READY");
      return this.#ready(command.data);
    }
    if (command.name !== "WELCOME") throw unexpected(command, this, "WELCOME");
    this.#welcome = true;
    return this.#initiate(command.data.slice());
  }

  async #initiate(data: Uint8Array): Promise<Answer> {
    checkSize("WELCOME", data, WELCOME_SIZE);
    const { core, entropy } = this.#identity;
    const [nonce, box] = cut(data, LONG_NONCE);
    const plain = open(core, this.#key, "WELCOME-", nonce, box, "a WELCOME");
    const [serverTransient, cookie] = cut(plain, CURVE_KEY_SIZE);
    const own = await this.#identity.pair;
    const transient = this.#transient!;
    this.#key.fill(0);
    const [shared, vouching, transientKey, ownKey] = await Promise.all([
      transient.agree(serverTransient),
      own.agree(serverTransient),
      transient.publicKey,
      own.publicKey,
    ]);
    this.#key = boxKeyOf(core, shared);
    const vouchKey = boxKeyOf(core, vouching);
    const vouchNonce = entropy(LONG_NONCE);
    const vouch = seal(
      core,
      vouchKey,
      "VOUCH---",
      vouchNonce,
      transientKey,
      this.#serverKey,
    );
    vouchKey.fill(0);
    const initiateNonce = shortNonce(INITIATE_NONCE);
    const initiate = seal(
      core,
      this.#key,
      "CurveZMQINITIATE",
      initiateNonce,
      ownKey,
      vouchNonce,
      vouch,
      encodeMetadata(this.#properties),
    );
    return [encodeCommand("INITIATE", cookie, initiateNonce, initiate)];
  }

  #ready(data: Uint8Array): Answer {
    checkSize("READY", data, READY_SIZE, true);
    const { core } = this.#identity;
    const [nonce, box] = cut(data, SHORT_NONCE);
    this.peer = decodeMetadata(open(core, this.#key, "CurveZMQREADY---", nonce, box, "a READY"));
    this.keys = new CurveKeys(core, this.#key, false, {
      next: FIRST_NONCE,
      last: nonceValue(nonce),
    });
    return [];
  }

  end(): void {
    this.#key.fill(0);
    this.#transient = undefined;
    this.keys?.wipe();
  }
}
