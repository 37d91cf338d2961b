// The programs' types fit both modules: as they are, and with their import changed.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Stage } from "./stage.ts";

const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const PROGRAMS = new URL("./programs", import.meta.url).pathname;

async function check(folder: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--config", CONFIG, folder],
    env: { NO_COLOR: "1" },
  }).output();
  assertEquals(success, true, new TextDecoder().decode(stderr));
}

describe("the types of a program written for zeromq.js", () => {
  it("fit zeromq.js, or this test would say nothing", async () => {
    await check(PROGRAMS);
  });

  it("fit wasmq", async () => {
    const stage = new Stage();
    try {
      await check(stage.folder);
    } finally {
      stage.destroy();
    }
  });
});
