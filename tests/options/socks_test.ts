// socksProxy, socksUsername and socksPassword: connections through a SOCKS5 proxy.

import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Pull, Push, Router, Stream } from "../../mod.ts";
import { assertFrames, textOf, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { EventLog } from "../_util/event_log.ts";
import { contextWith } from "../_util/fake_runtime.ts";
import { assertOctets, pattern } from "../_util/octets.ts";
import { ANY_PORT, portOf } from "../_util/ports.ts";
import { RawServer } from "../_util/raw_peer.ts";
import { BOUND, type SocksOptions, SocksServer } from "../_util/socks_server.ts";
import { hasIpv6 } from "../_util/system.ts";

const cleanup = new Cleanup();
const QUICK = { reconnectInterval: 10, sendTimeout: 5_000 } as const;
const ALICE = { username: "alice", password: "s3cret" } as const;

async function openProxy(options: SocksOptions = {}): Promise<SocksServer> {
  return cleanup.add(await SocksServer.listen(options));
}

async function openPull(address: string = ANY_PORT): Promise<Pull> {
  const pull = cleanup.add(new Pull({ receiveTimeout: 5_000 }));
  await pull.bind(address);
  return pull;
}

function openPush(options: ConstructorParameters<typeof Push>[0]): Push {
  return cleanup.add(new Push({ ...QUICK, ...options }));
}

/** One message gets to the pull through the proxy. */
async function talk(
  proxy: SocksServer,
  pull: Pull,
  endpoint = pull.lastEndpoint!,
  options: ConstructorParameters<typeof Push>[0] = {},
): Promise<Push> {
  const push = openPush({ socksProxy: proxy.address, ...options });
  push.connect(endpoint);
  await push.send(["through", endpoint]);
  assertFrames(await pull.receive(), ["through", endpoint]);
  return push;
}

describe("socksProxy", () => {
  afterEach(() => cleanup.run());

  it("is asked to connect to an IPv4 address, and offered no password", async () => {
    const [proxy, pull] = [await openProxy(), await openPull()];
    await talk(proxy, pull);
    const port = portOf(pull.lastEndpoint);
    assertEquals(proxy.requests, [{
      methods: [0],
      username: undefined,
      password: undefined,
      target: { kind: "ipv4", host: "127.0.0.1", port },
    }]);
  });

  it("is asked to connect to an IPv6 address", { ignore: !hasIpv6() }, async () => {
    const [proxy, pull] = [await openProxy(), await openPull("tcp://[::1]:*")];
    await talk(proxy, pull);
    const port = portOf(pull.lastEndpoint);
    assertEquals(proxy.requests[0].target, { kind: "ipv6", host: "0:0:0:0:0:0:0:1", port });
  });

  it("is asked to connect to a name, which nobody else looks up", async () => {
    const name = "hidden-behind-the-proxy.example";
    const proxy = await openProxy({ names: { [name]: "127.0.0.1" } });
    const pull = await openPull();
    const port = portOf(pull.lastEndpoint);
    await talk(proxy, pull, `tcp://${name}:${port}`);
    assertEquals(proxy.requests[0].target, { kind: "name", host: name, port });
  });

  it("carries messages of all sizes both ways", async () => {
    const proxy = await openProxy();
    const router = cleanup.add(new Router({ receiveTimeout: 10_000 }));
    await router.bind(ANY_PORT);
    const dealer = cleanup.add(
      new Dealer({ ...QUICK, socksProxy: proxy.address, receiveTimeout: 10_000 }),
    );
    dealer.connect(router.lastEndpoint!);
    for (const size of [0, 1, 255, 256, 8_192, 65_536, 2_000_000]) {
      await dealer.send(pattern(size, size));
      const [id, body] = await router.receive();
      assertOctets(body, pattern(size, size));
      await router.send([id, body]);
      assertOctets((await dealer.receive())[0], pattern(size, size));
    }
    assertEquals(proxy.requests.length, 1);
  });

  it("may be named instead of given by address", async () => {
    const [proxy, pull] = [await openProxy(), await openPull()];
    await talk(proxy, pull, undefined, { socksProxy: `localhost:${proxy.port}` });
    assertEquals(proxy.requests.length, 1);
  });

  it("may be named, and each of its addresses is tried", async () => {
    const [proxy, pull] = [await openProxy(), await openPull()];
    const asked: string[] = [];
    const context = contextWith({
      resolve: (host) => {
        asked.push(host);
        return Promise.resolve(["127.0.0.2", "127.0.0.3", "127.0.0.1"]);
      },
    });
    await talk(proxy, pull, undefined, {
      context,
      socksProxy: `many.example:${proxy.port}`,
      reconnectInterval: 60_000,
    });
    assertEquals([asked, proxy.requests.length], [["many.example"], 1]);
  });

  it("sees the source address that stands before a semicolon", async () => {
    const [proxy, pull] = [await openProxy(), await openPull()];
    await talk(proxy, pull, pull.lastEndpoint!.replace("tcp://", "tcp://127.0.0.2:0;"));
    assertEquals(proxy.clients, ["127.0.0.2"]);
  });

  it("serves a STREAM too", async () => {
    const [proxy, server] = [await openProxy(), cleanup.add(await RawServer.listen())];
    const stream = cleanup.add(new Stream({ socksProxy: proxy.address, receiveTimeout: 5_000 }));
    stream.connect(server.endpoint);
    const peer = await server.accept();
    const [id] = await stream.receive();
    await stream.send([id, "hello"]);
    assertEquals(textOf(await peer.take(5)), "hello");
    peer.send(utf8("bye"));
    assertEquals(textOf((await stream.receive())[1]), "bye");
  });

  it("may have an IPv6 address", { ignore: !hasIpv6() }, async () => {
    const [proxy, pull] = [await openProxy({ host: "::1" }), await openPull()];
    assert(proxy.address.startsWith("[::1]:"));
    await talk(proxy, pull);
    assertEquals(proxy.requests.length, 1);
  });

  it("counts for the next connect, and null connects directly again", async () => {
    const [proxy, pull] = [await openProxy(), await openPull()];
    const push = await talk(proxy, pull);
    push.disconnect(pull.lastEndpoint!);
    await eventually(() => proxy.open === 0);
    push.socksProxy = null;
    push.connect(pull.lastEndpoint!);
    await push.send("directly");
    assertFrames(await pull.receive(), ["directly"]);
    assertEquals(proxy.requests.length, 1);
  });

  it("is used again when the connection through it breaks", async () => {
    const [proxy, pull] = [await openProxy(), await openPull()];
    const push = openPush({ socksProxy: proxy.address });
    const log = new EventLog(push);
    push.connect(pull.lastEndpoint!);
    for (let round = 1; round <= 3; round++) {
      await log.nth("handshake", round);
      await push.send(String(round));
      assertFrames(await pull.receive(), [String(round)]);
      proxy.cut();
      await log.nth("disconnect", round);
    }
    assertGreaterOrEqual(proxy.requests.length, 3);
  });

  it("that comes later than the socket is tried for until it is there", async () => {
    const early = await SocksServer.listen();
    const { port } = early;
    early.close();
    const pull = await openPull();
    const push = openPush({ socksProxy: `127.0.0.1:${port}` });
    const log = new EventLog(push);
    push.connect(pull.lastEndpoint!);
    await push.send("patient");
    await log.nth("connect:retry", 2);
    const proxy = await openProxy({ port });
    assertFrames(await pull.receive(), ["patient"]);
    assertEquals(proxy.requests.length, 1);
  });

  it("does not concern ipc and inproc, nor those who connect to the socket", async () => {
    const proxy = await openProxy();
    const pull = cleanup.add(new Pull({ receiveTimeout: 5_000, socksProxy: proxy.address }));
    for (const address of [ANY_PORT, "ipc://*", "inproc://no-proxy"]) {
      await pull.bind(address);
      const own = address === ANY_PORT ? {} : { socksProxy: proxy.address };
      const push = openPush(own);
      push.connect(pull.lastEndpoint!);
      await push.send(address);
      assertFrames(await pull.receive(), [address]);
    }
    assertEquals(proxy.requests, []);
  });

  it("names the endpoint in events, not itself", async () => {
    const [proxy, pull] = [await openProxy(), await openPull()];
    const push = openPush({ socksProxy: proxy.address });
    const log = new EventLog(push);
    push.connect(pull.lastEndpoint!);
    await log.nth("handshake");
    assertEquals(log.types, ["connect:delay", "connect", "handshake"]);
    assertEquals(log.of("connect")[0].address, pull.lastEndpoint);
    assertEquals(push.lastEndpoint, pull.lastEndpoint);
  });

  for (
    const [what, options] of [
      ["sends its answers octet by octet", { dribbles: true }],
      ["sends its reply and the first octets in one piece", { joinsReply: true }],
      ["sends its reply and the first octets octet by octet", { joinsReply: true, dribbles: true }],
      ["is slow", { delayMs: 120 }],
      ["replies with an IPv6 address", { bound: BOUND.ipv6 }],
      ["replies with a name", { bound: BOUND.name }],
      ["replies with a name, in one piece with the first octets", {
        bound: BOUND.name,
        joinsReply: true,
      }],
    ] as const
  ) {
    it(`that ${what} is understood`, async () => {
      const [proxy, pull] = [await openProxy(options), await openPull()];
      await talk(proxy, pull);
      assertEquals(proxy.requests.length, 1);
    });
  }
});

describe("socksUsername and socksPassword", () => {
  afterEach(() => cleanup.run());

  it("are told to a proxy that asks for them", async () => {
    const [proxy, pull] = [await openProxy({ credentials: ALICE }), await openPull()];
    await talk(proxy, pull, undefined, {
      socksUsername: ALICE.username,
      socksPassword: ALICE.password,
    });
    const [{ methods, username, password }] = proxy.requests;
    assert(methods.includes(2));
    assertEquals([username, password], [ALICE.username, ALICE.password]);
  });

  it("may have 255 octets each, of any script", async () => {
    const credentials = { username: "ü".repeat(127), password: "p".repeat(255) };
    const [proxy, pull] = [await openProxy({ credentials }), await openPull()];
    await talk(proxy, pull, undefined, {
      socksUsername: credentials.username,
      socksPassword: credentials.password,
    });
    assertEquals(proxy.requests[0].username, credentials.username);
  });

  it("may be a name without a password", async () => {
    const credentials = { username: "guest", password: "" };
    const [proxy, pull] = [await openProxy({ credentials }), await openPull()];
    await talk(proxy, pull, undefined, { socksUsername: "guest" });
    assertEquals(proxy.requests[0].password, "");
  });

  it("that are wrong keep the socket out, which tries again", async () => {
    const proxy = await openProxy({ credentials: ALICE });
    const pull = await openPull();
    const push = openPush({
      socksProxy: proxy.address,
      socksUsername: ALICE.username,
      socksPassword: "wrong",
    });
    const log = new EventLog(push);
    push.connect(pull.lastEndpoint!);
    const { error } = await log.nth("connect:retry", 2);
    assert(error instanceof Error && error.message.length > 0);
    assertEquals([log.of("handshake"), pull.readable], [[], false]);
    for (const { password, target } of proxy.requests) {
      assertEquals([password, target], ["wrong", undefined]);
    }
  });

  it("that are missing keep the socket out", async () => {
    const proxy = await openProxy({ credentials: ALICE });
    const pull = await openPull();
    const push = openPush({ socksProxy: proxy.address });
    const log = new EventLog(push);
    push.connect(pull.lastEndpoint!);
    const { error } = await log.nth("connect:retry", 2);
    assert(error instanceof Error);
    for (const { methods, target } of proxy.requests) {
      assertEquals([methods, target], [[0], undefined]);
    }
  });

  it("are never shown in events and errors", async () => {
    const proxy = await openProxy({ credentials: ALICE });
    const push = openPush({
      socksProxy: proxy.address,
      socksUsername: "somebody",
      socksPassword: "very-private",
    });
    const log = new EventLog(push);
    push.connect((await openPull()).lastEndpoint!);
    await log.nth("connect:retry", 1);
    for (const event of log.all) {
      const { error } = event as { error?: Error };
      const text = `${JSON.stringify(event)} ${error?.message} ${error?.cause}`;
      assert(!text.includes("very-private"), text);
    }
    assertEquals(textOf(new TextEncoder().encode(push.socksPassword!)), "very-private");
  });
});
