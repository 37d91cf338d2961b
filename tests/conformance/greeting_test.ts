// The greeting: the golden vectors in every way a stream may cut them, what is said and when, and
// the roles of mechanisms.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ProtocolError } from "../../src/errors.ts";
import type { Session } from "../../src/session/session.ts";
import { encodeGreeting } from "../../src/wire/greeting.ts";
import { textOf, toHex } from "../_util/bytes.ts";
import { curveGreeting } from "../_util/curve_commands.ts";
import { LinkStand } from "../_util/link_stand.ts";
import { mechanismOf, sessionOf, type Side, SIDES } from "../_util/mechanism_sessions.ts";
import { assertOctets, concat } from "../_util/octets.ts";
import { ready } from "../_util/raw_zmtp.ts";
import { failure } from "../_util/rejection.ts";
import { newSession, outputOf } from "../_util/session_pair.ts";
import { expand, GREETINGS, vector } from "../_util/vectors.ts";

const MISMATCH = "ERR_ZMTP_MECHANISM_MISMATCH";
const SIZE = 64;

/** Who can go on with a greeting of this mechanism. */
const PARTNERS: Readonly<Record<string, Side>> = {
  NULL: "NULL",
  PLAIN: "PLAIN client",
  CURVE: "CURVE server",
};

/** A greeting of this mechanism. */
function greetingOf(mechanism: string, role = 0): Uint8Array {
  return curveGreeting({ mechanism, asServer: role });
}

/** Gives octets one by one; how many octets had been said before the first, and after each. */
function saidAfterEach(session: Session, octets: Uint8Array): number[] {
  let said = outputOf(session).length;
  const sizes = [said];
  for (const octet of octets) {
    session.receive(Uint8Array.of(octet));
    said += outputOf(session).length;
    sizes.push(said);
  }
  return sizes;
}

describe("the greeting vectors", () => {
  for (const { id, meaning, octets, mechanism, minor } of GREETINGS) {
    it(`${id} is read whole, cut anywhere, and with a tail: ${meaning}`, () => {
      const side = PARTNERS[mechanism];
      const check = (...pieces: Uint8Array[]): void => {
        const session = sessionOf(side);
        const taken = pieces.reduce((sum, piece) => sum + session.receive(piece.slice()), 0);
        assertEquals([session.state, taken], ["handshake", SIZE]);
        assertOctets(outputOf(session).subarray(12, 32), octets.subarray(12, 32));
      };
      check(octets);
      check(...Array.from(octets, (octet) => Uint8Array.of(octet)));
      for (let at = 1; at < SIZE; at++) check(octets.subarray(0, at), octets.subarray(at));
    });

    if (mechanism !== "NULL") continue;
    it(`${id} leaves what follows it to the handshake, and that to traffic`, () => {
      const handshake = concat(octets, ready("ROUTER"));
      for (const tail of ["", "00", "00 02 6869", "04 05 04 504f4e47", "ff"].map(expand)) {
        for (let at = 1; at < handshake.length; at++) {
          const session = newSession("DEALER");
          const all = concat(handshake, tail);
          const first = session.receive(all.subarray(0, at));
          assertEquals(first, at);
          assertEquals(first + session.receive(all.subarray(at)), handshake.length);
          assertEquals([session.state, session.peer!.protocol], ["traffic", `3.${minor}`]);
        }
      }
    });
  }

  for (const [id, routingId] of [["GV-G-06", ""], ["GV-G-07", "abc"]] as const) {
    it(`${id} is what is said with the routing id ${JSON.stringify(routingId)}`, () => {
      const stand = new LinkStand({ options: { routingId } });
      stand.link.start();
      stand.stream.deliver(vector("GV-G-01"));
      assertOctets(stand.stream.takeOutput().subarray(0, SIZE), vector(id));
    });
  }
});

describe("the greeting that is said (ZMTP31-GREETING-01, ZMTP31-GREETING-02)", () => {
  for (const side of SIDES) {
    const ids = "ZMTP31-GREETING-06, ZMTP31-GREETING-07, ZMTP31-GREETING-09, ZMTP31-GREETING-16";
    it(`has 64 octets, each in its place, of ${side} (${ids})`, () => {
      const mechanism = mechanismOf(side);
      const session = sessionOf(side);
      session.receive(greetingOf(mechanism).subarray(0, -1));
      const own = outputOf(session).subarray(0, SIZE);
      assertEquals([own.length, own[0], own[9], own[10], own[11]], [SIZE, 0xff, 0x7f, 3, 1]);
      const name = Array.from(mechanism, (letter) => letter.charCodeAt(0).toString(16)).join("");
      assertEquals(toHex(own.subarray(12, 32)), name.padEnd(40, "0"));
      assertEquals(own[32], side.endsWith("server") ? 1 : 0);
      assertEquals(toHex(own.subarray(33)), "00".repeat(31));
    });
  }

  it("names a mechanism of letters, digits, - and _ (ZMTP31-GREETING-08, ZMTP31-MECH-03)", () => {
    const names = SIDES.map((side) => {
      const session = sessionOf(side);
      session.receive(greetingOf(mechanismOf(side)).subarray(0, -1));
      return textOf(outputOf(session).subarray(12, 32)).replace(/\0+$/, "");
    });
    assertEquals([...new Set(names)], ["NULL", "PLAIN", "CURVE"]);
    for (const name of names) assert(/^[A-Z0-9_-]+$/.test(name));
  });

  it("has the size of the routing id and one as its padding (ZMTP31-GREETING-05)", () => {
    for (const size of [0, 1, 3, 254, 255]) {
      const padding = encodeGreeting("NULL", false, size).subarray(1, 9);
      assertEquals(toHex(padding), (size + 1).toString(16).padStart(16, "0"));
      const stand = new LinkStand({ options: { routingId: "x".repeat(size) } });
      stand.link.start();
      assertOctets(stand.stream.takeOutput().subarray(1), concat(padding, expand("7f")));
    }
  });

  it("has no routing id in its padding that is not announced either (ZMTP31-GREETING-05)", () => {
    const stand = new LinkStand({ type: "PULL", options: { routingId: "abc" } });
    stand.link.start();
    assertEquals(toHex(stand.stream.takeOutput()), "ff00000000000000017f");
  });
});

describe("the steps of a greeting", () => {
  for (const side of SIDES) {
    it(`are those of a peer that knows older versions: ${side} (ZMTP31-GREETING-12, GV-HS-02)`, () => {
      const session = sessionOf(side);
      const said = saidAfterEach(session, greetingOf(mechanismOf(side)));
      // The signature waits for nobody; the version for the peer's signature; the rest for its
      // version.
      assertEquals(said.slice(0, 10), Array(10).fill(10));
      assertEquals(said[10], 11);
      if (side === "NULL") assertEquals(said.slice(11), Array(54).fill(SIZE + 43));
      else assertEquals(said.slice(11, SIZE), Array(53).fill(SIZE));
    });
  }

  it("go on with a peer that says all 64 octets at once and waits for as many (ZMTP31-GREETING-10, ZMTP31-GREETING-11)", () => {
    for (const side of SIDES) {
      const session = sessionOf(side);
      session.receive(greetingOf(mechanismOf(side)));
      assert(outputOf(session).length >= SIZE, side);
      assertEquals(session.state, "handshake");
    }
  });

  it("come to an end between two that both go in steps (ZMTP31-GREETING-12)", () => {
    const sessions = [newSession("DEALER"), newSession("ROUTER")];
    const heard = [0, 0];
    for (let round = 0; round < 4; round++) {
      const said = sessions.map(outputOf);
      for (const i of [0, 1]) {
        heard[i] += said[1 - i].length;
        sessions[i].receive(said[1 - i]);
      }
    }
    assertEquals(sessions.map(({ state }) => state), ["traffic", "traffic"]);
    assertEquals(heard, [SIZE + 43, SIZE + 43]);
  });

  it("are the same on a link, in writes of their own (GV-HS-02)", () => {
    const stand = new LinkStand();
    stand.link.start();
    const peer = vector("GV-G-06");
    const expected = [
      [peer.subarray(0, 0), peer.subarray(0, 10)],
      [peer.subarray(0, 10), peer.subarray(10, 11)],
      [peer.subarray(10, 11), concat(peer.subarray(11), ready("DEALER"))],
      [peer.subarray(11), new Uint8Array(0)],
    ];
    for (const [delivered, said] of expected) {
      stand.stream.deliver(delivered);
      assertOctets(stand.stream.takeOutput(), said);
    }
    stand.stream.deliver(vector("GV-C-03"));
    assertEquals([stand.calls, stand.link.ready], [["ready ROUTER"], true]);
  });
});

describe("a greeting that is refused", () => {
  it("has an own one said before it, whole (ZMTP31-GREETING-13)", () => {
    for (const side of SIDES) {
      for (const mechanism of ["NULL", "PLAIN", "CURVE", "GSSAPI", "X.+"]) {
        if (mechanism === mechanismOf(side)) continue;
        const session = sessionOf(side);
        const error = failure(() => session.receive(greetingOf(mechanism)), MISMATCH);
        assertInstanceOf(error, ProtocolError);
        const said = outputOf(session);
        assert(said.length >= SIZE, `${side} said ${said.length} octets to ${mechanism}`);
        assertEquals(session.state, "failed");
      }
    }
  });

  it("ends a link behind its own, which is flushed (ZMTP31-GREETING-13, ZMTP31-GREETING-14)", () => {
    const stand = new LinkStand();
    stand.pipe.send("secret");
    stand.link.start();
    stand.stream.deliver(concat(greetingOf("PLAIN"), ready("ROUTER")));
    assertOctets(stand.stream.takeOutput().subarray(0, SIZE), vector("GV-G-06"));
    assertEquals([stand.calls, stand.stream.calls], [["ended"], ["start", "close"]]);
  });

  it("may differ in any octet of the mechanism (ZMTP31-GREETING-07, ZMTP31-GREETING-14)", () => {
    for (const side of SIDES) {
      for (let at = 12; at < 32; at++) {
        const octets = greetingOf(mechanismOf(side));
        octets[at] ^= 0x20;
        failure(() => sessionOf(side).receive(octets), MISMATCH);
      }
    }
  });
});

describe("the octets of a greeting that say nothing", () => {
  it("are the padding and the filler, for every mechanism (ZMTP31-GREETING-03, ZMTP31-GREETING-09)", () => {
    for (const side of SIDES) {
      for (const fill of [0x01, 0x7f, 0xff]) {
        const octets = greetingOf(mechanismOf(side));
        octets.fill(fill, 1, 9);
        octets.fill(fill, 33);
        const session = sessionOf(side);
        assertEquals(session.receive(octets), SIZE);
        assertEquals(session.state, "handshake");
      }
    }
  });

  it("are all bits but the lowest of the signature's end", () => {
    for (const end of [0x01, 0x03, 0x7f, 0xff]) {
      const octets = greetingOf("NULL");
      octets[9] = end;
      const session = newSession("DEALER");
      session.receive(octets);
      assertEquals(session.state, "handshake");
    }
  });
});

describe("the role in a greeting", () => {
  // What RFC 37 makes of it, and libzmq's servers, which all say 0.
  const cases: readonly (readonly [Side, role: number, goesOn: boolean])[] = [
    ["PLAIN client", 1, true],
    ["PLAIN client", 0, true],
    ["PLAIN client", 2, false],
    ["PLAIN client", 255, false],
    ["PLAIN server", 0, true],
    ["PLAIN server", 1, false],
    ["PLAIN server", 2, false],
    ["PLAIN server", 255, false],
    ["CURVE client", 1, true],
    ["CURVE client", 0, true],
    ["CURVE client", 2, false],
    ["CURVE client", 255, false],
    ["CURVE server", 0, true],
    ["CURVE server", 1, false],
    ["CURVE server", 2, false],
    ["CURVE server", 255, false],
  ];
  for (const [side, role, goesOn] of cases) {
    const what = goesOn ? "is good for" : "is refused by";
    it(`of ${role} ${what} a ${side} (ZMTP31-GREETING-17)`, () => {
      const session = sessionOf(side);
      const octets = greetingOf(mechanismOf(side), role);
      if (goesOn) session.receive(octets);
      else failure(() => session.receive(octets), "ERR_ZMTP_UNSPECIFIED");
      assertEquals(session.state, goesOn ? "handshake" : "failed");
      assert(outputOf(session).length >= SIZE);
    });
  }

  it("means nothing to NULL, which has none (ZMTP31-GREETING-15, ZMTP31-GREETING-17)", () => {
    for (const side of ["NULL", "NULL with a domain"] as const) {
      for (const role of [0, 1, 2, 255]) {
        const session = sessionOf(side);
        session.receive(greetingOf("NULL", role));
        assertEquals(session.state, "handshake");
      }
    }
  });

  for (const mechanism of ["PLAIN", "CURVE"] as const) {
    it(`of 0 is that of a second ${mechanism} client when HELLO follows (ZMTP31-GREETING-17)`, async () => {
      const [one, other] = [sessionOf(`${mechanism} client`), sessionOf(`${mechanism} client`)];
      for (const session of [one, other]) {
        session.receive(greetingOf(mechanism));
        await session.waiting;
      }
      const hello = outputOf(other).subarray(SIZE);
      assert(hello.length > 0);
      failure(() => one.receive(hello), "ERR_ZMTP_UNEXPECTED_COMMAND");
      assertEquals(one.state, "failed");
    });
  }
});
