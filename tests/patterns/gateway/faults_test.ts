// Workers in processes of their own come and go, in order and otherwise, while 10 000 items flow.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { PushGateway } from "../../../src/patterns/gateway/mod.ts";
import { eventually, pause, within } from "../../_util/deadline.ts";
import { ANY_PORT } from "../../_util/ports.ts";
import { type Program, start } from "../../_util/process.ts";
import { RUNS } from "../../_util/runs.ts";

interface FileSystem {
  mkdtempSync(prefix: string): string;
  readFileSync(path: string, encoding: "utf8"): string;
  readdirSync(path: string): string[];
  rmSync(path: string, options: { recursive: true }): void;
}

const { process } = globalThis as unknown as {
  process: {
    kill(pid: number, signal: string): void;
    getBuiltinModule(name: "node:fs"): FileSystem;
  };
};
const fs = process.getBuiltinModule("node:fs");

const ITEMS = 10_000;
const WAIT_MS = 40_000;
const INTERVAL = 100;
const LIVENESS = 8;

/** Workers in processes, and what they have done. */
class Crew {
  readonly gateway = new PushGateway({
    heartbeatInterval: INTERVAL,
    heartbeatLiveness: LIVENESS,
    maxBuffer: 100,
  });
  readonly #folder = fs.mkdtempSync("/tmp/wasmq-gateway-");
  readonly #programs = new Map<string, Program>();
  #count = 0;

  async open(): Promise<void> {
    await this.gateway.bind(ANY_PORT);
  }

  /** Starts a worker; its name. */
  hire(): string {
    const name = `worker${++this.#count}`;
    const path = `${this.#folder}/${name}`;
    const endpoint = this.gateway.lastEndpoint!;
    const beats = [`${INTERVAL}`, `${LIVENESS}`];
    const program = start("../patterns/gateway/programs/worker.ts", endpoint, path, name, ...beats);
    this.#programs.set(name, program);
    return name;
  }

  joined(name: string): Promise<void> {
    return this.#programs.get(name)!.prints("joined");
  }

  async signal(name: string, signal: string): Promise<void> {
    await this.joined(name);
    const [, pid] = /joined (\d+)/.exec(this.#programs.get(name)!.output)!;
    process.kill(Number(pid), signal);
  }

  /** Drains a worker, whose process then ends. */
  async drain(name: string): Promise<void> {
    const find = () => this.gateway.workers().find((worker) => worker.name === name);
    await eventually(() => find() !== undefined, WAIT_MS, `${name} is there`);
    await within(this.gateway.drain(find()!.id), WAIT_MS, `${name} leaves`);
    await this.#programs.get(name)!.succeeds();
  }

  /** How often each item was done. */
  times(): number[] {
    const times: number[] = Array(ITEMS).fill(0);
    for (const name of fs.readdirSync(this.#folder)) {
      const text = fs.readFileSync(`${this.#folder}/${name}`, "utf8");
      for (const line of text.split("\n")) if (line !== "") times[Number(line)]++;
    }
    return times;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#programs.values()].map((program) => program.kill()));
    await this.gateway.close();
    fs.rmSync(this.#folder, { recursive: true });
  }
}

async function withCrew(scenario: (crew: Crew) => Promise<void>): Promise<void> {
  const crew = new Crew();
  await crew.open();
  try {
    await scenario(crew);
  } finally {
    await crew.close();
  }
}

async function produce(crew: Crew): Promise<void> {
  for (let i = 0; i < ITEMS; i++) await crew.gateway.send(i);
  await crew.gateway.idle();
}

const soon = (): Promise<void> => pause(Math.random() * 100);

async function faults(crew: Crew): Promise<void> {
  const [first, second, third] = [crew.hire(), crew.hire(), crew.hire()];
  await Promise.all([first, second, third].map((name) => crew.joined(name)));
  const production = produce(crew);
  await soon();
  await crew.signal(first, "SIGKILL");
  const fourth = crew.hire();
  await soon();
  await crew.signal(second, "SIGSTOP");
  await soon();
  await crew.drain(third);
  await crew.joined(fourth);
  if (Math.random() < 0.5) await crew.signal(second, "SIGCONT");
  await within(production, WAIT_MS, "all is done");
  assertEquals(crew.times().filter((times) => times === 0), [], "each item is done at least once");
  const { accepted, done, held, buffered } = crew.gateway.stats();
  assertEquals([accepted, done, held, buffered], [ITEMS, ITEMS, 0, 0]);
}

async function order(crew: Crew): Promise<void> {
  const [first, second] = [crew.hire(), crew.hire()];
  await Promise.all([first, second].map((name) => crew.joined(name)));
  const production = produce(crew);
  await soon();
  const third = crew.hire();
  await crew.drain(first);
  await crew.joined(third);
  await soon();
  await crew.drain(second);
  await within(production, WAIT_MS, "all is done");
  assertEquals(crew.times().filter((times) => times !== 1), [], "each item is done once");
  assertEquals(crew.gateway.stats().lost, 0);
  assert(crew.gateway.workers().every(({ held }) => held === 0));
}

describe("the elastic PUSH gateway, with processes", () => {
  for (let run = 1; run <= RUNS; run++) {
    const number = run === 1 ? "" : `, run ${run}`;
    it(
      `workers are killed, frozen, added and drained: each item is done at least once${number}`,
      () => withCrew(faults),
    );
    it(`workers are added and drained: each item is done once${number}`, () => withCrew(order));
  }
});
