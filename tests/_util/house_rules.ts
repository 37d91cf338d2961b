// The rules of the house, as CONTRIBUTING.md states them: who may import whom, and which file may
// name a runtime, the clock or WebAssembly. Works on a tree in memory so that it can be tested.

import { blank, importsOf, type ImportStatement } from "./source_text.ts";

/** Paths from the project's root, such as "src/wire/greeting.ts", with the text of each file. */
export type Tree = ReadonlyMap<string, string>;

const SOCKETS = "sockets";
const LINK = "link";
const RUNTIME = "runtime";
const CERTIFICATES = "certificates";
const PATTERNS = "patterns";

/** For each layer the layers below it: down only, and session and routing never meet. */
const BELOW: Readonly<Record<string, readonly string[]>> = {
  leaf: [],
  wire: ["leaf"],
  core: ["leaf", "wire"],
  security: ["leaf", "wire", "core"],
  session: ["leaf", "wire", "core", "security"],
  routing: ["leaf", "wire", "core", "security"],
  [LINK]: ["leaf", "wire", "core", "security", "session", "routing"],
  [RUNTIME]: ["leaf"],
  [SOCKETS]: ["leaf", "wire", "core", "security", "session", "routing", LINK, RUNTIME],
  // An entry of its own, which sockets do not need.
  [CERTIFICATES]: ["leaf", "wire", "core", "security", RUNTIME],
  face: ["leaf", "wire", "core", "security", "session", "routing", LINK, RUNTIME, SOCKETS],
  // Another one, written on what users have.
  [PATTERNS]: ["face"],
};

/** Titanic's requests are on the disk: the one pattern that needs something of the runtime. */
const TITANIC_FILES = "src/patterns/titanic/files.ts";
const CLOCKS = ["src/clock.ts", "src/patterns/base/time.ts"];

interface NameRule {
  readonly name: RegExp;
  readonly allowed: (path: string) => boolean;
  readonly place: string;
  /** Also look into strings: `getBuiltinModule("node:net")`. */
  readonly inStrings?: boolean;
}

const NAME_RULES: readonly NameRule[] = [
  {
    name: /(?<![\w$])(?:Deno|Bun)(?![\w$])|(?<![\w$.])process(?![\w$])|globalThis\??\.process\b/g,
    allowed: (path) => layerOf(path) === RUNTIME || path === TITANIC_FILES,
    place: "src/runtime/",
  },
  {
    name: /["'`]node:\w*/g,
    allowed: (path) => layerOf(path) === RUNTIME || path === TITANIC_FILES,
    place: "src/runtime/",
    inStrings: true,
  },
  {
    name:
      // A method of that name is another thing: sockets of Node have one.
      /(?<![\w$.])(?:globalThis\s*\.\s*)?(?:(?:set|clear)(?:Timeout|Interval|Immediate)(?!\?)|performance\s*\.|Date\s*\.\s*now|new\s+Date|AbortSignal\s*\.\s*timeout)(?![\w$])?/g,
    allowed: (path) => CLOCKS.includes(path),
    place: CLOCKS.join(" and "),
  },
  {
    name: /(?<![\w$])WebAssembly(?![\w$])/g,
    allowed: (path) => layerOf(path) === "core",
    place: "src/core/",
  },
  { name: /(?<![\w$])console(?![\w$])/g, allowed: () => false, place: "no file" },
];

/** Every breach of the rules in the tree, one sentence each. */
export function findBreaches(tree: Tree): string[] {
  const breaches: string[] = [];
  const valueImports = new Map<string, string[]>();
  for (const [path, source] of tree) {
    const layer = layerOf(path);
    if (layer === undefined || !(layer in BELOW)) {
      breaches.push(`${path} is in no known layer`);
      continue;
    }
    const imports = importsOf(source);
    for (const each of imports) breaches.push(...importBreaches(tree, path, layer, each));
    breaches.push(...nameBreaches(path, source));
    const values = imports.filter(({ typeOnly, specifier }) => !typeOnly && specifier !== "");
    valueImports.set(path, values.map(({ specifier }) => target(path, specifier)));
  }
  breaches.push(...wasmBreaches(tree));
  breaches.push(...findCycles(valueImports).map((cycle) => `Import cycle: ${cycle.join(" > ")}`));
  return breaches;
}

/** What programs import: the runtimes that have sockets, and those that need something else. */
export const FACES: readonly string[] = ["mod.ts", "browser.ts", "workerd.ts"];

/** What workerd has, or is given, beside the package's own modules. */
const OF_WORKERD: readonly string[] = ["cloudflare:sockets", "./src/core/core.wasm"];

/** The layer of a file: a folder of src, "leaf" for its own files, "face" for the entries. */
export function layerOf(path: string): string | undefined {
  if (FACES.includes(path) || path.startsWith("src/entries/")) return "face";
  // Constants that the AssemblyScript sources and src share.
  if (path === "wasm/layout.ts") return "leaf";
  const [root, folder, ...rest] = path.split("/");
  if (root !== "src") return undefined;
  return rest.length === 0 ? "leaf" : folder;
}

function importBreaches(
  tree: Tree,
  path: string,
  layer: string,
  { specifier, typeOnly }: ImportStatement,
): string[] {
  if (specifier.startsWith("node:")) {
    if (layer !== RUNTIME) return []; // reported for its name
    return [`${path} imports ${specifier}: reach it by process.getBuiltinModule`];
  }
  if (path === "workerd.ts" && OF_WORKERD.includes(specifier)) return [];
  if (specifier === "") return [`${path} imports something computed`];
  if (!/^\.\.?\//.test(specifier)) {
    return [`${path} imports ${specifier}: not a file of this package`];
  }
  if (!specifier.endsWith(".ts")) return [`${path} imports ${specifier}: it must end in .ts`];
  const imported = target(path, specifier);
  const importedLayer = layerOf(imported);
  if (importedLayer === undefined) return [`${path} imports ${imported}: outside src/`];
  if (!tree.has(imported)) return [`${path} imports ${imported}: there is no such file`];
  if (importedLayer === layer || BELOW[layer].includes(importedLayer)) return [];
  // The contract with a runtime belongs to link; a runtime only needs its types.
  if (layer === RUNTIME && importedLayer === LINK && typeOnly) return [];
  const why = layer === RUNTIME && importedLayer === LINK
    ? "a runtime may import types of link only"
    : `${layer} may import ${BELOW[layer].join(", ") || "nothing above itself"}`;
  return [`${path} imports ${imported}: ${why}`];
}

/** The path that an import in file `path` leads to. */
function target(path: string, specifier: string): string {
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}

function nameBreaches(path: string, source: string): string[] {
  const code = blank(source, "comments and strings");
  const codeWithStrings = blank(source, "comments");
  return NAME_RULES.filter((rule) => !rule.allowed(path)).flatMap((rule) =>
    [...(rule.inStrings ? codeWithStrings : code).matchAll(rule.name)].map((match) => {
      const line = code.slice(0, match.index).split("\n").length;
      return `${path}:${line} names ${
        match[0].replace(/^["'`]|\W+$/g, "")
      }: allowed in ${rule.place}`;
    })
  );
}

/** One file, not merely one folder, is the seam to WebAssembly. */
function wasmBreaches(tree: Tree): string[] {
  const files = [...tree].filter(([path, source]) =>
    layerOf(path) === "core" && /\bWebAssembly\b/.test(blank(source, "comments and strings"))
  ).map(([path]) => path);
  return files.length > 1
    ? [`WebAssembly is named in more than one file: ${files.join(", ")}`]
    : [];
}

/** The cycles of a graph, one for each edge that closes one. */
function findCycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const finished = new Set<string>();
  const trail: string[] = [];
  const visit = (node: string): void => {
    const start = trail.indexOf(node);
    if (start >= 0) {
      cycles.push([...trail.slice(start), node]);
      return;
    }
    if (finished.has(node)) return;
    trail.push(node);
    for (const next of graph.get(node) ?? []) if (graph.has(next)) visit(next);
    trail.pop();
    finished.add(node);
  };
  for (const node of graph.keys()) visit(node);
  return cycles;
}
