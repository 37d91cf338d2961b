import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { idsIn, idsInSource, judge, mistakesIn } from "./conformance.ts";
import type { TestResult } from "./junit.ts";

const SECTIONS = [
  { section: "1. First", ids: { "REQ-01": "M", "REQ-Q1": "M", "GV-C-01": "GV" } },
  { section: "2. Second", ids: { "ZAP-REQ-01": "S" } },
];

function ran(outcome: TestResult["outcome"], ...titles: string[]): TestResult[] {
  return titles.map((title) => ({ title, outcome }));
}

describe("idsIn()", () => {
  it("finds whole IDs only", () => {
    assertEquals(idsIn("s > REQ-01, REQ-Q1: it does (GV-C-01)"), ["REQ-01", "REQ-Q1", "GV-C-01"]);
    assertEquals(idsIn("ZAP-REQ-01"), ["ZAP-REQ-01"]);
    assertEquals(idsIn("REQ-01-03"), ["REQ-01-03"]);
    assertEquals(idsIn("UTF-8, REQ-1, REQ-011, xREQ-01, REQ-01a, REQ-01-b, GV-30, 2026-11-21"), []);
  });

  it("leaves comments out of a source", () => {
    const source = `// REQ-01\n/** REQ-02\n * REQ-03 */\nit("REQ-04", () => {});`;
    assertEquals(idsInSource(source), ["REQ-04"]);
  });
});

describe("judge()", () => {
  it("counts a requirement when a test that passed has it in its title", () => {
    const tests = [...ran("passed", "REQ-01 > a", "b (REQ-01)"), ...ran("skipped", "REQ-Q1")];
    const { sections, mistakes } = judge(SECTIONS, { "GV-C-01": "a reason" }, tests);
    assertEquals(sections, [
      {
        section: "1. First",
        total: 3,
        covered: ["REQ-01"],
        notApplicable: ["GV-C-01"],
        missing: ["REQ-Q1"],
        failed: [],
      },
      {
        section: "2. Second",
        total: 1,
        covered: [],
        notApplicable: [],
        missing: ["ZAP-REQ-01"],
        failed: [],
      },
    ]);
    assertEquals(mistakes, []);
  });

  it("counts none that a failed test has in its title", () => {
    const tests = [...ran("passed", "REQ-01 > a"), ...ran("failed", "REQ-01 > b")];
    const [{ covered, failed, missing }] = judge(SECTIONS, {}, tests).sections;
    assertEquals([covered, failed, missing], [[], ["REQ-01"], ["REQ-Q1", "GV-C-01"]]);
  });
});

describe("mistakesIn()", () => {
  it("tells of IDs that do not exist, contradict, or lack a reason", () => {
    const excuses = { "REQ-01": "a reason", "REQ-Q1": " ", "ZAP-REQ-02": "a reason" };
    assertEquals(
      mistakesIn(SECTIONS, excuses, new Set(["LZ-DEV-05", "REQ-01", "REQ-02", "ZAP-REQ-01"])),
      [
        "A test covers REQ-01, said not to apply",
        "A test names REQ-02, which is no requirement",
        "REQ-Q1 is said not to apply without a reason",
        "ZAP-REQ-02 is said not to apply, and is no requirement",
      ],
    );
  });
});
