// Floods of small things past the handshake: frames, commands, requests. What is kept of them is bounded by the marks, the
// limits and one read, what is said about them by a few answers, and nothing is set up for each of them.

import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Pull, XPublisher } from "../../mod.ts";
import { assertFrames, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { CurveLink } from "../_util/curve_link.ts";
import { HostileStage, isOver, repeated, take } from "../_util/hostile_stage.ts";
import { LinkStand } from "../_util/link_stand.ts";
import { memoryInUse } from "../_util/memory.ts";
import { concat, pattern } from "../_util/octets.ts";
import { cancelCommand, subscribeCommand } from "../_util/raw_subscriptions.ts";
import { command, frame, message, ping, ready } from "../_util/raw_zmtp.ts";

const MB = 1_000_000;
const MANY = 20_000;
/** The largest read, and the smallest. */
const READ = 256 * 1024;
const LEAST_READ = 4_096;
/** PONGs that wait for a peer that does not read. */
const PONGS = 64;
/** What streams take besides the handshake before they take no more. */
const ROOM = 1_000;
const cleanup = new Cleanup();

/** Sends a megabyte and more of the same, until the link is not read any more. */
function flood(stand: LinkStand, octets: Uint8Array): void {
  const chunk = repeated(Math.ceil(1_000 / octets.length), octets);
  for (let i = 0; i < 3_000 && !stand.stream.paused && !isOver(stand.stream); i++) {
    stand.stream.deliver(chunk);
  }
}

describe("a flood of frames that nobody reads", () => {
  const frames: Readonly<Record<string, Uint8Array>> = {
    "empty messages": frame(""),
    "messages of an octet": frame("x"),
    "messages of empty parts": message("", "", "", ""),
    "messages of ten parts": message(..."0123456789"),
    "messages of a kilobyte": frame(pattern(1_000)),
  };
  for (const [what, octets] of Object.entries(frames)) {
    for (const mark of [1, 10, 1_000]) {
      it(`of ${what} stops no more than a read above a mark of ${mark}`, () => {
        const stand = new LinkStand({ options: { receiveHighWaterMark: mark } }).serve();
        flood(stand, octets);
        assert(stand.stream.paused);
        const read = Math.max(LEAST_READ, Math.min(READ, 256 * mark));
        const { inbox } = stand.pipe;
        assertLessOrEqual(inbox.messages, mark + Math.ceil(read / octets.length));
        // It goes on when what is there was read.
        const { length } = stand.receiveAll();
        assert(length >= mark);
        assert(!stand.stream.paused);
      });
    }
  }

  it("comes to an end with one connection: the others of a PULL are served in turn", async () => {
    const stage = await HostileStage.open(cleanup, "PUSH", (context) => new Pull({ context }));
    const hostile = stage.insider();
    const healthy = stage.insider();
    for (let i = 0; i < 1_000 && !hostile.paused; i++) {
      hostile.deliver(repeated(1_000, frame("")));
    }
    assert(hostile.paused);
    healthy.deliver(message("healthy"));
    const texts: string[] = [];
    for (let i = 0; i < 3; i++) texts.push(String((await take(stage.socket))[0]));
    assert(texts.includes("healthy"), `${texts}`);
    await cleanup.run();
  });
});

describe("a flood of PINGs", () => {
  const pings = repeated(1_000, ping("0123456789abcdef"));
  const pong = command("PONG", utf8("0123456789abcdef")).length;

  it("whose answers nobody reads leaves a few of them, and the link works on", () => {
    const stand = new LinkStand({ stream: { room: ROOM } }).serve();
    for (let i = 0; i < MANY / 1_000; i++) stand.stream.deliver(pings);
    stand.stream.deliver(message("works"));
    assertFrames(stand.receiveAll()[0], ["works"]);
    stand.stream.drain();
    stand.stream.flow();
    assertLessOrEqual(stand.stream.takeOutput().length, ROOM + 2 * (PONGS + 1) * pong);
    stand.stream.deliver(ping("again"));
    stand.stream.flow();
    assertEquals(stand.stream.takeOutput(), command("PONG", utf8("again")));
  });

  it("whose answers are read has each of them answered", () => {
    const stand = new LinkStand().serve();
    let answered = 0;
    for (let i = 0; i < 2_000; i++) {
      stand.stream.deliver(ping("0123456789abcdef"));
      answered += stand.stream.takeOutput().length / pong;
    }
    assertEquals(answered, 2_000);
  });

  it("with times to live keeps one timer for all of them", () => {
    const stand = new LinkStand().serve();
    for (let ttl = 1; ttl <= 5_000; ttl++) {
      stand.stream.deliver(command("PING", Uint8Array.of(ttl >> 8, ttl & 255)));
    }
    assertEquals(stand.host.clock.delays, [500_000]);
    // In one read as well.
    stand.stream.deliver(repeated(500, command("PING", Uint8Array.of(0, 10))));
    assertEquals(stand.host.clock.delays, [1_000]);
    // And no time to live takes it back.
    stand.stream.deliver(command("PING", Uint8Array.of(0, 0)));
    assertEquals(stand.host.clock.delays, []);
    assert(!isOver(stand.stream));
  });

  it("over CURVE whose answers nobody reads leaves a few of them too", async () => {
    const link = await new CurveLink({ stream: { room: 1_000 } }).enter();
    for (let i = 0; i < 2_000; i++) {
      link.stream.deliver(link.peer.command("PING", concat(Uint8Array.of(0, 0), utf8("x"))));
    }
    link.stream.drain();
    link.stream.flow();
    link.listen();
    assertLessOrEqual(link.commands.length, 1_000 / 50 + 2 * (PONGS + 1));
    assert(!isOver(link.stream));
  });
});

describe("heartbeats to a peer that does not read", () => {
  it("are one PING at a time, however long that lasts", () => {
    const options = { heartbeatInterval: 100, heartbeatTimeout: 0 };
    const stand = new LinkStand({ options, stream: { room: ROOM } }).serve();
    stand.host.clock.advance(100_000);
    const one = command("PING", pattern(2)).length;
    stand.stream.drain();
    stand.stream.flow();
    assertLessOrEqual(stand.stream.takeOutput().length, ROOM + 2 * one);
  });
});

describe("a flood of commands", () => {
  afterEach(() => cleanup.run());

  const nothing: Readonly<Record<string, Uint8Array>> = {
    "that nobody knows": command("X"),
    "of 60 kB that nobody knows": command("SOMETHING", new Uint8Array(60_000)),
    "SUBSCRIBE to a PULL": subscribeCommand("topic"),
    "CANCEL to a PULL": cancelCommand("topic"),
    "PONG without a PING": command("PONG", utf8("context")),
    "READY after the handshake": ready("PUSH", "other"),
    "ERROR after the handshake": command("ERROR", concat(Uint8Array.of(2), utf8("no"))),
    "HELLO after the handshake": command("HELLO", new Uint8Array(200)),
  };
  for (const [what, octets] of Object.entries(nothing)) {
    it(`${what} changes nothing, and leaves nothing behind`, async () => {
      const stage = await HostileStage.open(cleanup, "PUSH", (context) => new Pull({ context }));
      const hostile = stage.insider("name");
      const healthy = stage.insider();
      const chunk = repeated(Math.ceil(20_000 / octets.length), octets);
      hostile.deliver(chunk);
      const before = memoryInUse();
      for (let i = 0; i < 50; i++) hostile.deliver(chunk);
      assertLess(memoryInUse() - before, 5 * MB);
      assert(!isOver(hostile));
      assertEquals(hostile.takeOutput().length, 0);
      hostile.deliver(concat(frame("in ", true), octets, frame("one")));
      assertFrames(await take(stage.socket), ["in ", "one"]);
      healthy.deliver(message("healthy"));
      assertFrames(await take(stage.socket), ["healthy"]);
      assertEquals(stage.log.of("disconnect"), []);
    });
  }
});

describe("a flood of requests to an XPUB that nobody reads", () => {
  afterEach(() => cleanup.run());

  const churns: Readonly<Record<string, Uint8Array>> = {
    "that come and go": concat(subscribeCommand("same"), cancelCommand("same")),
    "that end what never was": cancelCommand("never"),
    "of its own": message("user"),
  };
  for (const [what, octets] of Object.entries(churns)) {
    for (const manual of [false, true]) {
      it(`${what} stops at the mark${manual ? " in manual mode" : ""}`, async () => {
        const stage = await HostileStage.open(
          cleanup,
          "SUB",
          (context) => new XPublisher({ context, manual, receiveHighWaterMark: 100 }),
        );
        const hostile = stage.insider();
        let sent = 0;
        for (; sent < 1_000 && !hostile.paused; sent++) hostile.deliver(repeated(100, octets));
        assert(hostile.paused, "it is not read any more");
        let unread = 0;
        for (; stage.socket.readable; unread++) await take(stage.socket);
        // Of a pair one is counted.
        assertLessOrEqual(unread, 2 * (100 + 100 + 100));
        assert(!hostile.paused, "it is read again");
      });
    }
  }

  it("to new topics stops at the number that it may have", async () => {
    const stage = await HostileStage.open(
      cleanup,
      "SUB",
      (context) => new XPublisher({ context, maxSubscriptions: 500 }),
    );
    const hostile = stage.insider();
    for (let i = 0; i < 500; i++) hostile.deliver(subscribeCommand(`topic ${i}`));
    assert(!isOver(hostile));
    hostile.deliver(subscribeCommand("topic 0"));
    assert(!isOver(hostile), "one that it has already");
    hostile.deliver(subscribeCommand("one more"));
    assert(isOver(hostile));
    await stage.tells("disconnect", "ENOBUFS", /\b500\b.*maxSubscriptions/);
    assertEquals([stage.socket.topicsCount, stage.socket.readable], [0, false]);
  });
});
