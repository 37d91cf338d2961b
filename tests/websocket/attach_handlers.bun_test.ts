// Bun has one set of WebSocket handlers for a whole server: ours and those of the program share it.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  type BunWebSocketServer,
  Context,
  Reply,
  Request as Requester,
  upgrade,
  webSocketHandlers,
} from "../../mod.ts";
import { eventually, within } from "../_util/deadline.ts";
import { EventLog } from "../_util/event_log.ts";

const WAIT_MS = 20_000;

interface Served {
  readonly port: number;
  stop(force: boolean): Promise<void>;
}

const { Bun } = globalThis as unknown as {
  Bun: {
    serve(options: {
      port: number;
      fetch(request: Request, server: BunWebSocketServer): Response | undefined;
      websocket: object;
    }): Served;
  };
};

interface Chat {
  readonly data: string;
  send(text: string): void;
}

function serve(reply: Reply, websocket: object): Served {
  return Bun.serve({
    port: 0,
    fetch(request, server) {
      if (new URL(request.url).pathname === "/zmq") return upgrade(reply, request, server);
      if (server.upgrade(request, { headers: {}, data: "chat" })) return undefined;
      return new Response("No WebSocket", { status: 400 });
    },
    websocket,
  });
}

describe("webSocketHandlers()", () => {
  it("leaves WebSockets of the program to its own handlers", async () => {
    const reply = new Reply({ context: new Context(), linger: 0 });
    const said: string[] = [];
    const handlers = webSocketHandlers({
      open: (socket: Chat) => said.push(`${socket.data} open`),
      message: (socket: Chat, text: string) => socket.send(text.toUpperCase()),
      close: (socket: Chat) => said.push(`${socket.data} close`),
      maxPayloadLength: 1_024,
    });
    assertEquals([handlers.maxPayloadLength, handlers.perMessageDeflate], [1_024, false]);
    const server = serve(reply, handlers);
    const request = new Requester({ context: new Context(), linger: 0 });
    request.connect(`ws://127.0.0.1:${server.port}/zmq`);
    await request.send("hello");
    assertEquals(String((await within(reply.receive(), WAIT_MS, "a question"))[0]), "hello");

    const chat = new WebSocket(`ws://127.0.0.1:${server.port}/chat`);
    const answered = new Promise<unknown>((resolve) =>
      chat.onmessage = ({ data }) => resolve(data)
    );
    chat.onopen = () => chat.send("loud");
    assertEquals(await within(answered, WAIT_MS, "an answer"), "LOUD");
    chat.close();
    await eventually(() => said.length === 2, WAIT_MS, "the chat is over");
    assertEquals(said, ["chat open", "chat close"]);

    await reply.send("still here");
    assertEquals(String((await within(request.receive(), WAIT_MS, "it"))[0]), "still here");
    await request.close();
    await reply.close();
    await within(server.stop(false), WAIT_MS, "the server stops");
  });

  it("is asked for where a server has other handlers only", async () => {
    const reply = new Reply({ context: new Context(), linger: 0 });
    const log = new EventLog(reply);
    const server = serve(reply, { message() {} });
    const page = new WebSocket(`ws://127.0.0.1:${server.port}/zmq`, ["ZWS2.0"]);
    const { error } = await log.next("handshake:error:other", WAIT_MS);
    assertStringIncludes(error.message, "webSocketHandlers()");
    page.close();
    await reply.close();
    await within(server.stop(true), WAIT_MS, "the server stops");
  });
});
