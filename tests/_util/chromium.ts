// A real browser in tests: Chromium, a site of its own to serve pages to it, and the library's bundle in them.

import { describe, it } from "@std/testing/bdd";
import { type Browser, chromium, type Page } from "playwright-core";
import type * as Wasmq from "../../browser.ts";
import { within } from "./deadline.ts";

interface HttpResponse {
  writeHead(status: number, headers: Readonly<Record<string, string>>): void;
  end(body: string | Uint8Array): void;
}

interface HttpServer {
  listen(port: number, host: string, done: () => void): void;
  address(): { readonly port: number };
  close(done: () => void): void;
  closeAllConnections(): void;
}

interface HttpModule {
  createServer(
    served: (request: { readonly url: string }, response: HttpResponse) => void,
  ): HttpServer;
}

interface ChildProcessModule {
  execFileSync(command: string, args: readonly string[], options: object): string;
}

interface ProcessGlobal {
  readonly env: Readonly<Record<string, string | undefined>>;
  getBuiltinModule(name: "node:fs"): { existsSync(path: string): boolean };
  getBuiltinModule(name: "node:http"): HttpModule;
  getBuiltinModule(name: "node:child_process"): ChildProcessModule;
}

const { process } = globalThis as unknown as { process: ProcessGlobal };

/** What a site has, by path: `"/": "<!doctype html>…"`. */
export type SiteFiles = Readonly<Record<string, string | Uint8Array>>;

/** What scripts of a page can take from the library. */
export type PageLibrary = typeof Wasmq;

/** A page with the library as the global `wasmq`, and nothing else. */
const EMPTY_PAGE = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<script type="module">import * as wasmq from "/wasmq.js"; globalThis.wasmq = wasmq;</script>`;

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css",
  html: "text/html; charset=utf-8",
  js: "text/javascript",
  json: "application/json",
  svg: "image/svg+xml",
};

const LAUNCH_MS = 60_000;
const RUN_MS = 120_000;
/** So many complaints of a page are shown. */
const SHOWN = 5;

let bundled: string | undefined;

/** The library as one ESM file for pages, as esbuild makes it from browser.ts. */
export function browserBundle(): string {
  return bundled ??= process.getBuiltinModule("node:child_process").execFileSync(
    new URL("../../node_modules/.bin/esbuild", import.meta.url).pathname,
    [
      new URL("../../browser.ts", import.meta.url).pathname,
      "--bundle",
      "--minify",
      "--format=esm",
      "--platform=browser",
      "--target=es2022",
      "--log-level=warning",
    ],
    { encoding: "utf8", maxBuffer: 2 ** 24, stdio: ["ignore", "pipe", "inherit"] },
  );
}

/** Serves files over http at a port of its own. */
export class Site {
  /** Where it is: `http://127.0.0.1:41234`. */
  readonly origin: string;
  readonly #server: HttpServer;

  private constructor(server: HttpServer) {
    this.#server = server;
    this.origin = `http://127.0.0.1:${server.address().port}`;
  }

  /** Starts it; a site has `/wasmq.js`, and a page at `/` that imports it, unless `files` say otherwise. */
  static async start(files: SiteFiles = {}, headers: Record<string, string> = {}): Promise<Site> {
    const all: SiteFiles = { "/": EMPTY_PAGE, ...files };
    const server = process.getBuiltinModule("node:http").createServer((request, response) => {
      const path = new URL(request.url, "http://site").pathname;
      const body = Object.hasOwn(all, path)
        ? all[path]
        : path === "/wasmq.js"
        ? browserBundle()
        : undefined;
      const ending = /\.(\w+)$/.exec(path)?.[1] ?? "html";
      const type = TYPES[ending] ?? "application/octet-stream";
      response.writeHead(body === undefined ? 404 : 200, { "content-type": type, ...headers });
      response.end(body ?? "Not found");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Site(server);
  }

  /** Ends it, also for pages that are connected. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

/** The Chromium of this machine: that of Debian, or what the variable names. */
const CHROMIUM: string | undefined = process.env.CHROMIUM ||
  ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) =>
    process.getBuiltinModule("node:fs").existsSync(path)
  );

/** Describes what needs Chromium; where there is none, it is left out. */
export function describeInChromium(what: string, body: () => void): void {
  if (CHROMIUM !== undefined) return describe(what, body);
  describe(what, () => {
    it.skip("needs Chromium: install it, or say in CHROMIUM where it is", () => {});
  });
}

/** A running browser; end it with {@linkcode Chromium.stop} in an `after` hook. */
export class Chromium {
  readonly #browser: Browser;
  readonly #site: Site;

  private constructor(browser: Browser, site: Site) {
    this.#browser = browser;
    this.#site = site;
  }

  /** Starts it with a site as {@linkcode Site.start}; once for a test file, as it takes a second. */
  static async start(
    files: SiteFiles = {},
    headers: Record<string, string> = {},
  ): Promise<Chromium> {
    const site = await Site.start(files, headers);
    const browser = await chromium.launch({
      executablePath: CHROMIUM!,
      // Tests run in containers, whose kernels give no sandbox to the superuser.
      args: ["--no-sandbox"],
      timeout: LAUNCH_MS,
    });
    return new Chromium(browser, site);
  }

  /** The site's origin. */
  get origin(): string {
    return this.#site.origin;
  }

  /**
   * Opens a page of the site, or at another address; it keeps no state of others. With `trusting` any TLS certificate does.
   */
  async open(path: string = "/", trusting: boolean = false): Promise<OpenPage> {
    const page = await this.#browser.newPage({ ignoreHTTPSErrors: trusting });
    const open = new OpenPage(page);
    await page.goto(new URL(path, this.origin).href, { timeout: LAUNCH_MS });
    return open;
  }

  /** Ends the browser and the site. */
  async stop(): Promise<void> {
    await within(this.#browser.close(), LAUNCH_MS, "end of Chromium");
    await this.#site.stop();
  }
}

/** A page that is open. */
export class OpenPage {
  /** All that playwright can do with it. */
  readonly page: Page;
  /** What it complained of: uncaught errors, and errors on its console. */
  readonly complaints: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => this.complaints.push(error.stack ?? error.message));
    page.on("console", (said) => {
      if (said.type() === "error") this.complaints.push(said.text());
    });
  }

  /**
   * Runs a function inside the page and answers what it resolves to. It sees the page's globals and its two arguments,
   * nothing of the test around it; what goes in and out is JSON.
   */
  async run<Given, Result>(
    body: (wasmq: PageLibrary, given: Given) => Result | Promise<Result>,
    given: Given,
    ms: number = RUN_MS,
  ): Promise<Result> {
    const call = `(${body})(globalThis.wasmq, ${JSON.stringify(given ?? null)})`;
    return await within(this.page.evaluate<Result>(call), ms, `the page runs ${body}`)
      .catch((error) => {
        if (this.complaints.length === 0) throw error;
        const latest = this.complaints.slice(-SHOWN).join("\n");
        throw new Error(`${error.message}\nThe page said: ${latest}`);
      });
  }

  /** Closes it. */
  async close(): Promise<void> {
    await this.page.close();
  }
}
