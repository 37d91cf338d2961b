// The topics: which the page subscribes to, and what comes of each.

import { type TopicName, TOPICS } from "../topics.ts";
import { document } from "./dom.ts";
import { byId, make, type Panel, write } from "./element.ts";
import type { Feed } from "./feed.ts";
import { octets } from "./format.ts";

/** Traffic is that of so many milliseconds. */
const SPAN_MS = 2_000;

interface Arrival {
  readonly at: number;
  readonly octets: number;
}

class Row {
  readonly element = make("li");
  readonly #topic: TopicName;
  readonly #traffic = make("span", "traffic");
  readonly #switch = make("button");
  #arrivals: Arrival[] = [];

  constructor(topic: TopicName, change: (topic: TopicName, on: boolean) => void) {
    this.#topic = topic;
    this.#switch.role = "switch";
    this.#switch.ariaLabel = `Subscribe to ${topic}`;
    this.#switch.onclick = () => change(topic, !this.on);
    const name = topic.endsWith(".") ? `${topic}*` : topic;
    this.element.append(make("span", "topic", name), this.#traffic, this.#switch);
    this.show(true);
  }

  get on(): boolean {
    return this.#switch.ariaChecked === "true";
  }

  show(on: boolean): void {
    this.#switch.ariaChecked = String(on);
    this.element.classList.toggle("on", on);
    document.querySelector(`[data-topic="${this.#topic}"]`)?.classList.toggle("off", !on);
  }

  arrived(octets: number): void {
    this.#arrivals.push({ at: performance.now(), octets });
  }

  /** Octets a second. */
  tell(): number {
    const from = performance.now() - SPAN_MS;
    this.#arrivals = this.#arrivals.filter(({ at }) => at >= from);
    const sum = this.#arrivals.reduce((sum, arrival) => sum + arrival.octets, 0);
    const messages = this.#arrivals.length * 1_000 / SPAN_MS;
    this.#traffic.textContent = messages === 0 ? "–" : `${messages.toFixed(0)} /s`;
    return sum * 1_000 / SPAN_MS;
  }
}

export class TopicsPanel implements Panel {
  readonly #rows: Map<TopicName, Row> = new Map();

  /** `taken` is called when a topic is subscribed to again. */
  constructor(feed: Feed, taken: () => void) {
    for (const topic of TOPICS) {
      const row = new Row(topic, (topic, on) => {
        row.show(on);
        if (on) {
          feed.subscribe(topic);
          taken();
        } else feed.unsubscribe(topic);
      });
      this.#rows.set(topic, row);
      byId("topics").append(row.element);
      feed.subscribe(topic);
    }
  }

  /** A topic that is subscribed to, with what a message's topic begins with. */
  wants(topic: string): boolean {
    return this.#find(topic)?.on === true;
  }

  arrived(topic: string, octets: number): void {
    this.#find(topic)?.arrived(octets);
  }

  tell(): void {
    let sum = 0;
    for (const row of this.#rows.values()) sum += row.tell();
    write("arriving", `${octets(sum).join(" ")}/s`);
  }

  #find(topic: string): Row | undefined {
    const name = TOPICS.find((name) => topic.startsWith(name));
    return name && this.#rows.get(name);
  }
}
