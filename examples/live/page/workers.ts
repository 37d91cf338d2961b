// The workers: what each does, and a button that pauses it.

import type { FlowFigures, WorkerFigures } from "../topics.ts";
import { byId, make, type Panel } from "./element.ts";
import { count } from "./format.ts";
import type { Log } from "./log.ts";
import { Plot } from "./plot.ts";
import { Scale } from "./scale.ts";
import { smooth } from "./smooth.ts";
import type { Span, Store } from "./store.ts";

const FLOW = "#45e0c8";
const SLOW = "#ffb86b";
/** Ticks whose mean is the number that is shown. */
const SHOWN = 4;

function ratesOf(series: readonly WorkerFigures[]): (readonly [at: number, rate: number])[] {
  return series.map(({ at, done, ms }) => [at, done * 1_000 / ms]);
}

class Row {
  readonly element = make("li");
  readonly #topic: string;
  readonly #name: string;
  readonly #log: Log;
  readonly #done = make("span", "done");
  readonly #button = make("button", "", "Pause");
  readonly #plot: Plot;

  constructor(topic: string, name: string, log: Log) {
    this.#topic = topic;
    this.#name = name;
    this.#log = log;
    const canvas = make("canvas");
    canvas.role = "img";
    canvas.ariaLabel = `Tasks of ${name} each second, over the last minute`;
    this.#button.onclick = () => this.#toggle();
    this.element.append(make("span", "name", name), canvas, this.#button, this.#done);
    this.#plot = new Plot(canvas, false);
  }

  tell(store: Store): void {
    const series = store.of<WorkerFigures>(this.#topic).slice(-SHOWN);
    const { paused } = series.at(-1)!;
    const done = series.reduce((sum, figures) => sum + figures.done, 0);
    const ms = series.reduce((sum, figures) => sum + figures.ms, 0);
    const has = store.of<FlowFigures>("pipeline.flow").at(-1)?.inFlight[this.#name] ?? 0;
    this.#done.textContent = paused
      ? `paused with ${has} task${has === 1 ? "" : "s"}`
      : `${count(done * 1_000 / ms)} /s · ${has} in hand`;
    this.element.dataset.paused = String(paused);
    this.#button.ariaPressed = String(paused);
    this.#button.textContent = paused ? "Resume" : "Pause";
  }

  draw(span: Span, store: Store, scale: Scale): void {
    if (!this.#plot.begin(span)) return;
    const series = store.of<WorkerFigures>(this.#topic);
    const paused = series.at(-1)?.paused === true;
    this.#plot.clipped(() => {
      this.#plot.gaps(series.map(({ at }) => at));
      this.#plot.line(
        scale.points(smooth(ratesOf(series), SHOWN)),
        paused ? SLOW : FLOW,
        0.22,
        1.5,
      );
    });
  }

  async #toggle(): Promise<void> {
    const act = this.#button.ariaPressed === "true" ? "resume" : "pause";
    this.#button.disabled = true;
    await this.#log.ask(this.#name, { do: act });
    this.#button.disabled = false;
  }
}

export class WorkersPanel implements Panel {
  readonly #store: Store;
  readonly #log: Log;
  readonly #rows: Map<string, Row> = new Map();
  readonly #scale = new Scale(10);

  constructor(store: Store, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  tell(): void {
    for (const topic of this.#store.topics("worker.")) {
      let row = this.#rows.get(topic);
      if (row === undefined) {
        const { name } = this.#store.of<WorkerFigures>(topic).at(-1)!;
        this.#rows.set(topic, row = new Row(topic, name, this.#log));
        byId("workers").append(row.element);
      }
      row.tell(this.#store);
    }
  }

  draw(span: Span): void {
    const means = [...this.#rows.keys()].flatMap((topic) =>
      smooth(ratesOf(this.#store.of<WorkerFigures>(topic)), SHOWN)
    );
    this.#scale.fit(means.map(([, rate]) => rate));
    for (const row of this.#rows.values()) row.draw(span, this.#store, this.#scale);
  }
}
