// In the thread of the cells: what cells print and show, on its way to the main thread.

import type { CellThreadData, Report, StreamEvent } from "./calls.ts";

/** Printed text is sent on when it is as long as this, or as old. */
const CHUNK = 32_768;
const CHUNK_MS = 25;
/** Characters under way: a cell that prints faster than the main thread publishes has to wait. */
const UNDER_WAY_LIMIT = 4 * 1_024 * 1_024;
const WAIT_MS = 1_000;

/** Sends output, printed text in larger pieces. */
export class Output {
  readonly #post: (report: Report) => void;
  readonly #underWay: Int32Array;
  #name: StreamEvent["name"] = "stdout";
  #text = "";
  #since = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(post: (report: Report) => void, { underWay }: CellThreadData) {
    this.#post = post;
    this.#underWay = underWay;
  }

  /** Prints text. */
  write(name: StreamEvent["name"], text: string): void {
    if (name !== this.#name) this.flush();
    this.#name = name;
    if (this.#text === "") this.#since = performance.now();
    this.#text += text;
    // A cell that never pauses never lets a timer run.
    const due = this.#text.length >= CHUNK || performance.now() - this.#since >= CHUNK_MS;
    if (due) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), CHUNK_MS);
  }

  /** Sends what was printed so far. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#text;
    this.#text = "";
    for (let at = 0; at < text.length; at += CHUNK) {
      this.send({ type: "stream", name: this.#name, text: text.slice(at, at + CHUNK) });
    }
  }

  /** Sends a report, after what was printed before it. */
  send(report: Report): void {
    if (report.type !== "stream") this.flush();
    this.#post(report);
    Atomics.add(this.#underWay, 0, sizeOf(report));
    for (;;) {
      const size = Atomics.load(this.#underWay, 0);
      if (size < UNDER_WAY_LIMIT) break;
      Atomics.wait(this.#underWay, 0, size, WAIT_MS);
    }
  }
}

/** In the main thread: the report has been dealt with. */
export function release(underWay: Int32Array, report: Report): void {
  Atomics.sub(underWay, 0, sizeOf(report));
  Atomics.notify(underWay, 0);
}

function sizeOf(report: Report): number {
  return report.type === "stream"
    ? report.text.length
    : report.type === "display"
    ? report.size
    : 0;
}
