// zeromq.js's tests of STREAM: a web server and a web client, each against the runtime's own.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Stream } from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { within } from "../_util/deadline.ts";

interface HttpServer {
  listen(port: number, host: string, listening: () => void): void;
  address(): { port: number };
  closeAllConnections(): void;
  close(): void;
}

interface Http {
  createServer(
    listener: (request: { url: string }, response: { end(text: string): void }) => void,
  ): HttpServer;
}

const { process } = globalThis as unknown as {
  process: { getBuiltinModule(name: "node:http"): Http };
};
const WAIT_MS = 5_000;
const cleanup = new Cleanup();

describe("a Stream", () => {
  afterEach(() => cleanup.run());

  it("answers a web client, and what it has sent arrives although it is closed", async () => {
    const stream = new Stream();
    await stream.bind("tcp://127.0.0.1:*");
    const serve = async (): Promise<void> => {
      for await (const [id, octets] of stream) {
        if (octets.length === 0) continue;
        assertEquals(octets.toString().split("\r\n")[0], "GET /foo HTTP/1.1");
        const head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 12\r\n\r\n";
        await stream.send([id, `${head}Hello world!`]);
        await stream.close();
      }
    };
    const serving = serve();
    const response = await fetch(`${stream.lastEndpoint!.replace("tcp:", "http:")}/foo`);
    assertEquals(await response.text(), "Hello world!");
    await within(serving, WAIT_MS, "end of the server");
  });

  it("asks a web server, whose connection it has named", async () => {
    const server = process.getBuiltinModule("node:http").createServer((request, response) => {
      response.end(`You asked for ${request.url}`);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const stream = cleanup.add(new Stream({ linger: 0 }));
      const routingId = "abcdef1234567890";
      const { port } = server.address();
      stream.connect(`tcp://127.0.0.1:${port}`, { routingId });
      const [id, notice] = await within(stream.receive(), WAIT_MS, "notice of the connection");
      assertEquals([id.toString(), notice.length], [routingId, 0]);
      await stream.send([
        routingId,
        `GET /foo HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`,
      ]);
      let answer = "";
      for await (const [from, octets] of stream) {
        assertEquals(from.toString(), routingId);
        if (octets.length === 0) break; // the server has closed
        answer += octets.toString();
      }
      assertStringIncludes(answer, "HTTP/1.1 200 OK");
      assertStringIncludes(answer, "You asked for /foo");
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
