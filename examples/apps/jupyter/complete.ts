// What could be meant by the beginning of a name: properties of live objects, globals, names that the cell declares.

import type { Completion } from "./calls.ts";
import { type Chain, objectOf, property, resolve, unfinishedAt } from "./chain.ts";
import { scan } from "./tokens.ts";
import { types } from "node:util";

const MATCHES_LIMIT = 1_000;
const STEPS_LIMIT = 64;
const NAME = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
const KEYWORDS =
  "abstract async await break case catch class const continue debugger declare default delete do else enum export extends false finally for function if implements import in instanceof interface let namespace new null of readonly return satisfies static super switch this throw true try type typeof undefined using var void while with yield"
    .split(" ");

interface Match {
  readonly name: string;
  readonly type: string;
}

/** Finds what fits at the cursor. */
export function complete(code: string, position: number, globals: object): Completion {
  const unfinished = unfinishedAt(code.slice(0, position));
  const { prefix, start } = unfinished ?? { prefix: "", start: position };
  const candidates = unfinished === undefined || unfinished.of === "unknown"
    ? []
    : unfinished.of === undefined
    ? names(code, start, globals)
    : members(unfinished.of, globals);
  const found = new Map<string, string>();
  for (const { name, type } of candidates) {
    if (name.startsWith(prefix) && !found.has(name)) found.set(name, type);
    if (found.size >= MATCHES_LIMIT) break;
  }
  return { matches: [...found.keys()], types: [...found.values()], start, end: position };
}

/** Names for the beginning of an expression. */
function* names(code: string, start: number, globals: object): Iterable<Match> {
  const { tokens } = scan(code);
  const seen = new Set<string>();
  for (const token of tokens) {
    // Declared or only used: it is what the writer has on the mind.
    if (token.kind === "name" && token.start !== start && !seen.has(token.text)) {
      seen.add(token.text);
      if (!KEYWORDS.includes(token.text) && NAME.test(token.text)) {
        const value = property(globals, token.text, globals);
        const known = value !== undefined || !isMember(tokens, token.start);
        if (known) yield { name: token.text, type: value ? typeName(value.value) : "instance" };
      }
    }
  }
  yield* properties(globals, globals);
  for (const name of KEYWORDS) yield { name, type: "keyword" };
}

function isMember(tokens: readonly { start: number; text: string }[], start: number): boolean {
  const index = tokens.findIndex((token) => token.start === start);
  return /^\??\.$/.test(tokens[index - 1]?.text ?? "");
}

function members(of: Chain, globals: object): Iterable<Match> {
  const found = resolve(of, globals);
  const object = found && objectOf(found.value);
  return object === undefined ? [] : properties(object, globals);
}

/** An object's own properties by name, then those that it inherits, nearest first. */
function* properties(of: object, globals: object): Iterable<Match> {
  let object: object | null = of;
  for (let step = 0; object !== null && step < STEPS_LIMIT; step++) {
    if (types.isProxy(object)) return;
    // A large array's or text's indexes are no names.
    const keys = ArrayBuffer.isView(object) ? [] : Object.getOwnPropertyNames(object);
    for (const name of keys.filter((key) => NAME.test(key)).sort(publicFirst)) {
      const value = property(of, name, globals);
      yield { name, type: value ? typeName(value.value) : "property" };
    }
    object = Object.getPrototypeOf(object);
  }
}

function publicFirst(a: string, b: string): number {
  const order = Number(a.startsWith("_")) - Number(b.startsWith("_"));
  return order !== 0 ? order : a < b ? -1 : 1;
}

function typeName(value: unknown): string {
  if (typeof value !== "function") return "instance";
  return /^class\b/.test(Function.prototype.toString.call(value)) ? "class" : "function";
}
