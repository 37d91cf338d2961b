// Which workers can run here: the runtimes of this checkout first, then those on PATH.

/** How to start one worker. */
export interface Launch {
  readonly name: string;
  /** What runs, for people: "Bun 1.4.5". */
  readonly label: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** A worker that cannot be started, and how to get what is missing. */
export interface Missing {
  readonly name: string;
  readonly reason: string;
}

const HERE = new URL("./", import.meta.url);
const NODE_MODULES = new URL("../../node_modules/", import.meta.url);
const WORKER = pathOf(new URL("worker.ts", HERE));
const LIBZMQ_WORKER = pathOf(new URL("libzmq_worker.mjs", HERE));
// The first Node that runs TypeScript without flags.
const NODE_MINIMUM = [22, 18];
const PROBE_TIMEOUT_MS = 10_000;

/** Looks for Deno, Bun, Node and zeromq.js. */
export async function findWorkers(): Promise<(Launch | Missing)[]> {
  const [bun, node] = await Promise.all([findBun(), findNode()]);
  return [findDeno(), bun, node, await findLibzmq(node)];
}

function findDeno(): Launch {
  return {
    name: "deno",
    label: `Deno ${Deno.version.deno}`,
    command: Deno.execPath(),
    args: ["run", "--no-prompt", "--allow-net", WORKER],
  };
}

async function findBun(): Promise<Launch | Missing> {
  const name = "bun";
  for (const command of [pathOf(new URL(".bin/bun", NODE_MODULES)), "bun"]) {
    const version = await firstLine(command, ["--version"]);
    if (version) return { name, label: `Bun ${version}`, command, args: [WORKER] };
  }
  return { name, reason: "Bun was not found: `npm install bun`, or see https://bun.sh" };
}

async function findNode(): Promise<Launch | Missing> {
  const name = "node";
  for (const command of [...await installedNodes(), "node"]) {
    const version = (await firstLine(command, ["--version"]))?.slice(1);
    if (version && isAtLeast(version, NODE_MINIMUM)) {
      return { name, label: `Node ${version}`, command, args: [WORKER] };
    }
  }
  const reason = `Node ${NODE_MINIMUM.join(".")} or later was not found: see https://nodejs.org`;
  return { name, reason };
}

/** zeromq.js is a native addon that is dependable on Node only. */
async function findLibzmq(node: Launch | Missing): Promise<Launch | Missing> {
  const name = "libzmq";
  if (!("command" in node)) return { name, reason: "zeromq.js needs Node, see above" };
  const program = "console.log(require('zeromq').version, require('zeromq/package.json').version)";
  const versions = await firstLine(node.command, ["-e", program]);
  if (!versions) return { name, reason: "zeromq.js was not found: `npm install zeromq`" };
  const [libzmq, zeromqJs] = versions.split(" ");
  const label = `libzmq ${libzmq} (zeromq.js ${zeromqJs}, ${node.label})`;
  return { name, label, command: node.command, args: [LIBZMQ_WORKER] };
}

/** Node from npm, newest first: the development packages are called node22-linux-x64 and so on. */
async function installedNodes(): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(NODE_MODULES)) {
      if (/^node\d+-/.test(name)) names.push(name);
    }
  } catch {
    // No development packages: PATH remains.
  }
  return names.sort().reverse().map((name) => pathOf(new URL(`${name}/bin/node`, NODE_MODULES)));
}

/** The first line that a command prints, `undefined` if it cannot run or fails. */
async function firstLine(command: string, args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(command, {
      args,
      cwd: HERE,
      stdin: "null",
      stderr: "null",
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    }).output();
    return success ? new TextDecoder().decode(stdout).split("\n")[0].trim() : undefined;
  } catch {
    return undefined;
  }
}

function isAtLeast(version: string, [major, minor]: readonly number[]): boolean {
  const [actualMajor, actualMinor] = version.split(".").map(Number);
  return actualMajor > major || (actualMajor === major && actualMinor >= minor);
}

/** The file system path of a file: URL. */
export function pathOf(url: URL): string {
  const path = decodeURIComponent(url.pathname);
  return Deno.build.os === "windows" ? path.slice(1) : path;
}
