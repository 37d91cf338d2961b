// A client and a server of CURVE for tests, octets in and octets out. Every key and nonce can be given and every field of a
// command replaced, so that a test can make any command, right or spoilt, as only the holder of the keys could. They check
// what they are sent to the last octet, and throw.

import { utf8 } from "./bytes.ts";
import {
  boxKey,
  helloBody,
  type HelloFields,
  initiateBody,
  type InitiateFields,
  INNER_COMMAND,
  INNER_MORE,
  type KeyPair,
  keyPair,
  messageBody,
  type MessageFields,
  messageFrame,
  named,
  nonceOf,
  properties,
  random,
  readyBody,
  type ReadyFields,
  seal,
  unseal,
  type VouchFields,
  vouchOf,
  welcomeBody,
  type WelcomeFields,
} from "./curve_commands.ts";
import { concat, sameOctets } from "./octets.ts";

const ZEROS = new Uint8Array(64);
const FROM_CLIENT = "CurveZMQMESSAGEC";
const FROM_SERVER = "CurveZMQMESSAGES";

/** What both sides do after the handshake. */
abstract class Party {
  /** The next nonce to send, and the last that came. */
  nonce: bigint;
  heard = 0n;
  /** The key of the session. */
  key: Uint8Array = ZEROS.subarray(32);
  /** The properties of the other side. */
  peerMetadata: Uint8Array | undefined;
  readonly #own: string;
  readonly #other: string;

  constructor(nonce: bigint, own: string, other: string) {
    this.nonce = nonce;
    this.#own = own;
    this.#other = other;
  }

  /** The body of a MESSAGE; `change` replaces what it is made from. */
  message(
    payload: Uint8Array | string,
    flags = 0,
    change: Partial<MessageFields> = {},
  ): Uint8Array {
    const usual = { nonce: change.nonce ?? this.nonce++, flags, key: this.key, prefix: this.#own };
    const octets = typeof payload === "string" ? utf8(payload) : payload;
    return messageBody(octets, { ...usual, ...change });
  }

  /** The frames of a whole message. */
  send(...payloads: (Uint8Array | string)[]): Uint8Array {
    return concat(...payloads.map((payload, i) => {
      return messageFrame(this.message(payload, i < payloads.length - 1 ? INNER_MORE : 0));
    }));
  }

  /** The frame of a command inside. */
  command(name: string, data: Uint8Array | string = ""): Uint8Array {
    const octets = typeof data === "string" ? utf8(data) : data;
    return messageFrame(this.message(concat(named(name), octets), INNER_COMMAND));
  }

  /** What is in a MESSAGE of the other side. */
  takeMessage(body: Uint8Array): { flags: number; payload: Uint8Array } {
    const [nonce, box] = fields(body, "MESSAGE", 8);
    const text = unseal(this.key, nonceOf(this.#other, nonce), box);
    this.hear(nonce);
    return { flags: text[0], payload: text.slice(1) };
  }

  protected hear(nonce: Uint8Array): void {
    const value = new DataView(nonce.buffer, nonce.byteOffset).getBigUint64(0);
    if (value <= this.heard) throw new Error(`The nonce ${value} after ${this.heard}`);
    this.heard = value;
  }
}

/** What a client is made from. */
export interface ClientSetup {
  readonly serverKey: Uint8Array;
  readonly keys?: KeyPair;
  readonly transient?: KeyPair;
  readonly metadata?: Uint8Array;
  readonly vouchNonce?: Uint8Array;
  /** Of HELLO. */
  readonly nonce?: bigint;
}

const DEALER = properties(["Socket-Type", "DEALER"], ["Identity", ""]);

/** The connecting side. */
export class CurveClient extends Party {
  readonly keys: KeyPair;
  readonly transient: KeyPair;
  readonly serverKey: Uint8Array;
  /** From WELCOME. */
  serverTransient: Uint8Array = ZEROS.subarray(32);
  cookie: Uint8Array = new Uint8Array(96);
  readonly #metadata: Uint8Array;
  readonly #vouchNonce: Uint8Array;

  constructor(setup: ClientSetup) {
    super(setup.nonce ?? 1n, FROM_CLIENT, FROM_SERVER);
    this.serverKey = setup.serverKey;
    this.keys = setup.keys ?? keyPair();
    this.transient = setup.transient ?? keyPair();
    this.#metadata = setup.metadata ?? DEALER;
    this.#vouchNonce = setup.vouchNonce ?? random(16);
  }

  hello(change: Partial<HelloFields> = {}): Uint8Array {
    return helloBody({
      version: Uint8Array.of(1, 0),
      padding: new Uint8Array(72),
      transient: this.transient.publicKey,
      nonce: change.nonce ?? this.nonce++,
      key: change.key ?? boxKey(this.serverKey, this.transient.secretKey),
      text: ZEROS,
      ...change,
    });
  }

  takeWelcome(body: Uint8Array): void {
    expectSize(body, 168);
    const [nonce, box] = fields(body, "WELCOME", 16);
    const key = boxKey(this.serverKey, this.transient.secretKey);
    const text = unseal(key, nonceOf("WELCOME-", nonce), box);
    this.serverTransient = text.slice(0, 32);
    this.cookie = text.slice(32);
    this.key = boxKey(this.serverTransient, this.transient.secretKey);
  }

  vouch(change: Partial<VouchFields> = {}): Uint8Array {
    return vouchOf({
      nonce: this.#vouchNonce,
      key: change.key ?? boxKey(this.serverTransient, this.keys.secretKey),
      transient: this.transient.publicKey,
      serverKey: this.serverKey,
      ...change,
    });
  }

  initiate(change: Partial<InitiateFields> = {}): Uint8Array {
    return initiateBody({
      cookie: this.cookie,
      nonce: change.nonce ?? this.nonce++,
      key: this.key,
      publicKey: this.keys.publicKey,
      vouch: change.vouch ?? this.vouch(),
      metadata: this.#metadata,
      ...change,
    });
  }

  takeReady(body: Uint8Array): void {
    const [nonce, box] = fields(body, "READY", 8);
    this.peerMetadata = unseal(this.key, nonceOf("CurveZMQREADY---", nonce), box);
    this.hear(nonce);
  }
}

/** What a server is made from. */
export interface ServerSetup {
  readonly keys?: KeyPair;
  readonly transient?: KeyPair;
  readonly cookieKey?: Uint8Array;
  readonly welcomeNonce?: Uint8Array;
  readonly cookieNonce?: Uint8Array;
  readonly metadata?: Uint8Array;
}

const ROUTER = properties(["Socket-Type", "ROUTER"], ["Identity", ""]);

/** The side that has the cookie. */
export class CurveServer extends Party {
  readonly keys: KeyPair;
  readonly transient: KeyPair;
  readonly cookieKey: Uint8Array;
  /** From HELLO and INITIATE. */
  clientTransient: Uint8Array = ZEROS.subarray(32);
  clientKey: Uint8Array | undefined;
  readonly #setup: ServerSetup;

  constructor(setup: ServerSetup = {}) {
    super(1n, FROM_SERVER, FROM_CLIENT);
    this.#setup = setup;
    this.keys = setup.keys ?? keyPair();
    this.transient = setup.transient ?? keyPair();
    this.cookieKey = setup.cookieKey ?? random(32);
  }

  takeHello(body: Uint8Array): void {
    expectSize(body, 200);
    const [version, padding, transient, nonce, box] = fields(body, "HELLO", 2, 72, 32, 8);
    expectSame(version, Uint8Array.of(1, 0), "version");
    expectSame(padding, new Uint8Array(72), "padding");
    const key = boxKey(transient, this.keys.secretKey);
    expectSame(unseal(key, nonceOf("CurveZMQHELLO---", nonce), box), ZEROS, "text");
    this.hear(nonce);
    this.clientTransient = transient;
  }

  makeCookie(
    client: Uint8Array = this.clientTransient,
    secret: Uint8Array = this.transient.secretKey,
  ): Uint8Array {
    const nonce = this.#setup.cookieNonce ?? random(16);
    return concat(nonce, seal(this.cookieKey, nonceOf("COOKIE--", nonce), concat(client, secret)));
  }

  welcome(change: Partial<WelcomeFields> = {}): Uint8Array {
    return welcomeBody({
      nonce: this.#setup.welcomeNonce ?? random(16),
      key: change.key ?? boxKey(this.clientTransient, this.keys.secretKey),
      transient: this.transient.publicKey,
      cookie: change.cookie ?? this.makeCookie(),
      ...change,
    });
  }

  takeInitiate(body: Uint8Array): void {
    const [cookieNonce, cookie, nonce, box] = fields(body, "INITIATE", 16, 80, 8);
    const kept = unseal(this.cookieKey, nonceOf("COOKIE--", cookieNonce), cookie);
    expectSame(kept, concat(this.clientTransient, this.transient.secretKey), "cookie");
    this.key = boxKey(this.clientTransient, this.transient.secretKey);
    const text = unseal(this.key, nonceOf("CurveZMQINITIATE", nonce), box);
    this.hear(nonce);
    const client = text.slice(0, 32);
    const key = boxKey(client, this.transient.secretKey);
    const vouch = unseal(key, nonceOf("VOUCH---", text.subarray(32, 48)), text.subarray(48, 128));
    expectSame(vouch, concat(this.clientTransient, this.keys.publicKey), "vouch");
    this.clientKey = client;
    this.peerMetadata = text.slice(128);
  }

  ready(change: Partial<ReadyFields> = {}): Uint8Array {
    const nonce = change.nonce ?? this.nonce++;
    const metadata = this.#setup.metadata ?? ROUTER;
    return readyBody({ nonce, key: this.key, metadata, ...change });
  }
}

/** A name, as many octets after it, and the rest; throws on anything else. */
function fields(body: Uint8Array, name: string, ...sizes: number[]): Uint8Array[] {
  const head = named(name);
  if (!sameOctets(body.subarray(0, head.length), head)) throw new Error(`This is no ${name}`);
  const parts: Uint8Array[] = [];
  let at = head.length;
  for (const size of sizes) parts.push(body.slice(at, at += size));
  if (at > body.length) throw new Error(`${name} has only ${body.length} octets`);
  return [...parts, body.slice(at)];
}

function expectSize(body: Uint8Array, size: number): void {
  if (body.length !== size) throw new Error(`${body.length} octets instead of ${size}`);
}

function expectSame(actual: Uint8Array, expected: Uint8Array, what: string): void {
  if (!sameOctets(actual, expected)) throw new Error(`Another ${what} than expected`);
}
