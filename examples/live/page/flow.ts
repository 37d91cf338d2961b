// Throughput: tasks answered each second, beside those that are wanted and those that are dropped.

import type { FlowFigures } from "../topics.ts";
import { type Canvas, document } from "./dom.ts";
import { byId, type Panel, write } from "./element.ts";
import { count } from "./format.ts";
import { Plot } from "./plot.ts";
import { Scale } from "./scale.ts";
import { smooth } from "./smooth.ts";
import type { Span, Store } from "./store.ts";

const FLOW = "#45e0c8";
const BAD = "#ff6b7a";
const WANTED = "#8592a6";
/** Ticks whose mean is the number that is shown, and the thick line: a second. */
const SHOWN = 4;

export class FlowPanel implements Panel {
  readonly #store: Store;
  readonly #plot = new Plot(byId<Canvas>("flow-chart"));
  readonly #scale = new Scale(100);

  constructor(store: Store) {
    this.#store = store;
  }

  tell(): void {
    const series = this.#store.of<FlowFigures>("pipeline.flow").slice(-SHOWN);
    const last = series.at(-1);
    if (last === undefined) return;
    const ms = series.reduce((sum, figures) => sum + figures.ms, 0);
    const sum = (of: "answered" | "dropped") =>
      series.reduce((sum, figures) => sum + figures[of], 0) * 1_000 / ms;
    write("answered", count(sum("answered")));
    document.title = `${count(sum("answered"))} /s · wasmq live`;
    write("wanted", `${count(last.rate)} /s`);
    write("waiting", count(last.waiting));
    write("in-flight", count(Object.values(last.inFlight).reduce((sum, tasks) => sum + tasks, 0)));
    const dropped = sum("dropped") + last.wrong;
    write("dropped", `${count(dropped)} /s`);
    byId("dropped").classList.toggle("bad", dropped > 0);
  }

  draw(span: Span): void {
    const plot = this.#plot;
    if (!plot.begin(span)) return;
    const series = this.#store.of<FlowFigures>("pipeline.flow");
    const rates = (of: (figures: FlowFigures) => number) =>
      series.map((figures) => [figures.at, of(figures)] as const);
    const answered = rates(({ answered, ms }) => answered * 1_000 / ms);
    const wanted = rates(({ rate }) => rate);
    const dropped = rates(({ dropped, ms }) => dropped * 1_000 / ms);
    const means = smooth(answered, SHOWN);
    this.#scale.fit([...means, ...wanted].map(([, rate]) => rate));
    plot.marks(this.#scale.marks(count));
    plot.clipped(() => {
      plot.gaps(series.map(({ at }) => at));
      plot.context.setLineDash([2, 5]);
      plot.line(this.#scale.points(wanted), WANTED, 0, 1.25);
      plot.context.setLineDash([]);
      plot.line(this.#scale.points(answered), `${FLOW}55`, 0, 1);
      plot.line(this.#scale.points(means), FLOW, 0.34, 2);
      if (dropped.some(([, rate]) => rate > 0)) {
        plot.line(this.#scale.points(dropped), BAD, 0.3);
      }
    });
  }
}
