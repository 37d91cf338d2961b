// The HTTP server: the page's files, and the WebSockets of the two sockets that pages talk to, all at one port.

import { upgrade } from "../../mod.ts";
import { bundlePage } from "./bundle.ts";
import type { Hub } from "./hub.ts";

const PAGE = new URL("./page/", import.meta.url);

/** The page loads from here and connects to here, and to nowhere else; it compiles WebAssembly. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  "img-src data:",
].join("; ");

interface File {
  readonly type: string;
  readonly content: Uint8Array<ArrayBuffer>;
}

export class Server {
  readonly #hub: Hub;
  readonly #files: ReadonlyMap<string, File>;

  constructor(hub: Hub, files: ReadonlyMap<string, File>) {
    this.#hub = hub;
    this.#files = files;
  }

  /** Serves the page; its address. */
  listen(hostname: string, port: number): string {
    const server = Deno.serve(
      { hostname, port, onListen() {} },
      (request, info) => this.#answer(request, info),
    );
    const origins = originsOf(hostname, server.addr.port);
    this.#hub.admit(origins);
    return `${origins[0]}/`;
  }

  #answer(request: Request, info: Deno.ServeHandlerInfo): Response {
    const { pathname } = new URL(request.url);
    const socket = this.#hub.sockets.get(pathname);
    if (socket !== undefined) {
      return upgrade(socket, request, info) ?? new Response("Only WebSockets\n", { status: 426 });
    }
    const file = this.#files.get(pathname);
    if (file === undefined) return new Response("Not found\n", { status: 404 });
    const headers = {
      "content-type": file.type,
      "content-security-policy": POLICY,
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
    };
    return new Response(file.content, { headers });
  }
}

/** The files of the page. */
export async function readPage(): Promise<ReadonlyMap<string, File>> {
  const read = (name: string) => Deno.readFile(new URL(name, PAGE));
  return new Map([
    ["/", { type: "text/html; charset=utf-8", content: await read("index.html") }],
    ["/style.css", { type: "text/css; charset=utf-8", content: await read("style.css") }],
    ["/panels.css", { type: "text/css; charset=utf-8", content: await read("panels.css") }],
    ["/page.js", { type: "text/javascript; charset=utf-8", content: await bundlePage() }],
  ]);
}

/**
 * The names under which a page can be of this server. Other pages in the same browser shall not command it, also when their
 * name leads to this address.
 */
function originsOf(hostname: string, port: number): string[] {
  const names = [hostname, "localhost", "127.0.0.1", "[::1]"];
  if (hostname === "0.0.0.0" || hostname === "::") {
    names.shift();
    for (const { address, family } of Deno.networkInterfaces()) {
      names.push(family === "IPv6" ? `[${address}]` : address);
    }
    names.push(Deno.hostname());
  }
  return names.map((name) => `http://${name.toLowerCase()}${port === 80 ? "" : `:${port}`}`);
}
