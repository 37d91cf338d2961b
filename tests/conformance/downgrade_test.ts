// How it is told which version a peer speaks, and what has been said to it by then (RFC 15, 23 and 37).

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Router, Subscriber } from "../../mod.ts";
import type { Event } from "../../src/events.ts";
import type { ZmqError } from "../../src/errors.ts";
import { textOf, textsOf, toHex, utf8 } from "../_util/bytes.ts";
import { LinkStand } from "../_util/link_stand.ts";
import { feed, sessionOf, type Side, SIDES } from "../_util/mechanism_sessions.ts";
import { assertMessages, assertOctets, concat } from "../_util/octets.ts";
import {
  OLD_PROTOCOLS,
  oldMessage,
  oldOpening,
  OldStage,
  OldStreamPeer,
  openingTo,
} from "../_util/old_peer.ts";
import { OLD_FRAMES, OPENINGS, STIMULI, waysOf } from "../_util/old_vectors.ts";
import { greeting, message, ready } from "../_util/raw_zmtp.ts";
import { newSession, outputOf } from "../_util/session_pair.ts";
import { expand } from "../_util/vectors.ts";

const GUARDED: readonly Side[] = SIDES.filter((side) => side !== "NULL");
const stage = new OldStage();

/** What is said to octets that come one read after the other. */
function answersTo(stand: LinkStand, ...reads: string[]): string[] {
  return reads.map((octets) => {
    stand.stream.deliver(expand(octets));
    return toHex(stand.stream.takeOutput());
  });
}

function started(routingId = ""): LinkStand {
  const stand = new LinkStand({ options: { routingId } });
  stand.link.start();
  return stand;
}

describe("the vectors of downgrading", () => {
  for (const { id, meaning, octets, to, protocol, socketType, messages } of STIMULI) {
    it(`${id} is understood whole, cut anywhere, and with a tail: ${meaning} (DOWN-01)`, () => {
      const tails = protocol === undefined
        ? [""]
        : ["", protocol === "1.0" ? "02 01 61" : "01 01 61"];
      for (const tail of tails.map((text) => expand(text))) {
        for (const deliver of waysOf(octets, tail)) {
          const stand = new LinkStand({ type: to, options: { routingId: "me" } });
          stand.link.start();
          deliver(stand.stream);
          const said = stand.stream.takeOutput();
          if (protocol === undefined) {
            assertEquals([stand.calls, (stand.error as ZmqError).code], [
              ["ended"],
              "ERR_ZMTP_UNSPECIFIED",
            ]);
          } else {
            assertEquals(stand.pipe.protocol, protocol);
            assertEquals(stand.pipe.peer!.socketType, socketType);
            assertOctets(said, openingTo(protocol, to, "me"));
          }
          assertMessages(stand.receiveAll(), messages);
        }
      }
    });
  }

  for (const side of GUARDED) {
    it(`GV-DOWN-04: are refused by a ${side}, which delivers nothing (DOWN-02)`, async () => {
      for (const { octets } of STIMULI) {
        for (let at = 0; at <= octets.length; at++) {
          const session = sessionOf(side, side.endsWith("client") ? "DEALER" : "ROUTER");
          const errors: ZmqError[] = [];
          for (const piece of [octets.subarray(0, at), octets.subarray(at)]) {
            if (session.state !== "failed") {
              await feed(session, piece).catch((error) => errors.push(error));
            }
          }
          assertEquals([session.state, session.peer, errors.length], ["failed", undefined, 1]);
          const said = outputOf(session);
          assert(said.length <= 11, "nothing but what any version sees");
        }
      }
    });
  }
});

describe("a socket that asks for security", () => {
  afterEach(() => stage.close());

  for (
    const [what, options] of [
      ["PLAIN", { plainUsername: "a", plainPassword: "b" }],
      ["a ZAP domain", { zapDomain: "test" }],
      ["CURVE", {
        curveServerKey: "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
        curvePublicKey: "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
        curveSecretKey: "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs",
      }],
    ] as const
  ) {
    it(`by ${what} ends peers of earlier versions, says why, and sends them nothing (DOWN-02)`, async () => {
      const [dealer, accept] = await stage.bound(Dealer, { ...options, sendHighWaterMark: 5 });
      const events: Event[] = [];
      (dealer as unknown as Dealer).events.on("handshake:error:protocol", (event) => {
        events.push(event);
      });
      for (const { octets } of STIMULI) {
        const stream = accept();
        stream.deliver(concat(octets, oldMessage("2.0", "x")), 1);
        const said = toHex(stream.takeOutput());
        assert(["ff00000000000000017f", "ff00000000000000017f03"].includes(said), said);
        assert(stream.calls.includes("abort") || stream.calls.includes("close"));
      }
      assertEquals(dealer.tryReceive(), undefined);
      await Promise.resolve();
      const codes = events.map((event) => (event as { error: ZmqError }).error.code);
      const mismatch = "ERR_ZMTP_MECHANISM_MISMATCH";
      assertEquals(codes, [mismatch, mismatch, "ERR_ZMTP_UNSPECIFIED"]);
    });
  }
});

describe("what is said before the version is known", () => {
  it("is the signature, at once and to everybody: neither side waits (DOWN-07)", () => {
    const [a, b] = [newSession("DEALER"), newSession("ROUTER")];
    const [first, second] = [outputOf(a), outputOf(b)];
    assertEquals([toHex(first), toHex(second)], Array(2).fill("ff00000000000000017f"));
    // Each decides by the other's: no octet has to be made up.
    a.receive(second);
    b.receive(first);
    assertEquals([toHex(outputOf(a)), toHex(outputOf(b))], ["03", "03"]);
    const stand = started();
    assertEquals(toHex(stand.stream.takeOutput()), "ff00000000000000017f");
  });

  it("is the header of a frame with the routing id to a peer of 1.0, of which only the id is missing (DOWN-03, DOWN-04)", () => {
    for (const id of ["", "abc", "x".repeat(255)]) {
      for (const opening of ["01 00", "04 00 616263", "ff 0000000000000004 00 494458"]) {
        const stand = started(id);
        const header = stand.stream.takeOutput();
        assertEquals(header[9], 0x7f, "the flags");
        assertEquals(toHex(header.subarray(1, 9)), (id.length + 1).toString(16).padStart(16, "0"));
        assertEquals(answersTo(stand, opening), [toHex(utf8(id))]);
        // As a peer of 1.0 reads it: a frame of that size, whatever its flags.
        assertEquals(stand.calls, ["ready "]);
      }
    }
  });

  it("is the revision as soon as the signature is known, then what the revision needs (DOWN-09, ZMTP30-VER-01)", () => {
    for (const [minor, protocol] of [["00", "3.0"], ["01", "3.1"]]) {
      const stand = started();
      stand.stream.takeOutput();
      const [after9, after10, major, end] = answersTo(stand, "ff 8*00", "7f", "03", minor);
      assertEquals([after9, after10, end], ["", "03", ""]);
      // Ours says 01 whatever theirs will say, and READY goes with it.
      assert(major.startsWith("014e554c4c"), major);
      assertEquals(answersTo(stand, `4e554c4c 16*00 32*00`), [""]);
      stand.stream.deliver(ready("ROUTER"));
      assertEquals(stand.pipe.protocol, protocol);
    }
  });

  it("is nothing that a peer of 2.0 could misread: its own type follows the revision (DOWN-01)", () => {
    const stand = started("id");
    stand.stream.takeOutput();
    const answers = answersTo(stand, "ff 8*00 7f", "01", "06 00 00");
    assertEquals(answers, ["03", "05" + "0002" + "6964", ""]);
  });
});

describe("what tells the version", () => {
  afterEach(() => stage.close());

  it("is not lost: octets that were read to tell it are the beginning of what follows (DOWN-05)", () => {
    for (const { octets, protocol, routingId } of OPENINGS) {
      const frames = OLD_FRAMES.filter((vector) => vector.protocol === protocol);
      const all = concat(octets, ...frames.map((vector) => vector.octets));
      const type = octets[11] === 5 && protocol === "2.0" ? "ROUTER" : "DEALER";
      for (const piece of [Infinity, 1, 2, 9, 10, 11]) {
        const stand = new LinkStand({ type });
        stand.link.start();
        stand.stream.deliver(all, piece);
        assertOctets(stand.pipe.peer!.routingId, routingId);
        assertMessages(stand.receiveAll(), frames.flatMap((vector) => vector.messages));
      }
    }
  });

  it("are octets 0, 9 and 10 alone: any padding will do for 2.0 (DOWN-06)", () => {
    for (const padding of ["8*00", "7*00 01", "8*ff", "0102030405060708"]) {
      for (const last of ["7f", "01", "ff"]) {
        const stand = started();
        stand.stream.deliver(expand(`ff ${padding} ${last} 01 06 00 02 4944 00 02 6869`));
        assertEquals([stand.pipe.protocol, textOf(stand.pipe.peer!.routingId)], ["2.0", "ID"]);
        assertMessages(stand.receiveAll(), [[utf8("hi")]]);
      }
    }
  });

  it("is asked for on each new connection: a peer may come back in another version (DOWN-01)", async () => {
    const [router, accept] = await stage.bound(Router);
    for (const protocol of [...OLD_PROTOCOLS, "3.1", ...OLD_PROTOCOLS.toReversed()] as const) {
      const stream = accept();
      if (protocol === "3.1") {
        stream.deliver(concat(greeting(), ready("DEALER", "same"), message(protocol)));
      } else {
        const peer = new OldStreamPeer(stream, protocol, utf8(""));
        peer.send(oldOpening(protocol, "DEALER", "same")).say(protocol);
      }
      assertEquals(textsOf(router.tryReceive()!), ["same", protocol]);
      const { peers } = (router as unknown as Router).stats();
      assertEquals(peers.map((peer) => peer.protocol), [protocol]);
      stream.end();
    }
  });

  it("is told by the event of the handshake (DOWN-01)", async () => {
    for (const protocol of OLD_PROTOCOLS) {
      const [router, accept] = await stage.bound(Router);
      const told: unknown[] = [];
      (router as unknown as Router).events.on("handshake", (event) => {
        told.push([event.protocol, event.socketType]);
      });
      new OldStreamPeer(accept(), protocol, utf8("")).send(oldOpening(protocol, "DEALER"));
      await Promise.resolve();
      assertEquals(told, [[protocol, protocol === "2.0" ? "DEALER" : ""]]);
      await stage.close();
    }
  });
});

describe("a link to an earlier version", () => {
  afterEach(() => stage.close());

  for (const protocol of OLD_PROTOCOLS) {
    it(`has no heartbeats: ${protocol} (DOWN-08)`, () => {
      const options = { heartbeatInterval: 10, heartbeatTimeout: 20, heartbeatTimeToLive: 1_000 };
      const stand = new LinkStand({ options });
      stand.link.start();
      stand.stream.deliver(oldOpening(protocol, "ROUTER"));
      stand.stream.takeOutput();
      stand.host.clock.advance(100_000);
      assertEquals([stand.stream.takeOutput().length, stand.calls.length], [0, 1]);
      stand.pipe.send("hi");
      stand.host.clock.endTurn();
      assertOctets(stand.stream.takeOutput(), oldMessage(protocol, "hi"));
    });

    it(`has no ERROR: what is wrong with it ends it in silence: ${protocol} (DOWN-08)`, () => {
      const stand = new LinkStand({ type: "ROUTER" });
      stand.link.start();
      stand.stream.deliver(oldOpening(protocol, "DEALER"));
      stand.stream.takeOutput();
      stand.stream.deliver(protocol === "1.0" ? expand("00 00") : expand("04 00"));
      assertEquals(stand.calls.at(-1), "ended");
      assertEquals(stand.stream.takeOutput().length, 0);
    });
  }

  it("has no metadata: a subscriber and its peer know types at most (DOWN-08)", async () => {
    for (const protocol of OLD_PROTOCOLS) {
      const properties = { "X-Own": "x" };
      const [subscriber, next] = stage.connecting(Subscriber, { properties });
      const peer = new OldStreamPeer(await next(), protocol, openingTo(protocol, "SUB"));
      peer.send(oldOpening(protocol, "PUB"));
      subscriber.subscribe("");
      assertEquals(await peer.heard(), protocol === "2.0" ? [["\x01"]] : []);
      assert(!textOf(peer.octets).includes("X-Own"));
      peer.say("x");
      assertEquals(textsOf(subscriber.tryReceive()!), ["x"]);
      await stage.close();
    }
  });
});
