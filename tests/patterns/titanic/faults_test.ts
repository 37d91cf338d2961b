// Titanic, broker, worker and client in processes of their own, which are killed at any moment: whatever was answered with 200 is
// done, and has the right reply.

import { assertEquals, assertGreater } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { MajordomoBroker, MajordomoWorker } from "../../../src/patterns/majordomo/mod.ts";
import { FileStore, TitanicClient } from "../../../src/patterns/titanic/mod.ts";
import { textsOf } from "../../_util/bytes.ts";
import { eventually, pause, within } from "../../_util/deadline.ts";
import { ANY_PORT, freeEndpoint } from "../../_util/ports.ts";
import { type Program, start } from "../../_util/process.ts";
import { RUNS } from "../../_util/runs.ts";
import { fs, makeFolder } from "./folder.ts";

const WAIT_MS = 40_000;
const BEATS = { heartbeatInterval: 50, heartbeatLiveness: 16 } as const;

/** What was answered with 200: by UUID the body. */
type Stored = Map<string, string>;

class Stage {
  readonly folder = makeFolder();
  readonly #programs: Program[] = [];
  readonly #parts: { close(): Promise<void> }[] = [];

  run(part: string, ...args: string[]): Program {
    const program = start("../patterns/titanic/program.ts", part, ...args);
    this.#programs.push(program);
    return program;
  }

  keep<T extends { close(): Promise<void> }>(part: T): T {
    this.#parts.push(part);
    return part;
  }

  async titanic(endpoint: string): Promise<Program> {
    const titanic = this.run("titanic", endpoint, this.folder.path);
    await titanic.prints("ready");
    return titanic;
  }

  /** A broker of this process. */
  async broker(): Promise<string> {
    const broker = this.keep(new MajordomoBroker(BEATS));
    await broker.bind(ANY_PORT);
    return broker.lastEndpoint!;
  }

  /** A broker over there. */
  async distantBroker(endpoint: string): Promise<[Program, string]> {
    const broker = this.run("broker", endpoint);
    await broker.prints("bound ");
    return [broker, /bound (\S+) /.exec(broker.output)![1]];
  }

  worker(endpoint: string): void {
    this.keep(
      new MajordomoWorker({
        ...BEATS,
        endpoint,
        service: "echo",
        reconnectInterval: 50,
        handler: (frames) => ["re:", ...frames],
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.kill()));
    await Promise.all(this.#parts.map((part) => part.close()));
    this.folder.remove();
  }
}

async function onStage(scenario: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = new Stage();
  try {
    await scenario(stage);
  } finally {
    await stage.close();
  }
}

/** Submits from several clients at once until it is told to stop. */
function submitting(
  stage: Stage,
  endpoint: string,
): { readonly stored: Stored; stop(): Promise<void> } {
  const stored: Stored = new Map();
  let going = true;
  let count = 0;
  const client = stage.keep(new TitanicClient({ endpoint, timeout: 500, retries: 0 }));
  const submit = async (): Promise<void> => {
    while (going) {
      const body = `body ${count++}`;
      const uuid = await client.submit("echo", body).catch(() => "");
      if (uuid !== "") stored.set(uuid, body);
    }
  };
  const all = Promise.all([1, 2, 3, 4].map(submit));
  return {
    stored,
    stop: async () => {
      going = false;
      await all;
    },
  };
}

/** Fetches all replies, and compares. */
async function assertAnswered(endpoint: string, stored: Stored): Promise<void> {
  const client = new TitanicClient({ endpoint, timeout: 1000, retries: 0 });
  const check = async ([uuid, body]: [string, string]): Promise<void> => {
    const reply = await client.wait(uuid, { interval: 20 });
    assertEquals(textsOf(reply), ["re:", body]);
    // Reading does not remove it.
    const again = await client.wait(uuid);
    assertEquals(textsOf(again), ["re:", body]);
  };
  try {
    await within(Promise.all([...stored].map(check)), WAIT_MS, `${stored.size} replies`);
  } finally {
    await client.close();
  }
}

/** Nothing in the folder is half, and nothing is there twice. */
async function assertWhole(stage: Stage, titanic: Program, stored: Stored): Promise<void> {
  await titanic.kill();
  const store = new FileStore(stage.folder.path);
  const found = await store.open();
  const names = fs.readdirSync(stage.folder.path);
  assertEquals(names.filter((name) => !/^[0-9a-f]{32}\.(request|reply)$/.test(name)), []);
  const uuids = new Set(found.map(({ uuid }) => uuid));
  assertEquals([...stored.keys()].filter((uuid) => !uuids.has(uuid)), []);
  for (const { uuid, answered } of found) {
    assertEquals((await store.request(uuid))?.length, 2, uuid);
    if (answered !== undefined) assertEquals((await store.reply(uuid))?.length, 2, uuid);
  }
}

/** Titanic is killed while clients submit and a worker answers; twice. */
async function killTitanic(stage: Stage): Promise<void> {
  const endpoint = await stage.broker();
  let titanic = await stage.titanic(endpoint);
  stage.worker(endpoint);
  const { stored, stop } = submitting(stage, endpoint);
  for (let round = 0; round < 2; round++) {
    const { size } = stored;
    await eventually(() => stored.size > size, WAIT_MS, "something is stored");
    await pause(Math.random() * 100);
    await titanic.kill();
    titanic = await stage.titanic(endpoint);
  }
  await stop();
  await assertAnswered(endpoint, stored);
  await assertWhole(stage, titanic, stored);
}

/** Broker and worker are killed while clients submit. */
async function killOthers(stage: Stage): Promise<void> {
  const [broker, endpoint] = await stage.distantBroker(await freeEndpoint());
  const titanic = await stage.titanic(endpoint);
  const worker = stage.run("worker", endpoint);
  const { stored, stop } = submitting(stage, endpoint);
  await worker.prints("ready");
  await eventually(() => stored.size > 0, WAIT_MS, "something is stored");
  await pause(Math.random() * 100);
  await worker.kill();
  await pause(Math.random() * 50);
  await broker.kill();
  await stage.distantBroker(endpoint);
  stage.worker(endpoint);
  await pause(100);
  await stop();
  await assertAnswered(endpoint, stored);
  await assertWhole(stage, titanic, stored);
}

/** A client is killed between submitting and fetching: another one fetches. */
async function killClient(stage: Stage): Promise<void> {
  const endpoint = await stage.broker();
  const titanic = await stage.titanic(endpoint);
  const client = stage.run("client", endpoint, "1000000");
  await client.prints("stored");
  stage.worker(endpoint);
  await pause(Math.random() * 100);
  await client.kill();
  const stored: Stored = new Map();
  for (const [, number, uuid] of client.output.matchAll(/stored (\d+) ([0-9a-f]{32})\./g)) {
    stored.set(uuid, `body ${number}`);
  }
  assertGreater(stored.size, 0);
  await assertAnswered(endpoint, stored);
  await assertWhole(stage, titanic, stored);
}

describe("Titanic, with processes", () => {
  for (let run = 1; run <= RUNS; run++) {
    const number = run === 1 ? "" : `, run ${run}`;
    it(`is killed while clients submit: what it stored is done${number}`, () =>
      onStage(killTitanic));
    it(`broker and worker are killed: what was stored is done${number}`, () => onStage(killOthers));
    it(`a client is killed: another one has its replies${number}`, () => onStage(killClient));
  }
});
