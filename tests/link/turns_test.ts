// Work at the end of the event loop's turn, and the process that stays alive while something is pending.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { KeepAlive } from "../../src/link/keep_alive.ts";
import { Turns } from "../../src/link/turns.ts";
import { ManualClock } from "../_util/manual_clock.ts";

describe("Turns", () => {
  it("calls a task at the end of each turn for as long as it answers true", () => {
    const clock = new ManualClock();
    const turns = new Turns(clock);
    let calls = 0;
    turns.add({ turnEnded: () => ++calls < 3 });
    assertEquals(calls, 0);
    for (const expected of [1, 2, 3, 3]) {
      clock.endTurn();
      assertEquals(calls, expected);
    }
    assertEquals(clock.turning, false);
  });

  it("asks the clock once for many tasks", () => {
    const clock = new ManualClock();
    const turns = new Turns(clock);
    const order: string[] = [];
    for (const name of ["a", "b", "c"]) turns.once(() => void order.push(name));
    assertEquals([clock.endTurn(), clock.endTurn()], [true, false]);
    assertEquals(order, ["a", "b", "c"]);
  });

  it("puts what a task adds off to the next turn", () => {
    const clock = new ManualClock();
    const turns = new Turns(clock);
    const order: string[] = [];
    turns.once(() => {
      order.push("first");
      turns.once(() => void order.push("second"));
    });
    clock.endTurn();
    assertEquals(order, ["first"]);
    clock.endTurn();
    assertEquals(order, ["first", "second"]);
  });
});

describe("KeepAlive", () => {
  function make(): { clock: ManualClock; keepAlive: KeepAlive } {
    const clock = new ManualClock();
    return { clock, keepAlive: new KeepAlive(clock, new Turns(clock)) };
  }

  it("holds the process once, however much is pending", () => {
    const { clock, keepAlive } = make();
    assertEquals(clock.holds, 0);
    keepAlive.acquire();
    keepAlive.acquire();
    assertEquals(clock.holds, 1);
    keepAlive.release();
    clock.settle();
    assertEquals(clock.holds, 1);
    keepAlive.release();
    clock.settle();
    assertEquals(clock.holds, 0);
  });

  it("lets go at the end of the turn, not before", () => {
    const { clock, keepAlive } = make();
    for (let i = 0; i < 100; i++) {
      keepAlive.acquire();
      keepAlive.release();
      assertEquals(clock.holds, 1);
    }
    clock.settle();
    assertEquals(clock.holds, 0);
  });

  it("keeps its hold over a turn when something new is pending", () => {
    const { clock, keepAlive } = make();
    keepAlive.acquire();
    keepAlive.release();
    keepAlive.acquire();
    clock.settle();
    assertEquals(clock.holds, 1);
    keepAlive.release();
    clock.settle();
    assertEquals(clock.holds, 0);
  });
});
