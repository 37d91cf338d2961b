// Reads the JUnit reports of Deno, Bun and Node: which tests ran, and how they ended.

/** How many tests ended in which way. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** One test of a report. */
export interface TestResult {
  /** The names of its suites and its own, outermost first: "suite > test". */
  readonly title: string;
  readonly outcome: "passed" | "failed" | "skipped";
}

interface TestCase {
  readonly suites: readonly string[];
  readonly name: string;
  failure: string | undefined;
  skipped: boolean;
}

const TAG = /<(\/?)([\w-]+)((?:\s+[\w:-]+\s*=\s*"[^"]*")*)\s*(\/?)>/g;
const ENTITIES: Readonly<Record<string, string>> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
  "&amp;": "&",
};

/** The tests of a report; a truncated report gives those it still names. */
export function readTests(xml: string): TestResult[] {
  const cases = readCases(xml);
  const parents = stepParents(cases);
  const tests: TestResult[] = [];
  for (const { suites, name, failure, skipped } of cases) {
    const title = [...suites, name].map(decode).join(" > ");
    if (failure !== undefined && !/^\d+ test steps? failed$/.test(failure)) {
      tests.push({ title, outcome: "failed" });
    } else if (!parents.has(name)) {
      tests.push({ title, outcome: skipped ? "skipped" : "passed" });
    }
  }
  return tests;
}

/** Counts tests by how they ended. */
export function countTests(tests: readonly TestResult[]): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { outcome } of tests) counts[outcome]++;
  return counts;
}

/** Whether a report was written to its end. */
export function isWhole(xml: string): boolean {
  return xml.trimEnd().endsWith("</testsuites>");
}

function readCases(xml: string): TestCase[] {
  const cases: TestCase[] = [];
  const suites: string[] = [];
  let current: TestCase | undefined;
  for (const [, closing, tag, attributes, selfClosing] of xml.matchAll(TAG)) {
    if (closing) {
      if (tag === "testcase") current = undefined;
      else if (tag === "testsuite") suites.pop();
    } else if (tag === "testsuite") {
      if (!selfClosing) suites.push(attribute(attributes, "name"));
    } else if (tag === "testcase") {
      current = {
        // Deno and Bun put a file's tests into a suite named after a file.
        suites: suites.filter((name) => !name.endsWith(".ts")),
        name: attribute(attributes, "name"),
        failure: undefined,
        skipped: false,
      };
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

function decode(text: string): string {
  return text.replaceAll(/&\w+;/g, (entity) => ENTITIES[entity] ?? entity);
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
