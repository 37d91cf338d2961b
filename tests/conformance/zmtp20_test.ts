// Peers of ZMTP 2.0 (RFC 15): no mechanism, no metadata, no commands.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Publisher, Router, Subscriber } from "../../mod.ts";
import type { ZmqError } from "../../src/errors.ts";
import { textOf, textsOf, toHex, utf8 } from "../_util/bytes.ts";
import { LinkStand } from "../_util/link_stand.ts";
import { assertMessages, assertOctets, concat, pattern } from "../_util/octets.ts";
import { CONVERSATIONS } from "../_util/old_conversations.ts";
import {
  oldMessage,
  oldOpening,
  OldStage,
  OldStreamPeer,
  openingTo,
  talk,
  typeOctet,
} from "../_util/old_peer.ts";
import { ANSWER, EXCHANGE, OLD_FRAMES, OPENINGS, waysOf } from "../_util/old_vectors.ts";
import { command } from "../_util/raw_zmtp.ts";
import { LEGAL_PEERS, OWN_TYPES } from "../_util/session_pair.ts";
import { expand } from "../_util/vectors.ts";
import { WIRE_CLASSES } from "../_util/wire_classes.ts";

const stage = new OldStage();

/** A link whose peer has opened as one of ZMTP 2.0. */
function served(
  type: LinkStand["host"]["type"] = "DEALER",
  peer = LEGAL_PEERS[type][0],
): LinkStand {
  const stand = new LinkStand({ type });
  stand.link.start();
  stand.stream.deliver(oldOpening("2.0", peer));
  stand.stream.takeOutput();
  return stand;
}

function codeOf(stand: LinkStand): string | undefined {
  return (stand.error as ZmqError | undefined)?.code;
}

describe("the opening of ZMTP 2.0", () => {
  for (const { id, meaning, octets, protocol, socketType, routingId } of OPENINGS) {
    if (protocol !== "2.0") continue;
    it(`${id} is read whole, cut anywhere, and with a tail: ${meaning} (ZMTP20-GREETING-01)`, () => {
      for (const tail of ["", "00 02 6869", "01 00 00 00", "02 8*00"].map(expand)) {
        for (const deliver of waysOf(octets, tail)) {
          const stand = new LinkStand({ type: socketType === "DEALER" ? "ROUTER" : "DEALER" });
          stand.link.start();
          deliver(stand.stream);
          assertEquals([stand.calls, stand.error], [[`ready ${socketType}`], undefined]);
          assertEquals(stand.pipe.protocol, "2.0");
          assertOctets(stand.pipe.peer!.routingId, routingId);
          assertEquals(stand.pipe.peer!.metadata.size, 0);
          assertEquals(stand.receiveAll().length, tail.length > 0 ? 1 : 0);
        }
      }
    });
  }

  it("GV-20-04: is answered with the type and an empty routing id (ZMTP20-GREETING-02, ZMTP20-X-01)", () => {
    for (const deliver of waysOf(oldOpening("2.0", "DEALER"))) {
      const stand = new LinkStand({ type: "ROUTER" });
      stand.link.start();
      deliver(stand.stream);
      assertOctets(stand.stream.takeOutput(), ANSWER);
    }
  });

  it("is answered in steps: nothing is said before it is known to be understood (ZMTP20-COMPAT-02, ZMTP20-X-01)", () => {
    const stand = new LinkStand({ options: { routingId: "me" } });
    stand.link.start();
    const said = (): string => toHex(stand.stream.takeOutput());
    assertEquals(said(), "ff00000000000000037f");
    const steps = [["ff 8*00", ""], ["7f", "03"], ["01", "05" + "0002" + "6d65"]];
    for (const [octets, answer] of [...steps, ["06", ""], ["00", ""], ["00", ""]]) {
      stand.stream.deliver(expand(octets));
      assertEquals(said(), answer, octets);
    }
    assertEquals(stand.calls, ["ready ROUTER"]);
  });

  for (const size of [0, 1, 2, 254, 255]) {
    it(`carries a routing id of ${size} octets, and its size in the signature (ZMTP20-GREETING-02, ZMTP20-COMPAT-01)`, () => {
      const id = pattern(size).fill(0x78, 0, 1);
      const theirs = pattern(size, 1);
      const stand = new LinkStand({ options: { routingId: id } });
      stand.link.start();
      stand.stream.deliver(oldOpening("2.0", "ROUTER", theirs), 7);
      const said = stand.stream.takeOutput();
      assertEquals(toHex(said.subarray(1, 9)), (size + 1).toString(16).padStart(16, "0"));
      assertOctets(said, openingTo("2.0", "DEALER", id));
      assertOctets(stand.pipe.peer!.routingId, theirs);
    });
  }

  it("is not sent with a routing id by types that have none (ZMTP20-GREETING-02)", () => {
    for (const type of OWN_TYPES) {
      const stand = new LinkStand({ type, options: { routingId: "me" } });
      stand.link.start();
      stand.stream.deliver(oldOpening("2.0", LEGAL_PEERS[type][0]));
      assertOctets(stand.stream.takeOutput(), openingTo("2.0", type, "me"));
    }
  });

  for (
    const [what, octets] of [
      ["MORE", "01 00"],
      ["the long form", "02 8*00"],
      ["the flag of commands", "04 00"],
      ["reserved flags", "80 00"],
    ]
  ) {
    it(`ends the link when the frame of the routing id has ${what} (ZMTP20-GREETING-02, ZMTP20-FRAME-02)`, () => {
      for (const deliver of waysOf(concat(expand(`ff 8*00 7f 01 06 ${octets}`), utf8("  ")))) {
        const stand = new LinkStand();
        stand.pipe.send("unsent");
        stand.link.start();
        deliver(stand.stream);
        assertEquals([stand.calls, codeOf(stand)], [["ended"], "ERR_ZMTP_UNSPECIFIED"]);
        assert(!textOf(stand.stream.takeOutput()).includes("unsent"));
      }
    });
  }

  it("may have the revision 02 as well, which is 2.0 by the later RFCs (ZMTP20-X-02)", () => {
    for (const deliver of waysOf(expand("ff 8*00 7f 02 06 00 02 4944 00 02 6869"))) {
      const stand = new LinkStand();
      stand.link.start();
      deliver(stand.stream);
      assertOctets(stand.stream.takeOutput(), openingTo("2.0", "DEALER"));
      assertEquals([stand.pipe.protocol, textOf(stand.pipe.peer!.routingId)], ["2.0", "ID"]);
      assertMessages(stand.receiveAll(), [[utf8("hi")]]);
    }
  });
});

describe("the socket types of ZMTP 2.0", () => {
  it("have the octets of RFC 15, where XPUB is PUB and XSUB is SUB (ZMTP20-TYPE-03)", () => {
    for (const type of OWN_TYPES) {
      const stand = new LinkStand({ type });
      stand.link.start();
      stand.stream.deliver(oldOpening("2.0", LEGAL_PEERS[type][0]));
      assertEquals(stand.stream.takeOutput()[11], typeOctet(type), type);
    }
    assertEquals([typeOctet("PUB"), typeOctet("XSUB"), typeOctet("PUSH")], [1, 2, 8]);
  });

  for (const own of OWN_TYPES) {
    it(`are paired by the rules: a ${own} (ZMTP20-TYPE-01, ZMTP20-TYPE-02, ZMTP20-TYPE-03)`, () => {
      const names = [..."PAIR PUB SUB REQ REP DEALER ROUTER PULL PUSH XPUB XSUB".split(" ")];
      for (const octet of [...Array(16).keys(), 0x7f, 0x80, 0xff]) {
        const stand = new LinkStand({ type: own });
        stand.link.start();
        const octets = oldOpening("2.0", "PAIR");
        octets[11] = octet;
        const message = oldMessage("2.0", "hi");
        stand.stream.deliver(concat(octets, message));
        if (LEGAL_PEERS[own].includes(names[octet])) {
          assertEquals(stand.calls[0], `ready ${names[octet]}`);
          continue;
        }
        // Silently: there is no ERROR in 2.0.
        assertEquals([stand.calls, stand.receiveAll()], [["ended"], []], `${octet}`);
        const code = octet < 11 ? "ERR_ZMTP_INVALID_METADATA" : "ERR_ZMTP_UNSPECIFIED";
        assertEquals(codeOf(stand), code);
        const said = stand.stream.takeOutput();
        assertOctets(said, openingTo("2.0", own).subarray(0, said.length));
      }
    });
  }
});

describe("the frames of ZMTP 2.0", () => {
  afterEach(() => stage.close());

  for (const { id, meaning, octets, protocol, messages } of OLD_FRAMES) {
    if (protocol !== "2.0") continue;
    it(`${id} is read whole, cut anywhere, and with a tail, and sent: ${meaning}`, () => {
      for (const tail of ["", "00", "01 01", "02 0000"].map(expand)) {
        for (const deliver of waysOf(octets, tail)) {
          const stand = served();
          deliver(stand.stream);
          assertMessages(stand.receiveAll(), messages);
        }
      }
      const stand = served();
      for (const frames of messages) stand.pipe.send([...frames]);
      stand.host.clock.endTurn();
      assertOctets(stand.stream.takeOutput(), octets);
    });
  }

  it("GV-20-05: are exchanged by a ROUTER with a DEALER that has a name", async () => {
    const { octets, messages, reply, answer } = EXCHANGE;
    for (const deliver of waysOf(octets)) {
      const [router, accept] = await stage.bound(Router);
      const stream = accept();
      stream.takeOutput();
      deliver(stream);
      assertMessages([router.tryReceive()!], messages);
      assertOctets(stream.takeOutput(), ANSWER.subarray(10));
      const peer = new OldStreamPeer(stream, "2.0", utf8(""));
      await router.send(reply);
      assertMessages([await peer.hear()], [reply.slice(1)]);
      assertOctets(peer.octets, answer);
      await stage.close();
    }
  });

  it("have MORE on all but the last one, and no other flags but that of long ones (ZMTP20-FRAME-01, ZMTP20-FRAME-02)", () => {
    const stand = served();
    for (const sizes of [[0], [255], [256], [1, 0, 300], [256, 255]]) {
      stand.pipe.send(sizes.map((size) => pattern(size)));
      stand.host.clock.endTurn();
      const octets = stand.stream.takeOutput();
      let at = 0;
      for (const [i, size] of sizes.entries()) {
        const more = i < sizes.length - 1 ? 1 : 0;
        assertEquals(octets[at], (size > 255 ? 2 : 0) | more);
        at += (size > 255 ? 9 : 2) + size;
      }
      assertEquals(at, octets.length);
    }
  });

  for (const flags of [0x08, 0x10, 0x20, 0x40, 0x80, 0x05, 0x07, 0xff]) {
    it(`end the link with the flags 0x${flags.toString(16)} (ZMTP20-FRAME-02)`, () => {
      const stand = served();
      const octets = concat(oldMessage("2.0", "hi"), Uint8Array.of(flags, 0), new Uint8Array(9));
      stand.stream.deliver(octets);
      assertEquals(codeOf(stand), "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED");
      assertMessages(stand.receiveAll(), [[utf8("hi")]]);
    });
  }

  it("are never commands: one ends the link, also between frames (ZMTP20-FRAME-03)", () => {
    const commands = [
      command("PING", utf8("\0\0")),
      command("SUBSCRIBE", utf8("A")),
      command("READY"),
      command("UNKNOWN", pattern(300)),
      Uint8Array.of(4, 0),
    ];
    for (const octets of commands) {
      for (const before of [utf8(""), utf8("\x01\x01a")]) {
        const stand = served();
        stand.stream.deliver(concat(before, octets, oldMessage("2.0", "hi")));
        assertEquals(codeOf(stand), "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED");
        assertEquals([stand.receiveAll(), stand.host.commands], [[], []]);
        assertEquals(stand.stream.takeOutput().length, 0, "there is no ERROR");
      }
    }
  });

  it("are all that is sent: no PING, no command for a topic (ZMTP20-FRAME-03, ZMTP20-SUB-01)", async () => {
    const options = { heartbeatInterval: 10, heartbeatTimeout: 10 };
    const stand = new LinkStand({ options });
    stand.link.start();
    stand.stream.deliver(oldOpening("2.0", "ROUTER"));
    stand.stream.takeOutput();
    stand.host.clock.advance(1_000);
    assertEquals([stand.stream.takeOutput().length, stand.calls], [0, ["ready ROUTER"]]);

    const [subscriber, next] = stage.connecting(Subscriber);
    subscriber.subscribe("a");
    const own = openingTo("2.0", "SUB");
    const peer = new OldStreamPeer(await next(), "2.0", own);
    peer.send(oldOpening("2.0", "PUB"));
    subscriber.subscribe("b".repeat(300));
    subscriber.unsubscribe("a");
    assertEquals(await peer.heard(), [["\x01a"], ["\x01" + "b".repeat(300)], ["\0a"]]);
    const requests = concat(
      expand("00 02 0161 02 000000000000012d 01 300*62"),
      expand("00 02 0061"),
    );
    assertOctets(peer.octets, concat(own, requests));
  });

  it("ask for topics as messages, and a publisher understands them (ZMTP20-SUB-01)", async () => {
    const [publisher, accept] = await stage.bound(Publisher);
    const peer = new OldStreamPeer(accept(), "2.0", openingTo("2.0", "PUB"));
    peer.send(oldOpening("2.0", "SUB"), expand("00 04 01 616263 02 0000000000000002 01 62"));
    const send = async (): Promise<string[][]> => {
      for (const text of ["abc", "abd", "b", "c"]) await publisher.send([text]);
      return await peer.heard();
    };
    assertEquals(await send(), [["abc"], ["b"]]);
    peer.send(expand("00 04 00 616263"));
    assertEquals(await send(), [["b"]]);
  });
});

describe("a peer of ZMTP 2.0", () => {
  afterEach(() => stage.close());

  for (const { own, peer: type, id, steps } of CONVERSATIONS["2.0"]) {
    it(`that is a ${type} talks with a ${own}, whoever connects (ZMTP20-TYPE-01)`, async () => {
      const [listening, accept] = await stage.bound(WIRE_CLASSES[own]);
      const [dialling, next] = stage.connecting(WIRE_CLASSES[own]);
      for (const [socket, stream] of [[listening, accept()], [dialling, await next()]] as const) {
        const peer = new OldStreamPeer(stream, "2.0", openingTo("2.0", own));
        peer.send(oldOpening("2.0", type, id));
        await talk(socket, peer, steps);
        assertEquals([peer.refused, await peer.heard()], [false, []]);
      }
    });
  }

  it("has no security: it is refused where some is asked for (ZMTP20-SEC-01)", async () => {
    for (const options of [{ plainUsername: "a", plainPassword: "b" }, { zapDomain: "d" }]) {
      const [dealer, accept] = await stage.bound(Dealer, options);
      const peer = new OldStreamPeer(accept(), "2.0", utf8(""));
      peer.send(oldOpening("2.0", "DEALER"), oldMessage("2.0", "hi"));
      assertEquals([peer.refused, dealer.tryReceive()], [true, undefined]);
      assert("ff00000000000000017f03".startsWith(toHex(peer.octets)));
      await stage.close();
    }
    const [dealer, accept] = await stage.bound(Dealer);
    const peer = new OldStreamPeer(accept(), "2.0", openingTo("2.0", "DEALER"));
    peer.send(oldOpening("2.0", "DEALER"), oldMessage("2.0", "hi"));
    assertEquals(textsOf(dealer.tryReceive()!), ["hi"]);
  });
});
