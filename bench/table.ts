// Writes the tables of results.json into README.md; with --check it only fails when they differ.
// deno-lint-ignore-file no-console -- a command's output is its purpose

import { readResults, RESULTS_FILE } from "./results.ts";
import { formatResults } from "./tables.ts";

const README = new URL("../README.md", import.meta.url);
const START = "<!-- bench:start -->";
const END = "<!-- bench:end -->";

/** Replaces what stands between the markers. */
function replaceTables(readme: string, tables: string): string {
  const start = readme.indexOf(START);
  const end = readme.indexOf(END);
  if (start < 0 || end < start) {
    throw new Error(`README.md lacks the markers ${START} and ${END}`);
  }
  return `${readme.slice(0, start + START.length)}\n\n${tables}\n${readme.slice(end)}`;
}

const readme = Deno.readTextFileSync(README);
const fresh = replaceTables(readme, formatResults(readResults(RESULTS_FILE)));
if (!Deno.args.includes("--check")) {
  Deno.writeTextFileSync(README, fresh);
} else if (fresh !== readme) {
  console.error("README.md does not show bench/results.json: run `deno run -A bench/table.ts`");
  Deno.exit(1);
}
