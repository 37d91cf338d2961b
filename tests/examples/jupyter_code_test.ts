// The Jupyter kernel's parts that need no sockets: how cells become scripts, and what is told about code.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { chainAt, resolve, unfinishedAt } from "../../examples/apps/jupyter/chain.ts";
import { complete } from "../../examples/apps/jupyter/complete.ts";
import { completeness } from "../../examples/apps/jupyter/complete_code.ts";
import { codePointOffset, utf16Offset } from "../../examples/apps/jupyter/cursor.ts";
import { History } from "../../examples/apps/jupyter/history.ts";
import { inspectAt } from "../../examples/apps/jupyter/inspect.ts";
import { prepare } from "../../examples/apps/jupyter/prepare.ts";
import { scan } from "../../examples/apps/jupyter/tokens.ts";
import { transform } from "../../examples/apps/jupyter/transform.ts";

describe("a scan of a source", () => {
  const texts = (source: string): string[] => scan(source).tokens.map(({ text }) => text);

  it("tells divisions from regular expressions", () => {
    assertEquals(texts("a / b / c"), ["a", "/", "b", "/", "c"]);
    assertEquals(texts("x = /[/]b/g"), ["x", "=", "/[/]b/g"]);
    assertEquals(texts("return /a/"), ["return", "/a/"]);
    assertEquals(texts("(a) / b / c"), ["(", "a", ")", "/", "b", "/", "c"]);
  });

  it("follows templates into each other", () => {
    assertEquals(texts("`a${`b${c}`}d`"), ["`a${", "`b${", "c", "}`", "}d`"]);
    assertEquals(scan("`a${ {b: 1} }`").state, "balanced");
    assertEquals(scan("`a${").state, "open");
    assertEquals(scan("`a\nb").state, "open");
  });

  it("tells what more text can mend from what it cannot", () => {
    for (const source of ["(", "{ [", "f(`", "/* a", "if (x) {"]) {
      assertEquals(scan(source).state, "open", source);
    }
    for (const source of [")", "(]", "'a", '"a\nb"']) {
      assertEquals(scan(source).state, "broken", source);
    }
    for (const source of ["", "// (", "'('", "/[(]/", "/* ( */ 1"]) {
      assertEquals(scan(source).state, "balanced", source);
    }
  });
});

describe("a cell's declarations", () => {
  const code = (source: string): string => transform(source).code;

  it("become variables, columns kept", () => {
    assertEquals(code("const a = 1"), "var   a = 1");
    assertEquals(code("let a = 1, b = 2"), "var a = 1, b = 2");
    assertEquals(code("let a, b = 2; let c"), "var a = void 0, b = 2; var c = void 0");
    assertEquals(
      code("class A extends f({}) { x = 1 }\n(1)"),
      "var A = class A extends f({}) { x = 1 };\n(1)",
    );
  });

  it("stay as they are within brackets, and as parts of names", () => {
    for (
      const source of [
        "{ let a = 1 }\n1",
        "for (const a of b) { const c = a }",
        "f(class A {})",
        "x = class B {}",
        "a.let",
        "a.class",
      ]
    ) {
      assertEquals(code(source), source);
    }
  });

  it("are named, patterns as well", () => {
    const names = (source: string): readonly string[] => transform(source).names;
    assertEquals(
      names("const { a, b: { c }, d = 1, [k]: e, ...f } = x, [g, , [h = 2], ...i] = y"),
      [..."acdefghi"],
    );
    assertEquals(names("function f() { var x }\nasync function* g() {}\nclass C {}"), [
      "f",
      "g",
      "C",
    ]);
    assertEquals(names("const a = () => { const b = 1 }\nb"), ["a"]);
    assertEquals(names("var a = 1\nfoo, bar"), ["a"]);
  });

  it("lose their export", () => {
    assertEquals(code("export const a = 1"), " var   a = 1");
    assertEquals(code("export default class A {}"), " var A = class A {};");
    assertEquals(transform("export function f() {}").functions, ["f"]);
  });

  it("are imports, which become dynamic", () => {
    assertEquals(
      code('import a, { b as c, default as d, "x-y" as e } from "m"'),
      'var { default: a, b: c, default: d, "x-y": e } = await __jupyterImport("m");',
    );
    assertEquals(code("import * as ns from 'm'; ns"), "var ns = await __jupyterImport('m'); ns");
    assertEquals(
      code("import a, * as ns from 'm';"),
      "var ns = await __jupyterImport('m'), { default: a } = ns;",
    );
    assertEquals(code("import 'm'"), "await __jupyterImport('m');");
    assertEquals(
      code("import a from 'm' with { type: 'json' }"),
      "var { default: a } = await __jupyterImport('m', { with: { type: 'json' } });",
    );
    assertEquals(
      code("f(import('m'), import.meta.url, a.import('n'))"),
      "f(__jupyterImport('m'), __jupyterMeta.url, a.import('n'))",
    );
    assertEquals(code("import {\n  a\n} from 'm'\na").split("\n").length, 4);
  });

  it("leave a cell that is one object an object", () => {
    assertEquals((0, eval)(code("{a: 1, b: 2}")), { a: 1, b: 2 });
    assertEquals((0, eval)(code("{ 5 }")), 5);
  });
});

describe("a script of a cell", () => {
  const value = async (source: string): Promise<unknown> => {
    const script = prepare(source);
    for (const name of script.names) (globalThis as Record<string, unknown>)[name] ??= undefined;
    const result = (0, eval)(script.code);
    return script.waits ? (await result)[0] : result;
  };

  it("gives its last value, with await and without", async () => {
    const cases: readonly [source: string, expected: unknown][] = [
      ["1 + 1", 2],
      ["await 5", 5],
      ["await 5;", 5],
      ["const jupA = await 6\njupA", 6],
      ["const jupB: number = await 7, jupC = 1; jupB + jupC", 8],
      ["await 1, 2", 2],
      ["await 1\n;[3].length", 1],
      ["function jupF(x: number) { return x * 2 }\njupF(await 4)", 8],
      ["let jupI = 0\nwhile (jupI < 3)\n  jupI += await 1\njupI", 3],
      ["let jupW = 0\nwhile (jupW < 3)\n  jupW += await 1", undefined],
      ["let jupS = 0; for await (const x of [1, 2]) jupS += x", undefined],
      ["await 1; if (true) { 5 }", undefined],
      ["if (await true) {}\n[1, 2].length", 2],
      ["const jupM = await { a: 1 }\n[`a`]", undefined],
      ["[await 2]\n  .map((x) => x + 1)\n  .length", 1],
      ["interface JupT { a: number }\n(await 9 as number)", 9],
    ];
    for (const [source, expected] of cases) assertEquals(await value(source), expected, source);
  });

  it("does not wait for promises that nobody awaits", async () => {
    assertEquals(prepare("Promise.reject(1).catch(() => {})").waits, false);
    assertEquals(prepare("async function f() { await 1 }").waits, false);
    assertEquals(prepare("const f = async () => await 1").waits, false);
    assertEquals(prepare("await (f())").waits, true);
    assertEquals(prepare("for await (const a of b);").waits, true);
    assertEquals(await value("'await'"), "await");
  });

  it("declares again what was declared before, in any way", async () => {
    for (
      const again of [
        "const jupX = 1",
        "let jupX = 1",
        "var jupX = 1",
        "class jupX {}",
        "function jupX() {}",
        "const jupX = await 1",
      ]
    ) {
      await value(again);
      await value(`${again}; 0`);
    }
    await value("let jupX");
    assertEquals(await value("jupX"), undefined);
  });

  it("keeps what it declares after an await", async () => {
    await value(
      "const { jupP, ...jupQ } = await { jupP: 1, b: 2 }; class JupR { v = 3 }; function jupG() { return jupP }",
    );
    assertEquals(await value("[jupP, jupQ.b, new JupR().v, jupG()]"), [1, 2, 3, 1]);
  });

  it("has no types, and enums work", async () => {
    assertEquals(await value("enum JupE { A, B }\nJupE[1]"), "B");
    assertEquals(
      await value(
        "type JupY = string; const jupZ = <T,>(x: T): T => x; jupZ<number>(4) satisfies number",
      ),
      4,
    );
  });
});

describe("is_complete", () => {
  const status = (code: string): string => completeness(code).status;

  it("knows what is ready", () => {
    for (
      const code of [
        "",
        "1 + 1",
        "const a: number = 5",
        "await f()",
        "import a from 'b'",
        "if (x) {}",
        "interface A { b: string }",
        "// a",
        "enum A { B }",
        "{ a: 1 }",
        "for (const a of b) c()",
      ]
    ) {
      assertEquals(status(code), "complete", code);
    }
  });

  it("knows what is to be continued", () => {
    for (
      const code of [
        "if (x)",
        "if (x) {",
        "f(",
        "[1,",
        "a =",
        "a.",
        "a +",
        "`text",
        "/* a",
        "function f",
        "class A",
        "class A {",
        "try {}",
        "do { x() }",
        "for (const x of y)",
        "interface A {",
        "const f = (a: number) =>",
      ]
    ) {
      assertEquals(status(code), "incomplete", code);
    }
  });

  it("knows what nothing can mend", () => {
    for (const code of ["'a", "}", "(]", "let a b", "a b", "if (x) }"]) {
      assertEquals(status(code), "invalid", code);
    }
  });

  it("proposes an indent", () => {
    assertEquals(completeness("if (x) {"), { status: "incomplete", indent: "  " });
    assertEquals(completeness("f(() => {\n  if (x) {"), { status: "incomplete", indent: "      " });
    assertEquals(completeness("      a ="), { status: "incomplete", indent: "      " });
  });
});

describe("completion", () => {
  let called = 0;
  const globals = {
    apple: {
      core: { seeds: 5 },
      count: 1,
      get trap() {
        return called++;
      },
      "not-a-name": 1,
    },
    apply() {},
    Animal: class {},
    list: [{ inner: 1 }],
    proxy: new Proxy({}, { get: () => called++, ownKeys: () => (called++, []) }),
  };
  const matches = (code: string): readonly string[] => complete(code, code.length, globals).matches;

  it("finds globals, names of the cell and keywords", () => {
    assertEquals(matches("app"), ["apple", "apply"]);
    assertEquals(matches("const applause = 1; app"), ["applause", "apple", "apply"]);
    assertEquals(matches("f(awa"), ["await"]);
    assertEquals(complete("Anim", 4, globals).types, ["class"]);
  });

  it("finds properties of live objects, own ones first", () => {
    assertEquals(matches("apple.").slice(0, 3), ["core", "count", "trap"]);
    assertEquals(matches("x = apple.core.s"), ["seeds"]);
    assertEquals(matches("apple?.co"), ["core", "count", "constructor"]);
    assertEquals(matches("apple['core'].se"), ["seeds"]);
    assertEquals(matches("list[0].in"), ["inner"]);
    assertEquals(matches("'text'.toUpper"), ["toUpperCase"]);
    assertEquals(matches("[1].flatM"), ["flatMap"]);
    assert(!matches("apple.").includes("not-a-name"));
  });

  it("runs none of the user's code", () => {
    called = 0;
    assertEquals(matches("apple.trap."), []);
    assertEquals(matches("proxy."), []);
    assertEquals(matches("apply()."), []);
    assertEquals(called, 0);
  });

  it("says which text is to be replaced", () => {
    const { start, end } = complete("1 + apple.co + 2", 12, globals);
    assertEquals([start, end], [10, 12]);
  });

  it("keeps silent in comments, texts and numbers", () => {
    for (const code of ["// app", "'app", "`app", "5"]) assertEquals(matches(code), [], code);
  });

  it("finds the chain of names before the cursor", () => {
    assertEquals(unfinishedAt("a.b['c'][0]?.d")!.of, {
      root: { name: "a" },
      keys: ["b", "c", "0"],
    });
    assertEquals(unfinishedAt("f().x")!.of, "unknown");
    assertEquals(resolve({ root: { name: "apple" }, keys: ["core", "seeds"] }, globals), {
      value: 5,
    });
    assertEquals(resolve({ root: { name: "nobody" }, keys: ["x"] }, globals), undefined);
  });
});

describe("inspection", () => {
  const globals = {
    /** Adds. */
    add(a: number, b = 2): number {
      return a + b;
    },
    point: { x: 1, y: { z: 2 } },
    Shape: class Shape {},
  };
  const text = (code: string, position: number, detail = 0): string =>
    String(inspectAt(code, position, detail, globals)?.["text/plain"]);

  it("describes functions, and shows their source on demand", () => {
    assertStringIncludes(text("add", 2), "add: function");
    assertMatch(text("add", 2), /add ?\(a\s*, b\s*= 2\)/);
    assertStringIncludes(text("add", 2, 1), "return a + b");
    assertStringIncludes(text("Shape", 1), "Shape: class");
  });

  it("describes values, within chains and within calls", () => {
    assertStringIncludes(text("point.y", 2), "point: Object");
    assertStringIncludes(text("point.y", 7), "z: 2");
    assertStringIncludes(text("add(1, ", 7), "add: function");
    assertEquals(chainAt("f(a.b", 5)?.text, "b");
  });

  it("finds nothing for names that are not there", () => {
    assertEquals(inspectAt("nobody", 3, 0, globals), undefined);
    assertEquals(inspectAt("", 0, 0, globals), undefined);
  });
});

describe("cursor positions", () => {
  it("count characters, not units of UTF-16", () => {
    assertEquals(utf16Offset("a𝒳b", 2), 3);
    assertEquals(codePointOffset("a𝒳b", 3), 2);
    assertEquals(utf16Offset("ab", 99), 2);
    assertEquals(utf16Offset("ab", undefined), 2);
    assertEquals(utf16Offset("ab", -1), 2);
  });
});

describe("the history", () => {
  const filled = (): History => {
    const history = new History(4);
    for (const [i, text] of ["dropped", "a = 1", "b = 2", "a = 1", "show()"].entries()) {
      history.add(i + 1, text);
    }
    history.setOutput("'shown'");
    return history;
  };

  it("gives the last cells, and forgets the oldest", () => {
    assertEquals(filled().find({ hist_access_type: "tail", n: 2 }), [[1, 4, "a = 1"], [
      1,
      5,
      "show()",
    ]]);
    assertEquals(filled().find({ hist_access_type: "tail" }).length, 4);
    assertEquals(filled().find({ hist_access_type: "tail", n: 1, output: true }), [[1, 5, [
      "show()",
      "'shown'",
    ]]]);
    assertEquals(filled().find({ hist_access_type: "tail", n: 0 }), []);
  });

  it("gives ranges of this session", () => {
    assertEquals(filled().find({ hist_access_type: "range", session: 0, start: 2, stop: 4 }), [[
      1,
      2,
      "a = 1",
    ], [1, 3, "b = 2"]]);
    assertEquals(filled().find({ hist_access_type: "range", session: -1, start: 1, stop: 9 }), []);
  });

  it("searches with * and ?", () => {
    const search = (pattern: string, unique = false): readonly number[] =>
      filled().find({ hist_access_type: "search", pattern, unique, n: 10 }).map(([, line]) => line);
    assertEquals(search("a*"), [2, 4]);
    assertEquals(search("a*", true), [4]);
    assertEquals(search("? = 2"), [3]);
    assertEquals(search("*(*)"), [5]);
    assertEquals(search("*".repeat(40) + "z"), []);
    assertEquals(search("[ab]*"), []);
  });

  it("gives nothing for what it does not understand", () => {
    assertEquals(filled().find({}), []);
    assertEquals(filled().find({ hist_access_type: "everything", n: "all" }), []);
  });
});
