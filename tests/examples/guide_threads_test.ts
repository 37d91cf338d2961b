// The guide's programs with threads of their own.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { commandFor, Program } from "../_util/process.ts";
import { countLines } from "./tell.ts";

/** Runs a program to its end, with the permissions that its header asks for: a thread reads its own source. */
async function tell(name: string): Promise<string> {
  const command = commandFor(`../../examples/guide/${name}`);
  const program = new Program(
    command.flatMap((word) => word === "-A" ? ["--allow-net", "--allow-read"] : [word]),
  );
  try {
    return await program.succeeds();
  } catch (error) {
    throw new Error(`${name} printed\n${program.output}${program.errors}`, { cause: error });
  }
}

describe("the guide's programs with threads", () => {
  it("threads: every client is answered, by several threads", async () => {
    const story = await tell("threads.ts");
    assertEquals(countLines(story, /^client \d: 1798[45] primes up to 20000\d$/), 6, story);
    assertMatch(story, /^3 threads answered 6 clients$/m);
    assertStringIncludes(story, "all threads have ended");
  });

  it("black_box: the workers together get every message", async () => {
    const story = await tell("black_box.ts");
    assertMatch(story, /^50000 messages by 2 threads, \d+ a millisecond$/m);
    assertStringIncludes(story, "the sum of all prices is 2475000");
  });
});
