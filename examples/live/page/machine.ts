// The machine: its processors and its memory.

import type { CpuFigures, MemoryFigures } from "../topics.ts";
import type { Canvas } from "./dom.ts";
import { byId, make, type Panel, write } from "./element.ts";
import { octets } from "./format.ts";
import { type Mark, Plot } from "./plot.ts";
import { Scale } from "./scale.ts";
import { mean, smooth } from "./smooth.ts";
import type { Span, Store } from "./store.ts";

const CPU = "#6ea8fe";
const MEMORY = "#b69cff";
const OWN = "#e4dbff";
const GIGA = 1e9;
const PERCENT: readonly Mark[] = [[0, "0 %"], [0.25, ""], [0.5, "50 %"], [0.75, ""], [1, "100 %"]];

/** Ticks that a point of the chart is the mean of: single ticks are too short for the system's counting. */
const SMOOTH = 3;

export class CpuPanel implements Panel {
  readonly #store: Store;
  readonly #plot = new Plot(byId<Canvas>("cpu-chart"));

  constructor(store: Store) {
    this.#store = store;
  }

  tell(): void {
    const last = this.#store.of<CpuFigures>("machine.cpu").at(-1);
    if (last === undefined) return;
    write("cpu", (mean(last.cores) * 100).toFixed(0));
    const bars = byId("cores");
    while (bars.children.length < last.cores.length) bars.append(make("i"));
    for (const [core, busy] of last.cores.entries()) {
      bars.children[core].style.setProperty("--busy", `${busy * 100}%`);
    }
  }

  draw(span: Span): void {
    const plot = this.#plot;
    if (!plot.begin(span)) return;
    const series = this.#store.of<CpuFigures>("machine.cpu");
    plot.marks(PERCENT);
    plot.clipped(() => {
      plot.gaps(series.map(({ at }) => at));
      const busy = series.map(({ at, cores }) => [at, mean(cores)] as const);
      plot.line(smooth(busy, SMOOTH), CPU, 0.34);
    });
  }
}

export class MemoryPanel implements Panel {
  readonly #store: Store;
  readonly #plot = new Plot(byId<Canvas>("memory-chart"));
  readonly #scale = new Scale(GIGA);

  constructor(store: Store) {
    this.#store = store;
  }

  tell(): void {
    const last = this.#store.of<MemoryFigures>("machine.memory").at(-1);
    if (last === undefined) return;
    write("memory", (last.used / GIGA).toFixed(2));
    write("memory-total", `of ${(last.total / GIGA).toFixed(1)} GB`);
    write("own", `server ${octets(last.own).join(" ")}`);
  }

  draw(span: Span): void {
    const plot = this.#plot;
    if (!plot.begin(span)) return;
    const series = this.#store.of<MemoryFigures>("machine.memory");
    const scale = this.#scale;
    scale.fit(series.map(({ used }) => used));
    plot.marks(scale.marks((octets) => `${Number((octets / GIGA).toFixed(2))} GB`));
    plot.clipped(() => {
      plot.gaps(series.map(({ at }) => at));
      plot.line(series.map(({ at, used }) => [at, scale.height(used)] as const), MEMORY, 0.34);
      plot.line(series.map(({ at, own }) => [at, scale.height(own)] as const), OWN, 0.25, 1.25);
    });
  }
}
