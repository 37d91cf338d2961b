// ZAP (RFC 27): the golden vectors on both sides of a handler, and the rules that either side may break.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Authenticator, Context, Dealer, Proxy, Reply, Router } from "../../mod.ts";
import { Core } from "../../src/core/instance.ts";
import { CoreMemory } from "../../src/core/memory.ts";
import { Outbox } from "../../src/core/outbox.ts";
import { AuthenticationError, ProtocolError } from "../../src/errors.ts";
import { Refusal } from "../../src/security/mechanism.ts";
import { Door } from "../../src/security/zap.ts";
import type { Metadata } from "../../src/wire/metadata.ts";
import { LARGEST_READ, Taking } from "../core/models/taking.ts";
import { textOf, textsOf, toHex, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { assertMessages, assertOctets, concat } from "../_util/octets.ts";
import { plainAs, ZapAsker } from "../_util/zap_asker.ts";
import { ZAP_ENDPOINT, zapMetadata } from "../_util/zap_handler.ts";
import { CLIENT_KEYS, PASSWORD, USERNAME } from "../_util/zap_mechanisms.ts";
import { ZAP_REPLIES, ZAP_REQUESTS } from "../_util/zap_vectors.ts";

const TAILS = [[0], [1, 0], [1, 3, 0x31], [0, 5, 1, 2, 3, 4]];
const memory = new CoreMemory();
const cleanup = new Cleanup();

/** The messages in octets that come in these pieces. */
function read(...pieces: Uint8Array[]): Uint8Array[][] {
  const taking = new Taking(-1, LARGEST_READ, memory);
  for (const piece of pieces) taking.read(piece);
  taking.take();
  taking.receiver.free();
  assertEquals(taking.fault, undefined);
  return taking.messages;
}

/** Checks that a wire is these frames whole, octet by octet, cut anywhere and with more behind it. */
function assertRead(wire: Uint8Array, frames: readonly Uint8Array[]): void {
  const expected = [[...frames]];
  assertMessages(read(wire), expected);
  assertMessages(read(...Array.from(wire, (octet) => Uint8Array.of(octet))), expected);
  for (let at = 1; at < wire.length; at++) {
    assertMessages(read(wire.subarray(0, at), wire.subarray(at)), expected);
  }
  for (const tail of TAILS) {
    const [first] = read(concat(wire, Uint8Array.from(tail)));
    assertMessages([first], expected);
  }
}

/** What a door makes of an answer to its own question, for which `make` is told the id. */
async function admit(
  make: (id: Uint8Array) => readonly (Uint8Array | string)[],
  asked: Uint8Array[][] = [],
): Promise<unknown> {
  const door = new Door({ domain: "test", enforced: true }, "127.0.0.1", (request) => {
    asked.push(request);
    const frames = make(request[2]).map((part) => typeof part === "string" ? utf8(part) : part);
    return { reply: Promise.resolve(frames), cancel() {} };
  });
  const outcome = door.admit("PLAIN", [utf8(USERNAME), utf8(PASSWORD)]) as Promise<Metadata>;
  return await outcome.catch((error) => error instanceof Refusal ? error.error : error);
}

/** What is known of a peer that is let in. */
function knownOf(outcome: unknown): Metadata {
  assertInstanceOf(outcome, Map);
  return outcome as Metadata;
}

function authenticator(context: Context): Authenticator {
  return cleanup.add(
    new Authenticator({
      context,
      plain: { [USERNAME]: PASSWORD },
      curve: [CLIENT_KEYS.publicKey],
    }),
  );
}

describe("the vectors of ZAP's requests", () => {
  afterEach(() => cleanup.run());

  for (const { id, meaning, frames, wire } of ZAP_REQUESTS) {
    it(`${id} is read whole, cut anywhere and with a tail, and let in: ${meaning}`, async () => {
      assertRead(wire, frames);
      const context = new Context();
      authenticator(context);
      const asker = cleanup.add(new ZapAsker(context));
      const [, ...request] = read(wire)[0];
      const verdict = await asker.askFrames(request as Uint8Array<ArrayBuffer>[]);
      const { version, id: echoed, status, userId } = verdict;
      const expected = { NULL: "", PLAIN: USERNAME, CURVE: CLIENT_KEYS.publicKey };
      const mechanism = textOf(frames[6]) as keyof typeof expected;
      assertEquals(
        [version, echoed, status, userId],
        ["1.0", textOf(frames[2]), "200", expected[mechanism]],
      );
    });
  }

  it("GV-Z-01, GV-Z-02, GV-Z-03: are what a server asks, but for its id and nobody's identity", () => {
    for (const { frames } of ZAP_REQUESTS) {
      let asked: Uint8Array[] = [];
      const [, , , domain, address, , mechanism, ...credentials] = frames;
      const rules = { domain: textOf(domain), enforced: false };
      const door = new Door(rules, textOf(address), (request) => {
        asked = request;
        return { reply: new Promise(() => {}), cancel() {} };
      });
      void door.admit(textOf(mechanism) as "NULL", credentials);
      const known = (request: readonly Uint8Array[]): string[] =>
        request.filter((_, i) => i !== 2 && i !== 5).map(toHex);
      assertEquals(known(asked), known(frames));
      assertEquals([asked[2].length > 0, asked[5].length], [true, 0]);
    }
  });
});

describe("the vectors of ZAP's replies", () => {
  for (const { id, meaning, status, userId, frames, wire } of ZAP_REPLIES) {
    it(`${id} is read whole, cut anywhere and with a tail: ${meaning}`, async () => {
      assertRead(wire, frames);
      const [reply] = read(wire);
      const outcome = await admit((own) => reply.with(2, own));
      if (status === "200") {
        assertEquals(toHex(knownOf(outcome).get("user-id")!), toHex(userId));
      } else {
        assertInstanceOf(outcome, AuthenticationError);
        assertEquals([outcome.status, outcome.byPeer], [Number(status), false]);
        assert(outcome.message.includes(textOf(frames[4])), outcome.message);
      }
      const stranger = await admit(() => reply);
      assertEquals((stranger as ProtocolError).code, "ERR_ZAP_BAD_REQUEST_ID");
    });

    it(`${id} is what is sent for ${meaning}`, () => {
      const outbox = new Outbox(new Core());
      outbox.append([...frames]);
      outbox.take(10_000);
      assertOctets(outbox.next(), wire);
    });
  }
});

describe("a ZAP reply", () => {
  it("ZAP-REP-03: may have no text", async () => {
    for (const status of ["200", "300", "400", "500"]) {
      const outcome = await admit((id) => ["", "1.0", id, status, "", "", ""]);
      assertEquals(outcome instanceof Map, status === "200");
      if (status === "200") continue;
      assertInstanceOf(outcome, AuthenticationError);
      assertEquals(outcome.status, Number(status));
    }
  });

  it("ZAP-REP-02: has one of four statuses, and no other", async () => {
    const others = Array.from({ length: 1_000 }, (_, i) => String(i).padStart(3, "0"));
    for (const status of [...others, "", "2000", "20", " 200", "200 ", "OK", "\uFEFF200"]) {
      if (["200", "300", "400", "500"].includes(status)) continue;
      const outcome = await admit((id) => ["", "1.0", id, status, "OK", "joe", ""]);
      assertInstanceOf(outcome, ProtocolError);
      assertEquals(outcome.code, "ERR_ZAP_INVALID_STATUS_CODE", status);
    }
  });

  it("ZAP-REP-01: has seven frames in their order, and the id that was asked with", async () => {
    const parts = (id: Uint8Array): (Uint8Array | string)[] => ["", "1.0", id, "200", "OK", "", ""];
    assertEquals(knownOf(await admit(parts)).size, 0);
    const broken: ((id: Uint8Array) => (Uint8Array | string)[])[] = [
      ...parts(utf8("x")).map((_, i) => (id: Uint8Array) => parts(id).toSpliced(i, 1)),
      ...parts(utf8("x")).map((_, i) => (id: Uint8Array) => parts(id).toSpliced(i, 0, "x")),
      (id) => ["x", ...parts(id).slice(1)],
      (id) => parts(id).with(1, "1.1"),
      (id) => parts(id).with(1, "\uFEFF1.0"),
      (id) => parts(concat(id, Uint8Array.of(0))),
      (id) => parts(concat(utf8("\uFEFF"), id)),
      (id) => parts(id).reverse(),
      () => [],
    ];
    for (const make of broken) {
      const outcome = await admit(make);
      assertInstanceOf(outcome, ProtocolError);
      assert(/^ERR_ZAP_(MALFORMED_REPLY|BAD_VERSION|BAD_REQUEST_ID)$/.test(outcome.code));
    }
  });

  it("ZAP-REP-04, ZAP-REP-05, ZAP-REP-06: may name a user of 255 octets, and properties", async () => {
    const user = "u".repeat(255);
    const properties = zapMetadata({ "X-a": "1", ["n".repeat(255)]: "" });
    const outcome = await admit((id) => ["", "1.0", id, "200", "OK", user, properties]);
    assertEquals(textsOf([...knownOf(outcome).values()]), ["1", "", user]);
    const more = await admit((id) => ["", "1.0", id, "200", "OK", `${user}u`, ""]);
    assertEquals((more as ProtocolError).code, "ERR_ZAP_MALFORMED_REPLY");
    const nameless = concat(zapMetadata({ "X-a": "1" }), new Uint8Array(5));
    for (const metadata of [nameless, properties.subarray(0, -1), utf8("text")]) {
      const broken = await admit((id) => ["", "1.0", id, "200", "OK", "", metadata]);
      assertEquals((broken as ProtocolError).code, "ERR_ZAP_INVALID_METADATA");
    }
  });
});

describe("a handler of ZAP", () => {
  afterEach(() => cleanup.run());

  it("ZAP-X-01: is asked by many with the same id, as libzmq's servers do", async () => {
    const context = new Context();
    const waiting = new Map<string, (isRight: boolean) => void>();
    cleanup.add(
      new Authenticator({
        context,
        plain: ({ username }) => new Promise((resolve) => waiting.set(username, resolve)),
      }),
    );
    const names = ["a", "b", "c"];
    const answers = names.map((name) => {
      const asker = cleanup.add(new ZapAsker(context));
      return asker.askFrames(["1.0", "1", "", "127.0.0.1", "", "PLAIN", name, "x"]);
    });
    await eventually(() => waiting.size === names.length);
    for (const name of ["c", "a", "b"]) waiting.get(name)!(name !== "b");
    assertEquals(
      (await Promise.all(answers)).map(({ id, status, userId }) => [id, status, userId]),
      [
        ["1", "200", "a"],
        ["1", "400", ""],
        ["1", "200", "c"],
      ],
    );
  });

  it("ZAP-REQ-06: is told any identity of up to 255 octets, and goes by none", async () => {
    const context = new Context();
    authenticator(context);
    const asker = cleanup.add(new ZapAsker(context));
    for (const identity of ["", "BOB", "\0\xff", "x".repeat(255)]) {
      const credentials = [USERNAME, PASSWORD];
      const frames = ["1.0", "1", "", "127.0.0.1", identity, "PLAIN", ...credentials];
      const { status, userId } = await asker.askFrames(frames);
      assertEquals([status, userId], ["200", USERNAME]);
    }
  });

  it("ZAP-ENV-03, ZAP-PROXY-01: answers through any number of proxies, envelope and all", async () => {
    const contexts = [new Context(), new Context(), new Context()];
    authenticator(contexts[2]);
    const proxies = await Promise.all([0, 1].map(async (i) => {
      const front = cleanup.add(new Router({ context: contexts[i] }));
      await front.bind(ZAP_ENDPOINT);
      const back = cleanup.add(new Dealer({ context: contexts[i + 1] }));
      back.connect(ZAP_ENDPOINT);
      const proxy = new Proxy(front, back);
      return { proxy, running: proxy.run() };
    }));
    const asker = cleanup.add(new ZapAsker(contexts[0]));
    assertEquals(await asker.status(plainAs(USERNAME, PASSWORD)), "200");
    assertEquals(await asker.status(plainAs(USERNAME, "wrong")), "400");
    for (const { proxy, running } of proxies) {
      proxy.terminate();
      await running;
    }
  });

  it("ZAP-ENV-03: answers nobody without a delimiter, and goes on", async () => {
    const context = new Context();
    const auth = authenticator(context);
    const dealer = cleanup.add(new Dealer({ context, receiveTimeout: 5_000 }));
    dealer.connect(ZAP_ENDPOINT);
    await dealer.send(["1.0", "1", "x", "127.0.0.1", "x", "NULL"]);
    await dealer.send(["far", "away", "", "1.0", "2", "", "127.0.0.1", "", "NULL"]);
    const reply = await dealer.receive();
    assertEquals(textsOf(reply), ["far", "away", "", "1.0", "2", "200", "OK", "", ""]);
    assertEquals(auth.stats(), { accepted: 1, denied: 0, failed: 1 });
  });

  it("ZAP-ENV-01: that is a DEALER sees the delimiter and sends it, a REP does neither", async () => {
    const context = new Context();
    const reply = cleanup.add(new Reply({ context, receiveTimeout: 5_000 }));
    await reply.bind("inproc://handler");
    const dealer = cleanup.add(new Dealer({ context, receiveTimeout: 5_000 }));
    dealer.connect("inproc://handler");
    const [request] = ZAP_REQUESTS;
    await dealer.send([...request.frames] as Uint8Array<ArrayBuffer>[]);
    assertEquals(textsOf(await reply.receive()), textsOf(request.frames).slice(1));
    const [answer] = ZAP_REPLIES;
    await reply.send([...answer.frames.slice(1)] as Uint8Array<ArrayBuffer>[]);
    assertEquals(textsOf(await dealer.receive()), textsOf(answer.frames));
  });
});
