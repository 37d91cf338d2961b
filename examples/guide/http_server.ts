/**
 * A web server on a STREAM socket.
 *
 * A STREAM speaks no ZeroMQ on the wire: whoever connects by tcp is a peer, and each message is
 * `[peer, octets]`, octets as they came, in whatever pieces. An empty second frame says that a peer
 * has come or gone; sent, it closes the peer's connection once everything before it has left.
 *
 *   deno run --allow-net examples/guide/http_server.ts [--forever]
 *
 * or the same with `bun` or `node`. With `--forever`, open the address that it prints in a browser.
 *
 * @module
 */

import { Stream } from "../../mod.ts";
import { forever } from "./program.ts";

const HEAD_LIMIT = 8192;

/** What a path answers. */
const PAGES: Readonly<Record<string, (query: URLSearchParams) => string>> = {
  "/": () => "<h1>Hello from a STREAM socket</h1>",
  "/time": () => new Date().toISOString().slice(0, 10),
  "/double": (query) => `${2 * Number(query.get("number"))}`,
};

/** A whole response to the head of a request. */
function respond(head: string): string {
  const [method, target] = head.split(" ", 2);
  if (method !== "GET") return page("405 Method Not Allowed", `No ${method} here`);
  const { pathname, searchParams } = new URL(target, "http://localhost");
  const body = Object.hasOwn(PAGES, pathname) ? PAGES[pathname](searchParams) : undefined;
  return body === undefined ? page("404 Not Found", `No ${pathname} here`) : page("200 OK", body);
}

function page(status: string, body: string): string {
  const { length } = new TextEncoder().encode(body);
  return `HTTP/1.1 ${status}\r\nContent-Type: text/html; charset=utf-8\r\n` +
    `Content-Length: ${length}\r\nConnection: close\r\n\r\n${body}`;
}

/** Answers one request of each connection, then closes it. */
async function serve(server: Stream): Promise<void> {
  const heads = new Map<string, string>();
  for await (const [peer, octets] of server) {
    const key = peer.toString("hex");
    const head = (heads.get(key) ?? "") + octets.toString("latin1");
    heads.delete(key);
    if (octets.length === 0) continue; // it has come or gone
    const isWhole = head.includes("\r\n\r\n");
    if (!isWhole && head.length < HEAD_LIMIT) {
      heads.set(key, head); // the rest is under way
      continue;
    }
    const response = isWhole ? respond(head) : page("431 Request Header Fields Too Large", "");
    try {
      await server.send([peer, response]);
      await server.send([peer, ""]);
    } catch (error) {
      if ((error as { code?: string }).code !== "EHOSTUNREACH") throw error; // it did not wait
    }
  }
}

async function ask(address: string, path: string): Promise<void> {
  const response = await fetch(address + path);
  console.log(`${path}: ${response.status} ${await response.text()}`);
}

const server = new Stream();
await server.bind("tcp://127.0.0.1:*");
const address = server.lastEndpoint!.replace("tcp:", "http:");
console.log(`listening at ${address}/`);
const serving = serve(server);

const numbers = [1, 2, 3, 4, 5];
await Promise.all([
  ask(address, "/"),
  ask(address, "/time"),
  ask(address, "/nothing"),
  ...numbers.map((number) => ask(address, `/double?number=${number}`)),
]);
if (!forever) await server.close();
await serving;
