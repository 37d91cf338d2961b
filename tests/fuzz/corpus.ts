// The octets of all golden vectors, to begin with and to splice from.

import { expand } from "../_util/vectors.ts";

interface Folder {
  readdirSync(path: string): string[];
  readFileSync(path: string, encoding: "utf8"): string;
}

const { process } = globalThis as unknown as {
  process: { getBuiltinModule(name: "node:fs"): Folder };
};
const VECTORS = new URL("../conformance/vectors/", import.meta.url).pathname;
const HEX = /^(?:[0-9a-f]{2}|\d+\*[0-9a-f]{2}|\s)+$/;
/** Longer ones are no use here. */
const MOST = 100_000;

/** Whatever is hex text in a value of JSON. */
function* hexIn(value: unknown): Generator<string> {
  if (typeof value === "string" && HEX.test(value)) yield value;
  else if (typeof value === "object" && value !== null) {
    for (const each of Object.values(value)) yield* hexIn(each);
  }
}

function load(): Uint8Array[] {
  const { readdirSync, readFileSync } = process.getBuiltinModule("node:fs");
  const names = readdirSync(VECTORS).filter((name) => name.endsWith(".json")).sort();
  const texts = names.flatMap((name) => [
    ...hexIn(JSON.parse(readFileSync(VECTORS + name, "utf8"))),
  ]);
  return [...new Set(texts)].map(expand).filter(({ length }) => length > 0 && length <= MOST);
}

/** The octets of the golden vectors. */
export const CORPUS: readonly Uint8Array[] = load();
