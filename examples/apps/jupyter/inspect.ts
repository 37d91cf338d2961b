// What a name at the cursor stands for: its type, a function's signature and source, a value.

import { inspect } from "node:util";
import type { MimeBundle } from "./calls.ts";
import { chainAt, resolve } from "./chain.ts";

const SIGNATURE_LIMIT = 500;
const SOURCE_LIMIT = 20_000;

/** Describes what is at the cursor; undefined when nothing is known. */
export function inspectAt(
  code: string,
  position: number,
  detail: number,
  globals: object,
): MimeBundle | undefined {
  const chain = chainAt(code, position);
  const found = chain && resolve(chain, globals);
  if (found === undefined) return undefined;
  const { value } = found;
  const lines = typeof value === "function"
    ? describeFunction(chain!.text, value as () => unknown, detail)
    : [`${chain!.text}: ${typeOf(value)}`, "", brief(value, detail)];
  const [title, ...rest] = lines;
  const body = rest.join("\n").trim();
  return {
    "text/plain": lines.join("\n").trim(),
    "text/markdown": `**${title}**${body === "" ? "" : `\n\n\`\`\`typescript\n${body}\n\`\`\``}`,
  };
}

function describeFunction(name: string, value: () => unknown, detail: number): string[] {
  const source = Function.prototype.toString.call(value);
  const kind = /^class\b/.test(source)
    ? "class"
    : /^async\b/.test(source)
    ? "async function"
    : "function";
  const native = source.includes("[native code]");
  const signature = native ? `${name}(${value.length} parameters)` : signatureOf(source);
  if (detail > 0 && !native) return [`${name}: ${kind}`, "", source.slice(0, SOURCE_LIMIT)];
  return [`${name}: ${kind}`, "", signature];
}

/** The source up to the body. */
function signatureOf(source: string): string {
  const heading = /^class\b/.test(source)
    ? /^class[^{]*/
    : /^[^(=]*(?:=>|\([^]*?\)\s*(?==>|\{))|^[^{]*/;
  return (heading.exec(source)?.[0] ?? source).trim().slice(0, SIGNATURE_LIMIT);
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  try {
    const { constructor } = value;
    return typeof constructor === "function" && constructor.name ? constructor.name : "object";
  } catch {
    return "object";
  }
}

function brief(value: unknown, detail: number): string {
  try {
    return inspect(value, {
      depth: detail > 0 ? 4 : 1,
      maxArrayLength: 20,
      maxStringLength: 1_000,
    });
  } catch {
    return "";
  }
}
