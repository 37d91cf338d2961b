// The main job on a small folder, with whatever runtimes are there.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

const main = new URL("../../examples/demo/main.ts", import.meta.url);

async function demo(...args: string[]): Promise<{ code: number; text: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", main.href, ...args],
    stdout: "piped",
    stderr: "piped",
  });
  const { code, stdout, stderr } = await command.output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

describe("the demo", () => {
  it("counts the words of a folder on several runtimes, as a single process does", async () => {
    const folder = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${folder}/a.txt`, "to be or not to be\n".repeat(5_000));
      await Deno.writeTextFile(`${folder}/b.txt`, "that is the question\n".repeat(5_000));
      const { code, text } = await demo(folder, "--repeat", "20");
      assertEquals(code, 0, text);
      assertStringIncludes(text, "matches the single-process count");
      assert(/deno +\d+\.\d %/.test(text), text);
      assert(/\bbe +200,000/.test(text), text);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  it("says what is wrong with a folder that is not there", async () => {
    const { code, text } = await demo("/no/such/folder");
    assertEquals(code, 1, text);
    assertStringIncludes(text, "/no/such/folder");
  });
});
