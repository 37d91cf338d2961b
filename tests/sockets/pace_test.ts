// When an operation waits for the event loop, and for how long a publisher waits for its peers.

import { assert, assertEquals } from "@std/assert";
import { beforeEach, describe, it } from "@std/testing/bdd";
import { Core } from "../../src/core/instance.ts";
import { Turns } from "../../src/link/turns.ts";
import { defaultOptions } from "../../src/option_values.ts";
import { WirePipe } from "../../src/routing/pipe.ts";
import { Pace } from "../../src/sockets/pace.ts";
import { ManualClock, microtasks } from "../_util/manual_clock.ts";

let clock: ManualClock;
let pace: Pace;

beforeEach(() => {
  clock = new ManualClock();
  pace = new Pace(clock, new Turns(clock));
});

/** A peer with more than a batch waiting. */
function crowded(): WirePipe {
  const pipe = new WirePipe(new Core(), defaultOptions(), () => () => {}, "peer");
  for (let i = 0; i < 20; i++) pipe.outbox.append(new Uint8Array(10_000));
  return pipe;
}

/** The peer's stream takes some octets of what waits. */
function takes(pipe: WirePipe, count: number): void {
  if (!pipe.outbox.inFlight) pipe.outbox.take(20_000);
  pipe.outbox.advance(Math.min(count, pipe.outbox.next().length));
}

/** Starts to wait, and tells when that is over. */
function waits(): { over: boolean } {
  const state = { over: false };
  assert(pace.due());
  void pace.turn().then(() => state.over = true);
  return state;
}

async function turn(ms: number): Promise<void> {
  clock.advance(ms);
  clock.endTurn();
  await microtasks();
}

describe("operations that do not wait", () => {
  it("wait for a turn when none was seen for some milliseconds", async () => {
    let operations = 0;
    while (!pace.due()) {
      clock.advance(0.1);
      assert(++operations < 1_000);
    }
    const state = { over: false };
    void pace.turn().then(() => state.over = true);
    await microtasks();
    assert(!state.over);
    await turn(0);
    assert(state.over);
  });

  it("never wait where the event loop comes round by itself", () => {
    for (let i = 0; i < 1_000; i++) {
      assert(!pace.due());
      clock.advance(1);
      clock.endTurn();
    }
  });
});

describe("a publisher that awaits its sends", () => {
  it("waits for a peer while its stream takes something, until no batch is left", async () => {
    const pipe = crowded();
    pace.add(pipe, 1);
    const state = waits();
    for (let i = 0; i < 5; i++) {
      takes(pipe, 10_000);
      await turn(3);
      assert(!state.over, `after turn ${i}`);
    }
    while (pipe.batched) takes(pipe, 20_000);
    await turn(0);
    assert(state.over);
    assert(!pipe.stalled);
  });

  it("gives a peer up that takes nothing for eight turns and a millisecond", async () => {
    const pipe = crowded();
    pace.add(pipe, 1);
    const state = waits();
    for (let i = 0; i < 20; i++) await turn(0);
    assert(!state.over, "turns alone may be short");
    await turn(1);
    assert(state.over);
    assert(pipe.stalled);
    takes(pipe, 1);
    assert(!pipe.stalled, "it takes something again");
  });

  it("is not kept waiting for longer than twenty milliseconds and eight turns", async () => {
    for (const [first, last] of [[19, 1], [500, 0]]) {
      const pipe = crowded();
      pace.add(pipe, 1);
      const state = waits();
      for (const time of [first, 0, 0, 0, 0, 0, 0]) {
        takes(pipe, 1);
        await turn(time);
        assert(!state.over);
      }
      takes(pipe, 1);
      await turn(last);
      assert(state.over);
    }
  });

  it("waits again as soon as after twenty milliseconds when the machine stood still", async () => {
    const pipe = crowded();
    pace.add(pipe, 3);
    const state = waits();
    for (const time of [500, 0, 0, 0, 0, 0, 0, 0]) {
      takes(pipe, 1);
      await turn(time);
    }
    assert(state.over);
    clock.advance(20 / 3);
    assert(pace.open);
  });

  it("waits again at once where most peers are full, but not where most have room", async () => {
    for (const [peers, open] of [[2, true], [3, false]] as const) {
      const pipe = crowded();
      pace.add(pipe, peers);
      const state = waits();
      takes(pipe, 1);
      await turn(3);
      while (pipe.batched) takes(pipe, 20_000);
      await turn(0);
      assert(state.over);
      assertEquals(pace.open, open, `one of ${peers}`);
      clock.advance(1);
      assert(pace.open, "a third of the time it waited");
    }
  });
});
