// Builds the npm package: dist/npm/ with .js and .d.ts, and from it dist/wasmq-<version>.tgz.
// JSR and git users get the sources as they are; Node refuses TypeScript inside node_modules.

const ROOT = new URL("../", import.meta.url);
const DIST = new URL("dist/", ROOT);
const PACKAGE = new URL("npm/", DIST);
const TEXTS = ["README.md", "MIGRATION.md", "CHANGELOG.md", "LICENSE"];

/** The conditions by which runtimes and bundlers choose; the first that holds counts. */
const CONDITIONS = ["workerd", "deno", "bun", "node", "browser", "default"];
/** Those that have an entry of their own in the place of mod.ts. */
const OWN: Readonly<Record<string, string>> = { workerd: "./workerd", browser: "./browser" };

/** The entry for pages and all that it needs, in one file that no bundler has to touch. */
const BUNDLE = "browser.min.js";
/** What the compiler does not copy: the core as workerd takes it. */
const CORE = "src/core/core.wasm";

/** What users may import, and from where. */
const ENTRIES = {
  ".": "./mod",
  "./browser": "./browser",
  "./workerd": "./workerd",
  "./certificates": "./src/certificates/mod",
  "./keygen": "./src/certificates/keygen",
  "./patterns": "./src/patterns/mod",
};

/** What the build takes from the project's package.json. */
interface ProjectManifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly keywords: readonly string[];
  readonly license: string;
  readonly engines: Readonly<Record<string, string>>;
}

/** What `npm pack --json` tells about the tarball. */
interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

async function readJson<T>(name: string): Promise<T> {
  return JSON.parse(await Deno.readTextFile(new URL(name, ROOT)));
}

async function run(command: string, args: readonly string[], cwd: URL): Promise<string> {
  const { success, stdout } = await new Deno.Command(command, {
    args: [...args],
    cwd,
    stdin: "null",
    stderr: "inherit",
  }).output();
  const output = new TextDecoder().decode(stdout);
  if (!success) throw new Error(`${command} ${args[0]} failed\n${output}`);
  return output;
}

/** Compiles the modules of ENTRIES and what they import: the same as in tsconfig.json. */
async function compile(): Promise<void> {
  const tsc = new URL("node_modules/typescript/bin/tsc", ROOT).pathname;
  await run(Deno.execPath(), ["run", "-A", tsc, "--project", "npm/tsconfig.json"], ROOT);
}

async function bundle(): Promise<void> {
  await run(new URL("node_modules/.bin/esbuild", ROOT).pathname, [
    "browser.ts",
    "--bundle",
    "--minify",
    "--format=esm",
    "--platform=browser",
    "--target=es2022",
    "--log-level=warning",
    `--outfile=${new URL(BUNDLE, PACKAGE).pathname}`,
  ], ROOT);
}

async function* filesIn(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesIn(new URL(`${name}/`, folder));
    else yield new URL(name, folder);
  }
}

/** Points a declaration at the .js files beside it: the compiler rewrites only the code. */
async function rewriteDeclaration(file: URL): Promise<void> {
  const text = await Deno.readTextFile(file);
  const specifier = /(\bfrom\s*|\bimport\s*\(?\s*)"(\.{1,2}\/[^"]*)\.ts"/g;
  await Deno.writeTextFile(file, text.replace(specifier, '$1"$2.js"'));
}

function manifestFor(project: ProjectManifest): Record<string, unknown> {
  const { name, version, description, keywords, license, engines } = project;
  const exports = Object.entries(ENTRIES).map(([name, module]) => {
    const entries = CONDITIONS.map((condition) => {
      const file = name === "." ? OWN[condition] ?? module : module;
      return [condition, { types: `${file}.d.ts`, default: `${file}.js` }];
    });
    return [name, Object.fromEntries(entries)];
  });
  return {
    name,
    version,
    description,
    keywords,
    license,
    type: "module",
    engines,
    // The entries say which runtime there is; other modules do nothing until something is called.
    sideEffects: ["./mod.js", "./browser.js", "./workerd.js"],
    exports: {
      ...Object.fromEntries(exports),
      [`./${BUNDLE}`]: `./${BUNDLE}`,
      "./package.json": "./package.json",
    },
    unpkg: `./${BUNDLE}`,
    jsdelivr: `./${BUNDLE}`,
    bin: { "wasmq-keygen": `${ENTRIES["./keygen"]}.js` },
    files: ["**/*.js", "**/*.d.ts", "**/*.wasm", "CHANGELOG.md", "MIGRATION.md"],
  };
}

async function pack(): Promise<Packed> {
  const args = [
    "pack",
    "--json",
    "--ignore-scripts",
    "--pack-destination",
    "..",
    "--loglevel=error",
  ];
  const [packed] = JSON.parse(await run("npm", args, PACKAGE)) as Packed[];
  return packed;
}

function report({ filename, size, unpackedSize, files }: Packed): string {
  const lines = files.map(({ path, size }) => `${String(size).padStart(8)}  ${path}`);
  const total = `dist/${filename}: ${files.length} files, ${size} bytes, ${unpackedSize} unpacked`;
  return [...lines, "", total, ""].join("\n");
}

const project = await readJson<ProjectManifest>("package.json");
const { version } = await readJson<{ version: string }>("deno.json");
if (project.version !== version) {
  throw new Error(`deno.json says version ${version}, package.json ${project.version}`);
}
await Deno.remove(PACKAGE, { recursive: true }).catch((error) => {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
});
await compile();
for await (const file of filesIn(PACKAGE)) {
  if (file.pathname.endsWith(".d.ts")) await rewriteDeclaration(file);
}
await bundle();
await Deno.copyFile(new URL(CORE, ROOT), new URL(CORE, PACKAGE));
for (const name of TEXTS) await Deno.copyFile(new URL(name, ROOT), new URL(name, PACKAGE));
const manifest = JSON.stringify(manifestFor(project), null, 2) + "\n";
await Deno.writeTextFile(new URL("package.json", PACKAGE), manifest);
// The same tarball whatever the umask.
for await (const file of filesIn(PACKAGE)) await Deno.chmod(file, 0o644);
const packed = await pack();
await Deno.stdout.write(new TextEncoder().encode(report(packed)));
