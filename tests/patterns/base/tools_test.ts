// Heartbeats, checks of options, keys of octets, and waiting.

import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import * as fc from "fast-check";
import {
  checkCount,
  checkEndpoints,
  checkFunction,
  checkName,
  checkTime,
} from "../../../src/patterns/base/checks.ts";
import { Fifo } from "../../../src/patterns/base/fifo.ts";
import { heartbeatsOf, Liveness } from "../../../src/patterns/base/liveness.ts";
import { framesOf, keyOf, sameOctets } from "../../../src/patterns/base/octets.ts";
import { Ticker } from "../../../src/patterns/base/ticker.ts";
import { now, pause } from "../../../src/patterns/base/time.ts";

describe("liveness", () => {
  const beats = heartbeatsOf({ heartbeatInterval: 100, heartbeatLiveness: 4 });

  it("has a heartbeat a second and three of patience by default", () => {
    assertEquals(heartbeatsOf({}), { interval: 1000, patience: 3000 });
    assertEquals(beats, { interval: 100, patience: 400 });
  });

  it("gives up after the patience since the last sign of life", () => {
    const other = new Liveness(beats, 1000);
    assert(!other.lost(1399));
    assert(other.lost(1400));
    other.heard(1399);
    assert(!other.lost(1798));
    assert(other.lost(1799));
  });

  it("has a heartbeat due an interval after what was sent last", () => {
    const other = new Liveness(beats, 1000);
    assert(!other.due(1099));
    assert(other.due(1100));
    other.heard(1100); // hearing is not speaking
    assert(other.due(1100));
    other.sent(1100);
    assert(!other.due(1199));
  });
});

describe("checks", () => {
  const refused: readonly [string, () => unknown][] = [
    ["n must be a whole number of at least 1, not 0", () => checkCount("n", 0, 1)],
    ["n must be a whole number of at least 1, not 1.5", () => checkCount("n", 1.5, 1)],
    ['n must be a whole number of at least 0, not "2"', () => checkCount("n", "2" as never, 0)],
    ["t must be milliseconds, more than 0 and less than 2^31, not 0", () => checkTime("t", 0)],
    ["t must be milliseconds, more than 0 and less than 2^31, not NaN", () => checkTime("t", NaN)],
    ["t must be milliseconds", () => checkTime("t", 2 ** 31)],
    ["f must be a function, not undefined", () => checkFunction("f", undefined)],
    ['s must be text of 1 to 3 octets, not ""', () => checkName("s", "", 3)],
    ['s must be text of 1 to 3 octets, not "éé"', () => checkName("s", "éé", 3)],
    ["s must be text of 1 to 255 octets, not 5", () => checkName("s", 5 as never)],
    ["e must be an endpoint, or a list of endpoints, not ", () => checkEndpoints("e", [])],
    [
      "e must be an endpoint, or a list of endpoints, not undefined",
      () => checkEndpoints("e", undefined as never),
    ],
    ['e must be an endpoint, or a list of endpoints, not ""', () => checkEndpoints("e", "")],
    ["heartbeatInterval must be", () => heartbeatsOf({ heartbeatInterval: -1 })],
    ["heartbeatLiveness must be", () => heartbeatsOf({ heartbeatLiveness: 0 })],
  ];
  for (const [text, call] of refused) {
    it(`say: ${text}`, () => {
      const error = assertThrows(call, TypeError, text);
      assertEquals((error as TypeError & { code: string }).code, "EINVAL");
    });
  }

  it("give back what is right", () => {
    assertEquals([checkCount("n", 0, 0), checkTime("t", 0.5)], [0, 0.5]);
    assertEquals(checkName("s", "é€", 5), "é€");
    assertEquals(checkEndpoints("e", "inproc://a"), ["inproc://a"]);
    assertEquals(checkEndpoints("e", ["inproc://a", "inproc://b"]), ["inproc://a", "inproc://b"]);
  });
});

describe("octets", () => {
  it("are equal when each is, and have equal keys only then", () => {
    const some = fc.uint8Array({ maxLength: 6 });
    fc.assert(
      fc.property(some, some, (a, b) => {
        const same = a.length === b.length && a.every((octet, i) => octet === b[i]);
        assertEquals(sameOctets(a, b), same);
        assertEquals(keyOf(a) === keyOf(b), same);
        assert(sameOctets(a, a.slice()));
        assertEquals(keyOf(a), keyOf(a.slice()));
      }),
    );
  });

  it("become frames: one, or several", () => {
    const frame = new Uint8Array(2);
    assertEquals(framesOf(frame), [frame]);
    assertEquals(framesOf(["a", frame]), ["a", frame]);
    assertEquals(framesOf("ab"), ["ab"]);
    assertEquals(framesOf(null), [null]);
  });
});

describe("pause()", () => {
  it("lasts as long as it should, or until its signal", async () => {
    const start = now();
    await pause(20);
    assert(now() - start >= 19);
    const control = new AbortController();
    const waiting = pause(60_000, control.signal);
    control.abort();
    await waiting;
    await pause(60_000, control.signal);
    assertLess(now() - start, 30_000);
  });
});

describe("a queue", () => {
  it("is an array whose first ones leave", () => {
    const operation = fc.oneof(
      { weight: 3, arbitrary: fc.record({ push: fc.integer({ min: 1, max: 3000 }) }) },
      { weight: 3, arbitrary: fc.record({ shift: fc.integer({ min: 1, max: 3000 }) }) },
      fc.record({ unshift: fc.nat() }),
      fc.record({ remove: fc.nat() }),
      fc.constant({ clear: true }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 12 }), (operations) => {
        const fifo = new Fifo<number>();
        const model: number[] = [];
        let next = 0;
        for (const each of operations) {
          if ("push" in each) {
            for (let i = 0; i < each.push; i++) {
              fifo.push(next);
              model.push(next++);
            }
          } else if ("shift" in each) {
            for (let i = 0; i < each.shift; i++) assertEquals(fifo.shift(), model.shift());
          } else if ("unshift" in each) {
            fifo.unshift(next);
            model.unshift(next++);
          } else if ("remove" in each) {
            const one = model.length > 0 ? model[each.remove % model.length] : -1;
            assertEquals(fifo.remove(one), model.includes(one));
            if (model.includes(one)) model.splice(model.indexOf(one), 1);
          } else {
            fifo.clear();
            model.length = 0;
          }
          assertEquals([fifo.length, fifo.first], [model.length, model[0]]);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe("a ticker", () => {
  it("calls until it is stopped, with a time that does not count standing still", async () => {
    const times: number[] = [];
    const ticker = new Ticker(10, (time) => times.push(time)).start();
    assert(ticker.start().running);
    while (times.length < 3) await pause(5);
    const before = ticker.time;
    for (const start = now(); now() - start < 800;); // the program stands still
    while (times.length < 5) await pause(5);
    assertLess(ticker.time - before, 600);
    ticker.stop();
    assert(!ticker.running);
    const count = times.length;
    await pause(50);
    assertEquals(times.length, count);
    assertEquals(times, times.toSorted((a, b) => a - b));
  });
});
