// Takes requests for services by name and gives them to workers that registered for them.

import { type Message, Router } from "zeromq";
import { Service } from "./service.ts";
import { Command, Header } from "./types.ts";

export class Broker {
  readonly #socket = new Router({ sendHighWaterMark: 10, sendTimeout: 100 });
  readonly #services = new Map<string, Service>();
  readonly #serviceOf = new Map<string, string>();

  get address(): string {
    return this.#socket.lastEndpoint!;
  }

  get summary(): string[] {
    return [...this.#services.values()].map((service) => service.summary).sort();
  }

  bind(address: string): Promise<void> {
    return this.#socket.bind(address);
  }

  async run(): Promise<void> {
    for await (const [sender, _blank, header, ...rest] of this.#socket) {
      if (header.toString() === Header.Client) {
        const [service, ...body] = rest as Message[];
        await this.#service(service.toString()).request(sender as Message, body);
      } else if (header.toString() === Header.Worker) {
        await this.#fromWorker(sender as Message, rest as Message[]);
      }
    }
  }

  stop(): void {
    this.#socket.close();
  }

  async #fromWorker(worker: Message, [command, ...rest]: Message[]): Promise<void> {
    const key = worker.toString("hex");
    switch (command.toString()) {
      case Command.Ready:
        this.#serviceOf.set(key, rest[0].toString());
        await this.#service(rest[0].toString()).register(worker);
        break;
      case Command.Reply: {
        const [client, _blank, ...body] = rest;
        await this.#service(this.#serviceOf.get(key)!).reply(worker, client, body);
        break;
      }
      case Command.Disconnect:
        this.#service(this.#serviceOf.get(key)!).deregister(worker);
        break;
    }
  }

  #service(name: string): Service {
    const service = this.#services.get(name) ?? new Service(this.#socket, name);
    this.#services.set(name, service);
    return service;
  }
}
