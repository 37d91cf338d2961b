// Every requirement has a test that names it, or a reason why it does not apply. That those tests pass is what
// `deno task conformance` shows.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { mistakesIn } from "../_util/conformance.ts";
import { idsByFile, NOT_APPLICABLE, REQUIREMENTS } from "../_util/conformance_files.ts";

const named = new Set([...idsByFile().values()].flatMap((ids) => [...ids]));

describe("the requirements of the specification", () => {
  it("are all named by a test, or do not apply for a reason", () => {
    const ids = REQUIREMENTS.flatMap((section) => Object.keys(section.ids));
    assertEquals(ids.length, new Set(ids).size);
    assertEquals(ids.filter((id) => !named.has(id) && !(id in NOT_APPLICABLE)), []);
  });

  it("are the only ones that tests name", () => {
    assertEquals(mistakesIn(REQUIREMENTS, NOT_APPLICABLE, named), []);
  });
});
