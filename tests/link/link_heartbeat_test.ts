// Heartbeats of a link: what goes onto the stream and when, what counts as a sign of life, and how the link ends.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { ZmqError } from "../../src/errors.ts";
import { textOf, toHex, utf8 } from "../_util/bytes.ts";
import { LinkStand, type StandOptions } from "../_util/link_stand.ts";
import { assertOctets, concat, pattern } from "../_util/octets.ts";
import { oldGreeting } from "../_util/raw_subscriptions.ts";
import { command, frame, message, ready } from "../_util/raw_zmtp.ts";
import { vector } from "../_util/vectors.ts";

const BEATS = { heartbeatInterval: 100, heartbeatTimeout: 200 } as const;
const PONG = command("PONG");
/** Octets of our side of the handshake. */
const HANDSHAKE = 94;

function standWith(
  options: StandOptions["options"],
  stream: StandOptions["stream"] = {},
): LinkStand {
  return new LinkStand({ options: options ?? {}, stream: stream ?? {} }).serve();
}

/** Lets time pass; I/O has its turn after every millisecond. */
function pass(stand: LinkStand, ms: number): void {
  for (let i = 0; i < ms; i++) {
    stand.host.clock.advance(1);
    stand.host.clock.settle();
  }
}

function pingFor(tenths: number): Uint8Array {
  return command("PING", Uint8Array.of(tenths >> 8, tenths & 255));
}

function outputOf(stand: LinkStand): string {
  return toHex(stand.stream.takeOutput());
}

function isLost(stand: LinkStand): boolean {
  if (!stand.calls.includes("ended")) return false;
  assertEquals((stand.error as ZmqError).code, "ETIMEDOUT");
  assertEquals(stand.stream.calls.at(-1), "abort");
  return true;
}

describe("a link's PING", () => {
  it("goes out at once when it is due (GV-C-16, ZMTP31-HB-01, ZMTP31-HB-02)", () => {
    const stand = standWith(BEATS);
    pass(stand, 99);
    assertEquals(outputOf(stand), "");
    pass(stand, 1);
    assertEquals(outputOf(stand), toHex(vector("GV-C-16")));
  });

  for (const [ms, tenths] of [[1_000, 10], [99, 0], [65_500, 655], [6_553_599, 655]] as const) {
    it(`carries a time to live of ${ms} ms as ${tenths} tenths (ZMTP31-HB-12)`, () => {
      const stand = standWith({ ...BEATS, heartbeatTimeToLive: ms });
      pass(stand, 100);
      assertEquals(outputOf(stand), toHex(pingFor(tenths)));
    });
  }

  it("does not go out before the handshake is done (ZMTP31-HB-01)", () => {
    const stand = new LinkStand({ options: BEATS });
    stand.link.start();
    stand.stream.takeOutput();
    pass(stand, 1_000);
    assertEquals(outputOf(stand), "");
  });

  it("does not go to a peer that speaks ZMTP 3.0, which may be silent (ZMTP30-HB-01)", () => {
    const stand = new LinkStand({ options: BEATS });
    stand.link.start();
    stand.stream.deliver(concat(oldGreeting(), ready("ROUTER")));
    stand.stream.takeOutput();
    pass(stand, 1_000);
    assertEquals([outputOf(stand), isLost(stand)], ["", false]);
  });

  it("never stands between the frames of a message (ZMTP31-CMD-06)", () => {
    const frames = [pattern(500), pattern(600), pattern(700)];
    const wire = message(...frames);
    for (let written = 1; written < wire.length; written += 97) {
      const stand = new LinkStand({ options: BEATS, stream: { room: HANDSHAKE } }).serve();
      stand.pipe.send(frames);
      stand.stream.drain(written);
      pass(stand, 100);
      stand.stream.drain();
      stand.host.clock.settle();
      assertOctets(stand.stream.takeOutput(), concat(wire, vector("GV-C-16")));
    }
  });

  it("is over with the link", () => {
    const stand = standWith(BEATS);
    stand.link.close();
    stand.stream.end();
    stand.stream.takeOutput();
    pass(stand, 1_000);
    assertEquals([outputOf(stand), stand.host.clock.delays], ["", []]);
  });
});

describe("a link with a silent peer", () => {
  it("ends after the time allowed, and resets the connection (ZMTP31-HB-05, ZMTP31-HB-08)", () => {
    const stand = standWith(BEATS);
    pass(stand, 299);
    assertEquals(isLost(stand), false);
    pass(stand, 1);
    assertEquals(isLost(stand), true);
  });

  it("ends after the time that the peer's PING allowed (ZMTP31-HB-09)", () => {
    const stand = standWith({});
    stand.stream.deliver(pingFor(3));
    pass(stand, 299);
    assertEquals(isLost(stand), false);
    pass(stand, 1);
    assertEquals(isLost(stand), true);
  });

  it("ends though the system takes what is sent", () => {
    const stand = standWith(BEATS);
    for (let i = 0; i < 300; i++) {
      if (i % 10 === 0) stand.pipe.send("for a peer that is dead");
      pass(stand, 1);
    }
    assertEquals(isLost(stand), true);
  });
});

describe("a link with a peer that is alive", () => {
  const signs: Readonly<Record<string, Uint8Array>> = {
    "PONG": PONG,
    "a PONG with an unknown context (ZMTP31-HB-13)": command("PONG", utf8("?")),
    "a message": message("a", "b"),
    "a PING": pingFor(0),
    "another command": command("WHATEVER"),
  };
  for (const [what, octets] of Object.entries(signs)) {
    it(`goes on with ${what} (ZMTP31-HB-06)`, () => {
      const stand = standWith(BEATS);
      for (let i = 0; i < 10; i++) {
        pass(stand, 150);
        stand.stream.deliver(octets);
      }
      assertEquals(isLost(stand), false);
    });
  }

  it("goes on with single octets of a frame (ZMTP31-HB-06)", () => {
    const stand = standWith(BEATS);
    for (const octet of frame("ten octets")) {
      pass(stand, 150);
      stand.stream.deliver(Uint8Array.of(octet));
    }
    assertEquals([isLost(stand), textOf(stand.receiveAll()[0][0])], [false, "ten octets"]);
  });

  it("takes what follows a PING in one read for the end of its wait (ZMTP31-HB-11)", () => {
    for (const next of [message("a"), message("a", "b"), PONG]) {
      const stand = standWith({});
      stand.stream.deliver(concat(pingFor(1), next));
      pass(stand, 1_000);
      assertEquals(isLost(stand), false);
    }
  });

  it("waits from the last of several PINGs in one read", () => {
    const stand = standWith({});
    stand.stream.deliver(concat(pingFor(1), message("a"), pingFor(2)));
    pass(stand, 199);
    assertEquals(isLost(stand), false);
    pass(stand, 1);
    assertEquals(isLost(stand), true);
  });
});

describe("a link that does not read", () => {
  const DEAF = { ...BEATS, receiveHighWaterMark: 2 } as const;

  /** A link whose peer has sent more than fits. */
  function deaf(options: StandOptions["options"] = DEAF): LinkStand {
    const stand = standWith(options);
    stand.stream.deliver(concat(message("1"), message("2"), message("3"), message("4")));
    assert(stand.stream.paused);
    return stand;
  }

  it("does not take silence for an end, and goes on to send PINGs", () => {
    const stand = deaf();
    pass(stand, 1_000);
    assertEquals(isLost(stand), false);
    assert(stand.stream.takeOutput().length >= 9 * vector("GV-C-16").length);
  });

  it("counts silence from where it reads on", () => {
    for (const at of [150, 290, 299, 300, 301, 450]) {
      const stand = deaf();
      pass(stand, at);
      stand.receiveAll();
      assertEquals(stand.stream.paused, false);
      pass(stand, 190);
      assertEquals(isLost(stand), false, `read on at ${at}`);
      pass(stand, 400);
      assertEquals(isLost(stand), true, `read on at ${at}`);
    }
  });

  it("counts the peer's time to live from where it reads on", () => {
    for (const at of [10, 90, 99, 100, 101, 250]) {
      const stand = standWith({ receiveHighWaterMark: 2 });
      stand.stream.deliver(concat(message("1"), message("2"), message("3"), pingFor(1)));
      assert(stand.stream.paused);
      pass(stand, at);
      stand.receiveAll();
      pass(stand, 95);
      assertEquals(isLost(stand), false, `read on at ${at}`);
      pass(stand, 200);
      assertEquals(isLost(stand), true, `read on at ${at}`);
    }
  });
});

describe("a link whose PING waits behind a long message", () => {
  const LONG = pattern(1_000_000);

  /** A link whose stream is busy with a message. */
  function busy(): LinkStand {
    const stand = new LinkStand({ options: BEATS, stream: { room: HANDSHAKE } }).serve();
    stand.pipe.send(LONG);
    stand.host.clock.settle();
    assert(stand.stream.busy);
    return stand;
  }

  it("goes on while the peer takes the message slowly", () => {
    const stand = busy();
    for (let i = 0; i < 20; i++) {
      pass(stand, 170);
      stand.stream.drain(10_000);
    }
    assertEquals(isLost(stand), false);
    stand.stream.drain();
    stand.host.clock.settle();
    assertEquals(toHex(stand.stream.takeOutput().slice(-9)), toHex(vector("GV-C-16")));
    pass(stand, 199);
    assertEquals(isLost(stand), false);
    pass(stand, 401);
    assertEquals(isLost(stand), true);
  });

  it("sends one PING for all that were due meanwhile (ZMTP31-HB-07)", () => {
    const stand = busy();
    for (let i = 0; i < 10; i++) {
      pass(stand, 100);
      stand.stream.drain(1_000);
    }
    stand.stream.drain();
    stand.host.clock.settle();
    const output = stand.stream.takeOutput();
    assertEquals(output.length, message(LONG).length + vector("GV-C-16").length);
  });
});
