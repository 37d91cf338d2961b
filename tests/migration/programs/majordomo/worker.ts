// Serves one service of a broker.

import { Dealer } from "zeromq";
import { Command, Header } from "./types.ts";

export class Worker {
  readonly #socket = new Dealer();
  readonly #service: string;

  constructor(address: string, service: string) {
    this.#service = service;
    this.#socket.connect(address);
  }

  async run(): Promise<void> {
    await this.#socket.send([null, Header.Worker, Command.Ready, this.#service]);
    for await (const [, , , client, , ...order] of this.#socket) {
      const served = order.map((part) => `${this.#service} of ${part}`);
      await this.#socket.send([null, Header.Worker, Command.Reply, client, null, ...served]);
    }
  }

  async stop(): Promise<void> {
    await this.#socket.send([null, Header.Worker, Command.Disconnect, this.#service]);
    this.#socket.close();
  }
}
