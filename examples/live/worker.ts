// A worker, in a thread of its own: adds up the octets of each task. While it is paused it keeps what it has and is
// given no more, since only an answer makes room for the next task.

import { Dealer } from "../../mod.ts";
import { workOn } from "../apps/cluster/work.ts";
import type { Command } from "./commands.ts";
import { type HubEndpoints, Part } from "./part.ts";
import { TICK_MS } from "./topics.ts";

/** What the thread is told first. */
export interface WorkerStart {
  readonly name: string;
  readonly hub: HubEndpoints;
  readonly source: string;
}

class Worker {
  readonly #start: WorkerStart;
  readonly #tasks: Dealer;
  #done = 0;
  #tickedAt = performance.now();
  #pause: PromiseWithResolvers<void> | undefined;

  constructor(start: WorkerStart) {
    this.#start = start;
    this.#tasks = new Dealer({ routingId: start.name });
    this.#tasks.connect(start.source);
    const part = new Part(start.name, start.hub, (command) => this.#command(command));
    setInterval(
      () => part.publish(`worker.${start.name.replace(/\D/g, "")}`, this.#figures()),
      TICK_MS,
    );
  }

  async run(): Promise<void> {
    await this.#tasks.send("ready");
    for await (const [task] of this.#tasks) {
      if (this.#pause !== undefined) await this.#pause.promise;
      await this.#tasks.send(String(workOn(task)));
      this.#done++;
    }
  }

  #command(command: Command): unknown {
    if (command.do === "pause") this.#pause ??= Promise.withResolvers();
    else if (command.do === "resume") {
      this.#pause?.resolve();
      this.#pause = undefined;
    } else throw new Error(`A worker cannot ${command.do}`);
    return { paused: this.#pause !== undefined };
  }

  #figures(): object {
    const now = performance.now();
    const ms = now - this.#tickedAt;
    const figures = {
      name: this.#start.name,
      ms,
      done: this.#done,
      paused: this.#pause !== undefined,
    };
    this.#tickedAt = now;
    this.#done = 0;
    return figures;
  }
}

const thread = globalThis as unknown as {
  onmessage: (event: MessageEvent<WorkerStart>) => void;
};
thread.onmessage = ({ data }) => new Worker(data).run();
