// What the entry for workerd is for, and what workerd forbids, on the real workerd.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { Pull } from "../../mod.ts";
import { textOf } from "../_util/bytes.ts";
import { Workerd } from "./workerd.ts";

const ENTRY = "@wasmq/wasmq/workerd";

for (const flags of [[], ["nodejs_compat"]]) {
  describe(`the entry for Deno, Bun and Node on workerd, with [${flags}]`, () => {
    let workerd: Workerd;
    before(async () => {
      workerd = await Workerd.start("tests/workerd/programs/wrong_entry.ts", { flags });
    });
    after(() => workerd?.kill());

    it("says which one to import where a socket is made", async () => {
      const told = await workerd.ask<string>("/socket");
      assertMatch(told, /^ZmqError ENOTSUP /);
      assertStringIncludes(told, ENTRY);
    });

    it("says which one to import where only the core is needed", async () => {
      const told = await workerd.ask<string>("/keys");
      assertMatch(told, /^ZmqError ENOTSUP Cannot compile the WebAssembly core here: /);
      assertStringIncludes(told, ENTRY);
    });
  });
}

describe("the entry for workerd", () => {
  let workerd: Workerd;
  before(async () => {
    workerd = await Workerd.start("tests/workerd/programs/global_scope.ts");
  });
  after(() => workerd?.kill());

  it("brings the compiled core", async () => {
    assertEquals(await workerd.ask("/core"), "EBUSY");
  });

  it("refuses to connect at global scope by name", async () => {
    assertEquals(
      await workerd.ask("/told"),
      'ENOTSUP Cannot connect "tcp://127.0.0.1:5555": workerd permits no I/O at global scope; ' +
        "connect in a handler",
    );
  });

  it("serves handlers all the same", async () => {
    const pull = new Pull({ receiveTimeout: 30_000 });
    await pull.bind("tcp://127.0.0.1:*");
    const sent = workerd.ask("/push", { to: pull.lastEndpoint! });
    assertEquals((await pull.receive()).map(textOf), ["in a handler"]);
    assertEquals(await sent, 1);
    await pull.close();
  });
});
