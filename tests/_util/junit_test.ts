import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Counts, countTests, isWhole, readTests } from "./junit.ts";

function countReport(xml: string): Counts {
  return countTests(readTests(xml));
}

describe("readTests()", () => {
  it("leaves out the suites that Deno lists beside their tests", () => {
    const xml = `<testsuites><testsuite name="a_test.ts">
      <testcase name="s"><failure message="2 test steps failed">2</failure></testcase>
      <testcase name="s &gt; t"></testcase>
      <testcase name="s &gt; u"><failure message="Uncaught Error: x">x</failure></testcase>
      <testcase name="s &gt; v"><skipped/></testcase>
      </testsuite></testsuites>`;
    assertEquals(countReport(xml), { passed: 1, failed: 1, skipped: 1 });
  });

  it("counts a suite on Deno whose own hook fails", () => {
    const xml = `<testcase name="s"><failure message="Uncaught Error: after">x</failure></testcase>
      <testcase name="s &gt; t"></testcase>`;
    assertEquals(countReport(xml), { passed: 1, failed: 1, skipped: 0 });
  });

  it("reads names with a raw > as Node writes them", () => {
    const xml = `<testsuites><testsuite name="s"><testcase name="a -> b" time="0.1"/>
      <testcase name="c"><failure type="x" message="m">&lt;testcase name="d"/></failure></testcase>
      </testsuite><!-- tests 2 --></testsuites>`;
    assertEquals(countReport(xml), { passed: 1, failed: 1, skipped: 0 });
  });

  it("reads Bun's nested suites and Deno's cancelled tests", () => {
    const xml = `<testsuite name="f"><testsuite name="s"><testcase name="a" time="0" />
      <testcase name="b"><skipped message="TODO" /></testcase></testsuite>
      <testcase name="c"><error message="Cancelled"/></testcase></testsuite>`;
    assertEquals(countReport(xml), { passed: 1, failed: 1, skipped: 1 });
  });

  it("counts what a truncated report names", () => {
    assertEquals(countReport(`<testsuites><testcase name="a"/><testcase na`), {
      passed: 1,
      failed: 0,
      skipped: 0,
    });
    assertEquals(countReport(""), { passed: 0, failed: 0, skipped: 0 });
  });

  it("gives full titles: with the suites, without the file", () => {
    const bun = `<testsuites><testsuite name="tests/a_test.ts"><testsuite name="s">
      <testcase name="&quot;a&quot;" time="0"/></testsuite><testcase name="b"/></testsuite>
      <testsuite name="tests/b_test.ts"/><testcase name="c"/></testsuites>`;
    assertEquals(readTests(bun).map(({ title }) => title), ['s > "a"', "b", "c"]);
    const deno = `<testsuites><testsuite name="./tests/_std/testing/bdd.ts">
      <testcase name="s"></testcase></testsuite><testsuite name="ext:deno_node/testing.ts">
      <testcase name="s &gt; a &lt; b"></testcase></testsuite></testsuites>`;
    assertEquals(readTests(deno).map(({ title }) => title), ["s > a < b"]);
  });
});

describe("isWhole()", () => {
  it("is false for a report whose process ended early", () => {
    assertEquals(isWhole(`<testsuites><testcase name="a"/></testsuites>\n`), true);
    for (const xml of ["", `<testsuites><testcase name="a"/>\n`]) assertEquals(isWhole(xml), false);
  });
});
