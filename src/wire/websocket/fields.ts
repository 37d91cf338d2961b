// The lines of an HTTP message's head, and its header fields (RFC 9112, sections 3 to 5; RFC 9110, section 5).

import { quoted } from "../../quoted.ts";
import { HttpRefusal } from "./fault.ts";

/** The values of the field with a name in lower case, in their order. */
export type FieldValues = (name: string) => readonly string[];

/** A head taken apart. */
export interface Head {
  /** The request line, or the status line. */
  readonly start: string;
  readonly valuesOf: FieldValues;
}

const FIELD = /^([!#$%&'*+\-.^_`|~\w]+):[ \t]*(.*?)[ \t]*$/;
/** Subprotocols of ZWS have a slash, which the tokens of HTTP do not. */
const TOKEN = /^[!#$%&'*+\-.^_`|~\w/]+$/;
const NONE: readonly string[] = [];
const text = new TextDecoder("latin1");

/**
 * Takes a whole head apart, its empty line included.
 *
 * @throws {HttpRefusal} 400 for a line that is no field.
 */
export function decodeHead(head: Uint8Array): Head {
  const [start, ...lines] = text.decode(head).split("\r\n").slice(0, -2);
  const fields = new Map<string, string[]>();
  for (const line of lines) {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined) {
      throw new HttpRefusal(400, `the line ${quoted(line, 80)} of the HTTP head is no header`);
    }
    const key = name.toLowerCase();
    const values = fields.get(key);
    if (values === undefined) fields.set(key, [value]);
    else values.push(value);
  }
  return { start, valuesOf: (name) => fields.get(name) ?? NONE };
}

/**
 * The value of a field that must not come twice; undefined where it is not there.
 *
 * @throws {HttpRefusal} 400
 */
export function single(valuesOf: FieldValues, name: string): string | undefined {
  const values = valuesOf(name);
  if (values.length > 1) throw new HttpRefusal(400, `the header ${name} is there more than once`);
  return values[0];
}

/** The elements of a field that is a list, over all its lines; empty ones do not count. */
export function listed(valuesOf: FieldValues, name: string): string[] {
  return valuesOf(name).flatMap((value) => value.split(","))
    // `trim` takes more for a space than HTTP does.
    .map((item) => item.replace(/^[ \t]+|[ \t]+$/g, ""))
    .filter((item) => item !== "");
}

/** True when a list of words has this one, which is in lower case, in any case. */
export function hasWord(valuesOf: FieldValues, name: string, word: string): boolean {
  return listed(valuesOf, name).some((item) => item.toLowerCase() === word);
}

/** True for a token of HTTP, or the name of a subprotocol. */
export function isToken(item: string): boolean {
  return TOKEN.test(item);
}
