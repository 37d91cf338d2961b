// Chains of names like `a.b["c"].d`: finds them in code, and the value they lead to, without running anybody's code.

import { types } from "node:util";
import { closerOf, endsExpression, scan, type Token } from "./tokens.ts";

/** Where a chain begins: a global name, or a value that the code shows. */
export type Root = { readonly name: string } | { readonly value: unknown };

/** `a.b["c"]`. */
export interface Chain {
  readonly root: Root;
  readonly keys: readonly string[];
}

/** What is being written at a cursor. */
export interface Unfinished {
  /** What the property is of; undefined for a name by itself. `unknown`: for something that cannot be looked up. */
  readonly of: Chain | "unknown" | undefined;
  /** The name so far. */
  readonly prefix: string;
  /** Where it begins. */
  readonly start: number;
}

const STEPS_LIMIT = 64;

/** What is being written at the end of the code; undefined within a comment or a text. */
export function unfinishedAt(code: string): Unfinished | undefined {
  const { tokens, state } = scan(code);
  const last = tokens.at(-1);
  const cut = state === "broken" || last?.kind === "template" && !/[`{]$/.test(last.text);
  const rest = code.slice(last?.end ?? 0);
  if (cut || /\/\/|\/\*/.test(rest)) return undefined;
  const named = last?.kind === "name" && last.end === code.length;
  if (last?.kind === "number" && last.end === code.length) return undefined;
  const prefix = named ? last.text : "";
  const start = code.length - prefix.length;
  const index = tokens.length - (named ? 2 : 1);
  if (!isDot(tokens[index])) return { of: undefined, prefix, start };
  return { of: chainEndingAt(tokens, index - 1) ?? "unknown", prefix, start };
}

/** The chain that the cursor is in or right behind, or else the function that it is in the call of. */
export function chainAt(
  code: string,
  position: number,
): Chain & { readonly text: string } | undefined {
  const { tokens } = scan(code);
  const at = tokens.findLastIndex(({ kind, start, end }) =>
    kind === "name" && start <= position && position <= end
  );
  const index = at >= 0 ? at : calleeBefore(tokens, position);
  const chain = index < 0 ? undefined : chainEndingAt(tokens, index);
  return chain && { ...chain, text: tokens[index].text };
}

/** The value at the end of a chain; undefined when there is none, or only code could tell. */
export function resolve(chain: Chain, globals: object): { readonly value: unknown } | undefined {
  let found: { readonly value: unknown } | undefined = "name" in chain.root
    ? rootValue(chain.root.name, globals)
    : chain.root;
  for (const key of chain.keys) found = found && property(found.value, key, globals);
  return found;
}

/** The property, when it can be had without running code that a cell wrote. */
export function property(
  of: unknown,
  key: string,
  globals: object,
): { readonly value: unknown } | undefined {
  const descriptor = descriptorOf(of, key);
  if (descriptor === undefined) return undefined;
  if (descriptor.get === undefined) return { value: descriptor.value };
  const native = /\{\s*\[native code\]\s*\}$/.test(
    Function.prototype.toString.call(descriptor.get),
  );
  // What the runtime itself gives as a getter: navigator, crypto …
  if (!native && of !== globals) return undefined;
  try {
    return { value: descriptor.get.call(of) };
  } catch {
    return undefined;
  }
}

/** The object that gives a value its properties. */
export function objectOf(value: unknown): object | undefined {
  if (value === null || value === undefined) return undefined;
  return Object(value) as object;
}

function descriptorOf(of: unknown, key: string): PropertyDescriptor | undefined {
  let object: object | null = objectOf(of) ?? null;
  for (let step = 0; object !== null && step < STEPS_LIMIT; step++) {
    if (types.isProxy(object)) return undefined;
    const descriptor = Object.getOwnPropertyDescriptor(object, key);
    if (descriptor !== undefined) return descriptor;
    object = Object.getPrototypeOf(object);
  }
  return undefined;
}

function rootValue(name: string, globals: object): { readonly value: unknown } | undefined {
  return name === "this" ? { value: globals } : property(globals, name, globals);
}

function isDot(token: Token | undefined): boolean {
  return token?.text === "." || token?.text === "?.";
}

/** The chain whose last token this is. */
function chainEndingAt(tokens: readonly Token[], last: number): Chain | undefined {
  const keys: string[] = [];
  for (let i = last; i >= 0;) {
    const token = tokens[i];
    if (token.kind === "name") {
      if (!isDot(tokens[i - 1])) return { root: { name: token.text }, keys: keys.reverse() };
      keys.push(token.text);
      i -= 2;
    } else if (token.text === "]") {
      const opener = openerOf(tokens, i);
      if (!endsExpression(tokens[opener - 1])) return { root: { value: [] }, keys: keys.reverse() };
      const key = tokens[opener + 1];
      if (opener !== i - 2 || key.kind !== "string" && key.kind !== "number") return undefined;
      keys.push(key.kind === "string" ? key.text.slice(1, -1) : key.text);
      i = opener - 1;
    } else {
      const value = literal(token);
      return value && { root: value, keys: keys.reverse() };
    }
  }
  return undefined;
}

/** Any value of the literal's kind will do: it is its properties that are wanted. */
function literal(token: Token): { readonly value: unknown } | undefined {
  if (token.kind === "string") return { value: "" };
  if (token.kind === "template") return token.text.endsWith("`") ? { value: "" } : undefined;
  if (token.kind === "number") return { value: token.text.endsWith("n") ? 0n : 0 };
  return token.kind === "regex" ? { value: /x/ } : undefined;
}

function openerOf(tokens: readonly Token[], closer: number): number {
  const { depth } = tokens[closer];
  for (let i = closer - 1; i >= 0; i--) {
    if (tokens[i].depth === depth && closerOf(tokens, i) === closer) return i;
  }
  return -1;
}

function calleeBefore(tokens: readonly Token[], position: number): number {
  for (let i = tokens.length - 1; i > 0; i--) {
    if (tokens[i].end > position || tokens[i].text !== "(") continue;
    const end = closerOf(tokens, i);
    const around = end === tokens.length || tokens[end].start >= position;
    if (around && tokens[i - 1].kind === "name") return i - 1;
  }
  return -1;
}
