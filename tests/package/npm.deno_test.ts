// The npm package as users get it: built, installed in an empty folder, and talked through on every
// runtime and between different ones.

import { assert, assertEquals, assertLessOrEqual, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { version } from "../../mod.ts";
import { findRuntimes, Program, run, type Runtime } from "./processes.ts";

const ROOT = new URL("../../", import.meta.url);
const TSC = new URL("node_modules/typescript/bin/tsc", ROOT).pathname;

const CONSUMER = `
import { Context, Frame, Pull, Push, Reply, Request, version, ZmqError } from "wasmq";
import { type Certificate, CertificateError, newCertificate } from "wasmq/certificates";
import "wasmq/keygen";
import { Emitter, type PartOptions } from "wasmq/patterns";

const context: Context = new Context();
const push: Push = new Push({ sendHighWaterMark: 10, linger: 0, context });
const pull = new Pull();
await pull.bind("tcp://127.0.0.1:*");
const address: string | null = pull.lastEndpoint;
if (address !== null) push.connect(address);
await push.send(["text", new Uint8Array(3), 1, null]);
const frames: Frame[] = await pull.receive({ signal: AbortSignal.timeout(1) });
const text: string = frames[0].toString() + version;
for await (const [frame] of pull) frame.json();
await new Request().send(text);
const [request] = await new Reply().receive();
await Promise.all([push.close(), pull.close()]);
export const code = (error: ZmqError): string => error.code + request.length;
export const line = (error: CertificateError): number | undefined => error.line;
export const certificate: Certificate = newCertificate({ name: text });
// @ts-expect-error a symbol is no message
await push.send(Symbol());
`;

const TSCONFIG = {
  compilerOptions: {
    target: "es2023",
    module: "nodenext",
    lib: ["esnext", "dom"],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
  },
  files: ["consumer.ts"],
};

/** Files below a folder, as sorted paths from there. */
function listFiles(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? listFiles(`${folder}/${name}`).map((path) => `${name}/${path}`) : [name]
  ).sort();
}

async function converse(binding: [Runtime, string], connecting: [Runtime, string], cwd: string) {
  const start = ([{ command, args }, role]: [Runtime, string], ...address: string[]) =>
    new Program(command, [...args, "talk.mjs", role, ...address], cwd);
  const first = start(binding);
  let second: Program | undefined;
  try {
    second = start(connecting, await first.firstLine());
    await Promise.all([first.succeeds(), second.succeeds()]);
    assertMatch(first.output, /\ndone\n$/);
    assertEquals(second.output, "done\n");
  } finally {
    await Promise.all([first.kill(), second?.kill()]);
  }
}

describe("the npm package", () => {
  let folder = "";
  let installed = "";

  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "wasmq-package-" });
    installed = `${folder}/node_modules/wasmq`;
    await run(Deno.execPath(), ["run", "-A", "npm/build.ts"]);
    const tarball = new URL(`dist/wasmq-${version}.tgz`, ROOT).pathname;
    await Deno.writeTextFile(`${folder}/package.json`, `{ "type": "module", "private": true }`);
    await run("npm", ["install", "--offline", "--no-audit", "--no-fund", tarball], folder);
    await Deno.copyFile(new URL("talk.mjs", import.meta.url), `${folder}/talk.mjs`);
  });

  afterAll(async () => {
    await Deno.remove(folder, { recursive: true });
  });

  it("installs nothing but itself", () => {
    const packages = [...Deno.readDirSync(`${folder}/node_modules`)].map(({ name }) => name);
    assertEquals(packages.filter((name) => !name.startsWith(".")), ["wasmq"]);
  });

  it("has only public files", () => {
    const files = listFiles(installed);
    const texts = ["CHANGELOG.md", "LICENSE", "MIGRATION.md", "README.md", "package.json"];
    const code = files.filter((path) => !texts.includes(path));
    assertEquals(files.length - code.length, texts.length);
    const others = ["browser.min.js", "src/core/core.wasm"];
    const modules = code.filter((path) => !others.includes(path));
    assertEquals(code.length - modules.length, others.length);
    for (const path of modules) {
      assertMatch(path, /^(mod|browser|workerd|(src|wasm)\/[\w/]+)\.(js|d\.ts)$/);
    }
    for (const path of modules.filter((path) => path.endsWith(".js"))) {
      assert(code.includes(path.replace(/js$/, "d.ts")), `${path} has no declarations`);
    }
  });

  it("describes itself without dependencies or scripts", async () => {
    const manifest = JSON.parse(await Deno.readTextFile(`${installed}/package.json`));
    const modules = {
      ".": "./mod",
      "./browser": "./browser",
      "./workerd": "./workerd",
      "./certificates": "./src/certificates/mod",
      "./keygen": "./src/certificates/keygen",
      "./patterns": "./src/patterns/mod",
    };
    for (const [name, module] of Object.entries(modules)) {
      const entry = (file: string) => ({ types: `${file}.d.ts`, default: `${file}.js` });
      assertEquals(Object.entries(manifest.exports[name]), [
        // workerd has the conditions of others as well.
        ["workerd", entry(name === "." ? "./workerd" : module)],
        ["deno", entry(module)],
        ["bun", entry(module)],
        ["node", entry(module)],
        ["browser", entry(name === "." ? "./browser" : module)],
        ["default", entry(module)],
      ]);
    }
    const files = ["./browser.min.js", "./package.json"];
    assertEquals(Object.keys(manifest.exports), [...Object.keys(modules), ...files]);
    const sources = JSON.parse(await Deno.readTextFile(new URL("package.json", ROOT))).exports;
    assertEquals(Object.keys(sources), Object.keys(modules));
    assertEquals([manifest.name, manifest.version], ["wasmq", version]);
    assertEquals([manifest.type, manifest.license], ["module", "MIT"]);
    const unwanted = Object.keys(manifest).filter((key) => /dependencies$|^scripts$/i.test(key));
    assertEquals(unwanted, []);
  });

  it("has no TypeScript file in its specifiers", async () => {
    for (const path of listFiles(installed).filter((path) => /\.(js|ts)$/.test(path))) {
      const text = await Deno.readTextFile(`${installed}/${path}`);
      const specifiers = text.matchAll(/^(?:import|export|\} from).*?"(\.[^"]+)";?$/gm);
      for (const [, specifier] of specifiers) {
        assertMatch(specifier, path === "workerd.js" ? /\.(js|wasm)$/ : /\.js$/, path);
      }
    }
  });

  const ESBUILD = new URL("node_modules/.bin/esbuild", ROOT).pathname;
  const TARGETS: Readonly<Record<string, { flags: string[]; has: string; not: string }>> = {
    "a page": { flags: ["--platform=browser"], has: "WebSocket", not: "getBuiltinModule" },
    workerd: {
      flags: [
        "--conditions=workerd",
        "--loader:.wasm=copy",
        "--external:cloudflare:sockets",
        "--outdir=workerd",
      ],
      has: "cloudflare:sockets",
      not: "no such thing",
    },
    node: { flags: ["--platform=node"], has: "getBuiltinModule", not: "cloudflare:sockets" },
  };
  for (const [target, { flags, has, not }] of Object.entries(TARGETS)) {
    it(`is bundled for ${target} with the entry that it needs`, async () => {
      const program = `${folder}/bundled.mjs`;
      await Deno.writeTextFile(
        program,
        `import { Push } from "wasmq";\nglobalThis.made = () => new Push();\n`,
      );
      const common = ["bundled.mjs", "--bundle", "--format=esm", "--log-level=warning"];
      const printed = await run(ESBUILD, [...common, ...flags], folder);
      const text = target === "workerd"
        ? await Deno.readTextFile(`${folder}/workerd/bundled.js`)
        : printed;
      assert(text.includes(has) && !text.includes(not));
      // What the entry does by itself is still there.
      assertMatch(text, /provideRuntime\w*\(/);
      if (target !== "workerd") return;
      const wasm = listFiles(`${folder}/workerd`).filter((path) => path.endsWith(".wasm"));
      assertEquals(wasm.length, 1);
    });
  }

  it("fits into 60 kB for a page, with the core", async () => {
    const file = (await Deno.readFile(`${installed}/browser.min.js`)).buffer;
    const stream = new Blob([file]).stream().pipeThrough(new CompressionStream("gzip"));
    const size = (await new Response(stream).arrayBuffer()).byteLength;
    assertLessOrEqual(size, 60 * 1000);
  });

  it("type-checks in a consumer's project", async () => {
    await Deno.writeTextFile(`${folder}/consumer.ts`, CONSUMER);
    await Deno.writeTextFile(`${folder}/tsconfig.json`, JSON.stringify(TSCONFIG));
    await run(Deno.execPath(), ["run", "-A", TSC, "--project", "tsconfig.json"], folder);
  });

  it("has a program that makes keys", async () => {
    const path = `${folder}/my_keys`;
    await run("npx", ["--offline", "wasmq-keygen", path, "--meta", "name=Ada"], folder);
    assertMatch(await Deno.readTextFile(`${path}_secret`), /name = "Ada"/);
    assertEquals((await Deno.stat(`${path}_secret`)).mode! & 0o777, 0o600);
  });

  const runtimes = findRuntimes();
  for (const [index, runtime] of runtimes.entries()) {
    it(`makes keys on ${runtime.name}`, async () => {
      const path = `${folder}/${runtime.name}`;
      const { command, args } = runtime;
      const permissions = runtime.name === "deno" ? ["--allow-read", "--allow-write"] : [];
      const program = `${installed}/src/certificates/keygen.js`;
      await run(command, [...args, ...permissions, program, path], folder);
      assertEquals((await Deno.stat(`${path}_secret`)).mode! & 0o777, 0o600);
    });

    // With itself, and with the next one around the circle.
    for (const other of new Set([runtime, runtimes[(index + 1) % runtimes.length]])) {
      it(`carries PUSH on ${other.name} to PULL on ${runtime.name}`, async () => {
        await converse([runtime, "pull"], [other, "push"], folder);
      });

      it(`carries REQ on ${other.name} to REP on ${runtime.name}`, async () => {
        await converse([runtime, "reply"], [other, "request"], folder);
      });
    }
  }
});
