import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { batchesOf, runsOn, type Runtime, type RuntimeName } from "./test_runner.ts";

const runtime = (name: RuntimeName): Runtime => ({ name, binary: name, version: "1" });
const ALONE = ["tests/keys_test.ts", "tests/runtimes/a_test.ts", "tests/core/models/a_test.ts"];
const WIRE = Array.from({ length: 9 }, (_, i) => `tests/wire/${i}_test.ts`);

describe("batchesOf()", () => {
  it("puts files of one folder together, a few at a time, and leaves the others alone", () => {
    const batches = batchesOf([...WIRE, ...ALONE, "tests/link/a_test.ts"], runtime("deno"));
    assertEquals(batches.map(({ label }) => label), [
      ...ALONE,
      "tests/wire 1/2",
      "tests/wire 2/2",
      "tests/link/a_test.ts",
    ]);
    assertEquals(
      batches.flatMap(({ files }) => files).toSorted(),
      [
        ...WIRE,
        ...ALONE,
        "tests/link/a_test.ts",
      ].toSorted(),
    );
    assert(batches.every(({ files }) => files.length <= 8));
  });

  it("leaves files of the core alone on Bun", () => {
    const core = ["tests/core/a_test.ts", "tests/core/b_test.ts"];
    assertEquals(
      batchesOf(core, runtime("bun")).map(({ files }) => files),
      core.map((file) => [file]),
    );
    const node = runtime("node24");
    assertEquals(batchesOf(core, node), [{ runtime: node, label: "tests/core", files: core }]);
  });
});

describe("runsOn()", () => {
  it("goes by the file's name", () => {
    for (const whole of [false, true]) {
      assert(runsOn("tests/a_test.ts", "bun", whole));
      assert(runsOn("tests/a.node_test.ts", "node22", whole));
      assert(!runsOn("tests/a.node_test.ts", "deno", whole));
      assert(runsOn("tests/runtimes/a_test.ts", "node22", whole));
    }
  });

  it("leaves out of a whole run what another runtime shows", () => {
    const options = "tests/interop/pubsub_options_test.ts";
    assert(runsOn(options, "deno", true));
    assert(!runsOn(options, "bun", true));
    assert(runsOn(options, "bun", false));
    assert(runsOn("tests/core/a_test.ts", "bun", true));
    assert(!runsOn("tests/core/a_test.ts", "node24", true));
    assert(runsOn("tests/core/a_test.ts", "node24", false));
    assert(runsOn("tests/interop/pubsub_test.ts", "node24", true));
    assert(!runsOn("tests/interop/pubsub_test.ts", "node22", true));
  });
});
