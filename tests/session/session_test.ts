// A session up to the end of its handshake with NULL, and every way in which a peer can break that.

import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { AuthenticationError, ProtocolError, ZmqError } from "../../src/errors.ts";
import type { Session } from "../../src/session/session.ts";
import { encodeCommand } from "../../src/wire/command.ts";
import { encodeMetadata } from "../../src/wire/metadata.ts";
import type { SocketType } from "../../src/wire/socket_type.ts";
import { textOf, toHex, utf8 } from "../_util/bytes.ts";
import { concat, pattern } from "../_util/octets.ts";
import { failure } from "../_util/rejection.ts";
import {
  ALL_TYPES,
  converse,
  LEGAL_PEERS,
  newSession,
  outputOf,
  OWN_TYPES,
} from "../_util/session_pair.ts";
import { COMMANDS, expand, vector } from "../_util/vectors.ts";

const GREETING = vector("GV-G-01");
const UNEXPECTED = "ERR_ZMTP_UNEXPECTED_COMMAND";
const MALFORMED = "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED";
const METADATA = "ERR_ZMTP_INVALID_METADATA";

function ready(...properties: [string, Uint8Array | string][]): Uint8Array {
  return encodeCommand(
    "READY",
    encodeMetadata(properties.map(([name, value]) => [
      name,
      typeof value === "string" ? utf8(value) : value,
    ])),
  );
}

/** A session whose greeting is done and whose own octets are out of the way. */
function greeted(type: SocketType = "ROUTER"): Session {
  const session = newSession(type);
  session.receive(GREETING);
  session.takeOutput();
  return session;
}

/** Gives octets one by one; how many were taken. */
function drip(session: Session, octets: Uint8Array): number {
  let taken = 0;
  for (const octet of octets) taken += session.receive(Uint8Array.of(octet));
  return taken;
}

/**
 * Checks that octets break a session in the same way whole, one by one and with more behind them.
 */
function assertBreaks(make: () => Session, octets: Uint8Array, code: string): ZmqError {
  const error = breaks(make(), (session) => session.receive(octets), code);
  breaks(make(), (session) => drip(session, octets), code);
  breaks(make(), (session) => session.receive(concat(octets, pattern(500))), code);
  return error;
}

function breaks(session: Session, act: (session: Session) => void, code: string): ZmqError {
  const error = failure(() => act(session), code);
  assertInstanceOf(error, ZmqError);
  assertEquals(session.state, "failed");
  assertEquals(session.peer, undefined);
  session.takeOutput();
  assertEquals(session.receive(GREETING), 0, "a failed session takes nothing");
  assertEquals(session.state, "failed");
  assertEquals(session.takeOutput(), []);
  return error;
}

describe("two sessions", () => {
  it("shake hands as in GV-HS-01, in steps: DEALER and ROUTER, both 3.1", () => {
    const dealer = newSession("DEALER");
    const router = newSession("ROUTER");
    const { said, errors } = converse(dealer, router);
    assertEquals(errors, [undefined, undefined]);
    assertEquals(toHex(said[0]), toHex(concat(vector("GV-G-06"), vector("GV-C-01"))));
    assertEquals(toHex(said[1]), toHex(concat(vector("GV-G-06"), vector("GV-C-03"))));
    assertEquals([dealer.state, router.state], ["traffic", "traffic"]);
    assertEquals([dealer.peer!.socketType, router.peer!.socketType], ["ROUTER", "DEALER"]);
  });

  it("shake hands one octet at a time (CONN-01)", () => {
    for (const chunk of [1, 2, 7, 64]) {
      const [a, b] = [newSession("REQ", "one"), newSession("REP")];
      assertEquals(converse(a, b, chunk).errors, [undefined, undefined]);
      assertEquals(textOf(b.peer!.routingId), "one");
    }
  });

  it("tell each other their routing ids, up to 255 octets (ZMTP31-ID-01, ZMTP31-ID-03)", () => {
    for (const id of ["", "a", "x".repeat(255)]) {
      const [a, b] = [newSession("DEALER", id), newSession("ROUTER", id)];
      converse(a, b);
      assertEquals([a, b].map((session) => textOf(session.peer!.routingId)), [id, id]);
    }
  });

  for (const a of OWN_TYPES) {
    for (const b of OWN_TYPES.slice(OWN_TYPES.indexOf(a))) {
      const legal = LEGAL_PEERS[a].includes(b);
      it(`of types ${a} and ${b} ${legal ? "agree" : "refuse each other"} (ZMTP31-SOCKTYPE-02)`, () => {
        const [first, second] = [newSession(a), newSession(b)];
        const { errors } = converse(first, second);
        const state = legal ? "traffic" : "failed";
        assertEquals([first.state, second.state], [state, state]);
        for (const error of errors) {
          assertEquals((error as ProtocolError | undefined)?.code, legal ? undefined : METADATA);
        }
      });
    }
  }
});

describe("a session's handshake", () => {
  for (const type of OWN_TYPES) {
    it(`of ${type} takes each socket type for what it is (ZMTP31-SOCKTYPE-01)`, () => {
      for (const peer of ALL_TYPES) {
        const session = greeted(type);
        const octets = ready(["Socket-Type", peer]);
        if (LEGAL_PEERS[type].includes(peer)) session.receive(octets);
        else failure(() => session.receive(octets), METADATA);
      }
    });
  }

  it("answers a wrong socket type with ERROR (ZMTP31-SOCKTYPE-03)", () => {
    const session = greeted("REQ");
    const error = failure(() => session.receive(ready(["Socket-Type", "PULL"])), METADATA);
    assertEquals(toHex(outputOf(session)), toHex(vector("GV-C-08")));
    for (const word of ["PULL", "REQ", "REP", "ROUTER"]) assertStringIncludes(error.message, word);
  });

  for (const name of ["dealer", "DEALER ", "DEALER\0", "DEALE", "DEALERS", "", "\xc4"]) {
    it(`refuses the socket type ${JSON.stringify(name)} (ZMTP31-SOCKTYPE-01)`, () => {
      assertBreaks(() => greeted("ROUTER"), ready(["Socket-Type", name]), METADATA);
    });
  }

  it("accepts a READY without properties (ZMTP31-META-10)", () => {
    const session = greeted();
    session.receive(ready());
    assertEquals(session.state, "traffic");
    assertEquals(session.peer!.socketType, "");
    assertEquals(session.peer!.routingId.length, 0);
  });

  it("reads names without regard to case (ZMTP31-META-03)", () => {
    const session = greeted();
    session.receive(ready(["SOCKET-TYPE", "DEALER"], ["identity", "me"]));
    assertEquals(session.peer!.socketType, "DEALER");
    assertEquals(textOf(session.peer!.routingId), "me");
  });

  it("keeps the first of two values (ZMTP31-META-09)", () => {
    const session = greeted();
    session.receive(ready(["Socket-Type", "REQ"], ["Identity", "1"], ["identity", "2"]));
    assertEquals(textOf(session.peer!.routingId), "1");
  });

  it("refuses a second Socket-Type that is wrong (ZMTP31-META-09)", () => {
    const octets = ready(["Socket-Type", "DEALER"], ["Socket-Type", "SUB"]);
    assertBreaks(() => greeted("ROUTER"), octets, METADATA);
  });

  it("keeps other properties (ZMTP31-META-06, ZMTP31-META-07, ZMTP31-RES-03)", () => {
    const session = greeted();
    session.receive(ready(["Socket-Type", "DEALER"], ["X-Mine", "1"], ["Resource", "a/b"]));
    const { metadata } = session.peer!;
    assertEquals([textOf(metadata.get("x-mine")!), textOf(metadata.get("resource")!)], [
      "1",
      "a/b",
    ]);
  });

  it("refuses an Identity above 255 octets (ZMTP31-ID-03)", () => {
    const octets = ready(["Socket-Type", "DEALER"], ["Identity", pattern(256)]);
    assertBreaks(() => greeted("ROUTER"), octets, METADATA);
  });

  it("accepts a READY in the long form, of any size (ZMTP31-FRAME-06)", () => {
    const session = greeted();
    const body = ready(["Socket-Type", "DEALER"], ["X-Long", pattern(4_000)]);
    assertEquals(body[0], 6);
    assertEquals(drip(session, body), body.length);
    assertEquals(session.state, "traffic");
    const short = vector("GV-C-02");
    const again = greeted("DEALER");
    again.receive(concat(expand("06 00000000000000 1c"), short.subarray(2)));
    assertEquals(again.state, "traffic");
  });

  it("leaves what follows READY to the frames (CONN-02)", () => {
    const tail = expand("00 02 6869");
    const octets = concat(GREETING, vector("GV-C-01"), tail);
    const session = newSession("ROUTER");
    assertEquals(session.receive(octets), octets.length - tail.length);
    assertEquals(session.receive(tail), 0);
  });

  it("keeps nothing of the octets it was lent", () => {
    const session = newSession("ROUTER");
    for (const piece of [GREETING.slice(), ready(["Socket-Type", "DEALER"], ["Identity", "me"])]) {
      session.receive(piece);
      piece.fill(0xee);
    }
    assertEquals(textOf(session.peer!.routingId), "me");
  });

  it("does not know the peer before its READY is complete (CONN-05)", () => {
    const session = greeted();
    const octets = ready(["Socket-Type", "DEALER"]);
    assertEquals(drip(session, octets.subarray(0, -1)), octets.length - 1);
    assertEquals([session.state, session.peer], ["handshake", undefined]);
  });

  it("is over when the peer sends ERROR, whose reason is told (ZMTP31-NULL-07, ZMTP31-ERR-01)", () => {
    const error = assertBreaks(greeted, vector("GV-C-08"), "ERR_ZMTP_UNSPECIFIED");
    assertStringIncludes(error.message, "Invalid socket type");
    const refusal = assertBreaks(greeted, vector("GV-C-07"), "EACCES");
    assertInstanceOf(refusal, AuthenticationError);
    assertEquals(refusal.status, 400);
    assertBreaks(greeted, vector("GV-C-09"), "ERR_ZMTP_UNSPECIFIED");
  });

  it("refuses an ERROR of the wrong size (ZMTP31-NULL-07)", () => {
    for (const data of ["", "04 343030", "01 343030"]) {
      assertBreaks(
        greeted,
        encodeCommand("ERROR", expand(data)),
        "ERR_ZMTP_MALFORMED_COMMAND_ERROR",
      );
    }
  });

  it("refuses other commands before READY (ZMTP31-NULL-09)", () => {
    for (const { id, name, octets } of COMMANDS) {
      if (name === "READY" || name === "ERROR") continue;
      const error = assertBreaks(greeted, octets, UNEXPECTED);
      assertStringIncludes(error.message, name, id);
    }
    assertBreaks(greeted, encodeCommand("HELLO"), UNEXPECTED);
    assertBreaks(greeted, encodeCommand("ready"), UNEXPECTED);
  });

  it("refuses a message before READY, of any form (ZMTP31-NULL-09, ZMTP31-MECH-05, CONN-05)", () => {
    for (
      const hex of ["00 05 68656c6c6f", "01 00", "02 0000000000000001 61", "03 0000000000000100"]
    ) {
      assertBreaks(greeted, expand(hex), UNEXPECTED);
    }
  });

  it("refuses flags that no command has (ZMTP31-FRAME-02, ZMTP31-FRAME-04)", () => {
    for (const flags of [5, 7, 8, 12, 0x84, 0xff]) {
      assertBreaks(greeted, Uint8Array.of(flags, 0, 0), UNEXPECTED);
    }
  });

  it("refuses a command without a name (ZMTP31-CMD-01)", () => {
    for (const hex of ["04 00", "04 01 00", "04 02 05 52", "04 06 05 52 45 41 44 00"]) {
      assertBreaks(greeted, expand(hex), MALFORMED);
    }
  });

  for (const size of ["00002001", "00100000", "7fffffff"]) {
    it(`refuses a command of 0x${size} octets when it is announced (ZMTP31-FRAME-09)`, () => {
      const error = assertBreaks(greeted, expand(`06 00000000 ${size}`), "EMSGSIZE");
      assertStringIncludes(error.message, String(Number.parseInt(size, 16)));
    });
  }

  it("refuses a command of 2^63 octets and more (ZMTP31-FRAME-05)", () => {
    for (const size of ["80 7*00", "8*ff"]) assertBreaks(greeted, expand(`06 ${size}`), "EMSGSIZE");
  });

  it("refuses malformed metadata (ZMTP31-META-01, ZMTP31-META-08)", () => {
    for (const hex of ["00 00000000", "05 4142", "01 41 00000002 31", "01 41 00000001 31 00"]) {
      assertBreaks(greeted, encodeCommand("READY", expand(hex)), METADATA);
    }
  });

  it("with random octets is done or broken, and nothing else", () => {
    const handshake = concat(GREETING, ready(["Socket-Type", "DEALER"], ["Identity", "me"]));
    fc.assert(
      fc.property(
        fc.nat(handshake.length - 1),
        fc.nat(255),
        fc.integer({ min: 1, max: 40 }),
        (place, octet, size) => {
          const octets = handshake.slice();
          octets[place] = octet;
          const session = newSession("ROUTER");
          try {
            for (let at = 0; at < octets.length; at += size) {
              session.receive(octets.subarray(at, at + size));
            }
            assert(["greeting", "handshake", "traffic"].includes(session.state));
          } catch (error) {
            assertInstanceOf(error, ProtocolError);
            assertEquals(session.state, "failed");
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
