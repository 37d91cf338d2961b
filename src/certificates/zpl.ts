// ZPL (RFC 4), as CZMQ reads it: names with values, in levels of four spaces.
//
// metadata
//     name = "Ada"
// curve
//     public-key = "…"    # a comment

import { CertificateError } from "./error.ts";

/** A name with its value and what stands one level below it. */
export interface ZplItem {
  readonly name: string;
  /** Empty for a name without a value. */
  readonly value: string;
  readonly line: number;
  readonly children: ZplItem[];
}

const INDENT = 4;
const NAME = /^[A-Za-z0-9$\-_@.&+/]+/;
// White space is that of C: what a value means must not depend on who reads it.
const BLANK_OR_COMMENT = /^[ \t\v\f\r]*(?:#|$)/;
const EQUALS = /^[ \t\v\f\r]*=[ \t\v\f\r]*/;
const COMMENT = /#.*$/s;
/** What ends a line, and what ends a text in C. */
const UNWRITABLE = ["\n", "\r", "\0"];
const SPACE_AT_END = /[ \t\v\f\r]+$/;

/** True for what can be a name. */
export function isZplName(text: string): boolean {
  return NAME.exec(text)?.[0] === text && !text.startsWith("/") && !text.endsWith("/");
}

/** A value as it is written; undefined when ZPL has no way to write it: there are quotes and apostrophes, but no escapes. */
export function quoteZpl(value: string): string | undefined {
  if (UNWRITABLE.some((character) => value.includes(character)) || !value.isWellFormed()) {
    return undefined;
  }
  if (!value.includes('"')) return `"${value}"`;
  if (!value.includes("'")) return `'${value}'`;
  // As it is, when nothing of it would be taken for a quote, a comment or white space.
  return /^["' \t\v\f]|#|[ \t\v\f]$/.test(value) ? undefined : value;
}

/**
 * The items of a text.
 *
 * @throws {CertificateError} `EINVAL` with the line that is wrong.
 */
export function parseZpl(text: string, path: string | undefined): ZplItem[] {
  const items: ZplItem[] = [];
  /** For each level that an item may have, where it would be put. */
  const levels = [items];
  let line = 0;
  const wrong = (reason: string) => new CertificateError("EINVAL", "read", reason, { path, line });
  for (const full of text.split("\n")) {
    line++;
    const trimmed = full.replace(SPACE_AT_END, "");
    if (BLANK_OR_COMMENT.test(trimmed)) continue;
    const spaces = trimmed.length - trimmed.replace(/^ +/, "").length;
    if (spaces % INDENT !== 0 || trimmed[spaces] === "\t") {
      throw wrong("expected levels of four spaces before the name, without tabs");
    }
    const level = spaces / INDENT;
    if (level >= levels.length) throw wrong("expected a name one level above this one");
    const rest = trimmed.slice(spaces);
    const name = NAME.exec(rest)?.[0] ?? "";
    if (!isZplName(name)) {
      throw wrong("expected a name of letters, digits and $-_@.&+/, no / at its start or end");
    }
    const value = parseValue(rest.slice(name.length));
    if (value === undefined) throw wrong("expected = and a value, in quotes where it has a #");
    const item: ZplItem = { name, value, line, children: [] };
    levels[level].push(item);
    levels.length = level + 1;
    levels.push(item.children);
  }
  return items;
}

/** What follows a name; undefined when that is no value. */
function parseValue(text: string): string | undefined {
  const equals = EQUALS.exec(text);
  if (equals === null) return BLANK_OR_COMMENT.test(text) ? "" : undefined;
  const value = text.slice(equals[0].length);
  const quote = value[0];
  if (quote !== '"' && quote !== "'") {
    return value.replace(COMMENT, "").replace(SPACE_AT_END, "");
  }
  const end = value.indexOf(quote, 1);
  if (end < 0 || !BLANK_OR_COMMENT.test(value.slice(end + 1))) return undefined;
  return value.slice(1, end);
}
