// The golden vectors of commands, read in every way a stream may cut them: those of the handshake
// by a session, those of traffic by a link, and told to the octet where this package sends them
// itself.

import { assertEquals, assertInstanceOf } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CoreMemory } from "../../src/core/memory.ts";
import { AuthenticationError, ProtocolError } from "../../src/errors.ts";
import type { Session } from "../../src/session/session.ts";
import { CANCEL, encodeCommandForm, SUBSCRIBE } from "../../src/wire/subscription.ts";
import type { SocketType } from "../../src/wire/socket_type.ts";
import { LARGEST_READ, Taking } from "../core/models/taking.ts";
import { textOf, toHex, utf8 } from "../_util/bytes.ts";
import { LinkStand } from "../_util/link_stand.ts";
import { assertMessages, assertOctets, concat } from "../_util/octets.ts";
import { command, greeting, message, ready } from "../_util/raw_zmtp.ts";
import { failure } from "../_util/rejection.ts";
import { LEGAL_PEERS, newSession, outputOf, OWN_TYPES } from "../_util/session_pair.ts";
import { COMMANDS, type CommandVector, expand, vector } from "../_util/vectors.ts";

const memory = new CoreMemory();
const TAILS = ["00 00", "04 05 04 504f4e47", "01", "ff ff ff"].map(expand);

/** A session that waits for the peer's first command. */
function greeted(type: SocketType): Session {
  const session = newSession(type);
  session.receive(greeting());
  session.takeOutput();
  return session;
}

/** Every way to cut octets: whole, one by one, and in two at each place. */
function* cuts(octets: Uint8Array): Generator<Uint8Array[]> {
  yield [octets];
  yield Array.from(octets, (octet) => Uint8Array.of(octet));
  for (let at = 1; at < octets.length; at++) yield [octets.subarray(0, at), octets.subarray(at)];
}

/** Gives pieces to a session; how many octets it took. */
function feed(session: Session, pieces: readonly Uint8Array[]): number {
  return pieces.reduce((taken, piece) => taken + session.receive(piece.slice()), 0);
}

function bodyOf(frame: Uint8Array): Uint8Array {
  return frame.subarray(frame[0] & 2 ? 9 : 2);
}

const named = (...names: string[]): CommandVector[] =>
  COMMANDS.filter(({ name }) => names.includes(name));

describe("the READY vectors", () => {
  for (const { id, meaning, octets, properties } of named("READY")) {
    const [[, typeOctets], identity] = properties!;
    const said = textOf(typeOctets);
    const types = OWN_TYPES.filter((type) => LEGAL_PEERS[type].includes(said));

    it(`${id} is read whole, cut anywhere, and with a tail: ${meaning}`, () => {
      for (const type of types) {
        for (const pieces of cuts(octets)) {
          const session = greeted(type);
          assertEquals(feed(session, pieces), octets.length);
          assertEquals([session.state, session.peer!.socketType], ["traffic", said]);
          assertEquals(toHex(session.peer!.routingId), toHex(identity?.[1] ?? utf8("")));
        }
        for (const tail of TAILS) {
          const session = greeted(type);
          assertEquals(session.receive(concat(octets, tail)), octets.length);
          assertEquals([session.state, session.takeOutput()], ["traffic", []]);
        }
      }
    });

    it(`${id} is not taken before its last octet, and not from a type that does not fit`, () => {
      for (const type of OWN_TYPES) {
        const session = greeted(type);
        session.receive(octets.subarray(0, -1));
        assertEquals([session.state, session.takeOutput()], ["handshake", []]);
        if (types.includes(type)) continue;
        failure(() => session.receive(octets.subarray(-1)), "ERR_ZMTP_INVALID_METADATA");
        assertEquals(toHex(outputOf(session)), toHex(vector("GV-C-08")));
      }
    });
  }

  for (
    const [id, type, routingId] of [
      ["GV-C-01", "DEALER", ""],
      ["GV-C-03", "ROUTER", ""],
      ["GV-C-04", "REQ", "id1"],
      ["GV-C-05", "SUB", ""],
    ] as const
  ) {
    it(`${id} is what a ${type} says (ZMTP31-META-05)`, () => {
      const session = newSession(type, routingId);
      session.receive(greeting());
      assertOctets(outputOf(session).subarray(64), vector(id));
    });
  }
});

describe("the ERROR vectors", () => {
  for (const { id, meaning, octets, reason } of named("ERROR")) {
    it(`${id} is read whole, cut anywhere, and with a tail: ${meaning}`, () => {
      const status = reason === "400";
      const code = status ? "EACCES" : "ERR_ZMTP_UNSPECIFIED";
      for (const tail of [utf8(""), ...TAILS]) {
        for (const pieces of cuts(concat(octets, tail))) {
          const session = greeted("DEALER");
          const error = failure(() => feed(session, pieces), code);
          assertInstanceOf(error, status ? AuthenticationError : ProtocolError);
          assertEquals([session.state, session.takeOutput()], ["failed", []]);
        }
      }
      const session = greeted("DEALER");
      session.receive(octets.subarray(0, -1));
      assertEquals(session.state, "handshake");
    });
  }
});

describe("the vectors of commands in traffic", () => {
  const vectors = COMMANDS.filter(({ name }) => name !== "READY" && name !== "ERROR");

  for (const { id, meaning, octets } of vectors) {
    it(`${id} is read whole, cut anywhere, and with a tail: ${meaning}`, () => {
      const check = (pieces: readonly Uint8Array[], count: number, messages: Uint8Array[][]) => {
        const taking = new Taking(-1, LARGEST_READ, memory);
        for (const piece of pieces) taking.read(piece);
        taking.take();
        taking.receiver.free();
        assertEquals(taking.fault, undefined);
        assertEquals(taking.commands.length, count);
        for (const { body } of taking.commands) assertOctets(body, bodyOf(octets));
        assertMessages(taking.messages, messages);
      };
      for (const pieces of cuts(octets)) check(pieces, 1, []);
      check([octets.subarray(0, -1)], 0, []);
      check([concat(octets, octets, expand("00 01 61 01"))], 2, [[utf8("a")]]);
      check([concat(expand("01 01 61"), octets, expand("00 00"))], 1, [[utf8("a"), utf8("")]]);
    });

    it(`${id} is no message, nor the end of a connection, to whoever does not need it`, () => {
      for (const type of ["PULL", "DEALER", "ROUTER", "SUB"] as const) {
        const stand = new LinkStand({ type }).serve();
        stand.stream.deliver(concat(message("before"), octets, message("behind")));
        assertMessages(stand.receiveAll(), [[utf8("before")], [utf8("behind")]]);
        assertEquals(stand.link.ready, true);
      }
    });
  }

  for (const [ask, answer] of [["GV-C-14", "GV-C-15"], ["GV-C-16", "GV-C-17"]] as const) {
    it(`${answer} is what answers ${ask}, however that is cut (ZMTP31-HB-03)`, () => {
      for (const pieces of cuts(vector(ask))) {
        const stand = new LinkStand().serve();
        for (const piece of pieces) stand.stream.deliver(piece);
        assertOctets(stand.stream.takeOutput(), vector(answer));
      }
    });
  }

  it("GV-C-18 is answered with its sixteen octets, however it is cut (ZMTP31-HB-03)", () => {
    for (const pieces of cuts(vector("GV-C-18"))) {
      const stand = new LinkStand().serve();
      for (const piece of pieces) stand.stream.deliver(piece);
      const answer = command("PONG", utf8("0123456789abcdef"));
      assertOctets(stand.stream.takeOutput(), answer);
    }
  });

  it("GV-C-16 is what a link asks", () => {
    const stand = new LinkStand({ options: { heartbeatInterval: 10 } }).serve();
    stand.host.clock.advance(10);
    assertOctets(stand.stream.takeOutput(), vector("GV-C-16"));
  });

  for (const { id, meaning, octets, name, data } of named("SUBSCRIBE", "CANCEL")) {
    it(`${id} is what a link sends to a publisher: ${meaning}`, () => {
      const stand = new LinkStand({ type: "SUB" });
      stand.host.onLinked = (pipe) => {
        pipe.outbox.appendCommand(encodeCommandForm(name === "CANCEL" ? CANCEL : SUBSCRIBE, data!));
        pipe.appended();
      };
      stand.link.start();
      stand.stream.deliver(concat(greeting(), ready("PUB")));
      stand.host.clock.settle();
      const sent = stand.stream.takeOutput();
      assertOctets(sent.subarray(sent.length - octets.length), octets);
    });
  }
});
