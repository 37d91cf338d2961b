import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { after, afterEach, before, it } from "@std/testing/bdd";
import { curveKeyPair, Publisher, Pull, Reply } from "../../mod.ts";
import { SERVER } from "../_util/certificates.ts";
import { Chromium, describeInChromium } from "../_util/chromium.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { CountingRelay } from "../_util/counting_relay.ts";
import { eventually, within } from "../_util/deadline.ts";

const LONG_MS = 60_000;
const AT = "ws://127.0.0.1:*";

/** A page as its author writes it, without a bundler. */
const PLAIN_PAGE = `<!doctype html><meta charset="utf-8"><title>waiting</title>
<script type="module">
  import { Subscriber } from "/wasmq.js";

  const subscriber = new Subscriber();
  subscriber.subscribe("title");
  subscriber.connect(decodeURIComponent(location.search.slice(1)));
  for await (const [, title] of subscriber) document.title = String(title);
</script>`;

const WORKER = `import { Request } from "/wasmq.js";
onmessage = async ({ data }) => {
  const request = new Request();
  request.connect(data);
  await request.send("from a worker");
  postMessage(String(await request.receive()));
  await request.close();
};`;

/** Says what becomes of a first socket; scripts of tests do not run where a policy forbids all others. */
const STRICT_PAGE = `<!doctype html><meta charset="utf-8"><title>waiting</title>
<script type="module" src="/strict.js"></script>`;
const STRICT = `import { Push } from "/wasmq.js";
try {
  new Push().connect("ws://127.0.0.1:1");
  document.title = "made";
} catch (error) {
  document.title = error.code + " " + error.message;
}`;

describeInChromium("A page", () => {
  let browser: Chromium;
  const cleanup = new Cleanup();
  before(async () => {
    browser = await Chromium.start({ "/plain": PLAIN_PAGE, "/worker.js": WORKER });
  });
  afterEach(() => cleanup.run());
  after(() => browser.stop());

  it("needs no bundler", async () => {
    const publisher = cleanup.add(new Publisher());
    await publisher.bind(AT);
    const page = await browser.open(`/plain?${encodeURIComponent(publisher.lastEndpoint!)}`);
    await eventually(
      async () => {
        await publisher.send(["title", "live"]);
        return await page.page.title() === "live";
      },
      LONG_MS,
      "the title is what was published",
    );
    await page.close();
  });

  it("has sockets in a worker, too", async () => {
    const reply = cleanup.add(new Reply());
    await reply.bind(AT);
    const page = await browser.open();
    const answer = page.run((_, at) => {
      const worker = new Worker("/worker.js", { type: "module" });
      worker.postMessage(at);
      return new Promise<string>((resolve) => worker.onmessage = ({ data }) => resolve(data));
    }, reply.lastEndpoint!);
    await reply.send(`${await within(reply.receive(), LONG_MS, "a question")}, yes`);
    assertEquals(await answer, "from a worker, yes");
    await page.close();
  });

  it("has inproc, for its own sockets", async () => {
    const page = await browser.open();
    const numbers = await page.run(async ({ Pull, Push }, count) => {
      const pull = new Pull();
      await pull.bind("inproc://numbers");
      const push = new Push();
      push.connect("inproc://numbers");
      const numbers: number[] = [];
      const sending = (async () => {
        for (let i = 0; i < count; i++) await push.send(String(i));
      })();
      while (numbers.length < count) numbers.push(Number(String(await pull.receive())));
      await sending;
      await push.close();
      await pull.close();
      return numbers;
    }, 5000);
    assertEquals(numbers, Array.from({ length: 5000 }, (_, i) => i));
    await page.close();
  });

  it("is told by name what it cannot do", async () => {
    const page = await browser.open();
    const refusals = await page.run(async ({ Push }, _) => {
      const refusals: [string, string][] = [];
      const told = async (call: () => unknown): Promise<void> => {
        try {
          await call();
          refusals.push(["", "nothing was refused"]);
        } catch (error) {
          const { code, message } = error as Error & { code: string };
          refusals.push([code, message]);
        }
      };
      await told(() => new Push().bind("ws://127.0.0.1:*"));
      await told(() => new Push().bindSync("tcp://127.0.0.1:*"));
      await told(() => new Push().connect("tcp://127.0.0.1:5555"));
      await told(() => new Push().connect("ipc:///tmp/socket"));
      await told(() => new Push({ socksProxy: "127.0.0.1:1080" }).connect("ws://127.0.0.1:1"));
      await told(() => new Push({ wssTrustPem: "x" }).connect("wss://127.0.0.1:1"));
      await told(() =>
        new Push().accept({ readable: new ReadableStream(), writable: new WritableStream() })
      );
      return refusals;
    }, null);
    const expected = [
      "cannot listen",
      "cannot listen",
      "has no tcp; let the server bind ws://",
      "has no ipc",
      "cannot set socksProxy",
      "wssTrustPem",
      "A page cannot",
    ];
    for (const [i, [code, message]] of refusals.entries()) {
      assertStringIncludes(message, expected[i]);
      assert(code === "ENOTSUP" || code === "EINVAL", `${code} ${message}`);
    }
    assertEquals(refusals.length, expected.length);
    await page.close();
  });

  it("connects again when the server comes back, and says what was wrong", async () => {
    const first = new Pull();
    await first.bind(AT);
    const at = first.lastEndpoint!;
    const page = await browser.open();
    await page.run(({ Push }, at) => {
      const push = new Push({ reconnectInterval: 50, linger: 0 });
      const events: string[] = [];
      push.events.on("disconnect", () => events.push("disconnect"));
      push.events.on("close", ({ error }) => events.push(`${error?.code} ${error?.message}`));
      push.connect(at);
      Object.assign(globalThis, { push, events });
    }, at);
    await page.page.evaluate(`push.send("one")`);
    assertEquals(String(await within(first.receive(), LONG_MS, "the first message")), "one");
    await first.close();
    await eventually(
      async () => (await page.page.evaluate<string[]>("events")).length > 1,
      LONG_MS,
      "the page tries again",
    );
    const second = cleanup.add(new Pull());
    await second.bind(at);
    await page.page.evaluate(`push.send("two")`);
    assertEquals(String(await within(second.receive(), LONG_MS, "the second message")), "two");
    const [lost, failed] = await page.page.evaluate<string[]>("events");
    assertEquals(lost, "disconnect");
    assertStringIncludes(failed, "ECONNREFUSED The WebSocket did not open");
    await page.close();
  });

  it("answers the pings of the server (ZWS2-HB-01)", async () => {
    const pull = cleanup.add(new Pull({ heartbeatInterval: 50, heartbeatTimeout: 30_000 }));
    let lost = 0;
    pull.events.on("disconnect", () => lost++);
    await pull.bind(AT);
    const relay = cleanup.add(
      await CountingRelay.start(Number(/\d+$/.exec(pull.lastEndpoint!)![0])),
    );
    const page = await browser.open();
    await page.run(async ({ Push }, at) => {
      const push = new Push({ linger: 0 });
      push.connect(at);
      await push.send("hello");
      Object.assign(globalThis, { push });
    }, `ws://127.0.0.1:${relay.port}`);
    await within(pull.receive(), LONG_MS, "a message");
    const { count } = relay;
    // A pong has six octets, and the page says nothing else.
    await eventually(() => relay.count >= count + 60, LONG_MS, "ten pongs came");
    assertEquals(lost, 0);
    await page.close();
  });

  it("connects over wss://, if the browser trusts the certificate (ZWS2-SEC-01)", async () => {
    const { key, certificate } = SERVER;
    const reply = cleanup.add(new Reply({ wssKeyPem: key, wssCertPem: certificate }));
    await reply.bind("wss://127.0.0.1:*");
    void (async () => {
      for await (const [question] of reply) await reply.send(`${question}, yes`);
    })().catch(() => {});
    const outcomes: string[] = [];
    for (const trusting of [false, true]) {
      const page = await browser.open("/", trusting);
      outcomes.push(
        await page.run(async ({ Request }, at) => {
          const request = new Request({ linger: 0 });
          const failed = new Promise<string>((resolve) => {
            request.events.on("close", ({ error }) => resolve(`${error?.code}`));
          });
          request.connect(at);
          await request.send("over TLS");
          const outcome = await Promise.race([failed, request.receive().then(String)]);
          await request.close();
          return outcome;
        }, reply.lastEndpoint!),
      );
      await page.close();
    }
    assertEquals(outcomes, ["ECONNREFUSED", "over TLS, yes"]);
  });

  it("does not get in where credentials are asked for, unless its origin may", async () => {
    const { secretKey, publicKey } = await curveKeyPair();
    const pull = cleanup.add(
      new Pull({ curveServer: true, curveSecretKey: secretKey, curvePublicKey: publicKey }),
    );
    const told: string[] = [];
    pull.events.on("handshake:error:protocol", ({ error }) => told.push(error.message));
    await pull.bind(AT);
    const page = await browser.open();
    const error = await page.run(async ({ curveKeyPair, Push }, { at, curveServerKey }) => {
      const keys = await curveKeyPair();
      const push = new Push({
        curveServerKey,
        curveSecretKey: keys.secretKey,
        curvePublicKey: keys.publicKey,
        linger: 0,
      });
      const failed = new Promise<string>((resolve) => {
        push.events.on("close", ({ error }) => resolve(`${error?.code} ${error?.message}`));
      });
      push.connect(at);
      const error = await failed;
      await push.close();
      return error;
    }, { at: pull.lastEndpoint!, curveServerKey: publicKey });
    assertStringIncludes(error, "ECONNREFUSED");
    assertStringIncludes(error, "origin");
    await eventually(() => told.length > 0, LONG_MS, "the server says why");
    assertStringIncludes(told[0], "origin");
    await page.close();
  });
});

describeInChromium("A page whose policy forbids WebAssembly", () => {
  it("is told what its policy has to allow", async () => {
    const browser = await Chromium.start(
      { "/": STRICT_PAGE, "/strict.js": STRICT },
      { "content-security-policy": "script-src 'self'" },
    );
    try {
      const page = await browser.open();
      await eventually(async () => await page.page.title() !== "waiting", LONG_MS);
      const title = await page.page.title();
      assertStringIncludes(title, "ENOTSUP Cannot compile the WebAssembly core here");
      assertStringIncludes(title, "wasm-unsafe-eval");
    } finally {
      await browser.stop();
    }
  });
});
