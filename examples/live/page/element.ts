// Elements of the page.

import { document, type Element, type ElementOf, type TagName } from "./dom.ts";
import type { Span } from "./store.ts";

/** What every panel is: `tell` says its numbers when there are new ones, `draw` its chart with each frame. */
export interface Panel {
  tell(): void;
  draw?(span: Span): void;
}

export function byId<E extends Element = Element>(id: string): E {
  return document.getElementById(id) as E;
}

/** Writes a text, if it is another one. */
export function write(id: string, text: string): void {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

/** Writes a number with its unit in small. */
export function writeUnit(
  id: string,
  [number, unit]: readonly [number: string, unit: string],
): void {
  const small = document.createElement("small");
  small.textContent = ` ${unit}`;
  byId(id).replaceChildren(number, small);
}

/** An element with a class. */
export function make<Tag extends TagName>(
  tag: Tag,
  className = "",
  text = "",
): ElementOf<Tag> {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}
