// From what is in a cell to a script that can be run.

import { closerOf, endsExpression, scan, type Token } from "./tokens.ts";
import { type Cell, compiles, transform } from "./transform.ts";
import { stripTypes } from "./typescript.ts";

/** A script for the global scope. */
export interface Script {
  readonly code: string;
  /** The global names that it declares. */
  readonly names: readonly string[];
  /** It gives a promise of an array with its value, or of an empty one; else it gives its value. */
  readonly waits: boolean;
  /** By so many characters its first line is moved to the right. */
  readonly shift: number;
}

const HEADS = new Set(["if", "for", "while", "with", "await"]);

/** A cell without types and ready to run. What cannot be read goes on as it is: the runtime says what is wrong. */
export function prepare(source: string): Script {
  const cell = transform(stripTypes(source) ?? source);
  return waits(cell.code) ? waitingScript(cell) : { ...cell, waits: false, shift: 0 };
}

/** True with `await` outside of functions, which only a class's static block tells from a name. */
function waits(code: string): boolean {
  return /\bawait\b/.test(code) && !compiles(`class Cell { static {\n${code}\n} }`);
}

/**
 * Code within an asynchronous function. The `with` makes its variables those of the global object: they have to be there
 * before. Functions are handed over.
 */
function waitingScript({ code, names, functions }: Cell): Script {
  const handOver = functions.map((name) => `globalThis.${name} = ${name}; `).join("");
  const head = `(async () => { with (globalThis) { ${handOver}`;
  return {
    code: `${head}${withReturn(code)}\n} return []; })()`,
    names,
    waits: true,
    shift: head.length,
  };
}

/** The code with a `return` before its last statement, if that is an expression. */
function withReturn(code: string): string {
  const { tokens } = scan(code);
  let end = tokens.length;
  while (end > 0 && tokens[end - 1].text === ";") end--;
  if (end === 0) return code;
  const text = code.slice(0, tokens[end - 1].end);
  let first = end - 1;
  while (first > 0 && !(tokens[first - 1].text === ";" && tokens[first - 1].depth === 0)) first--;
  for (let i = first; i < end; i++) {
    if (tokens[i].depth > 0 || i > first && !mayBegin(text, tokens, i)) continue;
    if (isDeclaration(tokens, i)) continue;
    const at = tokens[i].start;
    // In brackets of both kinds: a comma does not make it two values.
    const changed = `${text.slice(0, at)}return [(${text.slice(at)}\n)];`;
    if (compiles(changed)) return changed;
  }
  return code;
}

/** What would be an expression as well, if a `return` came before. */
function isDeclaration(tokens: readonly Token[], index: number): boolean {
  const { text } = tokens[index];
  return text === "{" || text === "function" ||
    text === "async" && tokens[index + 1]?.text === "function";
}

/** True when a statement may begin with the token, and is not the body of another. */
function mayBegin(text: string, tokens: readonly Token[], index: number): boolean {
  const token = tokens[index];
  const before = tokens[index - 1];
  const goesOn = token.kind === "template" || /^[([+\-*/%<>=&|^?:,.]/.test(token.text);
  if (before.text === "}") {
    // Of a block, or of an object, a function, a class: those can be multiplied.
    return !goesOn || !compiles(`${text.slice(0, before.end)} * 0`);
  }
  if (!token.newLine || goesOn || !endsExpression(before)) return false;
  if (before.text !== ")") return true;
  const opener = tokens.findIndex((other, i) =>
    other.text === "(" && closerOf(tokens, i) === index - 1
  );
  return !HEADS.has(tokens[opener - 1]?.text ?? "");
}
