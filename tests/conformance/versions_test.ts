// Which version of ZMTP is spoken: with later ones our own, with earlier ones theirs, and none that
// would do without the security that was asked for.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { NullMechanism } from "../../src/security/null.ts";
import { PlainClient, PlainServer } from "../../src/security/plain.ts";
import type { Property } from "../../src/security/mechanism.ts";
import { Door } from "../../src/security/zap.ts";
import type { Security } from "../../src/link/host.ts";
import type { ZmqError } from "../../src/errors.ts";
import { toHex, utf8 } from "../_util/bytes.ts";
import { curveGreeting } from "../_util/curve_commands.ts";
import { CurveLink } from "../_util/curve_link.ts";
import { FakeHost } from "../_util/fake_host.ts";
import { LinkStand, messagesAfterHandshake } from "../_util/link_stand.ts";
import { feed, mechanismOf, sessionOf, type Side, SIDES } from "../_util/mechanism_sessions.ts";
import { microtasks } from "../_util/manual_clock.ts";
import { assertMessages, assertOctets, concat } from "../_util/octets.ts";
import { greeting, message, ready } from "../_util/raw_zmtp.ts";
import { failure } from "../_util/rejection.ts";
import { newSession, outputOf } from "../_util/session_pair.ts";
import { expand } from "../_util/vectors.ts";

const MISMATCH = "ERR_ZMTP_MECHANISM_MISMATCH";
const GUARDED = SIDES.filter((side) => side !== "NULL");

/** How peers of older versions begin, and after how many octets that can be told. */
const OLDER: readonly (readonly [protocol: string, octets: Uint8Array, decided: number])[] = [
  ["1.0", expand("01 00 03 00 6869"), 2],
  ["1.0", expand("04 00 616263 03 00 6869"), 2],
  ["1.0", expand("ff 0000000000000001 00 03 00 6869"), 10],
  ["2.0", expand("ff 8*00 7f 01 05 00 00 00 02 6869"), 11],
  ["2.0", expand("ff 7*00 01 7f 02 05 00 00 00 02 6869"), 11],
];

function greetingOf(major: number, minor: number, mechanism = "NULL"): Uint8Array {
  const octets = curveGreeting({ mechanism, minor });
  octets[10] = major;
  return octets;
}

/** A host whose connections have another mechanism than NULL without a domain. */
class GuardedHost extends FakeHost {
  readonly #side: Side;

  constructor(side: Side) {
    super("DEALER");
    this.#side = side;
  }

  override secure(): Security {
    const properties: Property[] = [["Socket-Type", utf8(this.type)]];
    // The handler never answers.
    const ask = () => ({ reply: new Promise<never>(() => {}), cancel() {} });
    const door = new Door({ domain: "test", enforced: true }, "127.0.0.1", ask);
    switch (this.#side) {
      case "PLAIN client":
        return () => new PlainClient(properties, utf8("admin"), utf8("secret"));
      case "PLAIN server":
        return () => new PlainServer(properties, door);
      default:
        return () => new NullMechanism(properties, door);
    }
  }
}

function standOf(side: Side): LinkStand {
  if (side.startsWith("CURVE")) return new CurveLink();
  return new LinkStand({ host: new GuardedHost(side) });
}

describe("a peer of the same version or a later one", () => {
  const versions = [[3, 1], [3, 2], [3, 255], [4, 0], [4, 9], [255, 0], [255, 255]] as const;
  for (const [major, minor] of versions) {
    it(`such as ${major}.${minor} is spoken to in ZMTP 3.1 (ZMTP31-VER-01, ZMTP31-VER-02)`, async () => {
      const session = newSession("DEALER");
      session.receive(concat(greetingOf(major, minor), ready("ROUTER")));
      assertEquals([session.state, session.peer!.protocol], ["traffic", "3.1"]);
      assertEquals([...outputOf(session).subarray(10, 12)], [3, 1]);
      for (const side of GUARDED) {
        const guarded = sessionOf(side);
        await feed(guarded, greetingOf(major, minor, mechanismOf(side)));
        assertEquals(guarded.state, "handshake", side);
      }
    });
  }

  it("is sent and understood in the frames and commands of 3.1 (ZMTP31-VER-02)", () => {
    const stand = new LinkStand({ options: { heartbeatInterval: 10 } });
    stand.link.start();
    stand.stream.deliver(concat(greetingOf(4, 9), ready("ROUTER")));
    stand.stream.takeOutput();
    stand.host.clock.advance(10);
    stand.pipe.send("hi");
    stand.stream.deliver(concat(expand("04 08 04 50494e47 000a 78"), message("yo")));
    const sent = toHex(stand.stream.takeOutput());
    for (const octets of ["040704" + "50494e470000", "00026869", "040604504f4e4778"]) {
      assert(sent.includes(octets), sent);
    }
    assertMessages(stand.receiveAll(), [[utf8("yo")]]);
  });
});

describe("a peer of an earlier version", () => {
  it("such as 3.0 is spoken to in ZMTP 3.0: the smaller minor version counts (ZMTP31-VER-05, ZMTP31-VER-03)", () => {
    const session = newSession("DEALER");
    session.receive(concat(greetingOf(3, 0), ready("ROUTER")));
    assertEquals([session.state, session.peer!.protocol], ["traffic", "3.0"]);
    assertEquals([...outputOf(session).subarray(10, 12)], [3, 1]);
  });

  for (const [protocol, octets] of OLDER) {
    it(`such as ${protocol} is spoken to in that: ${toHex(octets.subarray(0, 12))} (ZMTP31-VER-03, ZMTP31-VER-09)`, () => {
      for (const size of [Infinity, 1, 3]) {
        const stand = new LinkStand();
        stand.link.start();
        stand.stream.deliver(octets, size);
        assertMessages(stand.receiveAll(), [[utf8("hi")]]);
        assertEquals([stand.pipe.protocol, stand.link.ready], [protocol, true]);
      }
    });
  }

  for (const revision of ["00 00", "00 05 00 00"]) {
    it(`such as ${revision} cannot be spoken to, and the link ends (ZMTP31-VER-03)`, () => {
      for (const size of [Infinity, 1]) {
        const stand = new LinkStand();
        stand.link.start();
        stand.stream.deliver(concat(expand(`ff 8*00 7f ${revision}`), message("hi")), size);
        assertEquals([stand.calls, (stand.error as ZmqError).code], [
          ["ended"],
          "ERR_ZMTP_UNSPECIFIED",
        ]);
        assertEquals(stand.receiveAll(), []);
      }
    });
  }

  it("is told as its version in the peer of a session (ZMTP31-VER-09)", () => {
    const told = [greetingOf(3, 1), greetingOf(3, 0)].map((octets) => {
      const session = newSession("DEALER");
      session.receive(concat(octets, ready("ROUTER")));
      return session.peer!.protocol;
    });
    const older = OLDER.map(([, octets]) => {
      const session = newSession("DEALER");
      session.receive(octets);
      return session.peer!.protocol;
    });
    assertEquals([...told, ...older], ["3.1", "3.0", ...OLDER.map(([protocol]) => protocol)]);
  });
});

describe("a socket that asks for security", () => {
  for (const side of GUARDED) {
    const id = side.startsWith("NULL")
      ? "ZMTP31-VER-08, ZMTP31-VER-04, ZMTP31-VER-07"
      : "ZMTP31-VER-06, ZMTP31-VER-04, ZMTP31-VER-07";
    for (const [protocol, octets, decided] of OLDER) {
      it(`by ${side} ends a peer of ZMTP ${protocol} as soon as it is known: ${toHex(octets.subarray(0, 12))} (${id})`, () => {
        const session = sessionOf(side);
        session.receive(octets.subarray(0, decided - 1));
        assertEquals(session.state, "greeting");
        failure(() => session.receive(octets.subarray(decided - 1, decided)), MISMATCH);
        assertEquals([session.state, session.peer], ["failed", undefined]);
        for (const size of [Infinity, 1]) {
          const stand = standOf(side);
          stand.pipe.send("secret");
          stand.link.start();
          stand.stream.deliver(octets, size);
          assertEquals([stand.calls, (stand.error as ZmqError).code], [["ended"], MISMATCH]);
          assertEquals(stand.receiveAll(), []);
          assert(!toHex(stand.stream.takeOutput()).includes(toHex(utf8("secret"))));
        }
      });
    }
  }

  for (const side of GUARDED) {
    const weaker = mechanismOf(side) === "CURVE" ? ["NULL", "PLAIN"] : ["NULL"];
    for (const mechanism of weaker) {
      if (side.startsWith("NULL")) continue;
      it(`by ${side} has nothing to do with a peer that offers ${mechanism} (ZMTP31-VER-07)`, async () => {
        const stand = standOf(side);
        stand.pipe.send("secret");
        stand.link.start();
        stand.stream.deliver(concat(greetingOf(3, 1, mechanism), ready("ROUTER"), message("hi")));
        await microtasks();
        assertEquals([stand.calls, (stand.error as ZmqError).code], [["ended"], MISMATCH]);
        assertEquals(stand.receiveAll(), []);
        assertEquals(stand.stream.takeOutput().length, 64, "its greeting, and nothing else");
      });
    }
  }

  it("by a domain for NULL delivers nothing of who was not let in yet (ZMTP31-VER-07, ZMTP31-VER-08)", async () => {
    const stand = standOf("NULL with a domain");
    stand.pipe.send("secret");
    stand.link.start();
    stand.stream.deliver(concat(greeting(), ready("ROUTER"), message("hi")));
    await microtasks();
    assertEquals([stand.calls, stand.receiveAll()], [[], []]);
    assertMessages(messagesAfterHandshake(stand.stream.takeOutput()), []);
  });
});

describe("what is left of an opening", () => {
  it("is nothing when a peer is gone before its version is known (ZMTP31-VER-07)", () => {
    for (const octets of [expand("ff"), expand("ff 8*00"), expand("ff 8*00 7f"), expand("01")]) {
      const stand = new LinkStand();
      stand.pipe.send("secret");
      stand.link.start();
      stand.stream.deliver(octets);
      stand.stream.end();
      assertEquals([stand.calls, stand.receiveAll()], [["ended"], []]);
      const said = stand.stream.takeOutput();
      assertOctets(said, greeting().subarray(0, octets.length < 10 ? 10 : 11));
    }
  });
});
