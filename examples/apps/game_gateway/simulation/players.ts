// Many players in a process of their own, several on each connection. Each plays numbers and knows what must come of it.
//
//   players.ts GATEWAY NAME PLAYERS LINES RATE CHAOS

import type { Frame } from "../../../../mod.ts";
import { GameLine, type GameSeat } from "../client.ts";
import { Histogram, type PlayerFigures } from "./figures.ts";
import { onOrder, process, report, sleep } from "./process.ts";

const [gateway, name, players, lines, rate, chaos] = process.argv.slice(2);
const COUNT = Number(players);
const TICK_MS = 20;
/** Who has so many inputs without a result waits: nobody plays faster than the game. */
const WINDOW = 4;
/** So long may nothing at all come at the end. */
const SETTLE_MS = 30_000;

const latency = new Histogram();
let sent = 0;
let results = 0;
let wrongLess = 0;
let wrongMore = 0;
let cut = 0;

/** One player: what he has played, and what he was told. */
class Simulated {
  readonly #seat: GameSeat;
  #played = 0;
  #told = 0;
  #sum = 0;

  constructor(seat: GameSeat) {
    this.#seat = seat;
    void seat.cut.then((reason) => {
      if (stopped) return;
      cut++;
      console.error(`${seat.name}: ${reason}`);
    });
  }

  get pending(): number {
    return this.#seat.pending;
  }

  play(): void {
    if (this.#seat.pending >= WINDOW) return;
    const value = ++this.#played;
    const from = performance.now();
    sent++;
    this.#seat.play(String(value)).then(
      (result) => {
        latency.add(performance.now() - from);
        this.#check(result);
      },
      () => {}, // cut: counted there
    );
  }

  /** Every result tells all inputs so far, each once. */
  #check([inputs, sum]: Frame[]): void {
    results++;
    this.#told++;
    this.#sum += this.#told;
    const more = Number(inputs) - this.#told;
    if (more > 0) wrongMore++;
    else if (more < 0 || Number(sum) !== this.#sum) wrongLess++;
  }

  /** Inputs without a result at the end. */
  get missing(): number {
    return this.#played - this.#told;
  }
}

let stopped = false;
const open = Array.from(
  { length: Number(lines) },
  () => new GameLine({ gateway, heartbeatInterval: 1_000, heartbeatLiveness: 10, window: WINDOW }),
);
const crowd: Simulated[] = [];

function figures(final: boolean): PlayerFigures {
  const missing = final ? crowd.reduce((sum, player) => sum + player.missing, 0) : 0;
  return {
    joined: crowd.length,
    sent,
    results,
    lost: missing + wrongLess,
    doubled: wrongMore,
    cut,
    resumed: open.reduce((sum, line) => sum + line.stats().resumed, 0),
    latency: latency.take(),
    final,
  };
}

async function join(): Promise<void> {
  await Promise.all(Array.from({ length: COUNT }, async (_, i) => {
    crowd.push(new Simulated(await open[i % open.length].join(`${name}-${i + 1}`)));
  }));
}

/** Everybody in turn, so many a second; some lines break now and then. */
async function play(): Promise<void> {
  const began = performance.now();
  let turn = 0;
  let broken = 0;
  while (!stopped) {
    const time = performance.now() - began;
    const due = Math.min(turn + COUNT, Math.floor(time / 1000 * COUNT * Number(rate)));
    while (turn < due) crowd[turn++ % crowd.length].play();
    if (chaos === "true" && time > broken * 1_000) {
      broken++;
      open[Math.floor(Math.random() * open.length)].reconnect();
    }
    await sleep(TICK_MS);
  }
}

/** Waits until everything is answered, then tells the end. */
async function end(): Promise<void> {
  stopped = true;
  let last = results;
  let lastAt = performance.now();
  while (crowd.some(({ pending }) => pending > 0) && performance.now() - lastAt < SETTLE_MS) {
    await sleep(TICK_MS);
    if (results === last) continue;
    last = results;
    lastAt = performance.now();
  }
  clearInterval(reporting);
  report(figures(true));
}

onOrder((order) => {
  if (order === "stop") void end();
});
const reporting = setInterval(() => report(figures(false)), 1_000);
await join();
report(figures(false));
await play();
