// Latency: how many tasks took how long, from moment to moment, and the percentiles.

import { bandOf, BANDS, type LatencyFigures, TICK_MS } from "../topics.ts";
import type { Canvas } from "./dom.ts";
import { byId, type Panel, writeUnit } from "./element.ts";
import { time } from "./format.ts";
import { GAP_MS, type Mark, Plot } from "./plot.ts";
import type { Span, Store } from "./store.ts";

const P50 = "#ffffff";
const P99 = "#ffb86b";
/** From few tasks to many. */
const HEAT: readonly (readonly [number, number, number])[] = [
  [20, 24, 48],
  [52, 32, 110],
  [124, 44, 140],
  [206, 66, 116],
  [250, 134, 88],
  [255, 228, 158],
];
const SHADES = 64;
const COLORS: readonly string[] = Array.from({ length: SHADES }, (_, shade) => {
  const at = shade / (SHADES - 1) * (HEAT.length - 1);
  const from = HEAT[Math.floor(at)];
  const to = HEAT[Math.ceil(at)];
  const mixed = from.map((part, i) => Math.round(part + (to[i] - part) * (at % 1)));
  return `rgb(${mixed.join(" ")})`;
});

/** How high a time is in the chart, from 0 to 1. */
function height(microseconds: number): number {
  return bandOf(microseconds) / BANDS;
}

const MARKS: readonly Mark[] = [
  [height(100), "100 µs"],
  [height(1_000), "1 ms"],
  [height(10_000), "10 ms"],
  [height(100_000), "100 ms"],
  [height(1_000_000), "1 s"],
];

export class LatencyPanel implements Panel {
  readonly #store: Store;
  readonly #plot = new Plot(byId<Canvas>("latency-chart"));

  constructor(store: Store) {
    this.#store = store;
  }

  tell(): void {
    const last = this.#store.of<LatencyFigures>("pipeline.latency").at(-1);
    if (last === undefined) return;
    for (const name of ["p50", "p90", "p99", "p999"] as const) {
      if (last[name] > 0) writeUnit(name, time(last[name]));
    }
  }

  draw(span: Span): void {
    const plot = this.#plot;
    if (!plot.begin(span)) return;
    const series = this.#store.of<LatencyFigures>("pipeline.latency");
    plot.marks(MARKS);
    plot.clipped(() => {
      plot.gaps(series.map(({ at }) => at));
      let before = -Infinity;
      for (const figures of series) {
        const from = figures.at - before > GAP_MS ? figures.at - TICK_MS : before;
        this.#column(from, figures);
        before = figures.at;
      }
      const answered = series.filter(({ p50 }) => p50 > 0);
      const line = (of: "p50" | "p99") =>
        answered.map((figures) => [figures.at, height(figures[of])] as const);
      plot.line(line("p99"), P99, 0, 1.5);
      plot.line(line("p50"), P50, 0, 1.5);
    });
  }

  /** The bands of one tick, which began at a time. */
  #column(from: number, { at, bands }: LatencyFigures): void {
    const plot = this.#plot;
    const left = plot.x(from);
    const width = plot.x(at) - left + 0.6;
    const tall = plot.height / BANDS;
    const all = bands.reduce((sum, [, count]) => sum + count, 0);
    for (const [band, count] of bands) {
      const heat = Math.log1p(count) / Math.log1p(all);
      plot.context.fillStyle = COLORS[Math.min(SHADES - 1, Math.floor(heat * SHADES))];
      plot.context.fillRect(left, plot.y((band + 1) / BANDS), width, tall + 0.6);
    }
  }
}
