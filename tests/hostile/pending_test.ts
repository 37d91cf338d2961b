// maxPendingHandshakes: who has to go when too many have not finished their handshake, and who does not.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ZmqError } from "../../src/errors.ts";
import { CurveHost, HostileDoor, SilentHost, welcomed } from "../_util/hostile_door.ts";
import { isOver } from "../_util/hostile_stage.ts";
import { microtasks } from "../_util/manual_clock.ts";
import { frame, greeting, ready } from "../_util/raw_zmtp.ts";
import { systemError } from "../_util/scripted_runtime.ts";
import type { FakeStream } from "../_util/fake_stream.ts";
import { concat } from "../_util/octets.ts";

/** Which of these were ended. */
function ended(streams: readonly FakeStream[]): number[] {
  return streams.flatMap((stream, i) => isOver(stream) ? [i] : []);
}

/** The places from `from` up to `to`. */
function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

describe("maxPendingHandshakes", () => {
  it("lets as many wait, and ends the oldest for the next one (ZMTP31-SEC-02)", async () => {
    const door = await new HostileDoor({ maxPendingHandshakes: 5 }).listen();
    const waiting = door.crowd(5);
    assertEquals(ended(waiting), []);
    waiting.push(door.knock());
    assertEquals(ended(waiting), [0]);
    waiting.push(...door.crowd(2));
    assertEquals(ended(waiting), [0, 1, 2]);
    // Each of those that are left can still come in.
    waiting[3].deliver(door.handshake);
    assertEquals(door.host.attached.size, 1);
  });

  it("tells who had to go, why, and what can be done about it", async () => {
    const door = await new HostileDoor({ maxPendingHandshakes: 3 }).listen();
    door.crowd(4, "10.1.2.3");
    const [event, ...others] = door.told("handshake:error:other");
    assertEquals(others, []);
    const { address, peerAddress } = event as unknown as { address: string; peerAddress: string };
    assertEquals([address, peerAddress], ["tcp://127.0.0.1:5555", "tcp://10.1.2.3:50000"]);
    assert(event.error instanceof ZmqError);
    assertEquals(event.error.code, "ENOBUFS");
    assertMatch(event.error.message, /\b3\b.*maxPendingHandshakes/s);
    assertEquals(door.told("disconnect").length, 1);
  });

  it("takes the oldest of the address that has most of them (ZMTP31-SEC-03)", async () => {
    const door = await new HostileDoor({ maxPendingHandshakes: 10 }).listen();
    const honest = [door.knock("10.0.0.1"), door.knock("10.0.0.2")];
    const attacker = door.crowd(8, "10.6.6.6");
    attacker.push(...door.crowd(100, "10.6.6.6"));
    const late = door.crowd(3, "10.0.0.3");
    assertEquals([ended(honest), ended(late)], [[], []]);
    // Of the attacker's the newest are left, as many as there was room for.
    assertEquals(ended(attacker), range(0, 103));
    for (const stream of [...honest, ...late]) stream.deliver(door.handshake);
    assertEquals(door.host.attached.size, 5);
  });

  it("takes all addresses of one IPv6 network for one, as one host may have all of them", async () => {
    const door = await new HostileDoor({ maxPendingHandshakes: 6 }).listen();
    const honest = ["2001:db8:1:3::1", "10.0.0.1", "::ffff:10.0.0.2"].map((host) =>
      door.knock(host)
    );
    // Of these no two are the same, and the honest are older.
    const attacker = range(0, 50).map((i) => door.knock(`2001:db8:1:2:${i.toString(16)}::1`));
    assertEquals([ended(honest), ended(attacker).length], [[], 47]);
    // Hosts with IPv4 that come to an IPv6 socket have nothing to do with each other.
    const others = await new HostileDoor({ maxPendingHandshakes: 3 }).listen();
    const mapped = [others.knock("::ffff:10.0.0.1"), ...others.crowd(9, "::ffff:10.6.6.6")];
    assert(!isOver(mapped[0]));
  });

  it("ends the newcomer's own when all come from one address, never the newcomer", async () => {
    const door = await new HostileDoor({ maxPendingHandshakes: 1 }).listen();
    const all = door.crowd(50);
    assertEquals(ended(all), range(0, 49));
    all[49].deliver(door.handshake);
    assertEquals(door.host.attached.size, 1);
  });

  it("shares the room out among attackers of many addresses", async () => {
    const door = await new HostileDoor({ maxPendingHandshakes: 12 }).listen();
    const groups = range(0, 4).map((i) => door.crowd(20, `10.0.0.${i + 1}`));
    const left = groups.map((group) => group.length - ended(group).length);
    assertEquals(left.reduce((sum, count) => sum + count), 12);
    assert(Math.min(...left) >= 2, `${left}`);
  });

  it("counts a peer only until its handshake is done, whatever becomes of it later", async () => {
    const door = await new HostileDoor({ maxPendingHandshakes: 2 }).listen();
    const guests = range(0, 20).map(() => door.guest());
    assertEquals([ended(guests), door.host.attached.size], [[], 20]);
    const waiting = door.crowd(2);
    for (const guest of guests) guest.end();
    guests.push(door.guest());
    // That one needed a place while its handshake went on.
    assertEquals([ended(waiting), ended(guests.slice(-1))], [[0], []]);
    guests.at(-1)!.deliver(frame("fine"));
    assertEquals(door.host.attached.size, 1);
  });

  const endings: Readonly<Record<string, (stream: FakeStream) => void>> = {
    "goes away": (stream) => stream.end(),
    "is reset": (stream) => stream.end(systemError("ECONNRESET")),
    "breaks the protocol": (stream) => stream.deliver(new Uint8Array(64)),
    "is refused": (stream) => stream.deliver(concat(greeting(), ready("PUB"))),
  };
  for (const [what, end] of Object.entries(endings)) {
    it(`gives the place of one that ${what} to another`, async () => {
      const door = await new HostileDoor({ maxPendingHandshakes: 3 }).listen();
      const waiting = door.crowd(2);
      for (let i = 0; i < 20; i++) end(door.knock("10.6.6.6"));
      assertEquals(ended(waiting), []);
      waiting.push(door.knock());
      assertEquals(ended(waiting), []);
      waiting.push(door.knock());
      assertEquals(ended(waiting), [0]);
    });
  }

  it("gives a place back when its time is over", async () => {
    const options = { maxPendingHandshakes: 3, handshakeInterval: 1_000 };
    const door = await new HostileDoor(options).listen();
    const old = door.crowd(3);
    door.host.clock.advance(1_000);
    assertEquals(ended(old), [0, 1, 2]);
    assertEquals(door.told("handshake:error:other").map(({ error }) => error!.code), [
      "ETIMEDOUT",
      "ETIMEDOUT",
      "ETIMEDOUT",
    ]);
    assertEquals(ended(door.crowd(3)), []);
  });

  it("of 0 is no limit", async () => {
    const door = await new HostileDoor({ maxPendingHandshakes: 0 }).listen();
    assertEquals(ended(door.crowd(3_000)), []);
  });

  it("is 1000 where nothing else is said", async () => {
    const door = await new HostileDoor().listen();
    const waiting = door.crowd(1_000);
    assertEquals(ended(waiting), []);
    waiting.push(...door.crowd(2));
    assertEquals(ended(waiting), [0, 1]);
  });

  it("holds for each endpoint by itself", async () => {
    const door = await new HostileDoor({ maxPendingHandshakes: 2 }).listen();
    const other = await new HostileDoor({}, "ROUTER", door.host).listen("tcp://127.0.0.1:5556");
    const waiting = door.crowd(2);
    assertEquals(ended([...other.crowd(2), ...waiting]), []);
    door.acceptor.close();
    other.acceptor.close();
  });

  it("follows a change of the option with the next newcomer", async () => {
    const door = await new HostileDoor({ maxPendingHandshakes: 10 }).listen();
    const waiting = door.crowd(10);
    door.host.options.maxPendingHandshakes = 4;
    waiting.push(door.knock());
    assert(!isOver(waiting.at(-1)!));
    assert(ended(waiting).length >= 1);
    door.host.options.maxPendingHandshakes = 0;
    const before = ended(waiting).length;
    waiting.push(...door.crowd(10));
    assertEquals(ended(waiting).length, before);
  });
});

describe("peers that are refused and do not close", () => {
  const WRONG = concat(greeting(), ready("PUB"));

  /** Which of these may still hold a descriptor. */
  function held(streams: readonly FakeStream[]): number {
    return streams.filter(({ calls, over }) => !over && !calls.includes("abort")).length;
  }

  it("count until they are gone, and are not told of twice", async () => {
    const door = await new HostileDoor({ maxPendingHandshakes: 3 }).listen();
    const refused = door.crowd(50, "10.6.6.6", WRONG);
    assertEquals(held(refused), 3);
    assertEquals(door.told("handshake:error:protocol").length, 50);
    assertEquals(door.told("handshake:error:other").length, 0);
    assertEquals(door.told("disconnect").length, 50);
    // Each had been told why.
    assert(refused.every(({ calls }) => calls.includes("close")));
    for (const stream of refused.slice(-3)) stream.end();
    const waiting = door.crowd(3);
    assertEquals(ended(waiting), []);
    door.host.clock.advance(1_000);
    assertEquals(held(refused), 0);
  });

  it("have to go before those that may still come in", async () => {
    const door = await new HostileDoor({ maxPendingHandshakes: 6 }).listen();
    const honest = door.crowd(3, "10.0.0.1");
    const refused = door.crowd(40, "10.6.6.6", WRONG);
    assertEquals([ended(honest), held(refused)], [[], 3]);
    for (const stream of honest) stream.deliver(door.handshake);
    assertEquals(door.host.attached.size, 3);
  });

  it("are all gone after a second", async () => {
    const door = await new HostileDoor({ maxPendingHandshakes: 0 }).listen();
    const refused = door.crowd(20, "10.6.6.6", WRONG);
    assertEquals(held(refused), 20);
    door.host.clock.advance(1_000);
    assertEquals(held(refused), 0);
  });
});

describe("the peers that wait for their handshake", () => {
  it("take no memory of the core, which only messages need (ZMTP31-SEC-02)", async () => {
    const door = await new HostileDoor({ maxPendingHandshakes: 500 }).listen();
    door.guest();
    const { memory } = door.host.around;
    let allocated = 0;
    const { allocate } = memory;
    memory.allocate = function (...args) {
      allocated++;
      return allocate.apply(this, args);
    };
    try {
      const before = memory.outboxes.bytes.length;
      door.crowd(2_000, "10.6.6.6", greeting());
      assertEquals([allocated, memory.outboxes.bytes.length], [0, before]);
      door.guest();
      assertEquals(allocated, 1, "the spy sees it");
    } finally {
      memory.allocate = allocate;
    }
  });

  it("are ended with the socket, whatever their number", async () => {
    const door = await new HostileDoor().listen();
    const waiting = door.crowd(900);
    door.acceptor.close();
    await microtasks();
    assertEquals(ended(waiting).length, 900);
    assertEquals(door.host.clock.delays.every((ms) => ms <= 1_000), true);
  });

  it("with CURVE count from HELLO to INITIATE as well", async () => {
    const door = await new HostileDoor({}, "PULL", new CurveHost({ maxPendingHandshakes: 4 }))
      .listen();
    const waiting: FakeStream[] = [];
    for (let i = 0; i < 7; i++) waiting.push(await welcomed(door, "10.6.6.6"));
    assertEquals(ended(waiting), [0, 1, 2]);
    const [event] = door.told("handshake:error:other");
    assertEquals(event.error!.code, "ENOBUFS");
  });

  it("are ended when there is no descriptor for a newcomer, the oldest first", async () => {
    const door = await new HostileDoor().listen();
    const waiting = [door.knock("10.0.0.1"), ...door.crowd(3, "10.6.6.6")];
    const guest = door.guest();
    for (let i = 1; i <= 4; i++) {
      door.acceptor.failed(systemError("EMFILE"));
      assertEquals([door.told("accept:error").length, ended(waiting).length], [i, i]);
    }
    door.acceptor.failed(systemError("EMFILE"));
    assert(!isOver(guest), "who is served is not ended for that");
    assertEquals(door.told("handshake:error:other").map(({ error }) => error!.code), [
      ...waiting.map(() => "EMFILE"),
    ]);
  });

  it("stay when a newcomer fails for another reason", async () => {
    const door = await new HostileDoor().listen();
    const waiting = door.crowd(3);
    door.acceptor.failed(systemError("ECONNABORTED"));
    assertEquals(ended(waiting), []);
  });

  it("of a ZAP handler that does not answer count as well, and it is not asked in vain", async () => {
    const host = new SilentHost({ maxPendingHandshakes: 3 });
    const door = await new HostileDoor({}, "PULL", host).listen();
    const waiting = door.crowd(10, "10.6.6.6", door.handshake);
    assertEquals(ended(waiting), range(0, 7));
    assertEquals([host.asked, host.cancelled, host.attached.size], [10, 7, 0]);
  });
});
