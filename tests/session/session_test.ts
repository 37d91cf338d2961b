// The life of one peer: greeting, handshake, traffic, and every way in which a peer can break it.

import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { AuthenticationError, ProtocolError, ZmqError } from "../../src/errors.ts";
import type { Session } from "../../src/session/session.ts";
import { encodeCommand, encodeError } from "../../src/wire/command.ts";
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
import { COMMANDS, expand, GREETINGS, vector } from "../_util/vectors.ts";

const GREETING = vector("GV-G-01");
const UNEXPECTED = "ERR_ZMTP_UNEXPECTED_COMMAND";
const MALFORMED = "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED";
const METADATA = "ERR_ZMTP_INVALID_METADATA";
const MISMATCH = "ERR_ZMTP_MECHANISM_MISMATCH";

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

/** A session in traffic. */
function inTraffic(type: SocketType = "ROUTER"): Session {
  const session = greeted(type);
  session.receive(ready(["Socket-Type", LEGAL_PEERS[type][0]]));
  assertEquals(session.state, "traffic");
  return session;
}

/** Gives octets one by one; how many were taken. */
function drip(session: Session, octets: Uint8Array): number {
  let taken = 0;
  for (const octet of octets) taken += session.receive(Uint8Array.of(octet));
  return taken;
}

/** Checks that octets break a session in the same way whole, one by one and with more behind them. */
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

describe("a session's greeting", () => {
  it("is sent whole at once, before anything was received (ZMTP31-GREETING-10, -13)", () => {
    const session = newSession("DEALER");
    assertEquals(session.state, "greeting");
    assertEquals(toHex(outputOf(session)), toHex(GREETING));
    assertEquals(session.takeOutput(), []);
  });

  it("is followed by READY as soon as the peer's is in, not before (ZMTP31-NULL-06)", () => {
    const session = newSession("DEALER");
    session.takeOutput();
    for (const octet of GREETING.subarray(0, -1)) {
      session.receive(Uint8Array.of(octet));
      assertEquals(session.takeOutput(), []);
    }
    session.receive(GREETING.subarray(-1));
    assertEquals(session.state, "handshake");
    assertEquals(toHex(outputOf(session)), toHex(vector("GV-C-01")));
  });

  for (const { id, meaning, octets, mechanism, minor } of GREETINGS) {
    if (mechanism !== "NULL") {
      it(`refuses ${id}, another mechanism: ${meaning} (ZMTP31-GREETING-14)`, () => {
        const error = assertBreaks(() => newSession("DEALER"), octets, MISMATCH);
        assertStringIncludes(error.message, mechanism);
        assertStringIncludes(error.message, "NULL");
      });
      continue;
    }
    it(`accepts ${id} whole, one octet at a time and with a tail: ${meaning}`, () => {
      const handshake = concat(octets, vector("GV-C-02"));
      for (const size of [handshake.length, 1, 2, 63, 64, 65]) {
        const session = newSession("DEALER");
        for (let at = 0; at < handshake.length; at += size) {
          session.receive(handshake.slice(at, at + size));
        }
        assertEquals(session.state, "traffic");
        assertEquals(session.peer!.minor, minor);
      }
      const session = newSession("DEALER");
      assertEquals(session.receive(concat(handshake, utf8("tail"))), handshake.length);
    });
  }

  it("may come in stages, as libzmq sends it (GV-HS-02, ZMTP31-GREETING-11)", () => {
    const session = newSession("DEALER");
    const greeting = vector("GV-G-06");
    for (const [from, to] of [[0, 10], [10, 11], [11, 64]]) {
      assertEquals(session.state, "greeting");
      assertEquals(session.receive(greeting.subarray(from, to)), to - from);
    }
    assertEquals(session.state, "handshake");
    session.receive(vector("GV-C-03"));
    assertEquals(session.state, "traffic");
  });

  it("may have any padding, as-server and filler (ZMTP31-GREETING-03, -09, -15)", () => {
    const octets = GREETING.slice();
    octets.fill(0xaa, 1, 9);
    octets[32] = 0xff;
    octets.fill(0x55, 33);
    const session = newSession("DEALER");
    session.receive(octets);
    assertEquals(session.state, "handshake");
  });

  for (
    const [version, minor] of [["03 00", 0], ["03 01", 1], ["03 07", 1], ["04 09", 1]] as const
  ) {
    it(`may say version ${version}; the common minor is ${minor} (ZMTP31-VER-01, -05)`, () => {
      const session = newSession("DEALER");
      session.receive(expand(`ff 8*00 7f ${version} 4e554c4c 16*00 00 31*00`));
      assertEquals(toHex(outputOf(session)).slice(0, 24), "ff00000000000000007f0301");
      session.receive(vector("GV-C-02"));
      assertEquals(session.peer!.minor, minor);
    });
  }

  it("that is an HTTP request is refused at its first octet, and shown", () => {
    const request = utf8("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const error = assertBreaks(() => newSession("REP"), request, "ERR_ZMTP_UNSPECIFIED");
    assertStringIncludes(error.message, "something else than ZMTP");
    const session = newSession("REP");
    failure(() => session.receive(request.subarray(0, 1)), "ERR_ZMTP_UNSPECIFIED");
  });

  for (
    const [name, hex] of [
      ["ZMTP 1.0 without an identity", "01 00"],
      ["ZMTP 1.0 with an identity", "04 00 616263"],
      ["ZMTP 1.0 with an identity above 254 octets", "ff 0000000000000100 00 255*61"],
      ["ZMTP 2.0", "ff 8*00 7f 01 05 00 00"],
      ["ZMTP 2.0 with libzmq's pseudo-signature", "ff 7*00 01 7f 01 05 00 00"],
    ]
  ) {
    it(`of ${name} is refused (ZMTP31-VER-03)`, () => {
      const error = assertBreaks(() => newSession("DEALER"), expand(hex), "ERR_ZMTP_UNSPECIFIED");
      if (hex.startsWith("ff")) assertStringIncludes(error.message, "older version");
    });
  }

  it("with octets behind the mechanism's name is another mechanism (ZMTP31-GREETING-07)", () => {
    const octets = GREETING.slice();
    octets[31] = 1;
    assertBreaks(() => newSession("DEALER"), octets, MISMATCH);
  });

  it("that is refused leaves nothing to send but the own greeting (ZMTP31-GREETING-13)", () => {
    const session = newSession("DEALER");
    failure(() => session.receive(vector("GV-G-03")), MISMATCH);
    assertEquals(toHex(outputOf(session)), toHex(GREETING));
  });
});

describe("two sessions", () => {
  it("shake hands as in GV-HS-01: DEALER and ROUTER, both 3.1", () => {
    const dealer = newSession("DEALER");
    const router = newSession("ROUTER");
    const { said, errors } = converse(dealer, router);
    assertEquals(errors, [undefined, undefined]);
    assertEquals(toHex(said[0]), toHex(concat(GREETING, vector("GV-C-01"))));
    assertEquals(toHex(said[1]), toHex(concat(GREETING, vector("GV-C-03"))));
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

  it("accepts a READY in the long form", () => {
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

  it("refuses an ERROR of the wrong size", () => {
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

describe("a session's traffic", () => {
  const answers: readonly (readonly [string, string])[] = [
    ["GV-C-14", "GV-C-15"],
    ["GV-C-16", "GV-C-17"],
  ];
  for (const [ping, pong] of answers) {
    it(`answers ${ping} with ${pong} (ZMTP31-HB-03)`, () => {
      const session = inTraffic();
      assertEquals(session.command(vector(ping).subarray(2)), undefined);
      assertEquals(toHex(outputOf(session)), toHex(vector(pong)));
    });
  }

  it("answers the longest context unchanged (GV-C-18, ZMTP31-HB-02, ZMTP31-HB-04)", () => {
    const session = inTraffic();
    session.command(vector("GV-C-18").subarray(2));
    assertEquals(toHex(outputOf(session)), toHex(encodeCommand("PONG", utf8("0123456789abcdef"))));
  });

  it("answers the PING of a 3.0 peer too (ZMTP30-HB-01)", () => {
    const session = newSession("ROUTER");
    session.receive(concat(vector("GV-G-02"), vector("GV-C-01")));
    session.takeOutput();
    session.command(vector("GV-C-14").subarray(2));
    assertEquals(toHex(outputOf(session)), toHex(vector("GV-C-15")));
  });

  it("answers with octets of its own: the PING may be overwritten", () => {
    const session = inTraffic();
    const body = vector("GV-C-14").slice(2);
    session.command(body);
    body.fill(0xee);
    assertEquals(toHex(outputOf(session)), toHex(vector("GV-C-15")));
  });

  it("refuses a PING whose context is above 16 octets (ZMTP31-HB-04)", () => {
    const body = encodeCommand("PING", pattern(2 + 17)).subarray(2);
    failure(() => inTraffic().command(body), MALFORMED);
  });

  it("refuses a PING without its time to live (ZMTP31-HB-02)", () => {
    for (const size of [0, 1]) {
      const body = encodeCommand("PING", pattern(size)).subarray(2);
      failure(() => inTraffic().command(body), MALFORMED);
    }
  });

  for (const { id, meaning, octets, name, data } of COMMANDS) {
    if (name === "PING") continue;
    it(`leaves ${id}, ${meaning}, to the socket type (ZMTP31-CMD-05, ZMTP31-CMD-07, ZMTP31-HB-13)`, () => {
      const session = inTraffic("REP");
      const command = session.command(octets.subarray(octets[0] & 2 ? 9 : 2));
      assertEquals(command?.name, name);
      if (data !== undefined) assertEquals(toHex(command!.data), toHex(data));
      assertEquals([session.state, session.takeOutput()], ["traffic", []]);
    });
  }

  it("does nothing about unknown commands (ZMTP31-CMD-04)", () => {
    const session = inTraffic();
    const command = session.command(encodeCommand("WHATEVER", pattern(1_000)).subarray(9));
    assertEquals([command?.name, command?.data.length], ["WHATEVER", 1_000]);
    session.command(encodeError("x").subarray(2));
    assertEquals([session.state, session.takeOutput()], ["traffic", []]);
  });

  it("refuses a command without a name (ZMTP31-CMD-01)", () => {
    for (const hex of ["", "00", "05 50494e47", "01 31"]) {
      failure(() => inTraffic().command(expand(hex)), MALFORMED);
    }
  });

  it("is over after a malformed command", () => {
    const session = inTraffic();
    failure(() => session.command(expand("00")), MALFORMED);
    assertEquals([session.state, session.takeOutput()], ["failed", []]);
  });

  it("takes no octets of the handshake any more", () => {
    const session = inTraffic();
    assertEquals(session.receive(vector("GV-C-01")), 0);
  });
});
