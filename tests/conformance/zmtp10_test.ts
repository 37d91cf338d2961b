// Peers of ZMTP 1.0 (RFC 13): frames behind a greeting that is one itself.

import { assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Publisher, Push, Router, XPublisher } from "../../mod.ts";
import type { ZmqError } from "../../src/errors.ts";
import { textsOf, utf8 } from "../_util/bytes.ts";
import { within } from "../_util/deadline.ts";
import { LinkStand } from "../_util/link_stand.ts";
import { assertMessages, assertOctets, concat, pattern } from "../_util/octets.ts";
import { CONVERSATIONS } from "../_util/old_conversations.ts";
import {
  oldFrame,
  oldMessage,
  oldOpening,
  OldStage,
  OldStreamPeer,
  openingTo,
  talk,
} from "../_util/old_peer.ts";
import { OLD_FRAMES, OPENINGS, waysOf } from "../_util/old_vectors.ts";
import { failure } from "../_util/rejection.ts";
import { OWN_TYPES } from "../_util/session_pair.ts";
import { expand } from "../_util/vectors.ts";
import { WIRE_CLASSES } from "../_util/wire_classes.ts";

const ANONYMOUS = expand("01 00");
const OWN = "ff 0000000000000001 7f";
const stage = new OldStage();

type Options = ConstructorParameters<typeof LinkStand>[0];

/** A link whose peer has opened as one of ZMTP 1.0. */
function served(options: Options = {}): LinkStand {
  const stand = new LinkStand(options);
  stand.link.start();
  stand.stream.deliver(ANONYMOUS);
  stand.stream.takeOutput();
  return stand;
}

function codeOf(stand: LinkStand): string | undefined {
  return (stand.error as ZmqError | undefined)?.code;
}

/** What goes out for a message. */
function sent(stand: LinkStand, ...frames: Uint8Array[]): Uint8Array {
  stand.pipe.send(frames);
  stand.host.clock.endTurn();
  stand.stream.flow();
  return stand.stream.takeOutput();
}

describe("the greeting of ZMTP 1.0", () => {
  afterEach(() => stage.close());

  for (const { id, meaning, octets, protocol, routingId } of OPENINGS) {
    if (protocol !== "1.0") continue;
    it(`${id} is read whole, cut anywhere, and with a tail: ${meaning} (ZMTP10-CONN-01)`, () => {
      for (const [tail, count] of [["", 0], ["03 00 6869", 1], ["01 01", 0], ["ff", 0]] as const) {
        for (const deliver of waysOf(octets, expand(tail))) {
          const stand = new LinkStand({ type: "ROUTER" });
          stand.link.start();
          deliver(stand.stream);
          assertEquals([stand.calls.slice(0, 1), stand.error], [["ready "], undefined]);
          assertEquals(stand.pipe.protocol, "1.0");
          assertOctets(stand.pipe.peer!.routingId, routingId);
          assertEquals(stand.receiveAll().length, count);
          assertOctets(stand.stream.takeOutput(), expand(OWN));
        }
      }
    });
  }

  for (const size of [0, 1, 253, 254, 255]) {
    it(`is sent with a routing id of ${size} octets, and may come with it (ZMTP10-CONN-01)`, () => {
      const [own, theirs] = [pattern(size, 1).fill(1, 0, 1), pattern(size, 2)];
      for (const piece of [Infinity, 1]) {
        const stand = new LinkStand({ options: { routingId: own } });
        stand.link.start();
        stand.stream.deliver(concat(oldFrame("1.0", theirs), oldMessage("1.0", "hi")), piece);
        assertOctets(stand.stream.takeOutput(), openingTo("1.0", "DEALER", own));
        assertOctets(stand.pipe.peer!.routingId, theirs);
        assertMessages(stand.receiveAll(), [[utf8("hi")]]);
      }
    });
  }

  for (
    const [what, octets] of [
      ["256 octets", concat(expand("ff 0000000000000101 00"), pattern(256))],
      ["2^64 - 1 octets", expand("ff 8*ff 00")],
      ["no flags", expand("ff 8*00 00")],
      ["no octets at all", expand("00 00")],
    ] as const
  ) {
    it(`ends the link with a routing id of ${what} (ZMTP10-CONN-01, ZMTP10-FRAME-04)`, () => {
      for (const piece of [Infinity, 1, 9, 10]) {
        const stand = new LinkStand();
        stand.link.start();
        stand.stream.deliver(octets, piece);
        assertEquals([stand.calls, codeOf(stand)], [["ended"], "ERR_ZMTP_UNSPECIFIED"]);
      }
    });
  }

  it("of ours has no routing id that begins with a zero octet (ZMTP10-CONN-02)", () => {
    for (const id of ["\0", "\0\0\0\0\x01"]) {
      failure(() => new Dealer({ routingId: id }), "EINVAL");
      failure(() => new Router({ routingId: id }), "EINVAL");
    }
  });

  for (const flags of ["02", "7e", "80", "fe"]) {
    it(`may have any flags, where it can be nothing else: ${flags} (ZMTP10-CONN-03)`, () => {
      const stand = new LinkStand();
      stand.link.start();
      stand.stream.deliver(expand(`ff 0000000000000004 ${flags} 494458 03 00 6869`));
      assertEquals([stand.pipe.protocol, textsOf([stand.pipe.peer!.routingId])], ["1.0", ["IDX"]]);
      assertMessages(stand.receiveAll(), [[utf8("hi")]]);
    });
  }

  for (const flags of ["00", "01", "7f"]) {
    it(`has the flags ${flags} in its short form (ZMTP10-CONN-03)`, () => {
      const stand = new LinkStand();
      stand.link.start();
      stand.stream.deliver(expand(`04 ${flags} 616263 03 00 6869`));
      assertMessages(stand.receiveAll(), [[utf8("hi")]]);
    });
  }

  it("may name a peer only once at a time, and is forgotten with it (ZMTP10-CONN-04)", async () => {
    const [router, accept] = await stage.bound(Router);
    const join = (): OldStreamPeer => {
      const peer = new OldStreamPeer(accept(), "1.0", openingTo("1.0", "ROUTER"));
      return peer.send(oldOpening("1.0", "DEALER", "same"));
    };
    const first = join();
    const second = join();
    assertEquals([first.refused, second.refused], [false, true]);
    second.say("theft");
    first.say("mine");
    assertEquals(textsOf(router.tryReceive()!), ["same", "mine"]);
    await router.send(["same", "yours"]);
    assertEquals([await first.heard(), await second.heard()], [[["yours"]], []]);
    first.stream.end();
    const third = join().say("back");
    assertEquals([third.refused, textsOf(router.tryReceive()!)], [false, ["same", "back"]]);
  });

  it("is all that has to come before messages, both ways (ZMTP10-CONN-05)", () => {
    const stand = new LinkStand();
    stand.pipe.send("early");
    stand.link.start();
    assertOctets(stand.stream.takeOutput(), expand(OWN));
    stand.stream.deliver(concat(ANONYMOUS, oldMessage("1.0", "a"), oldMessage("1.0", "b", "c")));
    stand.host.clock.endTurn();
    assertMessages(stand.receiveAll(), [[utf8("a")], [utf8("b"), utf8("c")]]);
    assertOctets(stand.stream.takeOutput(), oldMessage("1.0", "early"));
  });
});

describe("the frames of ZMTP 1.0", () => {
  for (const { id, meaning, octets, protocol, messages } of OLD_FRAMES) {
    if (protocol !== "1.0") continue;
    it(`${id} is read whole, cut anywhere, and with a tail, and sent: ${meaning}`, () => {
      for (const tail of ["", "01", "02 01 41", "ff", "ff 8*00"].map((text) => expand(text))) {
        for (const deliver of waysOf(octets, tail)) {
          const stand = served();
          deliver(stand.stream);
          assertMessages(stand.receiveAll(), messages);
          assertEquals(stand.error, undefined);
        }
      }
      const stand = served();
      assertOctets(concat(...messages.map((frames) => sent(stand, ...frames))), octets);
    });
  }

  it("count their flags: an empty one has the size 1 (ZMTP10-FRAME-01)", () => {
    const stand = served();
    assertOctets(sent(stand, utf8("")), expand("01 00"));
    stand.stream.deliver(expand("01 00 02 00 61"));
    assertMessages(stand.receiveAll(), [[utf8("")], [utf8("a")]]);
  });

  for (const size of [0, 1, 252, 253, 254, 255, 256, 16_384, 65_535, 65_536, 300_000]) {
    const form = size < 254 ? "one octet" : "eight octets";
    it(`of ${size} octets have a size of ${form} (ZMTP10-FRAME-02, ZMTP10-FRAME-03)`, () => {
      const stand = served();
      const body = pattern(size);
      const octets = sent(stand, body);
      const header = size < 254 ? 2 : 10;
      assertEquals([octets[0], octets.length], [size < 254 ? size + 1 : 255, header + size]);
      assertOctets(octets, oldMessage("1.0", body));
      for (const piece of [Infinity, 7, 16_384]) stand.stream.deliver(octets, piece);
      assertMessages(stand.receiveAll(), [[body], [body], [body]]);
      // The long form is open to all sizes.
      const long = concat(expand("ff 8*00 00"), body);
      new DataView(long.buffer).setBigUint64(1, BigInt(size + 1));
      stand.stream.deliver(concat(long, oldMessage("1.0", "next")), 1_000);
      assertMessages(stand.receiveAll().slice(3), [[body], [utf8("next")]]);
    });
  }

  for (const octets of ["00 00", "00 01", "ff 8*00 00", "ff 8*00 01"]) {
    it(`end the link with a size of 0: ${octets} (ZMTP10-FRAME-04)`, () => {
      for (const deliver of waysOf(expand(`03 00 6869 02 01 61 ${octets} 03 00 6869`))) {
        const stand = served();
        deliver(stand.stream);
        assertEquals(codeOf(stand), "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED");
        assertMessages(stand.receiveAll(), [[utf8("hi")]]);
      }
    });
  }

  for (const size of ["7fffffffffffffff", "8000000000000000", "ffffffffffffffff"]) {
    it(`end the link when no memory is large enough: ${size} (ZMTP10-FRAME-03)`, () => {
      const stand = served();
      stand.stream.deliver(expand(`03 00 6869 ff ${size} 00 616263`));
      assertEquals(codeOf(stand), "EMSGSIZE");
      assertMessages(stand.receiveAll(), [[utf8("hi")]]);
    });
  }

  it("end the link when they are larger than maxMessageSize says (ZMTP10-FRAME-03)", () => {
    for (const [size, code] of [[300, undefined], [301, "EMSGSIZE"]] as const) {
      const stand = served({ options: { maxMessageSize: 300 } });
      stand.stream.deliver(oldMessage("1.0", pattern(size)), 50);
      assertEquals([codeOf(stand), stand.receiveAll().length], [code, code ? 0 : 1]);
    }
  });

  it("have MORE in bit 0 on all but the last one (ZMTP10-FRAME-05)", () => {
    const stand = served();
    const frames = [pattern(1), utf8(""), pattern(254), pattern(70_000), utf8("")];
    assertOctets(sent(stand, ...frames), oldMessage("1.0", ...frames));
    assertOctets(sent(stand, utf8("x")), expand("02 00 78"));
  });

  for (const flags of ["02", "04", "7e", "80", "fe"]) {
    it(`may have other flags, which mean nothing: ${flags} (ZMTP10-FRAME-06)`, () => {
      const stand = served();
      const more = (Number.parseInt(flags, 16) | 1).toString(16).padStart(2, "0");
      stand.stream.deliver(expand(`02 ${more} 41 03 ${flags} 6869 ff 0000000000000001 ${flags}`));
      assertMessages(stand.receiveAll(), [[utf8("A"), utf8("hi")], [utf8("")]]);
      assertEquals([stand.error, stand.host.commands], [undefined, []]);
    });
  }
});

describe("publishers and subscribers of ZMTP 1.0", () => {
  afterEach(() => stage.close());

  for (const type of ["SUB", "XSUB"] as const) {
    it(`leave it to the subscriber to filter: a ${type} says nothing (ZMTP10-PUB-01, ZMTP10-PUB-02)`, async () => {
      const [socket, next] = stage.connecting(WIRE_CLASSES[type]);
      const ask = type === "SUB"
        ? (kind: number, topic: string) =>
          kind === 1 ? socket.subscribe(topic) : socket.unsubscribe(topic)
        : (kind: number, topic: string) => void socket.send([String.fromCharCode(kind) + topic]);
      ask(1, "early");
      const peer = new OldStreamPeer(await next(), "1.0", expand(OWN));
      peer.send(oldOpening("1.0", "PUB"));
      ask(1, "A");
      ask(0, "early");
      assertEquals(await peer.heard(), []);
      assertOctets(peer.octets, expand(OWN));
      peer.say("early").say("Ax", "y").say("B").say("A");
      const all = [];
      for (let frames = socket.tryReceive(); frames; frames = socket.tryReceive()) {
        all.push(textsOf(frames));
      }
      const wanted = type === "SUB" ? [] : [["early"], ["B"]];
      assertEquals(all.toSorted(), [...wanted, ["Ax", "y"], ["A"]].toSorted());
    });
  }

  it("begin with everything subscribed, for each subscriber (ZMTP10-PUB-03)", async () => {
    const [publisher, accept] = await stage.bound(Publisher);
    const first = new OldStreamPeer(accept(), "1.0", expand(OWN)).send(ANONYMOUS);
    const second = new OldStreamPeer(accept(), "2.0", openingTo("2.0", "PUB"));
    second.send(oldOpening("2.0", "SUB"), oldMessage("2.0", "\x01A"));
    await publisher.send(["A", "1"]);
    await publisher.send(["", "2"]);
    assertEquals(await first.heard(), [["A", "1"], ["", "2"]]);
    assertEquals(await second.heard(), [["A", "1"]]);
  });

  it("tell an XPUB of it, also one that waits (ZMTP10-PUB-03)", async () => {
    const [publisher, accept] = await stage.bound(XPublisher);
    const waiting = publisher.receive();
    const peer = new OldStreamPeer(accept(), "1.0", expand(OWN)).send(ANONYMOUS);
    assertEquals(textsOf(await within(waiting, 1_000, "the subscription")), ["\x01"]);
    peer.stream.end();
    assertEquals(textsOf(publisher.tryReceive()!), ["\0"]);
  });

  it("get no harm by the requests that libzmq's subscribers send all the same: GV-10-08 (ZMTP10-PUB-04)", async () => {
    for (const type of [Publisher, XPublisher]) {
      const [publisher, accept] = await stage.bound(type);
      const peer = new OldStreamPeer(accept(), "1.0", expand(OWN)).send(ANONYMOUS);
      peer.send(expand("05 00 01 616263 05 00 00 616263 05 00 01 616263"));
      for (const text of ["abc", "x"]) await publisher.send([text]);
      assertEquals([await peer.heard(), peer.refused], [[["abc"], ["x"]], false]);
      if (type === XPublisher) {
        const requests = [];
        for (let frames = publisher.tryReceive(); frames; frames = publisher.tryReceive()) {
          requests.push(...textsOf(frames));
        }
        assertEquals(requests, ["\x01", "\x01abc", "\0abc", "\x01abc"]);
      }
      await stage.close();
    }
  });

  it("are not heard where nobody listens: PUB and PUSH ignore messages (ZMTP10-NEUTRAL-01, ZMTP10-PUB-01)", async () => {
    for (const type of [Publisher, Push]) {
      const [socket, accept] = await stage.bound(type);
      const peer = new OldStreamPeer(accept(), "1.0", expand(OWN)).send(ANONYMOUS);
      peer.say("up").say("a", "", "b").say(pattern(300)).say("");
      await socket.send(["down"]);
      assertEquals([await peer.heard(), peer.refused], [[["down"]], false]);
      await stage.close();
    }
  });
});

describe("a peer of ZMTP 1.0", () => {
  afterEach(() => stage.close());

  for (const { own, peer: type, id, steps } of CONVERSATIONS["1.0"]) {
    const asked = ["REQ", "REP", "DEALER", "ROUTER"].includes(own);
    const ids = asked ? "ZMTP10-ADDR-01, ZMTP10-ADDR-02" : "ZMTP10-NEUTRAL-01";
    it(`that is a ${type} talks with a ${own}, whoever connects (${ids})`, async () => {
      const [listening, accept] = await stage.bound(WIRE_CLASSES[own]);
      const [dialling, next] = stage.connecting(WIRE_CLASSES[own]);
      for (const [socket, stream] of [[listening, accept()], [dialling, await next()]] as const) {
        const peer = new OldStreamPeer(stream, "1.0", openingTo("1.0", own));
        peer.send(oldOpening("1.0", type, id));
        await talk(socket, peer, steps);
        assertEquals([peer.refused, await peer.heard()], [false, []]);
      }
    });
  }

  it("does not tell its type: all of ours take it (ZMTP10-NEUTRAL-01)", () => {
    for (const type of OWN_TYPES) {
      const stand = served({ type });
      assertEquals([stand.calls, stand.pipe.protocol], [["ready "], "1.0"]);
    }
  });
});
