import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import * as everything from "../../mod.ts";
import { browserBundle } from "../_util/chromium.ts";

interface Zlib {
  gzipSync(text: string, options: { level: number }): Uint8Array;
}

const { process } = globalThis as unknown as {
  process: { getBuiltinModule(name: "node:zlib"): Zlib };
};

/** What a page has no use for: it cannot listen, and talks to programs with ZeroMQ alone. */
const LEFT_OUT = ["Authenticator", "Proxy", "Stream", "upgrade", "webSocketHandlers"];

describe("The bundle for pages", () => {
  const text = browserBundle();

  it("has at most 60 000 octets when gzipped, with the core", () => {
    const { length } = process.getBuiltinModule("node:zlib").gzipSync(text, { level: 9 });
    assert(length <= 60_000, `it has ${length}`);
  });

  it("is one file that imports nothing", () => {
    assertEquals(/\bimport\s*[({"']|\bfrom\s*"/.exec(text), null);
    for (const name of ["node:", "getBuiltinModule", "cloudflare", "Deno", "Bun."]) {
      assert(!text.includes(name), `it names ${name}`);
    }
  });

  it("exports what the package does, but for what a page cannot use", () => {
    const [, list] = /export\s*\{([^}]*)\};?\s*$/.exec(text)!;
    const exported = list.split(",").map((entry) => entry.split(" as ").at(-1)!.trim());
    const expected = Object.keys(everything).filter((name) => !LEFT_OUT.includes(name));
    assertEquals(exported.sort(), expected.sort());
  });
});
