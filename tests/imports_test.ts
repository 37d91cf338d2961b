// The import-direction test: reads every source and fails on a breach of the rules of the house.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { FACES, findBreaches, type Tree } from "./_util/house_rules.ts";
import { blank, importsOf } from "./_util/source_text.ts";

interface FileSystem {
  readFileSync(path: URL, encoding: "utf8"): string;
  readdirSync(path: URL, options: { recursive: true }): string[];
}

const { process } = globalThis as unknown as {
  process: { getBuiltinModule(name: "node:fs"): FileSystem };
};

function readProject(): Tree {
  const fs = process.getBuiltinModule("node:fs");
  const root = new URL("../", import.meta.url);
  const sources = fs.readdirSync(new URL("src/", root), { recursive: true })
    .map((path) => `src/${path.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".ts"))
    .sort();
  const paths = [...FACES, "wasm/layout.ts", ...sources];
  return new Map(paths.map((path) => [path, fs.readFileSync(new URL(path, root), "utf8")]));
}

function breachesOf(files: Readonly<Record<string, string>>): string[] {
  return findBreaches(new Map(Object.entries(files)));
}

describe("the sources", () => {
  it("keep the rules of the house", () => {
    const tree = readProject();
    assert(tree.size > 2);
    assertEquals(findBreaches(tree), []);
  });
});

describe("findBreaches()", () => {
  it("accepts imports that go down", () => {
    assertEquals(
      breachesOf({
        "mod.ts": `export { Push } from "./src/sockets/push.ts";\nexport * from "./src/errors.ts";`,
        "src/errors.ts": `export class E extends Error {}`,
        "src/clock.ts": `export const now = () => performance.now();`,
        "src/wire/greeting.ts": `import { E } from "../errors.ts";\nthrow new E();`,
        "src/core/core.ts":
          `import { SIZE } from "../../wasm/layout.ts";\nnew WebAssembly.Memory(SIZE);`,
        "wasm/layout.ts": `export const SIZE = 1;`,
        "src/session/session.ts": `import "../wire/greeting.ts";`,
        "src/routing/pipe.ts": `import { core } from "../core/core.ts";`,
        "src/link/stream.ts": `import "../session/session.ts";\nimport "../routing/pipe.ts";`,
        "src/runtime/node.ts":
          `import type { Stream } from "../link/stream.ts";\nprocess.getBuiltinModule("node:net");`,
        "src/certificates/files.ts":
          `import "../runtime/node.ts";\nimport { core } from "../core/core.ts";`,
        "src/patterns/base/time.ts": `setTimeout(() => {}, 5);`,
        "src/patterns/clone/server.ts":
          `import { Push } from "../../../mod.ts";\nimport "../base/time.ts";`,
        "src/sockets/push.ts":
          `import "../link/stream.ts";\nimport { d } from "../runtime/node.ts";`,
      }),
      [],
    );
  });

  const breaches: Readonly<Record<string, [Readonly<Record<string, string>>, string]>> = {
    "an import that goes up": [
      { "src/wire/a.ts": `import { b } from "../link/b.ts";`, "src/link/b.ts": "" },
      "src/wire/a.ts imports src/link/b.ts: wire may import leaf",
    ],
    "a leaf that imports a layer": [
      { "src/errors.ts": `import { b } from "./wire/b.ts";`, "src/wire/b.ts": "" },
      "src/errors.ts imports src/wire/b.ts: leaf may import nothing above itself",
    ],
    "a re-export that goes up": [
      { "src/core/a.ts": `export * from "../sockets/b.ts";`, "src/sockets/b.ts": "" },
      "src/core/a.ts imports src/sockets/b.ts: core may import leaf, wire",
    ],
    "routing that imports session": [
      { "src/routing/a.ts": `import type { B } from "../session/b.ts";`, "src/session/b.ts": "" },
      "src/routing/a.ts imports src/session/b.ts: routing may import leaf, wire, core, security",
    ],
    "a socket that imports certificates": [
      { "src/sockets/a.ts": `import "../certificates/b.ts";`, "src/certificates/b.ts": "" },
      "src/sockets/a.ts imports src/certificates/b.ts: sockets may import leaf, wire, core, security, session, routing, link, runtime",
    ],
    "a pattern that imports what users cannot": [
      { "src/patterns/a/b.ts": `import "../../errors.ts";`, "src/errors.ts": "" },
      "src/patterns/a/b.ts imports src/errors.ts: patterns may import face",
    ],
    "a public face that imports a pattern": [
      { "mod.ts": `export * from "./src/patterns/mod.ts";`, "src/patterns/mod.ts": "" },
      "mod.ts imports src/patterns/mod.ts: face may import leaf, wire, core, security, session, routing, link, runtime, sockets",
    ],
    "a runtime that imports values of link": [
      { "src/runtime/a.ts": `import { b, type C } from "../link/b.ts";`, "src/link/b.ts": "" },
      "src/runtime/a.ts imports src/link/b.ts: a runtime may import types of link only",
    ],
    "a package": [
      { "src/wire/a.ts": `import chalk from "chalk";` },
      "src/wire/a.ts imports chalk: not a file of this package",
    ],
    "a computed import": [
      { "src/wire/a.ts": `await import(name);` },
      "src/wire/a.ts imports something computed",
    ],
    "an import without its ending": [
      { "src/wire/a.ts": `import { b } from "./b";` },
      "src/wire/a.ts imports ./b: it must end in .ts",
    ],
    "a cycle": [
      { "src/a.ts": `import { b } from "./b.ts";`, "src/b.ts": `import { a } from "./a.ts";` },
      "Import cycle: src/a.ts > src/b.ts > src/a.ts",
    ],
    "a runtime's name": [
      { "src/link/a.ts": `const x =\n  Deno.pid;` },
      "src/link/a.ts:2 names Deno: allowed in src/runtime/",
    ],
    "process": [
      { "src/link/a.ts": "const x = `${process.pid}`;" },
      "src/link/a.ts:1 names process: allowed in src/runtime/",
    ],
    "a node: module": [
      { "src/sockets/a.ts": `import net from "node:net";` },
      "src/sockets/a.ts:1 names node:net: allowed in src/runtime/",
    ],
    "a static import of a node: module": [
      { "src/runtime/a.ts": `import net from "node:net";` },
      "src/runtime/a.ts imports node:net: reach it by process.getBuiltinModule",
    ],
    "a timer": [
      { "src/link/a.ts": `setTimeout(() => {}, 5);` },
      "src/link/a.ts:1 names setTimeout: allowed in src/clock.ts and src/patterns/base/time.ts",
    ],
    "the clock": [
      { "src/session/a.ts": `const t = performance.now();` },
      "src/session/a.ts:1 names performance: allowed in src/clock.ts and src/patterns/base/time.ts",
    ],
    "WebAssembly outside the core": [
      { "src/link/a.ts": `type M = WebAssembly.Module;` },
      "src/link/a.ts:1 names WebAssembly: allowed in src/core/",
    ],
    "WebAssembly in two files": [
      { "src/core/a.ts": `WebAssembly;`, "src/core/b.ts": `WebAssembly;` },
      "WebAssembly is named in more than one file: src/core/a.ts, src/core/b.ts",
    ],
    "console": [
      { "src/link/a.ts": `console.log(1);` },
      "src/link/a.ts:1 names console: allowed in no file",
    ],
    "an unknown layer": [{ "src/misc/a.ts": "" }, "src/misc/a.ts is in no known layer"],
  };
  for (const [what, [files, breach]] of Object.entries(breaches)) {
    it(`reports ${what}`, () => assertEquals(breachesOf(files), [breach]));
  }

  it("lets types refer to each other", () => {
    assertEquals(
      breachesOf({
        "src/a.ts": `import { b } from "./b.ts";`,
        "src/b.ts": `import type { A } from "./a.ts";`,
      }),
      [],
    );
  });

  it("ignores comments and strings", () => {
    const source = `
      /** Use \`Deno.listen\` or import "node:net"; see console. */
      const a = "process.exit"; // setTimeout(
      const b = 'WebAssembly', c = /"Bun\\/[/"]console/.test(a), d = \`Date.now \${a + "}"} Deno\`;
      const e = this.process(a) / 2; // import { x } from "../link/x.ts";
      const url = "https://example.org"; queueMicrotask(() => {});`;
    assertEquals(breachesOf({ "src/wire/a.ts": source }), []);
  });
});

describe("importsOf()", () => {
  it("finds every kind of import", () => {
    const source = `
      import "./a.ts";
      import b from "./b.ts";
      import * as c from "./c.ts";
      import type { D } from "./d.ts";
      import { e, type F } from './e.ts';
      import g, {
        h, // "./no.ts"
      } from "./g.ts";
      import type from "./i.ts";
      export { j } from "./j.ts";
      export * as k from "./k.ts";
      export type { L } from "./l.ts";
      import type M from "./m.ts";
      const n = await import("./n.ts");
      export const text = "from './o.ts'";
      export const other = "p";`;
    assertEquals(
      importsOf(source).map(({ specifier, typeOnly }) => `${specifier}${typeOnly ? " type" : ""}`),
      [
        "./a.ts",
        "./b.ts",
        "./c.ts",
        "./d.ts type",
        "./e.ts",
        "./g.ts",
        "./i.ts",
        "./j.ts",
        "./k.ts",
        "./l.ts type",
        "./m.ts type",
        "./n.ts",
      ],
    );
  });
});

describe("blank()", () => {
  it("keeps the length and the lines", () => {
    const source = "a; /* b\n c */ 'd' // e\n`f${g({ h: `i` })}j` / k / 'l';";
    const code = blank(source, "comments and strings");
    assertEquals(code.length, source.length);
    assertEquals(code.replace(/ +/g, " "), "a; \n \n` ${g({ h: ` ` })} ` / k / ;");
  });
});
