// Is a cell ready to run, or does its writer want another line?

import { scan } from "./tokens.ts";
import { compiles, transform } from "./transform.ts";
import { stripTypes } from "./typescript.ts";

/** The answer to an `is_complete_request`. */
export type Completeness =
  | { readonly status: "complete" | "invalid" }
  | { readonly status: "incomplete"; readonly indent: string };

/** What might follow a statement that is cut off: if one of them mends it, more is to come. */
const CONTINUATIONS = [
  "\n;",
  "\n{}",
  "\nx",
  "\ncatch {}",
  "\nwhile (0)",
  "\n() {}",
  "\n= 0",
  "\n: 0",
];
const INDENT = "  ";

/** Says whether code can be run as it is. */
export function completeness(code: string): Completeness {
  const { state, depth } = scan(code);
  if (state === "open") return { status: "incomplete", indent: indentAfter(code, depth) };
  if (state === "broken") return { status: "invalid" };
  if (isCode(code)) return { status: "complete" };
  if (CONTINUATIONS.some((more) => isCode(code + more))) {
    return { status: "incomplete", indent: indentAfter(code, depth + 1) };
  }
  return { status: "invalid" };
}

function isCode(code: string): boolean {
  const script = stripTypes(code);
  return script !== undefined && compiles(transform(script).code);
}

/** Not less than the last line's own. */
function indentAfter(code: string, depth: number): string {
  const own = /^[ \t]*/.exec(code.slice(code.lastIndexOf("\n") + 1))![0];
  return own.length > depth * INDENT.length ? own : INDENT.repeat(depth);
}
