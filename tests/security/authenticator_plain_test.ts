// An Authenticator's passwords: from an object, a Map, or a callback that does well, badly, or nothing at all.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Authenticator, type AuthenticatorPolicy, metadataOf } from "../../mod.ts";
import { SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { eventually } from "../_util/deadline.ts";
import { codeOf } from "../_util/event_log.ts";
import { describeOver } from "../_util/transports.ts";
import { plainAs, ZapAsker } from "../_util/zap_asker.ts";
import { DOMAIN, PASSWORD, USERNAME } from "../_util/zap_mechanisms.ts";
import {
  assertDenied,
  assertLetIn,
  type Client,
  type Server,
  ZapStage,
} from "../_util/zap_stage.ts";

const stage = new ZapStage();

function authenticator(policy: AuthenticatorPolicy): Authenticator {
  return stage.cleanup.add(new Authenticator({ context: stage.context, ...policy }));
}

function asker(): ZapAsker {
  return stage.cleanup.add(new ZapAsker(stage.context));
}

function as(server: Server, plainUsername: string, plainPassword: string): Client {
  return stage.client(server.address, { plainUsername, plainPassword });
}

const TABLES: Readonly<Record<string, NonNullable<AuthenticatorPolicy["plain"]>>> = {
  "an object": { [USERNAME]: PASSWORD, "größer": "✓", "empty": "" },
  "a Map": new Map([[USERNAME, PASSWORD], ["größer", "✓"], ["empty", ""]]),
};

describeOver(SYSTEM_TRANSPORTS, "an Authenticator with passwords", (transport) => {
  afterEach(() => stage.clear());

  for (const [kind, plain] of Object.entries(TABLES)) {
    it(`in ${kind} lets in who knows one`, async () => {
      authenticator({ plain });
      const server = await stage.asking(transport, "PLAIN");
      for (const [name, word] of [[USERNAME, PASSWORD], ["größer", "✓"]]) {
        const client = as(server, name, word);
        await client.socket.send("x");
        const metadata = metadataOf(await server.socket.receive())!;
        assertEquals(metadata.userId, name, "the name is the user id");
      }
    });

    it(`in ${kind} keeps out everybody else`, async () => {
      authenticator({ plain });
      const server = await stage.asking(transport, "PLAIN");
      for (
        const [name, word] of [[USERNAME, "Secret"], ["Admin", PASSWORD], ["größer", PASSWORD]]
      ) {
        await assertDenied(as(server, name, word), server, 400);
      }
    });
  }

  it("asks a callback, which is told who and where", async () => {
    const asked: unknown[][] = [];
    authenticator({
      plain: (credentials, request) => {
        asked.push([credentials, request.domain, request.address, request.mechanism]);
        return true;
      },
    });
    const server = await stage.asking(transport, "PLAIN");
    await assertLetIn(as(server, USERNAME, PASSWORD), server);
    const address = transport === "tcp" ? "127.0.0.1" : "";
    const credentials = { username: USERNAME, password: PASSWORD };
    assertEquals(asked, [[credentials, DOMAIN, address, "PLAIN"]]);
  });

  it("gives clients who are let in what a callback says of them", async () => {
    authenticator({
      plain: ({ username }) => ({ userId: `${username}@example`, metadata: { "X-Role": "staff" } }),
    });
    const server = await stage.asking(transport, "PLAIN");
    const client = as(server, USERNAME, PASSWORD);
    await client.socket.send("x");
    const metadata = metadataOf(await server.socket.receive())!;
    assertEquals([metadata.userId, metadata.get("X-Role")], [`${USERNAME}@example`, "staff"]);
  });
});

describe("passwords of an Authenticator", () => {
  afterEach(() => stage.clear());

  for (const [kind, plain] of Object.entries(TABLES)) {
    it(`in ${kind} are those, octet by octet, and no other`, async () => {
      authenticator({ plain });
      const questions = asker();
      const of = (name: string, word: string) => questions.status(plainAs(name, word));
      assertEquals(await of(USERNAME, PASSWORD), "200");
      assertEquals(await of("empty", ""), "200");
      for (
        const [name, word] of [
          [USERNAME, ""],
          [USERNAME, PASSWORD.slice(0, -1)],
          [USERNAME, `${PASSWORD} `],
          [USERNAME, `${PASSWORD}\0`],
          [USERNAME, PASSWORD.toUpperCase()],
          [`${USERNAME}\0`, PASSWORD],
          ["", ""],
          ["", PASSWORD],
          ["nobody", ""],
          ["nobody", "undefined"],
          // Names that every object has.
          ["constructor", ""],
          ["toString", "undefined"],
          ["__proto__", "[object Object]"],
          ["hasOwnProperty", ""],
          ["size", "3"],
          ["get", ""],
        ]
      ) {
        assertEquals(await of(name, word), "400", JSON.stringify([name, word]));
      }
    });
  }

  it("may have 255 octets, as many as PLAIN carries, and names too", async () => {
    const [name, word] = ["u".repeat(255), "✓".repeat(85)];
    authenticator({ plain: { [name]: word } });
    const questions = asker();
    assertEquals(await questions.status(plainAs(name, word)), "200");
    assertEquals(await questions.status(plainAs(name, `${word}x`)), "400");
    assertEquals(await questions.status(plainAs(name, "")), "400");
    assertEquals(await questions.status(plainAs(`${name}u`, word)), "400");
  });

  it("that are no text at all are wrong, not nearly right", async () => {
    authenticator({ plain: { "\uFFFD": "\uFFFD", "user": "\uFFFD" } });
    const questions = asker();
    const mechanism = "PLAIN";
    const credentials = [
      [Uint8Array.of(255), Uint8Array.of(255)],
      [new TextEncoder().encode("user"), Uint8Array.of(254)],
    ];
    for (const octets of credentials) {
      assertEquals(await questions.status({ mechanism, credentials: octets }), "400");
    }
    assertEquals(await questions.status(plainAs("user", "\uFFFD")), "200");
  });

  it("may begin with a byte order mark, which is a character like others", async () => {
    authenticator({ plain: { "\uFEFFuser": "\uFEFFword", "other": "word" } });
    const questions = asker();
    assertEquals(await questions.status(plainAs("\uFEFFuser", "\uFEFFword")), "200");
    assertEquals(await questions.status(plainAs("user", "\uFEFFword")), "400");
    assertEquals(await questions.status(plainAs("\uFEFFother", "word")), "400");
    assertEquals(await questions.status(plainAs("other", "\uFEFFword")), "400");
  });

  it("may be of an object without a prototype", async () => {
    authenticator({ plain: Object.assign(Object.create(null), { [USERNAME]: PASSWORD }) });
    const questions = asker();
    assertEquals(await questions.status(plainAs(USERNAME, PASSWORD)), "200");
    assertEquals(await questions.status(plainAs("toString", "")), "400");
  });

  it("that are changed in the object or Map count when configure is called", async () => {
    const object: Record<string, string> = { [USERNAME]: PASSWORD };
    const map = new Map(Object.entries(object));
    const auth = authenticator({});
    const questions = asker();
    for (const plain of [object, map]) {
      auth.configure({ plain });
      object[USERNAME] = "new";
      map.set(USERNAME, "new");
      assertEquals(await questions.status(plainAs(USERNAME, PASSWORD)), "200");
      assertEquals(await questions.status(plainAs(USERNAME, "new")), "400");
      auth.configure({ plain });
      assertEquals(await questions.status(plainAs(USERNAME, PASSWORD)), "400");
      assertEquals(await questions.status(plainAs(USERNAME, "new")), "200");
      map.set(USERNAME, PASSWORD);
    }
  });

  it("are none, so everybody is denied, where the policy has none", async () => {
    authenticator({});
    assertEquals(await asker().status(plainAs(USERNAME, PASSWORD)), "400");
  });

  it("ZAP-REQ-08: are asked for by two frames, not by more or fewer", async () => {
    authenticator({ plain: () => true });
    const questions = asker();
    for (const credentials of [[], ["a"], ["a", "b", "c"]]) {
      const status = await questions.status({ mechanism: "PLAIN", credentials });
      assert(["400", "500"].includes(status), `${credentials.length}: ${status}`);
    }
  });
});

/** No, whatever the reason. */
const NO = "400 or 500";

/** What a callback may do, and the status that follows. */
const CALLBACKS: Readonly<Record<string, readonly [() => unknown, string]>> = {
  "true": [() => true, "200"],
  "false": [() => false, "400"],
  "a promise of true": [() => Promise.resolve(true), "200"],
  "a promise of false": [() => Promise.resolve(false), "400"],
  "an empty object": [() => ({}), "200"],
  "a user id": [() => ({ userId: "me" }), "200"],
  "a promise of a user id": [() => Promise.resolve({ userId: "me" }), "200"],
  "an error that it throws": [() => {
    throw new Error("the database is gone");
  }, "500"],
  "a promise that rejects": [() => Promise.reject(new Error("the database is gone")), "500"],
  "anything that it throws": [() => {
    throw undefined;
  }, "500"],
  // What is neither yes nor no is a mistake in the program: nobody is let in by it.
  "nothing": [() => undefined, NO],
  "null": [() => null, NO],
  "a number": [() => 1, NO],
  "a text": [() => "yes", NO],
  "a list": [() => [], NO],
  "a promise of a list": [() => Promise.resolve([{ userId: "me" }]), NO],
  "a function": [() => () => true, NO],
  "a user id that is a number": [() => ({ userId: 5 }), "500"],
  "a user id that is an object": [() => ({ userId: {} }), "500"],
  "a user id that is null": [() => ({ userId: null }), "500"],
  "a user id that is too long": [() => ({ userId: "u".repeat(256) }), "500"],
  "metadata that are no texts": [() => ({ metadata: { "X-a": 5 } }), "500"],
  "metadata that are none": [() => ({ metadata: 5 }), "500"],
  "metadata without a name": [() => ({ metadata: { "": "x" } }), "500"],
  "metadata with a name that is too long": [
    () => ({ metadata: { ["X".repeat(256)]: "x" } }),
    "500",
  ],
};

describe("a callback of an Authenticator that gives", () => {
  afterEach(() => stage.clear());

  for (const [what, [callback, status]] of Object.entries(CALLBACKS)) {
    it(`ZAP-REP-04, ZAP-REP-06: ${what} leads to ${status}`, async () => {
      authenticator({ plain: callback as () => boolean, curve: callback as () => boolean });
      const questions = asker();
      const verdict = await questions.ask(plainAs(USERNAME, PASSWORD));
      assert(status.includes(verdict.status), verdict.status);
      if (status !== "200") assertEquals([verdict.userId, verdict.metadata], ["", {}]);
      assert(!verdict.text.includes("database"), verdict.text);
      const credentials = [new Uint8Array(32)];
      const byKey = await questions.status({ mechanism: "CURVE", credentials });
      assertEquals(byKey, verdict.status);
    });
  }

  it("nothing, ever, holds up nobody but those it is asked about", async () => {
    const asked: string[] = [];
    authenticator({
      plain: ({ username }) => {
        asked.push(username);
        return username === "slow" ? new Promise<boolean>(() => {}) : true;
      },
    });
    const server = await stage.asking("tcp", "PLAIN", { handshakeInterval: 200 });
    const slow = Array.from({ length: 5 }, () => as(server, "slow", "x"));
    await eventually(() => asked.length >= 5);
    for (let i = 0; i < 5; i++) await assertLetIn(as(server, `quick ${i}`, "x"), server);
    const event = await server.log.next("handshake:error:other");
    assertEquals(codeOf(event), "ETIMEDOUT");
    assertEquals(slow.flatMap(({ log }) => log.of("handshake")), []);
  });

  it("its answers out of order has each reach the one it is about", async () => {
    const waiting: Map<string, (isRight: boolean) => void> = new Map();
    authenticator({
      plain: ({ username }) => new Promise((resolve) => waiting.set(username, resolve)),
    });
    const server = await stage.asking("tcp", "PLAIN");
    const clients = ["a", "b", "c", "d"].map((name) => as(server, name, "x"));
    await eventually(() => waiting.size === 4);
    for (const name of ["d", "b", "a", "c"]) waiting.get(name)!(name < "c");
    await assertLetIn(clients[0], server);
    await assertLetIn(clients[1], server);
    await assertDenied(clients[2], server, 400);
    await assertDenied(clients[3], server, 400);
  });
});
