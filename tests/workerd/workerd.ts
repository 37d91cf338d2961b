// Runs a worker on the real workerd: bundles it, writes a config for it, starts the binary from npm. Runs on Deno only.

import { assert } from "@std/assert";
import { within } from "../_util/deadline.ts";
import { Program } from "../_util/process.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const REQUEST_MS = 60_000;
/** The last socket of the config: when workerd reports it, the others stand. */
const LAST_SOCKET = `"socket":"tcp"`;

/** How a worker is run. */
export interface WorkerdOptions {
  /** Classes of Durable Objects; each is bound by its name. */
  readonly objects?: readonly string[];
  /** Compatibility flags. */
  readonly flags?: readonly string[];
  /** Certificates of authorities that its network trusts, as PEM. */
  readonly authorities?: readonly string[];
}

/** The native program of an npm package, and not its start script: that would be another process to end. */
function binary(scope: string, name: string): string {
  const folder = `${ROOT}node_modules/${scope}`;
  const platforms = [...Deno.readDirSync(folder)].map((entry) => entry.name);
  const paths = platforms.map((platform) => `${folder}/${platform}/bin/${name}`);
  const path = paths.find((path) => path.includes(name) && exists(path));
  assert(path !== undefined, `${name} is not installed: run npm install`);
  return path;
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** One module for workerd, with the core beside it, as wrangler would make them; in a fresh folder. */
async function bundle(worker: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "wasmq-workerd-" });
  const esbuild = new Program([
    binary("@esbuild", "esbuild"),
    `${ROOT}${worker}`,
    "--bundle",
    "--format=esm",
    "--external:cloudflare:*",
    "--external:node:*",
    "--loader:.wasm=copy",
    `--outfile=${folder}/worker.js`,
    "--log-level=warning",
  ]);
  await esbuild.succeeds();
  return folder;
}

function configOf(cores: readonly string[], options: WorkerdOptions): string {
  const { objects = [], flags = [], authorities = [] } = options;
  const list = (items: readonly string[]) => `[${items.join(", ")}]`;
  const text = (value: string) => JSON.stringify(value);
  const modules = [
    `(name = "worker.js", esModule = embed "worker.js")`,
    ...cores.map((core) => `(name = ${text(core)}, wasm = embed ${text(core)})`),
  ];
  const bindings = objects.map((name) =>
    `(name = ${text(name)}, durableObjectNamespace = ${text(name)})`
  );
  const namespaces = objects.map((name) =>
    `(className = ${text(name)}, uniqueKey = ${text(name)})`
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "net", network = (
      allow = ["local", "private", "public"],
      tlsOptions = (trustedCertificates = ${list(authorities.map(text))}),
    )),
  ],
  sockets = [
    (name = "http", address = "127.0.0.1:0", http = (), service = "main"),
    (name = "tcp", address = "127.0.0.1:0", tcp = (), service = "main"),
  ],
);
const worker :Workerd.Worker = (
  modules = ${list(modules)},
  compatibilityDate = "2026-04-01",
  compatibilityFlags = ${list(flags.map(text))},
  globalOutbound = "net",
  durableObjectNamespaces = ${list(namespaces)},
  durableObjectStorage = (inMemory = void),
  bindings = ${list(bindings)},
);
`;
}

/** A running workerd with one worker. */
export class Workerd {
  readonly #program: Program;
  readonly #folder: string;

  constructor(program: Program, folder: string) {
    this.#program = program;
    this.#folder = folder;
  }

  /** Starts a worker, a file of this project; end it with {@linkcode Workerd.kill}. */
  static async start(worker: string, options: WorkerdOptions = {}): Promise<Workerd> {
    const folder = await bundle(worker);
    const cores = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
      name.endsWith(".wasm")
    );
    await Deno.writeTextFile(`${folder}/config.capnp`, configOf(cores, options));
    return await Workerd.serve(`${folder}/config.capnp`, folder);
  }

  /** Starts workerd with a config, whose last socket is named `tcp`. `folder` goes with it at the end. */
  static async serve(config: string, folder: string): Promise<Workerd> {
    const path = binary("@cloudflare", "workerd");
    const program = new Program([path, "serve", config, "--control-fd=1"]);
    const workerd = new Workerd(program, folder);
    try {
      await program.prints(LAST_SOCKET);
    } catch (error) {
      await workerd.kill();
      throw error;
    }
    return workerd;
  }

  /** Where a socket of the config listens. */
  port(socket: "http" | "tcp"): number {
    const [, port] = new RegExp(`"socket":"${socket}","port":(\\d+)`).exec(this.#program.output)!;
    return Number(port);
  }

  /** Where it accepts ZMTP. */
  get tcp(): string {
    return `tcp://127.0.0.1:${this.port("tcp")}`;
  }

  /** What it has said on stderr. */
  get errors(): string {
    return this.#program.errors;
  }

  /** Asks the worker; the JSON it answers. Fails with its `error` if it has one. */
  async ask<T>(path: string, query: Readonly<Record<string, string | number>> = {}): Promise<T> {
    const url = new URL(path, `http://127.0.0.1:${this.port("http")}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    const response = await within(fetch(url), REQUEST_MS, `workerd, ${url.pathname}`);
    const text = await response.text();
    const answer = response.ok ? JSON.parse(text) : { error: `${response.status} ${text}` };
    if (answer?.error !== undefined) throw new Error(`${answer.error}\n${this.errors}`);
    return answer;
  }

  /** Ends it. */
  async kill(): Promise<void> {
    await this.#program.kill();
    await Deno.remove(this.#folder, { recursive: true });
  }
}
