// The load balancer beside plain sets: only peers with room, nobody left out, nobody twice.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { LoadBalancer } from "../../src/routing/load_balancer.ts";
import type { Pipe } from "../../src/routing/pipe.ts";

/** As much of a pipe as a load balancer looks at. */
class FakePipe {
  readonly name: number;
  /** How many messages it can take; `full` says so. */
  room: number;
  /** Says that it has room, and has no memory. */
  broken = false;
  taken = 0;

  constructor(name: number, room = Infinity) {
    this.name = name;
    this.room = room;
  }

  tellFull(): void {}

  get full(): boolean {
    return this.room === 0;
  }

  send(): boolean {
    assert(!this.full, "a full pipe was given a message");
    if (this.broken) return false;
    this.room--;
    this.taken++;
    return true;
  }

  get pipe(): Pipe {
    return this as unknown as Pipe;
  }
}

function make(rooms: readonly number[]): { balancer: LoadBalancer; pipes: FakePipe[] } {
  const balancer = new LoadBalancer();
  const pipes = rooms.map((room, i) => new FakePipe(i, room));
  for (const { pipe } of pipes) balancer.add(pipe);
  return { balancer, pipes };
}

function sendTo(balancer: LoadBalancer): number | undefined {
  return (balancer.send("m") as unknown as FakePipe | undefined)?.name;
}

type Step =
  | { readonly do: "send" }
  | { readonly do: "add" | "remove" | "free" | "full"; readonly which: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant<Step>({ do: "send" }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom("add", "remove", "free", "full"),
        which: fc.nat(5),
      }),
    },
  ),
  { size: "+1" },
);

describe("LoadBalancer", () => {
  it("goes round its pipes in turn (PUSH-02, DEALER-03, REQ-04)", () => {
    const { balancer } = make([Infinity, Infinity, Infinity]);
    const order = Array.from({ length: 9 }, () => sendTo(balancer));
    assertEquals(order, [0, 1, 2, 0, 1, 2, 0, 1, 2]);
  });

  it("passes over pipes without room, until they are said to have some (PUSH-02)", () => {
    const { balancer, pipes } = make([Infinity, 0, Infinity]);
    assertEquals(new Set([1, 2, 3, 4].map(() => sendTo(balancer))), new Set([0, 2]));
    pipes[1].room = Infinity;
    assert([1, 2, 3, 4].every(() => sendTo(balancer) !== 1));
    balancer.activate(pipes[1].pipe);
    assertEquals([1, 2, 3].map(() => sendTo(balancer)).sort(), [0, 1, 2]);
  });

  it("takes nothing when nobody has room (PUSH-03, DEALER-04, REQ-05)", () => {
    const { balancer, pipes } = make([0, 1]);
    assertEquals(balancer.writable, true);
    assertEquals([sendTo(balancer), sendTo(balancer)], [1, undefined]);
    assertEquals(balancer.writable, false);
    assertEquals(pipes.map(({ taken }) => taken), [0, 1]);
    assertEquals(make([]).balancer.send("m"), undefined);
  });

  it("goes on to the next pipe when one cannot take the message after all", () => {
    const { balancer, pipes } = make([Infinity, Infinity]);
    pipes[0].broken = true;
    assertEquals([sendTo(balancer), sendTo(balancer)], [1, 1]);
    pipes[0].broken = false;
    balancer.activate(pipes[0].pipe);
    assertEquals(new Set([sendTo(balancer), sendTo(balancer)]), new Set([0, 1]));
  });

  it("knows its pipes", () => {
    const { balancer, pipes } = make([1, 0]);
    assertEquals([balancer.size, balancer.has(pipes[1].pipe)], [2, true]);
    balancer.remove(pipes[1].pipe);
    balancer.remove(pipes[1].pipe);
    assertEquals([balancer.size, balancer.has(pipes[1].pipe)], [1, false]);
    balancer.activate(pipes[1].pipe);
    assertEquals(balancer.size, 1);
  });

  it("keeps its promises through any coming and going", () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const balancer = new LoadBalancer();
        const pipes = Array.from({ length: 6 }, (_, i) => new FakePipe(i));
        const members = new Set<FakePipe>();
        for (const step of sequence) {
          if (step.do === "send") {
            const able = [...members].filter(({ full }) => !full);
            assertEquals(balancer.writable, able.length > 0);
            const chosen = balancer.send("m") as unknown as FakePipe | undefined;
            assertEquals(chosen === undefined, able.length === 0);
            if (chosen !== undefined) assert(able.includes(chosen));
            continue;
          }
          const pipe = pipes[step.which];
          if (step.do === "add" && !members.has(pipe)) {
            members.add(pipe);
            balancer.add(pipe.pipe);
          } else if (step.do === "remove") {
            members.delete(pipe);
            balancer.remove(pipe.pipe);
          } else if (step.do === "free") {
            pipe.room = Infinity;
            balancer.activate(pipe.pipe);
          } else if (step.do === "full") {
            pipe.room = 0;
          }
        }
        // Left in peace, it gives each pipe with room the same share, once it has been at each.
        const able = [...members].filter(({ full }) => !full);
        for (let i = 0; i < members.size; i++) balancer.send("m");
        const before = able.map(({ taken }) => taken);
        for (let i = 0; i < 3 * able.length; i++) balancer.send("m");
        assertEquals(able.map(({ taken }, i) => taken - before[i]), able.map(() => 3));
      }),
      { numRuns: 500 },
    );
  });
});
