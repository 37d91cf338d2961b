/**
 * Workers on workerd that speak ZeroMQ over tcp, with libzmq at the other end: a web service that asks a REP service, and
 * one that accepts the connections of machines that push readings.
 *
 *   deno run -A examples/workerd/main.ts [--forever]
 *
 * Bundles the workers into dist/workerd, starts workerd and the libzmq programs, and tells what they say to each other. With
 * `--forever` it goes on until Ctrl-C.
 *
 * @module
 */

import { Subscriber } from "../../mod.ts";

const HERE = new URL(".", import.meta.url);
const ROOT = new URL("../../", HERE);
const BUILT = new URL("dist/workerd/", ROOT);
const WORKERS = ["stock", "collector"] as const;
const MACHINES = ["lathe", "press", "saw"];
const READINGS = 1_000;

/** A program that runs beside this one. */
class Helper {
  readonly #process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(command: string, args: readonly string[], env: Record<string, string> = {}) {
    this.#process = new Deno.Command(command, {
      args: [...args],
      env,
      stdin: "null",
      stdout: "piped",
    }).spawn();
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** What a pattern finds in the output, as soon as it does. */
  async says(pattern: RegExp): Promise<string> {
    for (;;) {
      const [, found] = pattern.exec(this.#text) ?? [];
      if (found !== undefined) return found;
      const { done, value } = await this.#lines.read();
      if (done) throw new Error(`A program ended without saying ${pattern}:\n${this.#text}`);
      this.#text += value;
    }
  }

  async ends(): Promise<void> {
    const { success } = await this.#process.status;
    if (!success) throw new Error("A program failed");
  }

  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }
}

function program(name: string): string {
  return new URL(`node_modules/.bin/${name}`, ROOT).pathname;
}

/** Makes one module of each worker; the core stays a file of its own, which workerd compiles. */
async function build(): Promise<void> {
  await Deno.mkdir(BUILT, { recursive: true });
  for (const worker of WORKERS) {
    await new Helper(program("esbuild"), [
      new URL(`${worker}.ts`, HERE).pathname,
      "--bundle",
      "--format=esm",
      "--external:cloudflare:sockets",
      "--loader:.wasm=copy",
      "--asset-names=[name]",
      `--outfile=${BUILT.pathname}${worker}.js`,
      "--log-level=warning",
    ]).ends();
  }
  await Deno.copyFile(new URL("config.capnp", HERE), new URL("config.capnp", BUILT));
}

function libzmq(name: string, ...args: string[]): Helper {
  return new Helper("node", [new URL(`libzmq_${name}.mjs`, HERE).pathname, ...args]);
}

async function ask(url: string): Promise<void> {
  const response = await fetch(url);
  console.log(`GET ${new URL(url).pathname}  ${response.status} ${await response.text()}`);
}

/** Machines push, the collector counts, and whoever subscribes hears of it. */
async function collect(collector: string, machines: string): Promise<void> {
  const live = new Subscriber({ receiveTimeout: 30_000 });
  live.subscribe("saw");
  live.connect(`ws://${collector}/live`);
  await new Promise((resolve) => live.events.on("handshake", resolve));
  const pushing = MACHINES.map((name) => libzmq("machine", machines, name, `${READINGS}`));
  let last = "";
  while (last !== `${READINGS}`) {
    const [, reading] = await live.receive();
    last = String(reading);
  }
  console.log(`heard of the saw's last reading, ${last}, over ws`);
  await Promise.all(pushing.map((machine) => machine.ends()));
  await live.close();
}

async function until(url: string, count: number): Promise<void> {
  for (;;) {
    const seen: { count: number } = await (await fetch(url)).json();
    if (seen.count >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

await build();
const forever = Deno.args.includes("--forever");
const stock = libzmq("stock");
const STOCK = await stock.says(/^(tcp:\S+)\n/);
const anyPort = ["stock", "collector", "machines"].map((name) =>
  `--socket-addr=${name}=127.0.0.1:0`
);
const workerd = new Helper(program("workerd"), [
  "serve",
  new URL("config.capnp", BUILT).pathname,
  "--control-fd=1",
  ...forever ? [] : anyPort,
], { STOCK });
try {
  const port = (socket: string) => workerd.says(new RegExp(`"socket":"${socket}","port":(\\d+)`));
  const shop = `http://127.0.0.1:${await port("stock")}`;
  const collector = `127.0.0.1:${await port("collector")}`;
  const machines = `tcp://127.0.0.1:${await port("machines")}`;
  for (const item of ["bolt", "washer"]) await ask(`${shop}/${item}`);
  await collect(collector, machines);
  await until(`http://${collector}/`, MACHINES.length * READINGS);
  await ask(`http://${collector}/`);
  if (forever) {
    console.log(`go on at ${shop}/bolt, http://${collector}/ and ${machines}; Ctrl-C ends it`);
    await new Promise((resolve) => Deno.addSignalListener("SIGINT", () => resolve(undefined)));
  }
} finally {
  await workerd.kill();
  await stock.kill();
}
