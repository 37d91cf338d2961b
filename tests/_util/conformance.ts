// Which requirements of the specification the tests prove: a requirement is covered when the full title of a test that
// passed contains its ID.

import type { TestResult } from "./junit.ts";

/** The requirements of one section: IDs with their levels (M must, S should, …; GV golden vector). */
export interface Section {
  readonly section: string;
  readonly ids: Readonly<Record<string, string>>;
}

/** Why a requirement does not apply, by ID. */
export type NotApplicable = Readonly<Record<string, string>>;

/** How it stands with the requirements of one section. */
export interface SectionVerdict {
  readonly section: string;
  readonly total: number;
  readonly covered: readonly string[];
  readonly notApplicable: readonly string[];
  readonly missing: readonly string[];
  /** In the title of a test that failed. */
  readonly failed: readonly string[];
}

/** How it stands with all requirements. */
export interface Verdict {
  readonly sections: readonly SectionVerdict[];
  /** What is wrong with the IDs themselves, in sentences. */
  readonly mistakes: readonly string[];
}

// A bare GV-30 is a family of vectors.
const ID = /(?<![\w-])(?!GV-\d\d(?![\w-]))[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*-(?:Q\d|\d\d)(?![\w-])/g;
/** Comments name IDs as well, but prove nothing. */
const COMMENT_LINE = /^\s*(?:\/\/|\/?\*).*$/gm;

/** Everything in a text that has the form of a requirement's ID. */
export function idsIn(text: string): string[] {
  return text.match(ID) ?? [];
}

/** Everything in a source file, outside of its comments, that has the form of an ID. */
export function idsInSource(source: string): string[] {
  return idsIn(source.replaceAll(COMMENT_LINE, ""));
}

/** Judges by tests that ran. */
export function judge(
  sections: readonly Section[],
  notApplicable: NotApplicable,
  tests: readonly TestResult[],
): Verdict {
  const inTitles = { passed: new Set<string>(), failed: new Set<string>() };
  for (const { title, outcome } of tests) {
    if (outcome === "skipped") continue;
    for (const id of idsIn(title)) inTitles[outcome].add(id);
  }
  const { passed, failed } = inTitles;
  const excused = new Set(Object.keys(notApplicable));
  return {
    sections: sections.map(({ section, ids }) => {
      const all = Object.keys(ids);
      return {
        section,
        total: all.length,
        covered: all.filter((id) => passed.has(id) && !failed.has(id)),
        notApplicable: all.filter((id) => excused.has(id)),
        missing: all.filter((id) => !passed.has(id) && !failed.has(id) && !excused.has(id)),
        failed: all.filter((id) => failed.has(id)),
      };
    }),
    mistakes: mistakesIn(sections, notApplicable, new Set([...passed, ...failed])),
  };
}

/** What is wrong with the IDs that tests and the list of what does not apply name. */
export function mistakesIn(
  sections: readonly Section[],
  notApplicable: NotApplicable,
  named: ReadonlySet<string>,
): string[] {
  const known = new Set(sections.flatMap(({ ids }) => Object.keys(ids)));
  // Tests may number what else they are about, such as what fuzzing found.
  const families = new Set(Array.from(known, familyOf));
  const mistakes: string[] = [];
  for (const id of [...named].sort()) {
    if (!families.has(familyOf(id))) continue;
    if (!known.has(id)) mistakes.push(`A test names ${id}, which is no requirement`);
    else if (id in notApplicable) mistakes.push(`A test covers ${id}, said not to apply`);
  }
  for (const [id, reason] of Object.entries(notApplicable)) {
    if (!known.has(id)) mistakes.push(`${id} is said not to apply, and is no requirement`);
    if (reason.trim() === "") mistakes.push(`${id} is said not to apply without a reason`);
  }
  return mistakes;
}

function familyOf(id: string): string {
  return id.slice(0, id.indexOf("-"));
}
