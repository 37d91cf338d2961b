// The last minute of the figures that the page has.

import { type Figures, SPAN_MS, TICK_MS } from "../topics.ts";

/** The charts end so long ago, so that figures are there when their time comes. */
const DELAY_MS = 1.6 * TICK_MS;
/** A server's clock may go slower than ours: what was learnt of it fades by so much with each message. */
const FADE_MS = 0.05;

/** Until there is more to show, charts show so much. */
const LEAST_SPAN_MS = 15_000;

/** The times that charts show, of the server's clock. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export class Store {
  readonly #series: Map<string, Figures[]> = new Map();
  /** The server's clock less ours. */
  #offset: number | undefined;

  /** What charts show: all there is, up to a minute. */
  get span(): Span {
    const to = Date.now() + (this.#offset ?? 0) - DELAY_MS;
    const oldest = Math.min(to, ...Array.from(this.#series.values(), ([first]) => first.at));
    return { from: to - Math.min(SPAN_MS, Math.max(LEAST_SPAN_MS, to - oldest)), to };
  }

  /** Figures of now. */
  add(topic: string, figures: Figures): void {
    const offset = figures.at - Date.now();
    this.#offset = Math.max(offset, (this.#offset ?? offset) - FADE_MS);
    this.#keep(topic, [...this.of(topic), figures]);
  }

  /** Figures of the past, some of which may be known. */
  merge(topic: string, past: readonly Figures[]): void {
    const known = new Set(this.of(topic).map(({ at }) => at));
    const news = past.filter(({ at }) => !known.has(at));
    this.#keep(topic, [...this.of(topic), ...news].sort((left, right) => left.at - right.at));
  }

  /** What is known of a topic, oldest first. */
  of<T extends Figures>(topic: string): readonly T[] {
    return (this.#series.get(topic) ?? []) as unknown as T[];
  }

  /** The topics that begin with this and are known. */
  topics(start: string): string[] {
    return [...this.#series.keys()].filter((topic) => topic.startsWith(start)).sort();
  }

  #keep(topic: string, series: Figures[]): void {
    const from = series.at(-1)!.at - SPAN_MS - 2_000;
    this.#series.set(topic, series.filter(({ at }) => at >= from));
  }
}
