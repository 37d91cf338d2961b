// Security mechanisms as ZMTP knows them: one for each socket, its handshake before any message,
// properties in both directions, and what of a connection stays in clear.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Router } from "../../mod.ts";
import type { Session } from "../../src/session/session.ts";
import { textOf, toHex, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { curveGreeting } from "../_util/curve_commands.ts";
import { CurveLink } from "../_util/curve_link.ts";
import { LinkStand } from "../_util/link_stand.ts";
import {
  feed,
  mechanismOf,
  sessionOf,
  type Side,
  SIDES,
  talk,
} from "../_util/mechanism_sessions.ts";
import { assertOctets, concat } from "../_util/octets.ts";
import { ANY_PORT } from "../_util/ports.ts";
import { command, message } from "../_util/raw_zmtp.ts";
import { failure, rejection } from "../_util/rejection.ts";
import { expand } from "../_util/vectors.ts";
import { SIDES as OPTIONS } from "../_util/zap_mechanisms.ts";

const UNEXPECTED = "ERR_ZMTP_UNEXPECTED_COMMAND";
const GREETING_SIZE = 64;
const cleanup = new Cleanup();

/** The sides that go together; the client first. */
const PAIRS: readonly (readonly [Side, Side])[] = [
  ["NULL", "NULL"],
  ["NULL", "NULL with a domain"],
  ["PLAIN client", "PLAIN server"],
  ["CURVE client", "CURVE server"],
];

/** What was said, in its parts: the greeting, then frame by frame. */
function partsOf(said: Uint8Array): Uint8Array[] {
  const parts = [said.subarray(0, GREETING_SIZE)];
  for (let at = GREETING_SIZE; at < said.length;) {
    const size = sizeOf(said.subarray(at));
    parts.push(said.subarray(at, at + size));
    at += size;
  }
  return parts;
}

/** Octets of the first frame. */
function sizeOf(frame: Uint8Array): number {
  if ((frame[0] & 2) === 0) return 2 + frame[1];
  return 9 + new DataView(frame.buffer, frame.byteOffset).getUint32(5);
}

function nameOf(frame: Uint8Array): string {
  const body = frame.subarray(frame[0] & 2 ? 9 : 2);
  return textOf(body.subarray(1, 1 + body[0]));
}

/**
 * A session that has heard a peer's greeting and so many of its commands; undefined when that was
 * its whole handshake.
 */
async function afterCommands(
  side: Side,
  peer: Session,
  count: number,
): Promise<Session | undefined> {
  const session = sessionOf(side);
  let said = new Uint8Array(0);
  let given = 0;
  for (let round = 0; round < 6; round++) {
    await feed(peer, concat(...session.takeOutput()));
    said = concat(said, ...peer.takeOutput());
    if (said.length < GREETING_SIZE) {
      given += await feed(session, said.subarray(given));
      continue;
    }
    for (const part of partsOf(said).slice(0, 1 + count)) {
      const start = part.byteOffset - said.byteOffset;
      const rest = part.subarray(Math.max(0, given - start));
      given += await feed(session, rest);
    }
  }
  return session.state === "traffic" ? undefined : session;
}

describe("a mechanism (ZMTP31-MECH-02, ZMTP31-MECH-03)", () => {
  afterEach(() => cleanup.run());

  for (const [client, server] of PAIRS) {
    it(`has a handshake of commands, in both directions: ${client} and ${server} (ZMTP31-MECH-05, ZMTP31-MECH-06)`, async () => {
      const sessions = [sessionOf(client, "DEALER"), sessionOf(server, "ROUTER")] as const;
      const said = await talk(...sessions);
      assertEquals(sessions.map(({ state }) => state), ["traffic", "traffic"]);
      assertEquals(sessions.map(({ peer }) => peer!.socketType), ["ROUTER", "DEALER"]);
      for (const { peer } of sessions) {
        assertEquals([...peer!.metadata.keys()].slice(0, 1), ["socket-type"]);
      }
      for (const octets of said) {
        const frames = partsOf(octets).slice(1);
        assert(frames.length > 0);
        for (const [flags] of frames) assertEquals(flags & ~2, 4, "nothing but commands");
      }
    });

    it(`names its commands in clear: ${client} and ${server} (ZMTP31-CMD-02, ZMTP31-CMD-03)`, async () => {
      const said = await talk(sessionOf(client, "DEALER"), sessionOf(server, "ROUTER"));
      const names = said.map((octets) => partsOf(octets).slice(1).map(nameOf));
      const expected = mechanismOf(client) === "NULL"
        ? [["READY"], ["READY"]]
        : [["HELLO", "INITIATE"], ["WELCOME", "READY"]];
      assertEquals(names, expected);
    });
  }

  it("is one for each socket: another one of the peer ends the connection on both sides (ZMTP31-MECH-01)", () => {
    for (const side of SIDES) {
      for (const mechanism of ["NULL", "PLAIN", "CURVE", "GSSAPI", "XPRIVATE"]) {
        if (mechanism === mechanismOf(side)) continue;
        const session = sessionOf(side);
        const octets = curveGreeting({ mechanism });
        failure(() => session.receive(octets), "ERR_ZMTP_MECHANISM_MISMATCH");
        assertEquals([session.state, session.peer], ["failed", undefined]);
      }
    }
  });

  it("is one for each socket: options of two are refused (ZMTP31-MECH-01)", async () => {
    const both = { ...OPTIONS.PLAIN.client, ...OPTIONS.CURVE.client };
    const dealer = cleanup.add(new Dealer(both));
    await rejection(dealer.bind(ANY_PORT), "EINVAL");
  });

  for (const side of ["client", "server"] as const) {
    it(`has its ${side} on the side that binds as well as on the one that connects (ZMTP31-MECH-04)`, async () => {
      const other = side === "client" ? "server" : "client";
      const options = { receiveTimeout: 5_000, sendTimeout: 5_000 };
      const router = cleanup.add(new Router({ ...options, ...OPTIONS.CURVE[side] }));
      const dealer = cleanup.add(new Dealer({ ...options, ...OPTIONS.CURVE[other] }));
      await router.bind(ANY_PORT);
      dealer.connect(router.lastEndpoint!);
      await dealer.send("hi");
      assertEquals(textOf((await router.receive())[1]), "hi");
    });
  }
});

describe("a message before the end of the handshake", () => {
  for (const [client, server] of PAIRS) {
    for (const [side, other] of [[client, server], [server, client]] as const) {
      it(`is refused at each of its steps by ${side} (ZMTP31-MECH-05, CONN-05)`, async () => {
        let steps = 0;
        for (;; steps++) {
          const session = await afterCommands(side, sessionOf(other), steps);
          if (session === undefined) break;
          assertEquals(session.state, "handshake");
          for (const octets of [message("early"), message("a", "b"), expand("02 7*00 01 61")]) {
            const again = await afterCommands(side, sessionOf(other), steps);
            failure(() => again!.receive(octets), UNEXPECTED);
            assertEquals([again!.state, again!.peer], ["failed", undefined]);
          }
        }
        assertEquals(steps, mechanismOf(side) === "NULL" ? 1 : 2);
      });
    }
  }
});

describe("the properties of a socket", () => {
  for (const mechanism of ["PLAIN", "CURVE"] as const) {
    it(`are said in INITIATE and READY of ${mechanism}, when each side knows the other (ZMTP31-SEC-04)`, async () => {
      const said = await talk(sessionOf(`${mechanism} client`), sessionOf(`${mechanism} server`));
      const telling = said.map((octets) =>
        partsOf(octets).slice(1).filter((frame) =>
          toHex(frame).includes(toHex(utf8("Socket-Type")))
        )
          .map(nameOf)
      );
      // In CURVE they are sealed.
      assertEquals(telling, mechanism === "PLAIN" ? [["INITIATE"], ["READY"]] : [[], []]);
    });
  }
});

describe("the data of a connection", () => {
  it("are plain frames without encryption (ZMTP31-WIRE-01)", () => {
    const stand = new LinkStand().serve();
    stand.pipe.send([utf8("A"), utf8(""), utf8("BB")]);
    assertOctets(stand.stream.takeOutput(), expand("01 01 41 01 00 00 02 4242"));
  });

  it("are commands in CURVE, by their name: flags, size and that are in clear, nothing else (ZMTP31-WIRE-02, ZMTP31-FRAME-08, ZMTP31-CMD-02)", async () => {
    const link = await new CurveLink().enter();
    link.pipe.send([utf8("first secret"), utf8("x".repeat(300))]);
    link.stream.deliver(link.peer.command("PING", expand("0000")));
    link.host.clock.settle();
    const octets = link.stream.takeOutput();
    const frames = partsOf(concat(new Uint8Array(GREETING_SIZE), octets)).slice(1);
    assertEquals(frames.map(nameOf), ["MESSAGE", "MESSAGE", "MESSAGE"]);
    // libzmq has these without the command flag.
    assertEquals(frames.map(([flags]) => flags), [0, 2, 0]);
    assertEquals(frames.map(({ length }) => length), [2 + 33 + 12, 9 + 33 + 300, 2 + 33 + 5]);
    for (const secret of ["secret", "xxxx", "PONG"]) {
      assert(!toHex(octets).includes(toHex(utf8(secret))), secret);
    }
    assertEquals(link.listen(octets).map((frames) => frames.map(textOf)), [
      ["first secret", "x".repeat(300)],
    ]);
  });

  it("in clear end a CURVE connection, messages and commands (ZMTP31-WIRE-02)", async () => {
    for (const octets of [message("clear"), command("PING", expand("0000"))]) {
      const link = await new CurveLink().enter();
      link.stream.deliver(concat(octets, link.peer.send("sealed")));
      assertEquals([link.calls.at(-1), link.receiveAll()], ["ended", []]);
    }
  });
});
