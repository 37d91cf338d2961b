// What CURVE (RFC 26) makes, keeps and forgets: transient keys, the cookie, nonces that are counted and nonces that are not.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CurveKeys } from "../../src/core/curve_keys.ts";
import type { Core } from "../../src/core/instance.ts";
import { CoreMemory } from "../../src/core/memory.ts";
import type { ZmqError } from "../../src/errors.ts";
import { Handshake } from "../../src/link/handshake.ts";
import type { Security } from "../../src/link/host.ts";
import { defaultOptions } from "../../src/option_values.ts";
import { type Entropy, entropy } from "../../src/security/curve_boxes.ts";
import { CurveClient } from "../../src/security/curve_client.ts";
import { CurveServer } from "../../src/security/curve_server.ts";
import type { Answer } from "../../src/security/mechanism.ts";
import { KeyPair } from "../../src/security/x25519.ts";
import { Door, type Question } from "../../src/security/zap.ts";
import { Session } from "../../src/session/session.ts";
import type { Command } from "../../src/wire/command.ts";
import { toHex, utf8 } from "../_util/bytes.ts";
import {
  boxKey,
  commandFrame,
  curveGreeting,
  framed,
  keyPair,
  nonceOf,
  random,
  seal,
  unseal,
} from "../_util/curve_commands.ts";
import { CurveLink } from "../_util/curve_link.ts";
import { bodyOf } from "../_util/curve_middle.ts";
import { CurveClient as Client, CurveServer as Server } from "../_util/curve_oracle.ts";
import { deliver, greet, greeted, serverSession } from "../_util/curve_session.ts";
import { COOKIE, HANDSHAKE, KEYS } from "../_util/curve_vectors.ts";
import { pause } from "../_util/deadline.ts";
import { FakeHost } from "../_util/fake_host.ts";
import { FakeStream } from "../_util/fake_stream.ts";
import { LinkStand } from "../_util/link_stand.ts";
import { concat, pattern } from "../_util/octets.ts";
import { openDoor } from "../_util/open_door.ts";
import { failure } from "../_util/rejection.ts";

const [HELLO] = HANDSHAKE;
const SEQUENCE = "ERR_ZMTP_INVALID_SEQUENCE";
const MOST = 2n ** 64n - 1n;
const OVERHEAD = 33;
const { outboxes: core } = new CoreMemory();
const SERVER_PAIR = KeyPair.of(KEYS.serverSecret);
const CLIENT_PAIR = KeyPair.of(KEYS.clientSecret);

/** Randomness that is looked at when it should be forgotten. */
class Given {
  readonly all: Uint8Array[] = [];
  readonly entropy: Entropy = (size) => {
    const octets = random(size);
    this.all.push(octets);
    return octets;
  };

  get sizes(): number[] {
    return this.all.map(({ length }) => length);
  }

  /** For each of them, whether it is still there. */
  get kept(): boolean[] {
    return this.all.map((octets) => octets.some((octet) => octet !== 0));
  }
}

function clientWith(given: Given): Session {
  const identity = { core, entropy: given.entropy, pair: CLIENT_PAIR };
  return new Session("DEALER", new CurveClient(identity, KEYS.server, []));
}

function serverWith(given: Given): Session {
  const identity = { core, entropy: given.entropy, pair: SERVER_PAIR };
  const properties = [["Socket-Type", utf8("ROUTER")]] as const;
  return new Session("ROUTER", new CurveServer(identity, properties, openDoor()));
}

describe("a CURVE client's keys and nonces", () => {
  it("CURVE-KEY-01: are fresh for each connection, their secret half is not kept", async () => {
    const seen = new Set<string>();
    for (let i = 0; i < 4; i++) {
      const given = new Given();
      const session = clientWith(given);
      const [, hello] = await greet(session);
      seen.add(toHex(hello.subarray(2 + 80, 2 + 112)));
      assertEquals([given.sizes, given.kept], [[32], [false]]);
      session.end();
    }
    assertEquals(seen.size, 4);
  });

  it("CURVE-NONCE-08: of vouches are 16 random octets", async () => {
    const seen = new Set<string>();
    for (let i = 0; i < 3; i++) {
      const given = new Given();
      const session = clientWith(given);
      const server = new Server({ keys: keyPair(KEYS.serverSecret) });
      server.takeHello(bodyOf((await greet(session))[1]));
      const initiate = bodyOf(await deliver(session, commandFrame(server.welcome())));
      server.takeInitiate(initiate);
      assertEquals(given.sizes, [32, 16]);
      const nonce = nonceOf("CurveZMQINITIATE", initiate.subarray(105, 113));
      const text = unseal(server.key, nonce, initiate.subarray(113));
      assertEquals(toHex(text.subarray(32, 48)), toHex(given.all[1]));
      seen.add(toHex(given.all[1]));
      session.end();
    }
    assertEquals(seen.size, 3);
  });
});

describe("a CURVE server's cookie", () => {
  it("CURVE-WELCOME-02: holds the client's transient key and the secret of its own", async () => {
    const session = await greeted(serverSession());
    const welcome = bodyOf(await deliver(session, HELLO.frame));
    const key = boxKey(KEYS.clientTransient, KEYS.serverSecret);
    const text = unseal(key, nonceOf("WELCOME-", welcome.subarray(8, 24)), welcome.subarray(24));
    assertEquals(toHex(text), toHex(concat(KEYS.serverTransient, COOKIE)));
    const box = unseal(
      KEYS.cookie,
      nonceOf("COOKIE--", COOKIE.subarray(0, 16)),
      COOKIE.subarray(16),
    );
    assertEquals(toHex(box), toHex(concat(KEYS.clientTransient, KEYS.serverTransientSecret)));
    session.end();
  });

  it("CURVE-KEY-03: has all that the server knows of its own transient keys", async () => {
    const given = new Given();
    const session = await greeted(serverWith(given));
    const client = new Client({ serverKey: KEYS.server });
    client.takeWelcome(bodyOf(await deliver(session, commandFrame(client.hello()))));
    const [secret, cookieKey] = given.all;
    assertEquals(given.sizes, [32, 32, 16, 16]);
    assert(secret.every((octet) => octet === 0), "the transient secret is kept");
    // Whoever had the cookie's key could give it any others: they come from nowhere else.
    const other = keyPair();
    const nonce = random(16);
    const box = concat(client.transient.publicKey, other.secretKey);
    client.cookie = concat(nonce, seal(cookieKey, nonceOf("COOKIE--", nonce), box));
    client.serverTransient = other.publicKey;
    client.key = boxKey(other.publicKey, client.transient.secretKey);
    client.takeReady(bodyOf(await deliver(session, commandFrame(client.initiate()))));
    assertEquals(session.state, "traffic");
    session.end();
  });

  it("CURVE-KEY-05: cannot be opened once INITIATE has come, or the connection is over", async () => {
    for (const end of ["INITIATE", "a wrong INITIATE", "the end"]) {
      const given = new Given();
      const session = await greeted(serverWith(given));
      const client = new Client({ serverKey: KEYS.server });
      client.takeWelcome(bodyOf(await deliver(session, commandFrame(client.hello()))));
      assertEquals(given.kept[1], true, "it is needed for INITIATE");
      if (end === "the end") session.end();
      else {
        const initiate = client.initiate();
        if (end !== "INITIATE") initiate[20] ^= 1;
        await deliver(session, commandFrame(initiate)).catch(() => {});
      }
      assertEquals(given.kept[1], false, end);
      session.end();
    }
    // No connection is without INITIATE for longer.
    assert(defaultOptions().handshakeInterval <= 60_000);
  });

  it("CURVE-KEY-02, CURVE-KEY-04, CURVE-NONCE-08: is another for each WELCOME", async () => {
    const seen = new Set<string>();
    for (let i = 0; i < 4; i++) {
      const given = new Given();
      const session = await greeted(serverWith(given));
      const welcome = bodyOf(await deliver(session, HELLO.frame));
      const key = boxKey(KEYS.clientTransient, KEYS.serverSecret);
      const nonce = welcome.subarray(8, 24);
      const text = unseal(key, nonceOf("WELCOME-", nonce), welcome.subarray(24));
      assertEquals(toHex(nonce), toHex(given.all[2]), "the nonce is 16 random octets");
      assertEquals(toHex(text.subarray(32, 48)), toHex(given.all[3]), "and so is the cookie's");
      for (const part of [nonce, text.subarray(0, 32), text.subarray(32)]) seen.add(toHex(part));
      session.end();
    }
    assertEquals(seen.size, 12);
  });
});

describe("what CURVE takes for random", () => {
  it("CURVE-KEY-06: comes from the platform's source of randomness", () => {
    const asked: number[] = [];
    const { getRandomValues } = crypto;
    const value = (octets: Uint8Array): Uint8Array => {
      asked.push(octets.length);
      return octets.fill(7);
    };
    Object.defineProperty(crypto, "getRandomValues", { value, configurable: true });
    try {
      assertEquals([entropy(32), entropy(16)], [32, 16].map((n) => new Uint8Array(n).fill(7)));
    } finally {
      delete (crypto as { getRandomValues?: unknown }).getRandomValues;
    }
    assertEquals(asked, [32, 16]);
    assertEquals(crypto.getRandomValues, getRandomValues);
    assert(toHex(entropy(32)) !== toHex(entropy(32)));
  });
});

/** A server whose nonces are almost used up when its handshake is done. */
class WornServer extends CurveServer {
  readonly #core: Core;

  constructor(core: Core) {
    super({ core, entropy, pair: SERVER_PAIR }, [["Socket-Type", utf8("ROUTER")]], openDoor());
    this.#core = core;
  }

  override async receive(command: Command): Promise<Answer> {
    const answer = await super.receive(command);
    if (this.keys === undefined) return answer;
    this.keys.wipe();
    const nonces = { next: MOST - 2n, last: 2n };
    this.keys = new CurveKeys(this.#core, KEYS.session.slice(), true, nonces);
    return answer;
  }
}

class WornHost extends FakeHost {
  override secure(): Security {
    return () => new WornServer(this.around.memory.outboxes);
  }
}

describe("the nonces that CURVE counts", () => {
  it("CURVE-NONCE-01, CURVE-NONCE-02: are one row for messages and commands", async () => {
    const stand = await new CurveLink().enter();
    for (const size of [3, 300, 100_000]) {
      stand.pipe.send([pattern(size), pattern(2)]);
      stand.stream.deliver(stand.peer.command("PING", "\0\0x"));
      stand.host.clock.settle();
    }
    const sent = stand.stream.takeOutput();
    const nonces: bigint[] = [];
    for (let at = 0; at < sent.length;) {
      const view = new DataView(sent.buffer, sent.byteOffset + at);
      const header = sent[at] & 2 ? 9 : 2;
      nonces.push(view.getBigUint64(header + 8));
      at += header + (header === 9 ? Number(view.getBigUint64(1)) : sent[at + 1]);
    }
    assertEquals(nonces, Array.from({ length: 9 }, (_, i) => BigInt(i + 2)));
    stand.stream.end();
  });

  it("CURVE-NONCE-03: are not begun again: the connection ends before the last one", async () => {
    const nonces = { next: MOST - 1n, last: 0n };
    const keys = new CurveKeys(core, KEYS.session.slice(), true, nonces);
    assert(keys.sealFrames(Uint8Array.of(0, 1, 65)).length > 0);
    failure(() => keys.sealFrames(Uint8Array.of(0, 1, 65)), SEQUENCE);
    keys.wipe();
    for (const size of [3, 100_000]) {
      const stand = new LinkStand({ host: new WornHost("ROUTER") });
      const client = new Client({ serverKey: KEYS.server });
      stand.link.start();
      await enter(stand, client);
      for (let i = 0; i < 2; i++) {
        stand.pipe.send([pattern(size)]);
        stand.host.clock.settle();
      }
      assertEquals(stand.error, undefined);
      const whole = stand.stream.takeOutput().length;
      assertEquals(whole, 2 * framed(new Uint8Array(OVERHEAD + size), 0).length);
      stand.pipe.send([pattern(size)]);
      stand.host.clock.settle();
      assertEquals((stand.error as ZmqError).code, SEQUENCE);
      assertEquals(stand.stream.takeOutput().length, 0);
      stand.stream.end();
    }
  });

  it("CURVE-MSG-09: go with 33 octets in all that a MESSAGE has more than a frame", () => {
    const keys = new CurveKeys(core, KEYS.session.slice(), true, { next: 1n, last: 0n });
    for (const size of [0, 1, 222, 223, 255, 256, 70_000]) {
      const sealed = keys.sealFrames(framed(pattern(size), 0));
      assertEquals(sealed.length, framed(new Uint8Array(OVERHEAD + size), 0).length);
    }
    keys.wipe();
  });
});

describe("a CURVE handshake whose connection is over", () => {
  const cookieOf = (key: Uint8Array, client: Uint8Array, secret: Uint8Array): Uint8Array => {
    const nonce = random(16);
    return concat(nonce, seal(key, nonceOf("COOKIE--", nonce), concat(client, secret)));
  };

  it("CURVE-KEY-05: takes no INITIATE for a cookie of zeros, and asks nobody about it", async () => {
    let asked = 0;
    const ask = (): Question => {
      asked++;
      return { reply: new Promise(() => {}), cancel() {} };
    };
    const door = new Door({ domain: "test", enforced: true }, "10.1.1.1", ask);
    const identity = { core, entropy, pair: SERVER_PAIR };
    const session = new Session("ROUTER", new CurveServer(identity, [], door));
    const errors: unknown[] = [];
    const handshake = new Handshake(session, new FakeStream(), {
      said: () => {},
      agreed: () => errors.push("agreed"),
      traffic: () => errors.push("traffic"),
      wentOn: (error) => errors.push(error),
    });
    const client = new Client({ serverKey: KEYS.server });
    const hello = client.hello();
    const other = keyPair();
    client.cookie = cookieOf(new Uint8Array(32), client.transient.publicKey, other.secretKey);
    client.serverTransient = other.publicKey;
    client.key = boxKey(other.publicKey, client.transient.secretKey);
    const octets = concat(curveGreeting(), commandFrame(hello), commandFrame(client.initiate()));
    handshake.target().set(octets);
    handshake.filled(octets.length);
    const { waiting } = session;
    session.end();
    await waiting;
    for (let i = 0; i < 5; i++) await pause(0);
    assertEquals([asked, errors], [0, [undefined]]);
    assertEquals([session.waiting, session.receive(octets)], [undefined, 0]);
  });
});

/** A client's handshake with a link. */
async function enter(stand: LinkStand, client: Client): Promise<void> {
  let said = new Uint8Array(0);
  const hear = async (size: number): Promise<Uint8Array> => {
    while (said.length < size) {
      await pause(0);
      said = concat(said, stand.stream.takeOutput());
    }
    const octets = said.slice(0, size);
    said = said.slice(size);
    return octets;
  };
  stand.stream.deliver(concat(curveGreeting(), commandFrame(client.hello())));
  await hear(64);
  client.takeWelcome(bodyOf(await hear(170)));
  stand.stream.deliver(commandFrame(client.initiate()));
  client.takeReady(bodyOf(await hear(2 + 30 + 11 + 4 + 1 + 6)));
}
