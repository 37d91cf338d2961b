import { assertEquals } from "@std/assert";
import { after, afterEach, before, beforeEach, it } from "@std/testing/bdd";
import {
  curveKeyPair,
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  type Socket,
  type SocketOptions,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../mod.ts";
import { Chromium, describeInChromium, type OpenPage } from "../_util/chromium.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { within } from "../_util/deadline.ts";

/** What a page needs to connect with CURVE; undefined for NULL. */
interface Keys {
  readonly curveServerKey: string;
  readonly curveSecretKey: string;
  readonly curvePublicKey: string;
}

/** What is given to each script. */
interface Given {
  readonly at: string;
  readonly keys: Keys | null;
  readonly count: number;
}

const COUNT = 200;
const LONG_MS = 30_000;
const AT = "ws://127.0.0.1:*";

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

for (
  const [how, mechanism] of [
    ["over NULL", "NULL"],
    ["over CURVE", "CURVE"],
  ] as const
) {
  describeInChromium(`A page's sockets ${how}`, () => {
    let browser: Chromium;
    let page: OpenPage;
    let keys: Keys | null = null;
    let server: SocketOptions<Socket> = {};
    const cleanup = new Cleanup();

    before(async () => {
      browser = await Chromium.start();
      if (mechanism === "NULL") return;
      const theirs = await curveKeyPair();
      const ours = await curveKeyPair();
      server = {
        curveServer: true,
        curveSecretKey: theirs.secretKey,
        curvePublicKey: theirs.publicKey,
        // Who asks for credentials lets no pages in but those of its own host and port.
        origins: browser.origin,
      };
      keys = {
        curveServerKey: theirs.publicKey,
        curveSecretKey: ours.secretKey,
        curvePublicKey: ours.publicKey,
      };
    });
    beforeEach(async () => {
      page = await browser.open();
    });
    afterEach(async () => {
      await page.close();
      await cleanup.run();
    });
    after(() => browser.stop());

    async function bound<T extends Socket>(Type: new (options: object) => T): Promise<T> {
      const socket = cleanup.add(new Type({ ...server, linger: 0 }));
      await socket.bind(AT);
      return socket;
    }

    function run<R>(
      socket: Socket,
      body: (wasmq: typeof import("../../browser.ts"), given: Given) => Promise<R>,
    ): Promise<R> {
      return page.run(body, { at: socket.lastEndpoint!, keys, count: COUNT }, LONG_MS);
    }

    it("push and pull", async () => {
      const pull = await bound(Pull);
      const sent = run(pull, async ({ Push }, { at, keys, count }) => {
        const push = new Push({ ...keys, linger: 30_000 });
        push.connect(at);
        for (let i = 0; i < count; i++) await push.send([String(i), new Uint8Array(i * 50)]);
        await push.close();
      });
      for (let i = 0; i < COUNT; i++) {
        const [number, body] = await within(pull.receive(), LONG_MS, "a message of the page");
        assertEquals([String(number), body.length], [String(i), i * 50]);
      }
      await sent;

      const push = await bound(Push);
      const received = run(push, async ({ Pull }, { at, keys, count }) => {
        const pull = new Pull({ ...keys });
        pull.connect(at);
        const numbers: string[] = [];
        let octets = 0;
        for (let i = 0; i < count; i++) {
          const [number, body] = await pull.receive();
          numbers.push(String(number));
          octets += body.length;
        }
        await pull.close();
        return { numbers, octets };
      });
      for (let i = 0; i < COUNT; i++) await push.send([String(i), new Uint8Array(i * 50)]);
      assertEquals(await received, {
        numbers: numbers(COUNT),
        octets: 50 * COUNT * (COUNT - 1) / 2,
      });
    });

    it("request and reply", async () => {
      const reply = await bound(Reply);
      const asked = run(reply, async ({ Request }, { at, keys, count }) => {
        const request = new Request({ ...keys });
        request.connect(at);
        const answers: string[] = [];
        for (let i = 0; i < count; i++) {
          await request.send(`${i}?`);
          answers.push(String(await request.receive()));
        }
        await request.close();
        return answers;
      });
      for (let i = 0; i < COUNT; i++) {
        const [question] = await within(reply.receive(), LONG_MS, "a question of the page");
        await reply.send(`${question}!`);
      }
      assertEquals(await asked, numbers(COUNT).map((number) => `${number}?!`));

      const request = await bound(Request);
      const answered = run(request, async ({ Reply }, { at, keys, count }) => {
        const reply = new Reply({ ...keys, linger: 30_000 });
        reply.connect(at);
        for (let i = 0; i < count; i++) await reply.send(`${await reply.receive()}!`);
        await reply.close();
      });
      for (let i = 0; i < COUNT; i++) {
        await request.send(String(i));
        const answer = await within(request.receive(), LONG_MS, "an answer of the page");
        assertEquals(String(answer), `${i}!`);
      }
      await answered;
    });

    it("deal and route, with the page's routing id", async () => {
      const router = await bound(Router);
      const dealt = run(router, async ({ Dealer }, { at, keys, count }) => {
        const dealer = new Dealer({ ...keys, routingId: "page" });
        dealer.connect(at);
        for (let i = 0; i < count; i++) await dealer.send(String(i));
        const answers: string[] = [];
        for (let i = 0; i < count; i++) answers.push(String(await dealer.receive()));
        await dealer.close();
        return answers;
      });
      for (let i = 0; i < COUNT; i++) {
        const [id, number] = await within(router.receive(), LONG_MS, "a message of the page");
        assertEquals([String(id), String(number)], ["page", String(i)]);
        await router.send([id, `${number}!`]);
      }
      assertEquals(await dealt, numbers(COUNT).map((number) => `${number}!`));

      const dealer = await bound(Dealer);
      const routed = run(dealer, async ({ Router }, { at, keys, count }) => {
        const router = new Router({ ...keys, linger: 30_000 });
        router.connect(at);
        for (let i = 0; i < count; i++) {
          const [id, number] = await router.receive();
          await router.send([id, `${number}!`]);
        }
        await router.close();
      });
      for (let i = 0; i < COUNT; i++) await dealer.send(String(i));
      for (let i = 0; i < COUNT; i++) {
        const answer = await within(dealer.receive(), LONG_MS, "an answer of the page");
        assertEquals(String(answer), `${i}!`);
      }
      await routed;
    });

    it("publish and subscribe", async () => {
      const publisher = await bound(XPublisher);
      const heard = run(publisher, async ({ Subscriber }, { at, keys, count }) => {
        const subscriber = new Subscriber({ ...keys });
        subscriber.subscribe("even");
        subscriber.connect(at);
        const bodies: string[] = [];
        while (bodies.length < count) bodies.push(String((await subscriber.receive())[1]));
        await subscriber.close();
        return bodies;
      });
      assertEquals(String(await within(publisher.receive(), LONG_MS, "a topic")), "\x01even");
      for (let i = 0; i < 2 * COUNT; i++) {
        await publisher.send([i % 2 === 0 ? "even" : "odd", String(i)]);
      }
      assertEquals(await heard, numbers(COUNT).map((number) => String(2 * Number(number))));

      const subscriber = await bound(Subscriber);
      subscriber.subscribe("news");
      const published = run(subscriber, async ({ XPublisher }, { at, keys, count }) => {
        const publisher = new XPublisher({ ...keys, linger: 30_000 });
        publisher.connect(at);
        const topic = String(await publisher.receive());
        for (let i = 0; i < count; i++) await publisher.send(["news", String(i)]);
        await publisher.close();
        return topic;
      });
      for (let i = 0; i < COUNT; i++) {
        const [, body] = await within(subscriber.receive(), LONG_MS, "news of the page");
        assertEquals(String(body), String(i));
      }
      assertEquals(await published, "\x01news");
    });

    it("hand topics on as XSUB, and publish as PUB", async () => {
      const publisher = await bound(Publisher);
      const heard = run(publisher, async ({ XSubscriber }, { at, keys }) => {
        const subscriber = new XSubscriber({ ...keys });
        subscriber.connect(at);
        await subscriber.send("\x01tick");
        const first = String((await subscriber.receive())[0]);
        await subscriber.close();
        return first;
      });
      const ticks = setInterval(() => void publisher.send(["tick", "1"]), 20);
      try {
        assertEquals(await heard, "tick");
      } finally {
        clearInterval(ticks);
      }

      const subscriber = await bound(XSubscriber);
      await subscriber.send("\x01tock");
      const done = run(subscriber, async ({ Publisher }, { at, keys }) => {
        const publisher = new Publisher({ ...keys, linger: 0 });
        publisher.connect(at);
        const ticks = setInterval(() => void publisher.send(["tock", "2"]), 20);
        await new Promise<void>((resolve) => Object.assign(globalThis, { enough: resolve }));
        clearInterval(ticks);
        await publisher.close();
      });
      const [topic] = await within(subscriber.receive(), LONG_MS, "a message of the page");
      assertEquals(String(topic), "tock");
      await page.page.evaluate("enough()");
      await done;
    });

    it("are a pair", async () => {
      const pair = await bound(Pair);
      const echoed = run(pair, async ({ Pair }, { at, keys, count }) => {
        const pair = new Pair({ ...keys, linger: 30_000 });
        pair.connect(at);
        for (let i = 0; i < count; i++) await pair.send(await pair.receive());
        await pair.close();
      });
      for (let i = 0; i < COUNT; i++) await pair.send([String(i), "", "end"]);
      for (let i = 0; i < COUNT; i++) {
        const parts = await within(pair.receive(), LONG_MS, "an echo of the page");
        assertEquals(parts.map(String), [String(i), "", "end"]);
      }
      await echoed;
    });

    it("take messages of many sizes, up to a megabyte", async () => {
      const pair = await bound(Pair);
      const echoed = run(pair, async ({ Pair }, { at, keys }) => {
        const pair = new Pair({ ...keys, linger: 30_000 });
        pair.connect(at);
        for (let i = 0; i < 8; i++) await pair.send(await pair.receive());
        await pair.close();
      });
      for (const size of [0, 1, 125, 126, 255, 256, 65_536, 1_000_000]) {
        const body = new Uint8Array(size).map((_, i) => i * 31 + (i >> 8));
        await pair.send(body);
        const [back] = await within(pair.receive(), LONG_MS, "an echo of the page");
        assertEquals(back.length, size);
        assertEquals(new Uint8Array(back).every((octet, i) => octet === body[i]), true);
      }
      await echoed;
    });
  });
}
