// What an XPUB has to tell its user: messages of its peers, and their requests.

import type { Frame } from "../message.ts";
import { SUBSCRIBE } from "../wire/subscription.ts";
import type { Pipe } from "./pipe.ts";

/** A message of a peer, or a request of one. */
export interface Report {
  /** The frames that the user receives. */
  readonly frames: Frame[];
  /** The peer; undefined when it is gone. */
  readonly pipe: Pipe | undefined;
  /** The peer counts it as unread, and is not read while there is too much of that. */
  readonly counted: boolean;
  /** It is a subscription, or the end of one. */
  readonly request: boolean;
  /** What the beginning and the end of one subscription have in common; undefined where they do not come in pairs. */
  readonly key: string | undefined;
}

export class Reports {
  #list: Report[] = [];
  #next = 0;
  /** Taken back, and still in the list. */
  readonly #withdrawn: Set<Report> = new Set();
  /** The last unread request with each key. */
  readonly #last: Map<string, Report> = new Map();

  get length(): number {
    return this.#list.length - this.#next - this.#withdrawn.size;
  }

  add(report: Report): void {
    if (report.counted) report.pipe!.unread++;
    if (report.key !== undefined) this.#last.set(report.key, report);
    this.#list.push(report);
  }

  shift(): Report | undefined {
    for (;;) {
      const report = this.#list[this.#next];
      if (report === undefined) return undefined;
      this.#next++;
      if (this.#next === this.#list.length || this.#next === 1024) {
        this.#list.splice(0, this.#next);
        this.#next = 0;
      }
      if (this.#withdrawn.delete(report)) continue;
      this.#forget(report);
      return report;
    }
  }

  /**
   * Adds the end of a lost peer's subscription. If the user has not read of its beginning yet, that is taken back instead:
   * peers that come and go while nobody reads do not pile up.
   */
  end(report: Report): void {
    const last = report.key === undefined ? undefined : this.#last.get(report.key);
    if (last?.frames[0][0] !== SUBSCRIBE) return this.add(report);
    this.#withdrawn.add(last);
    this.#forget(last);
    if (this.#withdrawn.size > this.#list.length >> 1) this.#compact();
  }

  #forget(report: Report): void {
    if (report.counted) report.pipe!.read();
    if (report.key !== undefined && this.#last.get(report.key) === report) {
      this.#last.delete(report.key);
    }
  }

  #compact(): void {
    this.#list = this.#list.slice(this.#next).filter((report) => !this.#withdrawn.has(report));
    this.#next = 0;
    this.#withdrawn.clear();
  }
}
