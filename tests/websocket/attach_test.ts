// Sockets on HTTP servers that a program runs anyway: peers come in by them as by `bind`, beside pages.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  Authenticator,
  Context,
  curveKeyPair,
  Dealer,
  metadataOf,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request as Requester,
  Router,
  Subscriber,
} from "../../mod.ts";
import { attachKinds, PAGE } from "../_util/attach_servers.ts";
import { textOf, utf8 } from "../_util/bytes.ts";
import { AUTHORITY, SERVER } from "../_util/certificates.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, within } from "../_util/deadline.ts";
import { EventLog } from "../_util/event_log.ts";
import { dial } from "../_util/raw_peer.ts";
import { bodied, RawWebSocket, readying } from "../_util/raw_web_socket.ts";
import { requestOf } from "../_util/upgrade.ts";

/** Longer than any machine takes for it. */
const WAIT_MS = 20_000;
const MANY = 1_000;

const cleanup = new Cleanup();
const context = (): { context: Context; linger: number } => ({ context: new Context(), linger: 0 });

for (const kind of attachKinds) {
  describe(`upgrade() with ${kind.name}`, () => {
    afterEach(() => cleanup.run());

    const serve = async (...what: Parameters<typeof kind.serve>) =>
      cleanup.add(await kind.serve(...what));

    it("lets peers in beside pages", async () => {
      const reply = cleanup.add(new Reply(context()));
      const server = await serve({ "/zmq": reply });
      const request = cleanup.add(new Requester(context()));
      request.connect(`ws://127.0.0.1:${server.port}/zmq`);
      for (let i = 0; i < 100; i++) {
        await request.send(["question", String(i)]);
        const question = await within(reply.receive(), WAIT_MS, "a question");
        assertEquals(question.map(String), ["question", String(i)]);
        await reply.send(`answer ${i}`);
        assertEquals((await within(request.receive(), WAIT_MS, "an answer")).map(String), [
          `answer ${i}`,
        ]);
      }
      const page = await fetch(`http://127.0.0.1:${server.port}/`);
      assertEquals(await page.text(), PAGE);
      const same = await fetch(`http://127.0.0.1:${server.port}/zmq`);
      assertEquals(await same.text(), PAGE);
      await reply.close();
      await within(server.close(), WAIT_MS, "the server closes");
    });

    it("carries each message whole and in its order, long ones too", async () => {
      const pull = cleanup.add(new Pull(context()));
      const push = cleanup.add(new Push(context()));
      const server = await serve({ "/in": pull, "/out": push });
      const there = cleanup.add(new Push(context()));
      const here = cleanup.add(new Pull(context()));
      there.connect(`ws://127.0.0.1:${server.port}/in`);
      here.connect(`ws://127.0.0.1:${server.port}/out`);
      const sizes = [0, 1, 124, 125, 126, 255, 256, 65_534, 65_535, 65_536, 1_000_003];
      for (const [from, to] of [[there, pull], [push, here]] as const) {
        const sent = (async () => {
          for (let i = 0; i < MANY; i++) await from.send([String(i), "x".repeat(i % 200)]);
          for (const size of sizes) await from.send(new Uint8Array(size).fill(size % 251));
        })();
        for (let i = 0; i < MANY; i++) {
          const frames = await within(to.receive(), WAIT_MS, `message ${i}`);
          assertEquals(frames.map(textOf), [String(i), "x".repeat(i % 200)]);
        }
        for (const size of sizes) {
          const [body] = await within(to.receive(), WAIT_MS, `${size} octets`);
          assertEquals(body.length, size);
          assertEquals(body.every((octet) => octet === size % 251), true);
        }
        await sent;
      }
      await Promise.all([pull.close(), push.close()]);
      await within(server.close(), WAIT_MS, "the server closes");
    });

    it("serves several sockets and many peers", async () => {
      const router = cleanup.add(new Router(context()));
      const publisher = cleanup.add(new Publisher(context()));
      const pair = cleanup.add(new Pair(context()));
      const server = await serve({ "/a": router, "/b": publisher, "/c": pair });
      const subscribers = Array.from({ length: 5 }, () => {
        const subscriber = cleanup.add(new Subscriber(context()));
        subscriber.connect(`ws://127.0.0.1:${server.port}/b`);
        subscriber.subscribe("news");
        return subscriber;
      });
      const dealers = Array.from({ length: 5 }, (_, i) => {
        const dealer = cleanup.add(new Dealer({ ...context(), routingId: `dealer ${i}` }));
        dealer.connect(`ws://127.0.0.1:${server.port}/a`);
        return dealer;
      });
      for (const dealer of dealers) await dealer.send("hello");
      for (let i = 0; i < dealers.length; i++) {
        const [id, hello] = await within(router.receive(), WAIT_MS, "a hello");
        assertEquals(String(hello), "hello");
        await router.send([id, `you are ${id}`]);
      }
      for (const [i, dealer] of dealers.entries()) {
        const [name] = await within(dealer.receive(), WAIT_MS, "an answer");
        assertEquals(String(name), `you are dealer ${i}`);
      }
      const one = cleanup.add(new Pair(context()));
      one.connect(`ws://127.0.0.1:${server.port}/c`);
      await one.send("ping");
      assertEquals(String((await within(pair.receive(), WAIT_MS, "ping"))[0]), "ping");
      let told = false;
      const telling = (async () => {
        // Subscriptions take a moment.
        while (!told) {
          await publisher.send(["news", "all is well"]);
          await publisher.send(["other", "not for you"]);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      })();
      for (const subscriber of subscribers) {
        const news = await within(subscriber.receive(), WAIT_MS, "news");
        assertEquals(news.map(String), ["news", "all is well"]);
      }
      told = true;
      await telling;
      await Promise.all([router.close(), publisher.close(), pair.close()]);
      await within(server.close(), WAIT_MS, "the server closes");
    });

    it("keeps messages secret with CURVE", async () => {
      const keys = curveKeyPair();
      const own = curveKeyPair();
      const reply = cleanup.add(
        new Reply({ ...context(), curveServer: true, curveSecretKey: keys.secretKey }),
      );
      const server = await serve({ "/zmq": reply });
      const request = cleanup.add(
        new Requester({
          ...context(),
          curveServerKey: keys.publicKey,
          curvePublicKey: own.publicKey,
          curveSecretKey: own.secretKey,
        }),
      );
      const log = new EventLog(reply);
      request.connect(`ws://127.0.0.1:${server.port}/zmq`);
      await request.send("secret");
      assertEquals(String((await within(reply.receive(), WAIT_MS, "a question"))[0]), "secret");
      await reply.send("answer");
      assertEquals(String((await within(request.receive(), WAIT_MS, "an answer"))[0]), "answer");
      const { address, peerAddress, protocol } = await log.next("handshake", WAIT_MS);
      assertEquals(protocol, "ZWS2.0");
      assertStringIncludes(address, "ws://");
      assertStringIncludes(peerAddress, "127.0.0.1:");
      await reply.close();
      await within(server.close(), WAIT_MS, "the server closes");
    });

    it("tells the Authenticator where a peer is", async () => {
      const shared = new Context();
      const seen: string[] = [];
      const authenticator = cleanup.add(
        new Authenticator({
          context: shared,
          plain: (_, { address }) => {
            seen.push(address);
            return true;
          },
        }),
      );
      const reply = cleanup.add(
        new Reply({ context: shared, linger: 0, plainServer: true, attachMetadata: true }),
      );
      const server = await serve({ "/zmq": reply });
      const request = cleanup.add(
        new Requester({ ...context(), plainUsername: "ann", plainPassword: "secret" }),
      );
      request.connect(`ws://127.0.0.1:${server.port}/zmq`);
      await request.send("hello");
      const question = await within(reply.receive(), WAIT_MS, "a question");
      assertEquals(seen, ["127.0.0.1"]);
      assertEquals(metadataOf(question)?.peerAddress, "127.0.0.1");
      await request.close();
      await reply.close();
      await authenticator.close();
      await within(server.close(), WAIT_MS, "the server closes");
    });

    it("takes what comes right behind the request", async () => {
      const pull = cleanup.add(new Pull(context()));
      const server = await serve({ "/zmq": pull });
      const connection = cleanup.add(await dial(`tcp://127.0.0.1:${server.port}`));
      const peer = new RawWebSocket(connection, true);
      connection.send(
        requestOf({}, "GET /zmq HTTP/1.1"),
        peer.frame(readying("PUSH")),
        peer.frame(bodied(0, "at once")),
      );
      assertEquals(String((await within(pull.receive(), WAIT_MS, "a message"))[0]), "at once");
      connection.destroy();
      await pull.close();
      await within(server.close(), WAIT_MS, "the server closes");
    });

    it("has peers over TLS where the server has it", async () => {
      const reply = cleanup.add(new Reply(context()));
      const server = await serve({ "/zmq": reply }, SERVER);
      const request = cleanup.add(new Requester({ ...context(), wssTrustPem: AUTHORITY }));
      request.connect(`wss://localhost:${server.port}/zmq`);
      await request.send("secret");
      assertEquals(String((await within(reply.receive(), WAIT_MS, "a question"))[0]), "secret");
      await reply.send("answer");
      assertEquals(String((await within(request.receive(), WAIT_MS, "an answer"))[0]), "answer");
      await request.close();
      await reply.close();
      await within(server.close(), WAIT_MS, "the server closes");
    });

    it("has the WebSockets of pages as peers", async () => {
      const reply = cleanup.add(new Reply(context()));
      const server = await serve({ "/zmq": reply });
      const page = new WebSocket(`ws://127.0.0.1:${server.port}/zmq`, ["ZWS2.0"]);
      page.binaryType = "arraybuffer";
      const came: Uint8Array[] = [];
      page.onmessage = ({ data }) => came.push(new Uint8Array(data));
      await within(new Promise((resolve) => page.onopen = resolve), WAIT_MS, "an open WebSocket");
      assertEquals(page.protocol, "ZWS2.0");
      page.send(Uint8Array.of(0)); // an empty routing id
      page.send(Uint8Array.of(1)); // the delimiter of a request
      page.send(Uint8Array.of(0, ...utf8("hello")));
      assertEquals(String((await within(reply.receive(), WAIT_MS, "a question"))[0]), "hello");
      await reply.send("world");
      await eventually(() => came.length === 3, WAIT_MS, "three messages");
      assertEquals(came, [Uint8Array.of(0), Uint8Array.of(1), Uint8Array.of(0, ...utf8("world"))]);
      const closed = within(new Promise((resolve) => page.onclose = resolve), WAIT_MS, "its close");
      await reply.close();
      await closed;
      await within(server.close(), WAIT_MS, "the server closes");
    });

    it("ends the connections with the socket, and lets peers come again", async () => {
      const first = cleanup.add(new Reply(context()));
      const places: Record<string, Reply> = { "/zmq": first };
      const server = await serve(places);
      const request = cleanup.add(new Requester({ ...context(), reconnectInterval: 20 }));
      const log = new EventLog(request);
      request.connect(`ws://127.0.0.1:${server.port}/zmq`);
      await log.next("handshake", WAIT_MS);
      await first.close();
      await log.next("disconnect", WAIT_MS);
      const second = cleanup.add(new Reply(context()));
      places["/zmq"] = second;
      await log.next("handshake", WAIT_MS);
      await request.send("again");
      assertEquals(String((await within(second.receive(), WAIT_MS, "a question"))[0]), "again");
      await request.close();
      await second.close();
      await within(server.close(), WAIT_MS, "the server closes");
    });
  });
}
