// ZeroMQ over WebSocket to and from workers, on the real workerd.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { curveKeyPair, Dealer, Router, Subscriber } from "../../mod.ts";
import { textOf } from "../_util/bytes.ts";
import { AUTHORITY, SERVER } from "../_util/certificates.ts";
import { pause } from "../_util/deadline.ts";
import { RECEIVES, SENDS_AND_RECEIVES } from "../_util/pairing.ts";
import { echo, exchange, GRID, MANY, Opened } from "../_util/traffic.ts";
import { Workerd } from "./workerd.ts";

const TLS = { wssKeyPem: SERVER.key, wssCertPem: SERVER.certificate };
const LOOK_MS = 5;
const SOME = { ...MANY, count: 2_000 };

describe("a worker that connects over WebSocket", () => {
  const opened = new Opened();
  let workerd: Workerd;
  before(async () => {
    const authorities = [AUTHORITY];
    workerd = await Workerd.start("tests/workerd/programs/outbound.ts", { authorities });
  });
  after(() => workerd?.kill());
  afterEach(() => opened.close());

  async function served(
    endpoint: string,
    options: Partial<Router> = {},
    query: Record<string, string> = {},
    path = "/dealer",
  ): Promise<void> {
    const router = opened.add(new Router({ ...SENDS_AND_RECEIVES, ...options }));
    const protocols: string[] = [];
    router.events.on("handshake", ({ protocol }) => protocols.push(protocol));
    await router.bind(endpoint);
    const to = router.lastEndpoint!.replace("127.0.0.1", query.host ?? "127.0.0.1");
    const [count] = await Promise.all([
      workerd.ask(path, { ...query, to, spec: JSON.stringify(SOME) }),
      echo(router, SOME.count),
    ]);
    assertEquals(count, SOME.count);
    assertEquals(protocols, ["ZWS2.0"]);
  }

  it("exchanges messages over ws", () => served("ws://127.0.0.1:*/zmq"));

  it("exchanges messages over ws with CURVE", async () => {
    const { publicKey: key, secretKey: curveSecretKey } = curveKeyPair();
    await served("ws://127.0.0.1:*", { curveServer: true, curveSecretKey }, { key }, "/curve");
  });

  it("exchanges messages over wss, where workerd trusts the authority", async () => {
    await served("wss://127.0.0.1:*/zmq", TLS, { host: "localhost" });
  });

  it("expects a certificate for the name that wssHostname says", async () => {
    const options = JSON.stringify({ wssHostname: "peer.test" });
    await served("wss://127.0.0.1:*/zmq", TLS, { host: "localhost", options });
  });

  it("refuses a certificate for another name", async () => {
    const router = opened.add(new Router(TLS));
    await router.bind("wss://127.0.0.1:*");
    const { code, message } = await workerd.ask<{ code: string; message: string }>("/event", {
      to: router.lastEndpoint!,
      options: JSON.stringify({ wssHostname: "other.test" }),
      type: "connect:retry",
    });
    assertEquals(code, "ECONNRESET", message);
    assertStringIncludes(message, "TLS");
  });
});

describe("a worker that serves WebSockets", () => {
  const opened = new Opened();
  let workerd: Workerd;
  before(async () => {
    workerd = await Workerd.start("tests/workerd/programs/websocket.ts", { objects: ["Hub"] });
  });
  after(() => workerd?.kill());
  afterEach(() => opened.close());

  const at = (path: string): string => `ws://127.0.0.1:${workerd.port("http")}${path}`;

  function dealer(path: string): Dealer {
    const socket = opened.add(new Dealer(SENDS_AND_RECEIVES));
    socket.connect(at(path));
    return socket;
  }

  for (const [what, spec] of [["messages", SOME], ["every size", GRID]] as const) {
    it(`exchanges ${what} with a socket of the request's own`, async () => {
      await exchange(dealer("/zmq"), spec);
    });
  }

  it("serves many peers with the sockets of a Durable Object", async () => {
    await Promise.all([1, 2, 3].map(() => exchange(dealer("/hub/router"), SOME)));
  });

  it("publishes to a page's WebSocket", async () => {
    const socket = new WebSocket(at("/hub/publisher"), ["ZWS2.0"]);
    socket.binaryType = "arraybuffer";
    const messages: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const utf8 = new TextDecoder();
    socket.onmessage = ({ data }) => {
      messages.push(`${new Uint8Array(data)[0]} ${utf8.decode(new Uint8Array(data, 1))}`);
      if (messages.length === 3) resolve();
    };
    socket.onopen = () => {
      socket.send(Uint8Array.of(0)); // the routing id
      socket.send(Uint8Array.of(0, 1, ...new TextEncoder().encode("news"))); // a subscription
    };
    const other = opened.add(new Subscriber(RECEIVES));
    other.subscribe("news");
    other.connect(at("/hub/publisher"));
    // Both are subscribed when they get something; what came before that is gone.
    const received = other.receive();
    await feed(workerd, Promise.all([promise, received]));
    assertEquals((await received).map(textOf)[0], "news");
    assertEquals(messages.slice(0, 2), ["0 ", "1 news"]); // its routing id, then a message
    assertStringIncludes(messages[2], "0 /hub/");
    socket.close();
  });

  it("refuses a WebSocket without a subprotocol of ZeroMQ", async () => {
    const response = await fetch(at("/zmq").replace("ws:", "http:"), {
      headers: { upgrade: "websocket", connection: "upgrade" },
    });
    const text = await response.text();
    assert(response.status === 400 || response.status === 426, `${response.status} ${text}`);
    const socket = new WebSocket(at("/zmq"), ["chat"]);
    const { promise, resolve } = Promise.withResolvers<string>();
    socket.onopen = () => resolve("open");
    socket.onerror = () => resolve("refused");
    assertEquals(await promise, "refused");
  });
});

/** Publishes until something has happened. */
async function feed(workerd: Workerd, until: Promise<unknown>): Promise<void> {
  let done = false;
  const seen = until.then(() => done = true);
  while (!done) {
    await workerd.ask("/hub/publish");
    await pause(LOOK_MS);
  }
  await seen;
}
