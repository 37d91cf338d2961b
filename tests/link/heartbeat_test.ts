// Heartbeats by a clock that is turned by hand: when a PING goes out, how long silence may last, and what is a sign of life.

import { assert, assertEquals, assertInstanceOf, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ZmqError } from "../../src/errors.ts";
import { type Beating, Heartbeat } from "../../src/link/heartbeat.ts";
import { defaultOptions } from "../../src/option_values.ts";
import { ManualClock } from "../_util/manual_clock.ts";

const ADDRESS = "tcp://127.0.0.1:5555";

/** A heartbeat, and the link that it beats for. */
class Stand implements Beating {
  readonly clock: ManualClock = new ManualClock();
  readonly heart: Heartbeat = new Heartbeat(this.clock, this, ADDRESS);
  /** When PINGs were asked for. */
  readonly pings: number[] = [];
  /** When and why the peer was given up. */
  readonly losses: [at: number, error: ZmqError][] = [];
  deaf = false;
  /** The system takes nothing: a PING waits behind something else. */
  blocked = false;

  ping(): void {
    this.pings.push(this.clock.now());
    if (!this.blocked) this.asked();
  }

  /** The system takes the PING. */
  asked(): void {
    this.blocked = false;
    this.heart.asked();
  }

  lost(error: ZmqError): void {
    this.losses.push([this.clock.now(), error]);
    this.heart.stop();
  }

  start(heartbeatInterval: number, heartbeatTimeout = -1): this {
    this.heart.start({ ...defaultOptions(), heartbeatInterval, heartbeatTimeout });
    return this;
  }

  /** Lets time pass, and I/O have its turn after every millisecond. */
  pass(ms: number): this {
    for (let i = 0; i < ms; i++) {
      this.clock.advance(1);
      this.clock.settle();
    }
    return this;
  }

  get lossTimes(): number[] {
    return this.losses.map(([at]) => at);
  }
}

describe("a heartbeat's PINGs", () => {
  it("go out at the interval, the first after one", () => {
    const stand = new Stand().start(100, 0).pass(350);
    assertEquals(stand.pings, [100, 200, 300]);
  });

  it("never go out with an interval of 0", () => {
    const stand = new Stand().start(0, 50).pass(10_000);
    assertEquals([stand.pings, stand.losses, stand.clock.delays], [[], [], []]);
  });

  it("go on when the peer answers, and when it does not for a while", () => {
    const stand = new Stand().start(100, 350).pass(250);
    stand.heart.heard();
    stand.pass(300);
    assertEquals(stand.pings, [100, 200, 300, 400, 500]);
    assertEquals(stand.losses, []);
  });

  it("stop with the link, and so do all waits", () => {
    const stand = new Stand().start(100, 150).pass(120);
    stand.heart.timeToLive(500);
    stand.heart.stop();
    assertEquals(stand.clock.delays, []);
    stand.pass(1_000);
    assertEquals([stand.pings, stand.losses], [[100], []]);
  });

  it("stop when the link ends while it sends one", () => {
    const stand = new Stand();
    stand.ping = () => stand.heart.stop();
    stand.start(100).pass(500);
    assertEquals([stand.clock.delays, stand.losses], [[], []]);
  });
});

describe("a heartbeat's timeout", () => {
  const cases: [interval: number, timeout: number, lostAt: number, pings: number[]][] = [
    [100, -1, 200, [100, 200]],
    [100, 100, 200, [100, 200]],
    [100, 30, 130, [100]],
    [100, 250, 350, [100, 200, 300]],
    [1, 1, 2, [1, 2]],
  ];
  for (const [interval, timeout, lostAt, pings] of cases) {
    it(`of ${timeout} at an interval of ${interval} gives a silent peer up after ${lostAt}`, () => {
      const stand = new Stand().start(interval, timeout).pass(lostAt - 1);
      assertEquals(stand.losses, []);
      stand.pass(1_000);
      assertEquals(stand.lossTimes, [lostAt]);
      assertEquals(stand.pings.filter((at) => at < lostAt), pings.filter((at) => at < lostAt));
      const [, error] = stand.losses[0];
      assertInstanceOf(error, ZmqError);
      assertEquals([error.code, error.address], ["ETIMEDOUT", ADDRESS]);
      assertMatch(error.message, new RegExp(`\\b${timeout < 0 ? interval : timeout} ms`));
    });
  }

  it("of 0 waits for ever", () => {
    const stand = new Stand().start(10, 0).pass(10_000);
    assertEquals([stand.pings.length, stand.losses], [1_000, []]);
  });

  it("begins with a PING, not with the last sign of life", () => {
    const stand = new Stand().start(100, 50);
    stand.pass(99).heart.heard();
    stand.pass(50);
    assertEquals(stand.losses, []);
    stand.pass(1);
    assertEquals(stand.lossTimes, [150]);
  });

  it("is over with any sign of life, until the next PING (ZMTP31-HB-06, ZMTP31-HB-08)", () => {
    const stand = new Stand().start(100, 50).pass(40);
    for (let i = 0; i < 10; i++) stand.pass(100).heart.heard();
    assertEquals([stand.pings.length, stand.losses], [10, []]);
    assertEquals(stand.pass(1_000).lossTimes, [1_150]);
  });

  it("is not put off by a second PING", () => {
    const stand = new Stand().start(100, 199).pass(299);
    assertEquals(stand.lossTimes, [299]);
  });

  it("holds again after a silence that ended in time", () => {
    const stand = new Stand().start(100).pass(199);
    stand.heart.heard();
    stand.heart.heard();
    stand.pass(100);
    assertEquals(stand.losses, []);
    stand.pass(100);
    assertEquals(stand.lossTimes.length, 1);
  });
});

describe("a peer's time to live", () => {
  it("gives it up when it is silent for so long (ZMTP31-HB-09)", () => {
    const stand = new Stand();
    stand.heart.timeToLive(300);
    stand.pass(299);
    assertEquals(stand.losses, []);
    stand.pass(1);
    assertEquals(stand.lossTimes, [300]);
    assertEquals(stand.losses[0][1].code, "ETIMEDOUT");
    assertMatch(stand.losses[0][1].message, /\b300 ms/);
  });

  it("of 0 means none", () => {
    const stand = new Stand();
    stand.heart.timeToLive(0);
    assertEquals(stand.clock.delays, []);
  });

  it("begins anew with each PING (ZMTP31-HB-11)", () => {
    const stand = new Stand();
    for (let i = 0; i < 5; i++) {
      stand.heart.heard();
      stand.heart.timeToLive(100);
      stand.pass(99);
    }
    assertEquals(stand.losses, []);
    stand.pass(1);
    assertEquals(stand.lossTimes, [5 * 99 + 1]);
  });

  it("is over with the next octet (ZMTP31-HB-11)", () => {
    const stand = new Stand();
    stand.heart.timeToLive(100);
    stand.pass(99).heart.heard();
    stand.pass(10_000);
    assertEquals(stand.losses, []);
  });

  it("may be shorter than the own timeout, and longer", () => {
    const shorter = new Stand().start(100, 500).pass(150);
    shorter.heart.timeToLive(200);
    assertEquals(shorter.pass(1_000).lossTimes, [350]);
    const longer = new Stand().start(100, 100).pass(50);
    longer.heart.timeToLive(800);
    assertEquals(longer.pass(1_000).lossTimes, [200]);
  });
});

describe("a heartbeat while nothing is read", () => {
  it("gives nobody up", () => {
    const stand = new Stand().start(100, 50);
    stand.heart.timeToLive(70);
    stand.deaf = true;
    stand.pass(1_000);
    assertEquals(stand.losses, []);
    assertEquals(stand.pings.length, 10);
  });

  it("waits for the whole time again once it is read", () => {
    const stand = new Stand().start(100, 150).pass(150);
    stand.deaf = true;
    stand.pass(500);
    stand.deaf = false;
    const from = stand.clock.now();
    stand.pass(1_000);
    const [at] = stand.lossTimes;
    assert(at > from && at <= from + 100 + 150, `lost ${at - from} ms after reading again`);
  });

  it("waits for the peer's time to live again once it is read", () => {
    const stand = new Stand();
    stand.heart.timeToLive(100);
    stand.deaf = true;
    stand.pass(500);
    stand.deaf = false;
    stand.pass(200);
    assertEquals(stand.losses.length, 1);
  });

  it("takes what had come meanwhile for a sign of life", () => {
    const stand = new Stand();
    stand.heart.timeToLive(100);
    stand.deaf = true;
    stand.pass(500);
    stand.deaf = false;
    stand.heart.heard();
    stand.pass(1_000);
    assertEquals(stand.losses, []);
  });
});

describe("a heartbeat whose PING waits behind something longer", () => {
  it("sends no other one meanwhile (ZMTP31-HB-07)", () => {
    const stand = new Stand();
    stand.blocked = true;
    stand.start(100, 0).pass(1_000);
    assertEquals(stand.pings, [100]);
    stand.asked();
    stand.pass(250);
    assertEquals(stand.pings, [100, 1_100, 1_200]);
  });

  it("waits for nobody until it is sent, and then for the whole time", () => {
    const stand = new Stand();
    stand.blocked = true;
    stand.start(100, 200).pass(5_000);
    assertEquals(stand.losses, []);
    stand.asked();
    assertEquals(stand.pass(1_000).lossTimes, [5_200]);
  });

  it("still ends by the time that the peer's PING allowed", () => {
    const stand = new Stand();
    stand.blocked = true;
    stand.start(100, 200).pass(500);
    stand.heart.timeToLive(300);
    assertEquals(stand.pass(1_000).lossTimes, [800]);
  });

  it("takes octets of the peer for a sign of life", () => {
    const stand = new Stand();
    stand.blocked = true;
    stand.start(100, 150);
    for (let i = 0; i < 20; i++) {
      stand.pass(99);
      stand.heart.heard();
    }
    assertEquals(stand.losses, []);
  });
});

describe("a heartbeat whose timer was late", () => {
  it("looks at what has come before it gives the peer up", () => {
    const stand = new Stand().start(100, 50).pass(100);
    stand.clock.advance(5_000); // nothing else ran: what the peer sent lies in the system's buffer
    assertEquals(stand.losses, []);
    stand.heart.heard();
    stand.clock.settle();
    assertEquals(stand.losses, []);
  });
});
