// The golden vectors of CURVE: what both sides say is foretold to the last octet, and is understood however it is
// cut.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CurveKeys } from "../../src/core/curve_keys.ts";
import { CoreMemory } from "../../src/core/memory.ts";
import type { Session } from "../../src/session/session.ts";
import { assertFrames, textOf, toHex } from "../_util/bytes.ts";
import { curveGreeting, framed, INNER_MORE } from "../_util/curve_commands.ts";
import { CurveReceiver } from "../_util/curve_receiver.ts";
import { clientSession, deliver, greet, serverSession } from "../_util/curve_session.ts";
import {
  CLIENT_METADATA,
  COOKIE,
  curveVector,
  HANDSHAKE,
  KEYS,
  MESSAGES,
} from "../_util/curve_vectors.ts";
import { concat } from "../_util/octets.ts";
import { vector } from "../_util/vectors.ts";

const [HELLO, WELCOME, INITIATE, READY] = HANDSHAKE.map(({ frame }) => frame);
const TAIL = Uint8Array.of(0, 0x22, 7, 0x4d);
const { outboxes: core } = new CoreMemory();

/** What a session says to a greeting, its own and what follows that, then to each of these. */
async function conversation(
  session: Session,
  [greeting, ...steps]: readonly Uint8Array[],
  piece?: number,
): Promise<string[]> {
  const said = (await greet(session, greeting, piece)).map(toHex);
  for (const octets of steps) said.push(toHex(await deliver(session, octets, piece)));
  return said;
}

describe("the vectors of CURVE's handshake", () => {
  // To peers of ZMTP 1.0 its start announces a routing id, which is empty.
  const octets = vector("GV-G-05").slice();
  octets[8] = 1;
  const greeting = toHex(octets);
  const serverGreeting = `${greeting.slice(0, 64)}01${greeting.slice(66)}`;
  const server = [serverGreeting, "", toHex(WELCOME), toHex(READY)];
  const client = [greeting, toHex(HELLO), toHex(INITIATE), ""];
  for (const piece of [undefined, 1, 2, 7, 64, 201]) {
    const how = piece === undefined ? "whole" : `${piece} octets at a time`;
    for (const minor of [0, 1]) {
      it(`CURVE-SEQ-01, GV-CV-03, GV-CV-06: are what a server says, 3.${minor}, ${how}`, async () => {
        const session = serverSession();
        const steps = [curveGreeting({ minor }), HELLO, INITIATE];
        assertEquals(await conversation(session, steps, piece), server);
        assertEquals(session.state, "traffic");
        const { socketType, routingId, protocol } = session.peer!;
        assertEquals([socketType, toHex(routingId), protocol], ["DEALER", "", `3.${minor}`]);
        session.end();
      });

      it(`CURVE-NONCE-02, GV-CV-01, GV-CV-05: are what a client says, 3.${minor}, ${how}`, async () => {
        const session = clientSession();
        const steps = [curveGreeting({ minor, asServer: 1 }), WELCOME, READY];
        assertEquals(await conversation(session, steps, piece), client);
        assertEquals([session.state, session.peer!.socketType], ["traffic", "ROUTER"]);
        session.end();
      });
    }
  }

  it("are cut anywhere; INITIATE is a long command (CURVE-INIT-09)", async () => {
    assertEquals(toHex(INITIATE.subarray(0, 9)), "060000000000000124");
    for (let at = 1; at < INITIATE.length; at++) {
      const session = serverSession();
      await deliver(session, concat(curveGreeting(), HELLO, INITIATE.subarray(0, at)));
      assertEquals(session.state, "handshake");
      assertEquals(toHex(await deliver(session, INITIATE.subarray(at))), toHex(READY));
      session.end();
    }
  });

  it("CURVE-SEQ-04: leave what follows READY to others, on both sides", async () => {
    const server = serverSession();
    await deliver(server, concat(curveGreeting(), HELLO));
    assertEquals(server.receive(concat(INITIATE, TAIL)), INITIATE.length);
    await server.waiting;
    assertEquals([server.state, server.receive(TAIL)], ["traffic", 0]);
    server.end();
    const client = clientSession();
    await deliver(client, concat(curveGreeting(), WELCOME));
    assertEquals(client.receive(concat(READY, TAIL)), READY.length);
    assertEquals([client.state, client.receive(TAIL)], ["traffic", 0]);
    client.end();
  });

  it("GV-CV-02, GV-CV-04: have the cookie as it was given, and nothing else in clear", () => {
    const has = (octets: Uint8Array, part: Uint8Array): boolean =>
      toHex(octets).includes(toHex(part));
    assert(has(INITIATE, COOKIE));
    assert(!has(WELCOME, COOKIE));
    for (const octets of [HELLO, WELCOME, INITIATE, READY]) {
      assert(!has(octets, KEYS.client));
      assert(!has(octets, KEYS.server));
      assert(!has(octets, CLIENT_METADATA.subarray(0, 16)));
    }
  });
});

describe("the vectors of CURVE's messages", () => {
  for (const { id, meaning, from, nonce, text, frame } of MESSAGES) {
    const isCommand = (text[0] & 2) !== 0;

    it(`${id} is read whole, cut anywhere and with a tail: ${meaning}`, () => {
      const role = from === "client" ? "server" : "client";
      const reads: ((receiver: CurveReceiver) => void)[] = [
        (receiver) => receiver.read(frame),
        (receiver) => receiver.read(frame, 1),
        (receiver) => receiver.read(concat(frame, TAIL)),
        ...Array.from({ length: frame.length - 1 }, (_, i) => (receiver: CurveReceiver) => {
          receiver.read(frame.subarray(0, i + 1)).read(frame.subarray(i + 1));
        }),
      ];
      for (const read of reads) {
        const receiver = new CurveReceiver({ role, key: KEYS.session, last: nonce - 1n });
        read(receiver);
        assertEquals(receiver.fault, undefined);
        if (isCommand) assertFrames(receiver.commands, [text.subarray(1)]);
        else if (text[0] === INNER_MORE) assertEquals(receiver.messages, []);
        else assertFrames(receiver.messages[0], [text.subarray(1)]);
        receiver.free();
      }
    });

    it(`${id} is what is sent for it: ${meaning}`, () => {
      const nonces = { next: nonce, last: 0n };
      const keys = new CurveKeys(core, KEYS.session.slice(), from === "server", nonces);
      const plain = framed(text.subarray(1), isCommand ? 4 : text[0]);
      assertEquals(toHex(keys.sealFrames(plain)), toHex(frame));
      keys.wipe();
    });
  }

  it("CURVE-MSG-03: make one message of two frames, and a command follows it", () => {
    const receiver = new CurveReceiver({ role: "client", key: KEYS.session, last: 1n });
    receiver.read(concat(...["GV-CV-08", "GV-CV-09", "GV-CV-11"].map(curveVector)));
    assertFrames(receiver.messages[0], ["A", "B"]);
    assertEquals(receiver.commands.map(textOf), ["\x04PONGx"]);
    receiver.free();
  });
});
