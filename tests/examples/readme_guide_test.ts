// The pages about the guide: what they name exists, and what exists they name.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import * as sockets from "../../mod.ts";
import * as patterns from "../../src/patterns/mod.ts";

interface FileSystem {
  existsSync(path: URL): boolean;
  readFileSync(path: URL, encoding: "utf8"): string;
  readdirSync(path: URL): string[];
}

const { process } = globalThis as unknown as {
  process: { getBuiltinModule(name: "node:fs"): FileSystem };
};
const fs = process.getBuiltinModule("node:fs");
const GUIDE = new URL("../../examples/guide/", import.meta.url);
const PATTERNS = new URL("../../docs/patterns/", import.meta.url);

/** The programs of the guide's chapters 1 to 5, and those of later ones that are here. */
const PROGRAMS = `
  hwserver hwclient hwserver2 hwserver3 hwserver4 hwclient2 hwclient3 hwclient4 version wuserver wuclient
  taskvent taskwork tasksink publisher subscriber interrupt
  msreader mspoller rrclient rrbroker rrworker msgqueue wuproxy taskwork2 tasksink2 mtserver mtrelay
  syncpub syncsub psenvpub psenvsub
  identity rtreq rtdealer rtpapa lbbroker lbbroker2 lbbroker3 asyncsrv asyncrrhandlers peering1 peering2 peering3
  lpclient lpserver spqueue spworker ppqueue ppworker mdbroker mdworker mdclient mdclient2 mdcliapi mdcliapi2
  mdwrkapi mdp mmiecho tripping titanic ticlient bstarsrv bstarcli bstar bstarsrv2 flclient1 flserver1
  flclient2 flserver2 flclient3 flserver3 flcliapi
  espresso pathopub pathosub lvcache suisnail clonesrv1 clonesrv2 clonesrv3 clonesrv4 clonesrv5 clonesrv6
  clonecli1 clonecli2 clonecli3 clonecli4 clonecli5 clonecli6 clone kvsimple kvmsg
  fileio1 fileio2 fileio3 eagain
`.trim().split(/\s+/);

interface Page {
  readonly name: string;
  readonly url: URL;
  readonly text: string;
}

function pageOf(url: URL): Page {
  return { name: url.pathname.split("/").at(-1)!, url, text: fs.readFileSync(url, "utf8") };
}

const guide = pageOf(new URL("README.md", GUIDE));
const pages = fs.readdirSync(PATTERNS).filter((name) => name.endsWith(".md")).sort()
  .map((name) => pageOf(new URL(name, PATTERNS)));

/** Where a page's links within the project go; code is not looked at. */
function linksOf({ text }: Page): string[] {
  const prose = text.replaceAll(/^```[^]*?^```$/gm, "").replaceAll(/`[^`]*`/g, "");
  return Array.from(prose.matchAll(/\]\(([^)\s]+)\)/g), ([, target]) => target)
    .filter((target) => !/^\w+:/.test(target));
}

/** The anchors of a page's headings, as the usual renderers make them. */
function anchorsOf({ text }: Page): string[] {
  return Array.from(text.matchAll(/^#+ (.*)$/gm), ([, heading]) => {
    return heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
  });
}

/** The links of a page that lead nowhere. */
function brokenLinksOf(page: Page): string[] {
  return linksOf(page).filter((link) => {
    const [path, anchor] = link.split("#");
    const url = path === "" ? page.url : new URL(path, page.url);
    if (!fs.existsSync(url)) return true;
    return anchor !== undefined && !anchorsOf(pageOf(url)).includes(anchor);
  });
}

/** The code blocks of a page in TypeScript. */
function codeOf({ text }: Page): string[] {
  return Array.from(text.matchAll(/^```ts\n([^]*?)^```$/gm), ([, code]) => code);
}

/** What a code block imports from this package as values, each with the module that should have it. */
function importsOf(code: string): [name: string, exports: object][] {
  const found: [string, object][] = [];
  for (const [, names, module] of code.matchAll(/^import \{([^}]*)\} from "([^"]+)"/gm)) {
    const exports = { "@wasmq/wasmq": sockets, "@wasmq/wasmq/patterns": patterns }[module];
    if (exports === undefined) continue;
    for (const name of names.split(",").map((item) => item.trim())) {
      if (name !== "" && !name.startsWith("type ")) found.push([name.split(" ")[0], exports]);
    }
  }
  return found;
}

/** What is missing, as a list for a readable failure. */
function missing(wanted: readonly string[], has: (name: string) => boolean): string[] {
  return wanted.filter((name) => !has(name));
}

function hasWord(text: string, word: string): boolean {
  return new RegExp(`\\b${word}\\b`).test(text);
}

describe("examples/guide/README.md", () => {
  it("names every program of the folder, and no other", () => {
    const programs = fs.readdirSync(GUIDE)
      .filter((name) => name.endsWith(".ts") && name !== "program.ts").sort();
    const linked = new Set(linksOf(guide).filter((link) => /^\w+\.ts$/.test(link)));
    assertEquals([...linked].sort(), programs);
    assertEquals(brokenLinksOf(guide), []);
  });

  it("says where every program of the guide is", () => {
    const section = guide.text.split(/^## Where the guide's programs are$/m)[1];
    assertEquals(missing(PROGRAMS, (name) => hasWord(section, name)), []);
  });

  it("tells which programs go on with --forever", () => {
    const programs = fs.readdirSync(GUIDE).filter((name) => name.endsWith(".ts"));
    const header = (name: string) => fs.readFileSync(new URL(name, GUIDE), "utf8").split(" */")[0];
    const endless = programs.filter((name) => header(name).includes("[--forever]"));
    const [sentence] = /With `--forever`,[^]*?\./.exec(guide.text)!;
    const named = Array.from(sentence.matchAll(/`(\w+)`/g), ([, name]) => `${name}.ts`);
    assertEquals(named.sort(), endless.sort());
  });
});

describe("docs/patterns", () => {
  it("has links and programs that exist", () => {
    const broken = pages.flatMap((page) =>
      brokenLinksOf(page).map((link) => `${page.name}: ${link}`)
    );
    assertEquals(broken, []);
    const programs = pages.flatMap(({ name, text }) =>
      Array.from(text.matchAll(/\bexamples\/[\w/]+\.ts\b/g), ([path]) => ({ name, path }))
    );
    const lost = programs.filter(({ path }) => !fs.existsSync(new URL(`../../${path}`, PATTERNS)));
    assertEquals(lost, []);
  });

  it("has an index that leads to every page", () => {
    const index = pages.find(({ name }) => name === "README.md")!;
    const linked = new Set(linksOf(index).map((link) => link.split("#")[0]));
    const others = pages.map(({ name }) => name).filter((name) => name !== "README.md");
    assertEquals(missing(others, (name) => linked.has(name)), []);
  });

  it("names every class that the patterns export", () => {
    const classes = Object.entries(patterns)
      .filter(([, value]) => typeof value === "function" && /^class\b/.test(String(value)))
      .map(([name]) => name);
    const text = pages.map((page) => page.text).join("\n");
    assertEquals(missing(classes, (name) => hasWord(text, name)), []);
  });

  it("has programs that import what there is", () => {
    const wrong = pages.flatMap((page) =>
      codeOf(page).flatMap(importsOf)
        .filter(([name, exports]) => !(name in exports))
        .map(([name]) => `${page.name}: ${name}`)
    );
    assertEquals(wrong, []);
  });
});
