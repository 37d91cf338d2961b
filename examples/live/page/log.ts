// The commands that were sent from this page, and what became of them.

import type { Command } from "../commands.ts";
import type { Desk } from "./desk.ts";
import type { Element } from "./dom.ts";
import { byId, make } from "./element.ts";
import { count } from "./format.ts";

const KEPT = 8;

export class Log {
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Has a part do something, and shows how that goes; what it answered, or undefined when it did not do it. */
  async ask<Result>(part: string, command: Command): Promise<Result | undefined> {
    const value = "value" in command ? ` ${count(command.value)}` : "";
    const line = this.#add(`${part} ${command.do}${value}`);
    const outcome = line.lastElementChild!;
    try {
      const { ok, ms } = await this.#desk.ask<Result>(part, command);
      outcome.textContent = `${ms.toFixed(1)} ms`;
      return ok;
    } catch (error) {
      line.className = "bad";
      outcome.textContent = (error as Error).message;
      return undefined;
    }
  }

  #add(text: string): Element {
    const list = byId("log");
    const line = make("li");
    line.append(make("span", "command", text), make("span", "outcome", "…"));
    list.prepend(line);
    while (list.children.length > KEPT) list.lastElementChild!.remove();
    return line;
  }
}
