// One service of the broker: requests that wait for a worker, and workers that wait for one.

import type { Message, Router } from "zeromq";
import { Command, Header } from "./types.ts";

export class Service {
  readonly #name: string;
  readonly #socket: Router;
  readonly #idle = new Map<string, Message>();
  readonly #requests: [client: Message, body: Message[]][] = [];
  #served = 0;

  constructor(socket: Router, name: string) {
    this.#socket = socket;
    this.#name = name;
  }

  get summary(): string {
    return `${this.#name} served ${this.#served}, ${this.#idle.size} idle at the end`;
  }

  register(worker: Message): Promise<void> {
    this.#idle.set(worker.toString("hex"), worker);
    return this.#dispatch();
  }

  deregister(worker: Message): void {
    this.#idle.delete(worker.toString("hex"));
  }

  request(client: Message, body: Message[]): Promise<void> {
    this.#requests.push([client, body]);
    return this.#dispatch();
  }

  async reply(worker: Message, client: Message, body: Message[]): Promise<void> {
    this.#served++;
    await this.#socket.send([client, null, Header.Client, this.#name, ...body]);
    await this.register(worker);
  }

  async #dispatch(): Promise<void> {
    while (this.#idle.size > 0 && this.#requests.length > 0) {
      const [key, worker] = this.#idle.entries().next().value!;
      this.#idle.delete(key);
      const [client, body] = this.#requests.shift()!;
      await this.#socket.send(
        [worker, null, Header.Worker, Command.Request, client, null, ...body],
      );
    }
  }
}
