// The last minute of all topics, for pages that come or come back.

import { type Figures, SPAN_MS } from "./topics.ts";

/** Figures as JSON, with their time. */
type Kept = readonly [at: number, json: string];

export class Archive {
  readonly #topics: Map<string, Kept[]> = new Map();

  keep(topic: string, json: string): void {
    const { at } = JSON.parse(json) as Figures;
    let kept = this.#topics.get(topic);
    if (kept === undefined) this.#topics.set(topic, kept = []);
    kept.push([at, json]);
    while (kept[0][0] < at - SPAN_MS) kept.shift();
  }

  /** All that is kept, by topic. */
  all(): Record<string, Figures[]> {
    return Object.fromEntries(
      Array.from(this.#topics, ([topic, kept]) => [
        topic,
        kept.map(([, json]) => JSON.parse(json)),
      ]),
    );
  }
}
