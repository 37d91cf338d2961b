// The load: how many tasks there shall be, and how long they are.

import { LEAST_SIZE, MOST_RATE, MOST_SIZE } from "../commands.ts";
import type { FlowFigures } from "../topics.ts";
import type { Input } from "./dom.ts";
import { byId, type Panel, write } from "./element.ts";
import { count, octets } from "./format.ts";
import type { Log } from "./log.ts";
import type { Store } from "./store.ts";

const STEPS = 100;
/** The lowest rate but none. */
const LEAST_RATE = 10;
/** After a change the slider stays where it is, until the figures know of it. */
const SETTLE_MS = 1_500;

/** A slider whose steps are those of a logarithm. */
class Slider {
  readonly #input: Input;
  readonly #least: number;
  readonly #most: number;
  readonly #change: (value: number) => void;
  #movedAt = -Infinity;

  constructor(id: string, least: number, most: number, change: (value: number) => void) {
    this.#input = byId<Input>(id);
    this.#least = least;
    this.#most = most;
    this.#change = change;
    this.#input.oninput = () => this.#moved();
  }

  /** Shows a value, unless it is being moved. */
  show(value: number): void {
    this.#input.disabled = false;
    if (performance.now() - this.#movedAt < SETTLE_MS) return;
    const share = Math.log(Math.max(this.#least, value) / this.#least) /
      Math.log(this.#most / this.#least);
    this.#input.value = String(value === 0 ? 0 : Math.round(share * STEPS));
    this.#fill();
  }

  #moved(): void {
    this.#movedAt = performance.now();
    this.#fill();
    const share = Number(this.#input.value) / STEPS;
    const value = this.#least * (this.#most / this.#least) ** share;
    this.#change(rounded(value));
  }

  #fill(): void {
    this.#input.style.setProperty("--at", `${Number(this.#input.value) / STEPS * 100}%`);
  }
}

/** A number of two digits and zeros. */
function rounded(value: number): number {
  const power = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 1);
  return Math.round(value / power) * power;
}

export class LoadPanel implements Panel {
  readonly #store: Store;
  readonly #log: Log;
  readonly #rate: Slider;
  readonly #size: Slider;
  /** What is being asked for, and what is to be asked for next. */
  readonly #asking: Set<string> = new Set();
  readonly #next: Map<"rate" | "size", number> = new Map();

  constructor(store: Store, log: Log) {
    this.#store = store;
    this.#log = log;
    this.#rate = new Slider("rate", LEAST_RATE, MOST_RATE, (value) => {
      this.#ask("rate", value <= LEAST_RATE ? 0 : value);
    });
    this.#size = new Slider("size", LEAST_SIZE, MOST_SIZE, (value) => this.#ask("size", value));
  }

  tell(): void {
    const last = this.#store.of<FlowFigures>("pipeline.flow").at(-1);
    if (last === undefined) return;
    this.#rate.show(last.rate);
    this.#size.show(last.size);
    if (this.#asking.size > 0) return;
    write("rate-value", count(last.rate));
    write("size-value", octets(last.size).join(" "));
  }

  /** Asks for the newest value, one question at a time: a slider moves faster than the answers come. */
  async #ask(act: "rate" | "size", value: number): Promise<void> {
    write(`${act}-value`, act === "rate" ? count(value) : octets(value).join(" "));
    this.#next.set(act, value);
    if (this.#asking.has(act)) return;
    this.#asking.add(act);
    for (let next; (next = this.#next.get(act)) !== undefined;) {
      this.#next.delete(act);
      await this.#log.ask("source", { do: act, value: next });
    }
    this.#asking.delete(act);
  }
}
