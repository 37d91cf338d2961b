// Peers that take their time: an octet now and then does not keep a connection in its handshake any longer than
// handshakeInterval, wherever in the handshake it is, and what they may have us hold meanwhile is bounded.

import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ZmqError } from "../../src/errors.ts";
import type { Event } from "../../src/events.ts";
import { utf8 } from "../_util/bytes.ts";
import { commandFrame, curveGreeting } from "../_util/curve_commands.ts";
import { CurveClient } from "../_util/curve_oracle.ts";
import { KEYS } from "../_util/curve_vectors.ts";
import { CurveHost, SilentHost } from "../_util/hostile_door.ts";
import { eventually } from "../_util/deadline.ts";
import { isOver } from "../_util/hostile_stage.ts";
import { LinkStand } from "../_util/link_stand.ts";
import { microtasks } from "../_util/manual_clock.ts";
import { assertMessages, concat, pattern } from "../_util/octets.ts";
import { frame, greeting, ready } from "../_util/raw_zmtp.ts";

const INTERVAL = 30_000;
const STEP = 1_000;

/** The link's events; it was started. */
function watched(stand: LinkStand): Event[] {
  const events: Event[] = [];
  stand.host.monitor.watch((event) => events.push(event));
  stand.link.start();
  return events;
}

/** Sends an octet each second until the link is over, and answers how long that took. */
function dribble(stand: LinkStand, octets: Uint8Array): number {
  const { clock } = stand.host;
  for (const octet of octets) {
    if (isOver(stand.stream)) break;
    stand.stream.deliver(Uint8Array.of(octet));
    clock.advance(STEP);
  }
  return clock.now();
}

function assertTimedOut(stand: LinkStand, events: readonly Event[]): void {
  assert(isOver(stand.stream));
  assertEquals(events.map(({ type }) => type), ["handshake:error:other", "disconnect"]);
  const { error } = events[0] as { error?: Error & { code?: string } };
  assert(error instanceof ZmqError);
  assertEquals(error.code, "ETIMEDOUT");
  assertMatch(error.message, /handshake.*30000 ms/);
  assertEquals(stand.calls, ["ended"]);
}

describe("a peer that sends an octet each second", () => {
  const READY = ready("DEALER", pattern(255));
  const places: Readonly<Record<string, [Uint8Array, Uint8Array]>> = {
    "from the start": [new Uint8Array(0), greeting()],
    "in its signature": [greeting().subarray(0, 3), greeting().subarray(3, 10)],
    "behind its version": [greeting().subarray(0, 11), greeting().subarray(11)],
    "of its READY": [greeting(), READY],
    "of the end of its READY": [concat(greeting(), READY.subarray(0, -40)), READY.subarray(-40)],
    "of a ZMTP 2.0 routing id": [
      concat(greeting().subarray(0, 10), Uint8Array.of(1, 5, 0, 255)),
      pattern(200),
    ],
    "of a ZMTP 1.0 routing id": [Uint8Array.of(255 - 1, 0), pattern(200)],
    "of a long ZMTP 1.0 routing id": [
      Uint8Array.of(255, 0, 0, 0, 0, 0, 0, 1, 0, 0),
      pattern(200),
    ],
  };
  for (const [where, [before, slowly]] of Object.entries(places)) {
    it(`${where} is ended after handshakeInterval`, () => {
      const stand = new LinkStand();
      const events = watched(stand);
      stand.stream.deliver(before);
      // Where there are not that many octets it stops, and that is no better.
      const time = dribble(stand, slowly);
      stand.host.clock.advance(INTERVAL - Math.min(INTERVAL, time));
      assertEquals(stand.host.clock.now(), INTERVAL);
      assertTimedOut(stand, events);
    });
  }

  it("and is done just in time is welcome, and may take all the time it likes then", () => {
    const stand = new LinkStand();
    const events = watched(stand);
    const octets = concat(greeting(), ready("DEALER"));
    const late = octets.length - 29;
    stand.stream.deliver(octets.subarray(0, late));
    dribble(stand, octets.subarray(late, -1));
    stand.host.clock.advance(STEP + 999);
    stand.stream.deliver(octets.subarray(-1));
    assertEquals(events.map(({ type }) => type), ["handshake"]);
    const message = frame("in its own time");
    dribble(stand, message.subarray(0, -1));
    stand.host.clock.advance(100 * INTERVAL);
    stand.stream.deliver(message.subarray(-1));
    assertMessages(stand.receiveAll(), [[utf8("in its own time")]]);
    assertEquals(stand.host.clock.delays, []);
  });

  it("is waited for as long as it likes with handshakeInterval 0", () => {
    const stand = new LinkStand({ options: { handshakeInterval: 0 } });
    watched(stand);
    dribble(stand, concat(greeting(), ready("DEALER")));
    assertEquals(stand.calls, ["ready DEALER"]);
  });
});

describe("a client of a CURVE server that sends an octet each second", () => {
  it("of HELLO is ended after handshakeInterval", () => {
    const stand = new LinkStand({ type: "PULL", host: new CurveHost({}) });
    const events = watched(stand);
    const client = new CurveClient({ serverKey: KEYS.server });
    stand.stream.deliver(curveGreeting());
    dribble(stand, commandFrame(client.hello()));
    assertTimedOut(stand, events);
  });

  it("of INITIATE is ended after the same time as all others, not after as much again", async () => {
    const stand = new LinkStand({ type: "PULL", host: new CurveHost({}) });
    const events = watched(stand);
    const client = new CurveClient({ serverKey: KEYS.server });
    stand.stream.deliver(curveGreeting());
    stand.host.clock.advance(20_000);
    const before = stand.stream.writes.length;
    stand.stream.deliver(commandFrame(client.hello()));
    await eventually(() => stand.stream.writes.length > before);
    const welcome = stand.stream.writes.at(-1)!;
    client.takeWelcome(welcome.subarray(2));
    assertLess(dribble(stand, commandFrame(client.initiate())), INTERVAL + STEP);
    assertTimedOut(stand, events);
  });
});

describe("a peer whom the ZAP handler does not answer", () => {
  it("is ended after handshakeInterval, and the question is taken back", async () => {
    const host = new SilentHost({});
    const stand = new LinkStand({ type: "PULL", host });
    const events = watched(stand);
    stand.stream.deliver(concat(greeting(), ready("PUSH")));
    await microtasks();
    stand.host.clock.advance(INTERVAL - 1);
    assertEquals([host.asked, host.cancelled, events.length], [1, 0, 0]);
    stand.host.clock.advance(1);
    assertEquals([host.asked, host.cancelled], [1, 1]);
    assertTimedOut(stand, events);
  });

  it("is not read beyond a few kilobytes meanwhile", async () => {
    const stand = new LinkStand({ type: "PULL", host: new SilentHost({}) });
    watched(stand);
    stand.stream.deliver(greeting());
    await microtasks();
    let taken = 0;
    while (!stand.stream.paused && taken < 100_000) {
      stand.stream.deliver(pattern(1_000));
      taken += 1_000;
    }
    assertLess(taken, 12_000);
    stand.host.clock.advance(INTERVAL);
    assert(isOver(stand.stream));
  });
});
