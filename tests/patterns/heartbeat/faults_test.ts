// Processes that are killed, frozen, and heard again.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Dealer, Router } from "../../../mod.ts";
import { DealerHeartbeat, RouterHeartbeat } from "../../../src/patterns/heartbeat/mod.ts";
import { eventually, pause } from "../../_util/deadline.ts";
import { ANY_PORT, freeEndpoint } from "../../_util/ports.ts";
import { type Program, start } from "../../_util/process.ts";
import { RUNS } from "../../_util/runs.ts";

const { process } = globalThis as unknown as {
  process: { kill(pid: number, signal: string): void };
};

const WAIT_MS = 25_000;
const BEATS = { heartbeatInterval: 50, heartbeatLiveness: 20 } as const;
const PROGRAM = "../patterns/heartbeat/program.ts";

async function signal(program: Program, name: string): Promise<void> {
  await program.prints("pid ");
  process.kill(Number(/pid (\d+) /.exec(program.output)![1]), name);
}

/** A server here, clients over there: one is killed, one is frozen for a while. */
async function clients(): Promise<void> {
  const router = new Router({ linger: 0 });
  const server = new RouterHeartbeat(router, BEATS);
  await router.bind(ANY_PORT);
  const told: string[] = [];
  server.events.on("found", ({ id }) => told.push(`found ${[...id]}`));
  server.events.on("lost", ({ id }) => told.push(`lost ${[...id]}`));
  const programs = [0, 1, 2].map(() => start(PROGRAM, "dealer", router.lastEndpoint!));
  try {
    await eventually(() => told.length === 3, WAIT_MS, "three are found");
    await pause(Math.random() * 100);
    await signal(programs[0], "SIGKILL");
    await signal(programs[1], "SIGSTOP");
    await eventually(() => told.length === 5, WAIT_MS, "two are lost");
    assertEquals(server.peers().length, 1);
    await signal(programs[1], "SIGCONT");
    await eventually(() => server.peers().length === 2, WAIT_MS, "one is back");
    const lost = told.filter((line) => line.startsWith("lost"));
    assertEquals(lost.length, 2, told.join());
    assertEquals(new Set(lost).size, 2, told.join());
    // The one that was frozen had no reason to think that the server was gone.
    assertEquals([1, 2].map((i) => programs[i].output.includes("lost")), [false, false]);
  } finally {
    await Promise.all(programs.map((program) => program.kill()));
    await server.close();
  }
}

/** A client here, the server over there: frozen, then killed, then another one at its address. */
async function servers(): Promise<void> {
  const first = start(PROGRAM, "router", await freeEndpoint());
  const programs = [first];
  await first.prints("bound ");
  const [, endpoint] = /bound (\S+) /.exec(first.output)!;
  const dealer = new Dealer({ linger: 0, reconnectInterval: 10 });
  dealer.connect(endpoint);
  const client = new DealerHeartbeat(dealer, BEATS);
  try {
    await eventually(() => client.alive, WAIT_MS, "the server is found");
    await pause(Math.random() * 100);
    await signal(first, "SIGSTOP");
    await eventually(() => !client.alive, WAIT_MS, "it is lost");
    await signal(first, "SIGCONT");
    await eventually(() => client.alive, WAIT_MS, "it is back");
    await first.kill();
    await eventually(() => !client.alive, WAIT_MS, "it is lost again");
    programs.push(start(PROGRAM, "router", endpoint));
    await programs[1].prints("bound ");
    await eventually(() => client.alive, WAIT_MS, "its successor is found");
    assert(client.stats().lost === 2 && client.stats().found === 3);
  } finally {
    await Promise.all(programs.map((program) => program.kill()));
    await client.close();
  }
}

describe("ping-pong heartbeats, with processes", () => {
  for (let run = 1; run <= RUNS; run++) {
    const number = run === 1 ? "" : `, run ${run}`;
    it(`clients are killed and frozen: the server notices, and the others stay${number}`, clients);
    it(`a server is frozen, killed and replaced: the client notices each time${number}`, servers);
  }
});
