// Under Deno the package needs --allow-net and nothing else.

import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Program, run } from "./processes.ts";

const NET_ONLY = new URL("net_only.ts", import.meta.url).pathname;
const KEYGEN = new URL("../../src/certificates/keygen.ts", import.meta.url).pathname;
const MOD = new URL("../../mod.ts", import.meta.url).href;

describe("under Deno the package", () => {
  it("needs no permission to be imported and to make a socket", async () => {
    const program = `import { Push } from "${MOD}";
      const push = new Push({ linger: 0 });
      await push.close();
      await Deno.stdout.write(new TextEncoder().encode(push.type));`;
    const folder = await Deno.makeTempDir({ prefix: "wasmq-permissions-" });
    try {
      await Deno.writeTextFile(`${folder}/program.ts`, program);
      const output = await run(Deno.execPath(), ["run", "--no-prompt", `${folder}/program.ts`]);
      assertEquals(output, "8"); // ZMQ_PUSH
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  it("needs --allow-net alone to talk", async () => {
    await run(Deno.execPath(), ["run", "--no-prompt", "--allow-net", NET_ONLY]);
  });

  it("needs --allow-read and --allow-write for certificates, and no more than their folder", async () => {
    const folder = await Deno.makeTempDir({ prefix: "wasmq-permissions-" });
    try {
      const permitted = [`--allow-read=${folder}`, `--allow-write=${folder}`];
      const args = ["run", "--no-prompt", ...permitted, KEYGEN];
      await run(Deno.execPath(), [...args, `${folder}/a`]);
      await run(Deno.execPath(), [...args, `${folder}/a`, "--force"]);
      const program = new Program(Deno.execPath(), ["run", "--no-prompt", KEYGEN, `${folder}/b`]);
      assertEquals(await program.ends(), 1);
      assertStringIncludes(program.errors, "run with --allow-read --allow-write");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  it("says what is missing without --allow-net", async () => {
    const program = new Program(Deno.execPath(), ["run", "--no-prompt", NET_ONLY]);
    assertNotEquals(await program.ends(), 0);
    assertStringIncludes(program.errors, "--allow-net");
  });
});
