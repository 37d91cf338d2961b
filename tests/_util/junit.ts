// Reads the JUnit reports of Deno, Bun and Node into the counts that tests/run.ts sums up.

/** The outcome of one test file on one runtime. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface TestCase {
  readonly name: string;
  failure: string | undefined;
  skipped: boolean;
}

const TAG = /<(\/?)([\w-]+)((?:\s+[\w:-]+\s*=\s*"[^"]*")*)\s*(\/?)>/g;

/** Counts the tests of a report; a truncated report gives the tests it still names. */
export function countReport(xml: string): Counts {
  const cases = readCases(xml);
  const suites = stepParents(cases);
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const testCase of cases) {
    const ownFailure = testCase.failure !== undefined &&
      !/^\d+ test steps? failed$/.test(testCase.failure);
    if (ownFailure) counts.failed++;
    else if (suites.has(testCase.name)) continue;
    else if (testCase.skipped) counts.skipped++;
    else counts.passed++;
  }
  return counts;
}

function readCases(xml: string): TestCase[] {
  const cases: TestCase[] = [];
  let current: TestCase | undefined;
  for (const [, closing, tag, attributes, selfClosing] of xml.matchAll(TAG)) {
    if (closing) {
      if (tag === "testcase") current = undefined;
    } else if (tag === "testcase") {
      current = { name: attribute(attributes, "name"), failure: undefined, skipped: false };
      cases.push(current);
      if (selfClosing) current = undefined;
    } else if (current && (tag === "failure" || tag === "error")) {
      current.failure ??= attribute(attributes, "message");
    } else if (current && tag === "skipped") {
      current.skipped = true;
    }
  }
  return cases;
}

function attribute(attributes: string, name: string): string {
  return new RegExp(`\\s${name}\\s*=\\s*"([^"]*)"`).exec(attributes)?.[1] ?? "";
}

// Deno reports a suite as a test case beside its tests, which are named "suite > test".
function stepParents(cases: readonly TestCase[]): Set<string> {
  const parents = new Set<string>();
  for (const { name } of cases) {
    const parts = name.split(" &gt; ");
    for (let depth = 1; depth < parts.length; depth++) {
      parents.add(parts.slice(0, depth).join(" &gt; "));
    }
  }
  return parents;
}
