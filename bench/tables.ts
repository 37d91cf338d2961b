// Results as Markdown: printed at the end of a run and kept in README.md.

import { wrap } from "./markdown.ts";
import type { Results } from "./results.ts";
import { curveParts } from "./tables_curve.ts";
import { localParts } from "./tables_local.ts";
import { publishParts } from "./tables_publish.ts";
import { socketParts } from "./tables_sockets.ts";
import { webParts } from "./tables_web.ts";

/** All tables with their explanations. */
export function formatResults(results: Results): string {
  const parts = [
    formatSetting(results),
    ...socketParts(results),
    ...localParts(results),
    ...publishParts(results),
    ...curveParts(results),
    ...webParts(results),
    ...missingPart(results),
  ];
  return parts.join("\n\n") + "\n";
}

function formatSetting(results: Results): string {
  const { machine, date } = results;
  const versions = Object.entries(results.versions).map(([name, version]) => `${name} ${version}`);
  return wrap(
    `Measured on ${date}: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ` +
      `${machine.system}; ${versions.join(", ")}. Sender and receiver are two processes on ` +
      `loopback TCP, unless it says otherwise, with default socket options. All rows of a table ran in turn in one run; each ` +
      `figure is the median of ${results.settings.runs}. "x" is the multiple of libzmq's figure in ` +
      `the same run, unless a table says otherwise.`,
  );
}

function missingPart(results: Results): string[] {
  const missing = results.missing.map(({ id, why }) => `${id} was not measured: ${why}.`);
  const failed = new Map<string, string[]>();
  for (const { row, what } of results.failures) {
    failed.set(row, [...failed.get(row) ?? [], what]);
  }
  const failures = [...failed].map(([row, what]) => `${row} failed at ${what.join(", ")}.`);
  const items = [...missing, ...failures].map((text) => wrap(`- ${text}`, "  "));
  return items.length === 0 ? [] : [items.join("\n")];
}
