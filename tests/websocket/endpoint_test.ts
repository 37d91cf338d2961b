// Endpoints of ws:// and wss://: which there are, what they are called once they are bound, and which are refused.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Publisher, Pull, Push, Router, Stream, Subscriber } from "../../mod.ts";
import { formatEndpoint, parseEndpoint, type WebSocketEndpoint } from "../../src/endpoint.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { failure, rejection } from "../_util/rejection.ts";

const cleanup = new Cleanup();
const COMMON = { reconnectInterval: 10, linger: 0 };
const SENDS = { ...COMMON, sendTimeout: 15_000 };
const RECEIVES = { ...COMMON, receiveTimeout: 15_000 };

function parse(text: string, use: "bind" | "connect" = "connect"): WebSocketEndpoint {
  return parseEndpoint(text, use) as WebSocketEndpoint;
}

describe("an endpoint of ws", () => {
  const good: Readonly<Record<string, [string, number, string]>> = {
    "ws://example.org:8080": ["example.org", 8080, "/"],
    "ws://example.org:8080/": ["example.org", 8080, "/"],
    "ws://example.org:8080/a/b?c=d&e=%20f": ["example.org", 8080, "/a/b?c=d&e=%20f"],
    "ws://example.org:8080?c=d": ["example.org", 8080, "/?c=d"],
    "ws://example.org/a": ["example.org", 80, "/a"],
    "wss://example.org/a": ["example.org", 443, "/a"],
    "wss://[::1]/a": ["::1", 443, "/a"],
    "ws://[::1]:1/a:b": ["::1", 1, "/a:b"],
  };
  for (const [text, [host, port, path]] of Object.entries(good)) {
    it(`may be ${text}`, () => {
      const endpoint = parse(text);
      assertEquals([endpoint.host, endpoint.port, endpoint.path], [host, port, path]);
      assertEquals(parse(formatEndpoint(endpoint, endpoint)).path, path);
    });
  }

  const bad: Readonly<Record<string, ["bind" | "connect", string]>> = {
    "ws://*": ["bind", "host:port"],
    "ws://example.org": ["bind", "host:port"],
    "ws://*:80": ["connect", "no host to connect to"],
    "ws://example.org:0/": ["connect", "port from 1 to 65535"],
    "ws://example.org:65536/": ["connect", "above 65535"],
    "ws://:80/": ["connect", "host:port"],
    "ws:///a": ["connect", "host:port"],
    "ws://x@y:80": ["connect", "no host that a request can name"],
    "ws://a b:80": ["connect", "no host that a request can name"],
    "ws://example.org:80/a b": ["connect", "printable ASCII"],
    "ws://example.org:80/é": ["connect", "printable ASCII"],
    "ws://example.org:80/a#b": ["connect", "no fragment"],
    "ws://example.org:80/a\r\nb: c": ["connect", "printable ASCII"],
  };
  for (const [text, [use, why]] of Object.entries(bad)) {
    it(`may not be ${JSON.stringify(text)} to ${use}`, () => {
      const error = failure(() => parse(text, use), "EINVAL");
      assertStringIncludes(error.message, why);
      assertStringIncludes(error.message, JSON.stringify(text));
    });
  }
});

describe("a socket that binds ws", () => {
  afterEach(() => cleanup.run());

  it("is told its port, with the path that it gave", async () => {
    const pull = cleanup.add(new Pull(RECEIVES));
    await pull.bind("ws://127.0.0.1:*");
    assertMatch(pull.lastEndpoint!, /^ws:\/\/127\.0\.0\.1:[1-9]\d*$/);
    await pull.bind("ws://127.0.0.1:*/a/b");
    assertMatch(pull.lastEndpoint!, /^ws:\/\/127\.0\.0\.1:[1-9]\d*\/a\/b$/);
    await pull.unbind(pull.lastEndpoint!);
    pull.bindSync("ws://127.0.0.1:*/c");
    assertMatch(pull.lastEndpoint!, /\/c$/);
  });

  it("serves its path and no other, whatever the query", async () => {
    const pull = cleanup.add(new Pull(RECEIVES));
    await pull.bind("ws://127.0.0.1:*/right");
    const lost = cleanup.add(new Push({ ...SENDS, sendTimeout: 0 }));
    const reasons: string[] = [];
    lost.events.on("handshake:error:other", ({ error }) => reasons.push(error.message));
    lost.connect(pull.lastEndpoint!.replace("right", "wrong"));
    await eventually(() => reasons.length > 1);
    assertStringIncludes(reasons[0], "404");
    assertStringIncludes(reasons[0], "path");
    const found = cleanup.add(new Push(SENDS));
    found.connect(`${pull.lastEndpoint}?who=me`);
    await found.send("here");
    assertFrames(await pull.receive(), ["here"]);
  });

  it("serves every path when it gave none", async () => {
    const router = cleanup.add(new Router(RECEIVES));
    await router.bind("ws://127.0.0.1:*");
    for (const path of ["", "/", "/any", "/any/other?x"]) {
      const dealer = cleanup.add(new Dealer(SENDS));
      dealer.connect(`${router.lastEndpoint}${path}`);
      await dealer.send(path);
      assertFrames((await router.receive()).slice(1), [path]);
    }
  });

  it("may have the same socket bound over tcp, and peers of both", async () => {
    const publisher = cleanup.add(new Publisher(COMMON));
    const endpoints: string[] = [];
    for (const address of ["ws://127.0.0.1:*", "tcp://127.0.0.1:*", "inproc://both"]) {
      await publisher.bind(address);
      endpoints.push(publisher.lastEndpoint!);
    }
    const subscribers = endpoints.map((endpoint) => {
      const subscriber = cleanup.add(new Subscriber(RECEIVES));
      subscriber.subscribe("a");
      subscriber.connect(endpoint);
      return subscriber;
    });
    await eventually(() =>
      publisher.stats().peers.filter((peer) => peer.subscriptions > 0).length === 3
    );
    await publisher.send(["a", "for all"]);
    for (const subscriber of subscribers) {
      assertFrames(await subscriber.receive(), ["a", "for all"]);
    }
  });

  it("goes on after its listener was away", async () => {
    const push = cleanup.add(new Push({ ...SENDS, linger: -1 }));
    let pull = cleanup.add(new Pull(RECEIVES));
    await pull.bind("ws://127.0.0.1:*/again");
    const endpoint = pull.lastEndpoint!;
    push.connect(endpoint);
    await push.send("one");
    assertFrames(await pull.receive(), ["one"]);
    let gone = false;
    push.events.on("disconnect", () => gone = true);
    await pull.close();
    await eventually(() => gone);
    await push.send("two");
    pull = cleanup.add(new Pull(RECEIVES));
    await pull.bind(endpoint);
    assertFrames(await pull.receive(), ["two"]);
  });
});

describe("what ws cannot carry", () => {
  afterEach(() => cleanup.run());

  it("is refused by name: a Stream", async () => {
    const stream = cleanup.add(new Stream());
    await rejection(stream.bind("ws://127.0.0.1:*"), "ENOCOMPATPROTO");
    failure(() => stream.connect("wss://127.0.0.1:9"), "ENOCOMPATPROTO");
  });

  it("is refused by name: a certificate that is missing", async () => {
    const pull = cleanup.add(new Pull());
    const error = await rejection(pull.bind("wss://127.0.0.1:*"), "EINVAL");
    assertStringIncludes(error.message, "wssKeyPem and wssCertPem");
  });
});
