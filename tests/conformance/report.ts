// The report behind `deno task conformance`: runs the tests that name requirements, on Deno, and tells for each section
// which requirements are covered, do not apply, are missing or failed.
//
//   deno run -A tests/conformance/report.ts [section...]
//
// A section is the beginning of its heading: `2.5`, `3`. The exit code is 1 unless all is well.

import { judge, type Section, type SectionVerdict } from "../_util/conformance.ts";
import { NOT_APPLICABLE, REQUIREMENTS, testsNaming } from "../_util/conformance_files.ts";
import type { TestResult } from "../_util/junit.ts";
import { batchesOf, findRuntime, print, runBatches, runsOn } from "../_util/test_runner.ts";

const JOBS = Math.min(4, navigator.hardwareConcurrency + 2);

function chosenSections(headings: readonly string[]): Section[] {
  if (headings.length === 0) return [...REQUIREMENTS];
  const chosen = REQUIREMENTS.filter(({ section }) => {
    return headings.some((heading) => section.split(/[. ]/, 2).join(".").startsWith(heading));
  });
  return chosen;
}

function printSection(verdict: SectionVerdict): void {
  const { section, total, covered, notApplicable, missing, failed } = verdict;
  print(`${section}: covered ${covered.length}/${total}`);
  for (const id of notApplicable) print(`  not applicable  ${id}: ${NOT_APPLICABLE[id]}`);
  for (const id of missing) print(`  missing  ${id}`);
  for (const id of failed) print(`  failed  ${id}`);
}

async function main(headings: readonly string[]): Promise<number> {
  const sections = chosenSections(headings);
  const ids = new Set(sections.flatMap(({ ids }) => Object.keys(ids)));
  const files = testsNaming(ids).filter((file) => runsOn(file, "deno", false));
  const runtime = (await findRuntime("deno"))!;
  print(`Running ${files.length} test files on deno ${runtime.version}\n`);
  const tests: TestResult[] = [];
  let troubles = 0;
  await runBatches(batchesOf(files, runtime), { jobs: JOBS }, (result) => {
    tests.push(...result.tests);
    if (result.trouble === undefined) return;
    troubles++;
    print(`${result.batch.files.join(" ")} ${result.trouble}\n${result.output}`);
  });
  const verdict = judge(REQUIREMENTS, NOT_APPLICABLE, tests);
  const shown = verdict.sections.filter(({ section }) => {
    return sections.some((chosen) => chosen.section === section);
  });
  shown.forEach(printSection);
  print("");
  for (const { title, outcome } of tests) if (outcome === "failed") print(`failed: ${title}`);
  for (const mistake of verdict.mistakes) print(`mistake: ${mistake}`);
  const sum = (kind: "covered" | "notApplicable" | "missing" | "failed"): number =>
    shown.reduce((total, section) => total + section[kind].length, 0);
  print(
    `${ids.size} requirements: ${sum("covered")} covered, ${
      sum("notApplicable")
    } not applicable, ` +
      `${sum("missing")} missing, ${sum("failed")} failed`,
  );
  const wrong = sum("missing") + sum("failed") + verdict.mistakes.length + troubles;
  return ids.size > 0 && wrong === 0 ? 0 : 1;
}

Deno.exit(await main(Deno.args));
