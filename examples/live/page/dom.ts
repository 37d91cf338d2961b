// What the page uses of the browser. The types of all of it (`lib="dom"`) would hold for every file that is checked together
// with these, also for the server's.

export interface Element {
  textContent: string | null;
  className: string;
  role: string | null;
  ariaLabel: string | null;
  ariaPressed: string | null;
  ariaChecked: string | null;
  readonly dataset: Record<string, string>;
  readonly style: { setProperty(name: string, value: string): void };
  readonly classList: { toggle(name: string, on: boolean): void };
  readonly clientWidth: number;
  readonly clientHeight: number;
  readonly children: { readonly length: number; readonly [at: number]: Element };
  readonly lastElementChild: Element | null;
  onclick: () => void;
  append(...children: (Element | string)[]): void;
  prepend(...children: (Element | string)[]): void;
  replaceChildren(...children: (Element | string)[]): void;
  remove(): void;
}

export interface Button extends Element {
  disabled: boolean;
}

export interface Input extends Button {
  value: string;
  oninput: () => void;
}

export interface Canvas extends Element {
  width: number;
  height: number;
  getContext(kind: "2d"): Context2D;
}

interface Gradient {
  addColorStop(at: number, color: string): void;
}

export interface Path {
  lineTo(x: number, y: number): void;
}

export interface Context2D {
  fillStyle: string | Gradient;
  strokeStyle: string;
  lineWidth: number;
  lineJoin: "round";
  font: string;
  textAlign: "left" | "center" | "right";
  textBaseline: "middle" | "bottom";
  save(): void;
  restore(): void;
  beginPath(): void;
  rect(x: number, y: number, width: number, height: number): void;
  clip(): void;
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  stroke(path?: Path): void;
  fill(path: Path): void;
  fillRect(x: number, y: number, width: number, height: number): void;
  clearRect(x: number, y: number, width: number, height: number): void;
  fillText(text: string, x: number, y: number): void;
  setTransform(a: number, b: number, c: number, d: number, e: number, f: number): void;
  setLineDash(lengths: readonly number[]): void;
  createLinearGradient(x0: number, y0: number, x1: number, y1: number): Gradient;
}

interface Elements {
  readonly button: Button;
  readonly canvas: Canvas;
  readonly i: Element;
  readonly li: Element;
  readonly small: Element;
  readonly span: Element;
}

/** The elements that the page makes. */
export type TagName = keyof Elements;
export type ElementOf<Tag extends TagName> = Elements[Tag];

interface Document {
  title: string;
  readonly body: Element;
  readonly documentElement: Element;
  createElement<Tag extends TagName>(tag: Tag): Elements[Tag];
  getElementById(id: string): Element | null;
  querySelector(selector: string): Element | null;
}

interface Browser {
  readonly document: Document;
  readonly devicePixelRatio: number;
  readonly location: { readonly protocol: string; readonly host: string };
  readonly Path2D: new (path?: Path) => Path;
  getComputedStyle(element: Element): { readonly fontSize: string; readonly fontFamily: string };
  requestAnimationFrame(draw: (now: number) => void): void;
}

/** The page's window. */
export const browser: Browser = globalThis as unknown as Browser;

export const document: Document = browser.document;
