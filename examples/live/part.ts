// What every part of the server has, each in a thread of its own: a PUB for its figures, and a DEALER on which it is
// told what to do.

import { Dealer, Publisher } from "../../mod.ts";
import { answer, type Command } from "./commands.ts";

/** Where the parts find the hub. */
export interface HubEndpoints {
  /** Figures go here. */
  readonly figures: string;
  /** Commands come from here. */
  readonly commands: string;
}

export class Part {
  readonly #publisher = new Publisher({ linger: 0 });
  readonly #dealer: Dealer;

  /** `handle` does what a command says, and returns what to answer; what it throws is the answer too. */
  constructor(name: string, hub: HubEndpoints, handle: (command: Command) => unknown) {
    this.#dealer = new Dealer({ routingId: name, linger: 0 });
    this.#publisher.connect(hub.figures);
    this.#dealer.connect(hub.commands);
    this.#answer(handle);
  }

  /** Publishes figures of now. */
  publish(topic: string, figures: object): void {
    const json = JSON.stringify({ at: Date.now(), ...figures });
    this.#publisher.send([topic, json]);
  }

  async #answer(handle: (command: Command) => unknown): Promise<void> {
    for await (const [page, number, command] of this.#dealer) {
      const json = JSON.stringify(answer(String(command), handle));
      await this.#dealer.send([page, number, json]);
    }
  }
}
