// The DEALER of the page: commands to the parts of the server, and their answers.

import { Dealer } from "../../../browser.ts";
import type { Answer, Command } from "../commands.ts";
import { SOCKET_OPTIONS } from "./feed.ts";

/** Milliseconds that an answer may take. */
const PATIENCE_MS = 4_000;

export class Desk {
  readonly #endpoint: string;
  /** A command is for now: it does not wait for a connection. */
  readonly #socket = new Dealer({
    ...SOCKET_OPTIONS,
    immediate: true,
    sendTimeout: 0,
    linger: 0,
  });
  readonly #asked: Map<string, (answer: Answer) => void> = new Map();
  #number = 0;
  #connected = false;

  /** `ready` is called when commands can be sent, each time they can be again. */
  constructor(endpoint: string, ready: () => void) {
    this.#endpoint = endpoint;
    this.#socket.events.on("handshake", () => {
      this.#connected = true;
      ready();
    });
    this.#socket.events.on("disconnect", () => this.#connected = false);
    this.#socket.connect(endpoint);
    this.#receive();
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Has a part do something; what it answered, and how many milliseconds that took. */
  async ask<Result>(part: string, command: Command): Promise<{ ok: Result; ms: number }> {
    const number = String(++this.#number);
    const begin = performance.now();
    const answer = await new Promise<Answer>((resolve) => {
      const late = () => resolve({ error: `${part} did not answer` });
      const timer = setTimeout(late, PATIENCE_MS);
      this.#asked.set(number, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.#socket.send([part, number, JSON.stringify(command)])
        .catch(() => this.#asked.get(number)?.({ error: "There is no connection" }));
    });
    this.#asked.delete(number);
    if ("error" in answer) throw new Error(answer.error);
    return { ok: answer.ok as Result, ms: performance.now() - begin };
  }

  /** Gives up a connection that says nothing any more, and makes another. */
  redial(): void {
    this.#connected = false;
    this.#socket.disconnect(this.#endpoint);
    this.#socket.connect(this.#endpoint);
  }

  async #receive(): Promise<void> {
    for await (const [_part, number, answer] of this.#socket) {
      this.#asked.get(String(number))?.(JSON.parse(String(answer)));
    }
  }
}
