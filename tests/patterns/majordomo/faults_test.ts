// What the page of Majordomo promises, with real processes that are killed and frozen. Set WASMQ_RUNS to repeat each scenario.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import type {
  MajordomoClient,
  MajordomoWorker,
  MajordomoWorkerOptions,
} from "../../../src/patterns/majordomo/mod.ts";
import { Actor } from "../../_util/actor.ts";
import { eventually, within } from "../../_util/deadline.ts";
import { RUNS } from "../../_util/runs.ts";
import { BEATS, TRIES } from "./settings.ts";
import { Stage } from "./stage.ts";

const WAIT_MS = 30_000;

describe("Majordomo in trouble", () => {
  const stage = new Stage();
  afterEach(() => stage.run());

  /** A scenario, RUNS times, each run with everybody anew. */
  function guarantee(title: string, scenario: (run: number) => Promise<void>): void {
    for (let run = 1; run <= RUNS; run++) {
      it(run === 1 ? title : `${title}, run ${run}`, () => scenario(run));
    }
  }

  const actor = (...args: string[]): Actor =>
    stage.add(new Actor("../patterns/majordomo/programs/actor.ts", ...args));
  const clientOf = (endpoint: string, options: object = {}) =>
    stage.client(endpoint, { ...TRIES, ...options });

  function workerOf(endpoint: string, options: Partial<MajordomoWorkerOptions> = {}) {
    return stage.worker(endpoint, {
      ...BEATS,
      reconnectInterval: 50,
      handler: ([body]) => `${body} by us`,
      ...options,
    });
  }

  async function answerOf(client: MajordomoClient, text: string, options = {}): Promise<string> {
    const asking = client.request("echo", text, options);
    return `${await within(asking, WAIT_MS, `a reply to ${text}`)}`;
  }

  /** Requests one after the other; each has to be answered with what was asked. */
  class Traffic {
    answered = 0;
    #going = true;
    readonly #all: Promise<unknown>;

    constructor(client: MajordomoClient, lanes: number) {
      this.#all = Promise.all(Array.from({ length: lanes }, (_, i) => this.#ask(client, i)));
      this.#all.catch(() => {});
    }

    async #ask(client: MajordomoClient, lane: number): Promise<void> {
      for (let i = 0; this.#going; i++) {
        assertEquals(await answerOf(client, `${lane}/${i}`), `${lane}/${i} by us`);
        this.answered++;
      }
    }

    /** Waits for further replies. */
    async flows(): Promise<void> {
      const { answered } = this;
      await Promise.race([
        this.#all,
        eventually(() => this.answered >= answered + 20, WAIT_MS, "requests are answered"),
      ]);
    }

    async end(): Promise<void> {
      this.#going = false;
      await this.#all;
    }
  }

  guarantee(
    "guarantee 1: a worker is killed with a request, and another answers it",
    async () => {
      const broker = await stage.broker(BEATS);
      const endpoint = broker.lastEndpoint!;
      const victim = actor("worker", endpoint, "victim", "60000");
      const client = clientOf(endpoint, { timeout: WAIT_MS, retries: 0 });
      const asking = answerOf(client, "hi");
      await victim.prints("got hi");
      workerOf(endpoint);
      await victim.kill();
      assertEquals(await asking, "hi by us");
      assertEquals([broker.stats().lost, broker.stats().redelivered], [1, 1]);
      assertEquals([broker.stats().inFlight, broker.stats().queued], [0, 0]);
    },
  );

  guarantee(
    "guarantee 2: the broker is killed in the middle, and comes back: every request is answered",
    async () => {
      let broker = actor("broker");
      const endpoint = await broker.address("listening");
      const workers: MajordomoWorker[] = [];
      for (let i = 0; i < 2; i++) {
        workers.push(stage.worker(endpoint, {
          ...BEATS,
          reconnectInterval: 50,
          handler: ([body]) => `${body} by us`,
        }));
      }
      const clients = [true, false].map((envelopes) =>
        stage.client(endpoint, { ...TRIES, envelopes, lanes: 4 })
      );
      const traffic = clients.map((client) => new Traffic(client, 4));
      for (const one of traffic) await one.flows();
      await broker.kill();
      broker = actor("broker", endpoint);
      await broker.address("listening");
      for (const one of traffic) await one.flows();
      for (const one of traffic) await one.end();
      for (const client of clients) assertEquals(client.stats().malformed, 0);
      for (const worker of workers) assertEquals(worker.stats().malformed, 0);
    },
  );

  guarantee(
    "guarantee 3: a client is killed: its replies are dropped, others have theirs",
    async (run) => {
      const broker = await stage.broker(BEATS);
      const endpoint = broker.lastEndpoint!;
      stage.worker(endpoint, {
        ...BEATS,
        handler: async ([body]) => {
          await new Promise((resolve) => setTimeout(resolve, 20));
          return `${body} by us`;
        },
      });
      const client = stage.client(endpoint, TRIES);
      const victim = actor("client", endpoint, `victim ${run}`);
      await victim.prints(`victim ${run} by us`);
      const asking = [1, 2, 3].map((i) => answerOf(client, `${run}/${i}`));
      await victim.kill();
      assertEquals(await Promise.all(asking), [1, 2, 3].map((i) => `${run}/${i} by us`));
      await eventually(() => broker.stats().inFlight + broker.stats().queued === 0, WAIT_MS);
      assertEquals(broker.stats().workers, 1);
      assertEquals([broker.stats().lost, broker.stats().malformed], [0, 0]);
    },
  );

  guarantee(
    "guarantee 4: a frozen worker is given up, gets nothing more, and its late reply goes to nobody",
    async (run) => {
      const broker = await stage.broker(BEATS);
      const endpoint = broker.lastEndpoint!;
      const frozen = actor("worker", endpoint, "frozen", "50");
      await eventually(() => broker.stats().workers === 1, WAIT_MS);
      const { lost } = broker.stats();
      const client = clientOf(endpoint, {
        timeout: WAIT_MS,
        retries: 0,
        envelopes: run % 2 === 0,
      });
      const asking = answerOf(client, `first ${run}`);
      await frozen.prints(`got first ${run}`);
      frozen.freeze();
      const other = workerOf(endpoint);
      const answer = await asking;
      // It may have answered before it stood still.
      if (answer.endsWith("by us")) assertEquals(broker.stats().lost, lost + 1);
      else await eventually(() => broker.stats().lost === lost + 1, WAIT_MS);
      for (const i of [1, 2, 3]) {
        assertEquals(await answerOf(client, `${run}/${i}`), `${run}/${i} by us`);
      }
      frozen.thaw();
      await eventually(() => broker.stats().workers === 2, WAIT_MS, "it is back");
      for (const i of [4, 5, 6]) {
        const text = await answerOf(client, `${run}/${i}`);
        assert(text.startsWith(`${run}/${i} by `), text);
      }
      for (const i of [1, 2, 3]) {
        assert(!frozen.output.includes(`got ${run}/${i}`), "nothing more");
      }
      assertEquals(client.stats().malformed, 0);
      await other.close();
      await eventually(() => broker.stats().workers === 1, WAIT_MS);
    },
  );

  guarantee(
    "guarantee 5: a broker that is frozen is left by its workers, and served when it goes on",
    async (run) => {
      const broker = actor("broker");
      const endpoint = await broker.address("listening");
      const worker = stage.worker(endpoint, {
        ...BEATS,
        reconnectInterval: 50,
        handler: ([body]) => `${body} by us`,
      });
      let lost = 0;
      worker.events.on("lost", () => lost++);
      const client = stage.client(endpoint, TRIES);
      assertEquals(await answerOf(client, `before ${run}`), `before ${run} by us`);
      const before = lost;
      broker.freeze();
      const asking = answerOf(client, `meanwhile ${run}`);
      await eventually(() => lost > before, WAIT_MS, "the worker leaves");
      broker.thaw();
      assertEquals(await asking, `meanwhile ${run} by us`);
    },
  );
});
