// The options of security: the forms that their values may have, how they are read back, and what mechanism follows.

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Push, Reply, type SocketOptions } from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { CLASS_NAMES, CLASSES } from "../_util/option_table.ts";
import { CLIENT_KEYS, SERVER_KEYS } from "../_util/zap_mechanisms.ts";

const cleanup = new Cleanup();

const KEYS = ["curvePublicKey", "curveSecretKey", "curveServerKey"] as const;
const TEXTS = ["plainUsername", "plainPassword", "zapDomain"] as const;

type Options = SocketOptions<Push>;

function push(options: Options = {}): Push {
  return cleanup.add(new Push(options));
}

describe("a key", () => {
  afterEach(() => cleanup.run());

  for (const name of KEYS) {
    it(`as ${name} may be given as text or as octets, and is read as text`, () => {
      const { publicOctets, publicKey } = SERVER_KEYS;
      const buffer = new Uint8Array(40).fill(9);
      buffer.set(publicOctets, 5);
      const forms: unknown[] = [publicKey, publicOctets, buffer.subarray(5, 37)];
      const { Buffer } = globalThis as { Buffer?: { from(octets: Uint8Array): Uint8Array } };
      if (Buffer !== undefined) forms.push(Buffer.from(publicOctets));
      for (const form of forms) {
        const given = push({ [name]: form } as Options);
        assertStrictEquals(given[name], publicKey);
        const set = push();
        (set as unknown as Record<string, unknown>)[name] = form;
        assertStrictEquals(set[name], publicKey);
      }
    });

    it(`as ${name} does not change with the octets that were given, which stay as they are`, () => {
      const octets = SERVER_KEYS.publicOctets.slice();
      const socket = push({ [name]: octets } as Options);
      assertEquals(octets, SERVER_KEYS.publicOctets);
      octets.fill(0);
      assertEquals(socket[name], SERVER_KEYS.publicKey);
    });

    it(`as ${name} goes back to none with null`, () => {
      const socket = push({ [name]: SERVER_KEYS.publicKey } as Options);
      socket[name] = null;
      assertStrictEquals(socket[name], null);
      assertStrictEquals(socket.securityMechanism, null);
    });
  }
});

describe("a text", () => {
  afterEach(() => cleanup.run());

  for (const name of TEXTS) {
    it(`as ${name} goes back to none with null`, () => {
      const socket = push({ [name]: "something" });
      socket[name] = null;
      assertStrictEquals(socket[name], null);
    });
  }

  it("that is empty is a name and a password as others are, and PLAIN stays PLAIN", () => {
    for (const name of ["plainUsername", "plainPassword"] as const) {
      const socket = push({ [name]: "something" });
      socket[name] = "";
      assertStrictEquals(socket[name], "");
      assertStrictEquals(socket.securityMechanism, "plain");
      assertStrictEquals(push({ [name]: "" }).securityMechanism, "plain");
    }
  });

  it("that is empty is no domain", () => {
    const socket = push({ zapDomain: "something" });
    socket.zapDomain = "";
    assertStrictEquals(socket.zapDomain, null);
  });
});

const { publicKey, secretKey } = CLIENT_KEYS;

const MECHANISMS: readonly (readonly [Options, null | "plain" | "curve"])[] = [
  [{}, null],
  [{ zapDomain: "a" }, null],
  [{ zapDomain: "a", zapEnforceDomain: true }, null],
  [{ plainServer: true }, "plain"],
  [{ plainServer: false }, null],
  [{ plainUsername: "a" }, "plain"],
  [{ plainUsername: "a", plainPassword: "b" }, "plain"],
  [{ plainUsername: null, plainPassword: null }, null],
  [{ curveServer: true, curveSecretKey: secretKey }, "curve"],
  [{ curveServer: false }, null],
  [{ curveServerKey: SERVER_KEYS.publicKey, curveSecretKey: secretKey }, "curve"],
  [
    {
      curveServerKey: SERVER_KEYS.publicKey,
      curveSecretKey: secretKey,
      curvePublicKey: publicKey,
    },
    "curve",
  ],
];

describe("securityMechanism", () => {
  afterEach(() => cleanup.run());

  for (const [options, mechanism] of MECHANISMS) {
    it(`is ${mechanism} with ${JSON.stringify(Object.keys(options))}`, () => {
      assertStrictEquals(push(options).securityMechanism, mechanism);
      const socket = push();
      Object.assign(socket, options);
      assertStrictEquals(socket.securityMechanism, mechanism);
      for (const name of Object.keys(options)) {
        const off = ["Server", "Domain"].some((end) => name.endsWith(end)) && name !== "zapDomain";
        (socket as unknown as Record<string, unknown>)[name] = off ? false : null;
      }
      assertStrictEquals(socket.securityMechanism, null);
    });
  }

  it("follows the options of every class, and is only for reading", () => {
    for (const name of CLASS_NAMES) {
      const socket = cleanup.add(new CLASSES[name]({ plainServer: true }));
      assertStrictEquals(socket.securityMechanism, "plain", name);
      assertThrows(() => {
        (socket as unknown as Record<string, unknown>).securityMechanism = null;
      }, TypeError);
    }
  });

  it("is read when the socket is closed, too", async () => {
    const socket = push({ plainUsername: "a" });
    await socket.close();
    assertStrictEquals(socket.securityMechanism, "plain");
    socket.plainUsername = null;
    assertStrictEquals(socket.securityMechanism, null);
  });
});

describe("options of security that are changed", () => {
  afterEach(() => cleanup.run());

  it("count for the next bind, not for what is bound", async () => {
    const reply = cleanup.add(new Reply({ receiveTimeout: 5_000 }));
    await reply.bind("tcp://127.0.0.1:*");
    const open = reply.lastEndpoint!;
    reply.curveServer = true;
    reply.curveSecretKey = SERVER_KEYS.secretKey;
    await reply.bind("tcp://127.0.0.1:*");
    const sealed = reply.lastEndpoint!;
    const options = { receiveTimeout: 5_000 };
    const stranger = cleanup.add(new Dealer(options));
    stranger.connect(open);
    const friend = cleanup.add(
      new Dealer({
        ...options,
        curveServerKey: SERVER_KEYS.publicKey,
        curveSecretKey: CLIENT_KEYS.secretKey,
      }),
    );
    friend.connect(sealed);
    for (const [dealer, text] of [[stranger, "open"], [friend, "sealed"]] as const) {
      await dealer.send(["", text]);
      assertEquals(String((await reply.receive())[0]), text);
      await reply.send("answer");
      assertEquals(String((await dealer.receive())[1]), "answer");
    }
  });

  it("count for the next connect, and one that stands goes on as it began", async () => {
    const contexts = cleanup.add(new Reply({ receiveTimeout: 5_000 }));
    await contexts.bind("tcp://127.0.0.1:*");
    const address = contexts.lastEndpoint!;
    const dealer = cleanup.add(new Dealer({ receiveTimeout: 5_000 }));
    dealer.connect(address);
    dealer.plainUsername = "somebody";
    await dealer.send(["", "still open"]);
    assertEquals(String((await contexts.receive())[0]), "still open");
    assert(dealer.securityMechanism === "plain");
  });
});
