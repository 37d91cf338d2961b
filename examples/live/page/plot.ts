// A chart on a canvas: time from left to right, with a scale at the right.

import { SPAN_MS, TICK_MS } from "../topics.ts";
import { browser, type Canvas, type Context2D, document } from "./dom.ts";
import type { Span } from "./store.ts";

/** Room for the scale's numbers and for the times, in rem. */
const SCALE_REM = 3.1;
const TIMES_REM = 1.35;
/** Points that are further apart have a gap between them. */
export const GAP_MS: number = 4 * TICK_MS;
/** Milliseconds between the times that are written below, and how many there are at most. */
const TIMES = [5_000, 10_000, 15_000];
const MOST_TIMES = 4;

const EDGE = "#18202b";
const FAINT = "#6b7a92";

/** Where something is: its time, and its height from 0 to 1. */
export type Point = readonly [at: number, height: number];

/** A line of the scale: its height from 0 to 1, and what is written at it. */
export type Mark = readonly [height: number, text: string];

export class Plot {
  readonly #canvas: Canvas;
  readonly #scale: boolean;
  readonly context: Context2D;
  /** The size of the chart itself, without what is written around it. */
  width = 0;
  height = 0;
  #span: Span = { from: 0, to: 0 };
  #rem = 16;
  #font = "";

  /** Without `scale` there is nothing around the chart. */
  constructor(canvas: Canvas, scale = true) {
    this.#canvas = canvas;
    this.#scale = scale;
    this.context = canvas.getContext("2d");
  }

  /** Clears it for a time. False when there is no room to draw. */
  begin(span: Span): boolean {
    const { clientWidth, clientHeight } = this.#canvas;
    const ratio = browser.devicePixelRatio;
    const [width, height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      [this.#canvas.width, this.#canvas.height] = [width, height];
      const { fontFamily } = browser.getComputedStyle(document.body);
      this.#rem = parseFloat(browser.getComputedStyle(document.documentElement).fontSize);
      this.#font = `${0.76 * this.#rem}px ${fontFamily}`;
    }
    this.#span = span;
    this.width = clientWidth - (this.#scale ? SCALE_REM * this.#rem : 0);
    this.height = clientHeight - (this.#scale ? TIMES_REM * this.#rem : 0);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.clearRect(0, 0, clientWidth, clientHeight);
    return this.width > 0 && this.height > 0;
  }

  /** Pixels from the left. */
  x(at: number): number {
    const { from, to } = this.#span;
    return (at - from) / (to - from) * this.width;
  }

  /** Pixels from the top; a line at the top or bottom still fits. */
  y(height: number): number {
    return 1 + (1 - Math.min(1, Math.max(0, height))) * (this.height - 2);
  }

  /** The scale, and the times. */
  marks(marks: readonly Mark[]): void {
    const { context, width, height } = this;
    context.font = this.#font;
    context.lineWidth = 1;
    context.textBaseline = "middle";
    context.textAlign = "left";
    for (const [at, text] of marks) {
      const y = Math.round(this.y(at)) + 0.5;
      context.fillStyle = EDGE;
      context.fillRect(0, y - 0.5, width, 1);
      context.fillStyle = FAINT;
      context.fillText(text, width + 0.55 * this.#rem, Math.max(y, 0.4 * this.#rem));
    }
    context.textBaseline = "bottom";
    const { from, to } = this.#span;
    const step = TIMES.find((step) => (to - from) / step <= MOST_TIMES) ?? SPAN_MS / MOST_TIMES;
    for (let ago = 0; ago <= to - from; ago += step) {
      const x = this.x(to - ago);
      context.textAlign = ago === 0 ? "right" : x < this.#rem ? "left" : "center";
      const text = ago === 0 ? "now" : `${ago / 1_000} s`;
      context.fillText(text, x, height + TIMES_REM * this.#rem);
    }
  }

  /** Draws within the chart only, whatever the points. */
  clipped(draw: () => void): void {
    this.context.save();
    this.context.beginPath();
    this.context.rect(0, 0, this.width, this.height);
    this.context.clip();
    draw();
    this.context.restore();
  }

  /** A line, and with `fill` the area below it, which is that strong from 0 to 1. */
  line(points: readonly Point[], color: string, fill = 0, lineWidth = 1.75): void {
    const { context } = this;
    for (const run of runsOf(points)) {
      const path = new browser.Path2D();
      for (const [at, height] of run) path.lineTo(this.x(at), this.y(height));
      if (fill > 0) {
        const area = new browser.Path2D(path);
        area.lineTo(this.x(run.at(-1)![0]), this.height);
        area.lineTo(this.x(run[0][0]), this.height);
        const top = this.y(Math.max(...run.map(([, height]) => height)));
        const gradient = context.createLinearGradient(0, top, 0, this.height);
        gradient.addColorStop(0, `${color}${hex(fill)}`);
        gradient.addColorStop(1, `${color}${hex(fill / 12)}`);
        context.fillStyle = gradient;
        context.fill(area);
      }
      context.strokeStyle = color;
      context.lineWidth = lineWidth;
      context.lineJoin = "round";
      context.stroke(path);
    }
  }

  /** Hatches the times of which nothing is known, between the first of these and the end. */
  gaps(times: readonly number[]): void {
    const ends = [...times, this.#span.to];
    for (let i = 1; i < ends.length; i++) {
      if (ends[i] - ends[i - 1] > GAP_MS) this.#hatch(this.x(ends[i - 1]), this.x(ends[i]));
    }
  }

  #hatch(from: number, to: number): void {
    const { context, height } = this;
    context.save();
    context.beginPath();
    context.rect(from, 0, to - from, height);
    context.clip();
    context.strokeStyle = "#ff6b7a66";
    context.lineWidth = 1;
    context.beginPath();
    const step = 0.55 * this.#rem;
    for (let x = Math.floor((from - height) / step) * step; x < to; x += step) {
      context.moveTo(x, height);
      context.lineTo(x + height, 0);
    }
    context.stroke();
    context.restore();
  }
}

/** Points without gaps among them. */
function runsOf(points: readonly Point[]): Point[][] {
  const runs: Point[][] = [];
  let before = -Infinity;
  for (const point of points) {
    if (point[0] - before > GAP_MS) runs.push([]);
    runs.at(-1)!.push(point);
    before = point[0];
  }
  return runs;
}

function hex(share: number): string {
  return Math.round(share * 255).toString(16).padStart(2, "0");
}
