// The inproc transport: names of a context, at which sockets meet in any order, leave and come back.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Context, Dealer, EndpointError, Pair, type Pull, Reply, Request } from "../../mod.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { pause } from "../_util/deadline.ts";
import { EventLog } from "../_util/event_log.ts";
import { fresh, InprocSockets, RECEIVES, SENDS } from "../_util/inproc_sockets.ts";
import { numbers, takeMany } from "../_util/pubsub.ts";
import { assertSays, failure, rejection } from "../_util/rejection.ts";

const SHORT_MS = 30;
const cleanup = new Cleanup();

const { openPull, openPush, bound } = new InprocSockets(cleanup);

describe("over inproc, sockets meet", () => {
  afterEach(() => cleanup.run());

  it("when one is bound and the other connects", async () => {
    const name = fresh();
    const pull = await bound(name);
    const push = openPush();
    push.connect(name);
    await push.send(["hello", "there"]);
    assertFrames(await pull.receive(), ["hello", "there"]);
    assertEquals([pull.lastEndpoint, push.lastEndpoint], [name, name]);
  });

  it("when one connects and the other is bound later; what was sent waits for it", async () => {
    const name = fresh();
    const push = openPush();
    push.connect(name);
    for (const text of numbers(100)) await push.send(text);
    assertEquals(await takeMany(await bound(name), 100), numbers(100));
  });

  it("and both ends send, whichever is bound", async () => {
    for (const first of ["bind", "connect"]) {
      const name = fresh();
      const [one, two] = [1, 2].map(() => cleanup.add(new Pair({ ...SENDS, ...RECEIVES })));
      if (first === "connect") two.connect(name);
      await one.bind(name);
      if (first === "bind") two.connect(name);
      for (const text of numbers(10)) await Promise.all([one.send(text), two.send(text)]);
      assertEquals(await takeMany(one, 10), numbers(10));
      assertEquals(await takeMany(two, 10), numbers(10));
    }
  });

  it("many at one name, before and after it is bound", async () => {
    const name = fresh();
    const before = Array.from({ length: 20 }, () => openPush());
    for (const [i, push] of before.entries()) {
      push.connect(name);
      await push.send(`before ${i}`);
    }
    const pull = await bound(name);
    const after = Array.from({ length: 20 }, () => openPush());
    for (const [i, push] of after.entries()) {
      push.connect(name);
      await push.send(`after ${i}`);
    }
    const texts = await takeMany(pull, 40);
    const expected = numbers(20).flatMap((i) => [`before ${i}`, `after ${i}`]);
    assertEquals(texts.sort(), expected.sort());
  });

  it("twice, when one connects twice", async () => {
    const name = fresh();
    const dealer = cleanup.add(new Dealer(RECEIVES));
    dealer.connect(name);
    const other = cleanup.add(new Dealer(RECEIVES));
    await other.bind(name);
    dealer.connect(name);
    assertEquals(other.stats().peers.length, 2);
    for (const text of numbers(10)) await dealer.send(text);
    assertEquals((await takeMany(other, 10)).sort(), numbers(10));
  });

  it("at several names, and over tcp at the same time", async () => {
    const names = [fresh(), fresh()];
    const pull = await bound(names[0]);
    await pull.bind(names[1]);
    await pull.bind("tcp://127.0.0.1:*");
    const push = openPush();
    for (const endpoint of [...names, pull.lastEndpoint!]) push.connect(endpoint);
    for (const text of numbers(30)) await push.send(text);
    const sorted = (await takeMany(pull, 30)).sort((a, b) => Number(a) - Number(b));
    assertEquals(sorted, numbers(30));
  });

  it("at once: a message is there when send has returned", async () => {
    const name = fresh();
    const pull = await bound(name);
    const push = openPush();
    push.connect(name);
    assert(push.writable);
    const sending = push.send("x");
    assert(pull.readable);
    await sending;
    assertFrames(await pull.receive(), ["x"]);
    assert(!pull.readable);
  });

  it("and a receive that waits has its message before the next turn of the event loop", async () => {
    const name = fresh();
    const pull = await bound(name);
    const push = openPush();
    push.connect(name);
    for (let i = 0; i < 20; i++) {
      const receiving = pull.receive().then(String);
      await pause(0);
      void push.send(String(i));
      const turn = new Promise((resolve) => setTimeout(() => resolve("too late"), 0));
      assertEquals(await Promise.race([receiving, turn]), String(i));
    }
  });
});

describe("a name of inproc", () => {
  afterEach(() => cleanup.run());

  it("belongs to its context", async () => {
    const name = fresh();
    const contexts = [undefined, new Context(), new Context()];
    const pulls: Pull[] = [];
    for (const [i, context] of contexts.entries()) {
      const options = context && { context };
      pulls.push(await bound(name, options));
      const push = openPush(options);
      push.connect(name);
      await push.send(String(i));
    }
    for (const [i, pull] of pulls.entries()) {
      assertFrames(await pull.receive(), [String(i)]);
      assert(!pull.readable);
    }
  });

  it("is not found from another context", async () => {
    const name = fresh();
    const pull = await bound(name);
    const stranger = openPush({ context: new Context(), linger: 0 });
    stranger.connect(name);
    await stranger.send("nobody there");
    pull.receiveTimeout = SHORT_MS;
    await rejection(pull.receive(), "EAGAIN");
  });

  it("is EADDRINUSE while another socket is bound to it, or the same one", async () => {
    const name = fresh();
    const pull = await bound(name);
    const other = openPull();
    for (const socket of [other, pull]) {
      const error = await rejection(socket.bind(name), "EADDRINUSE");
      assertInstanceOf(error, EndpointError);
      assertEquals(error.address, name);
      assertSays(error, name, "in use");
    }
    assertEquals(other.lastEndpoint, null);
    const push = openPush();
    push.connect(name);
    await push.send("to the first");
    assertFrames(await pull.receive(), ["to the first"]);
  });

  it("may have 256 characters and be any text", async () => {
    const odd = ["*", "@", "a b", "a/b:c;d", "ünï€𝄞", "A", "x".repeat(256)];
    for (const text of odd) {
      const pull = await bound(`inproc://${text}`);
      const push = openPush();
      push.connect(`inproc://${text}`);
      await push.send(text);
      assertFrames(await pull.receive(), [text]);
    }
    assertEquals((await bound("inproc://a")).lastEndpoint, "inproc://a"); // not the same as A
  });

  it("of no character, or of more than 256, is EINVAL", async () => {
    for (const name of ["inproc://", `inproc://${"x".repeat(257)}`]) {
      await rejection(openPull().bind(name), "EINVAL");
      failure(() => openPush().connect(name), "EINVAL");
    }
  });

  it("that nobody has is no error, however long one waits", async () => {
    const push = openPush({ reconnectInterval: 1, linger: 0 });
    const log = new EventLog(push);
    push.connect(fresh());
    await push.send("kept");
    await pause(SHORT_MS);
    assertEquals(log.types.filter((type) => type !== "connect:delay"), []);
    assertEquals(log.types.length, 1);
  });

  it("is refused to types that do not talk to each other, and messages go nowhere", async () => {
    const name = fresh();
    const pull = await bound(name);
    const request = cleanup.add(new Request());
    const logs = [new EventLog(pull), new EventLog(request)];
    request.connect(name);
    for (const log of logs) {
      const { error } = await log.nth("handshake:error:protocol");
      assertSays(error, "REQ", "PULL");
      assertEquals(log.of("handshake").length, 0);
    }
    assertEquals([pull.stats().peers.length, request.writable], [0, false]);
    const push = openPush();
    push.connect(name);
    await push.send("a right one");
    assertFrames(await pull.receive(), ["a right one"]);
  });

  it("of a wrong pair is not tried again, also when it is bound later", async () => {
    const name = fresh();
    const push = openPush();
    push.connect(name);
    const reply = cleanup.add(new Reply());
    await reply.bind(name);
    await reply.unbind(name);
    const pull = await bound(name);
    pull.receiveTimeout = SHORT_MS;
    push.sendTimeout = SHORT_MS;
    await rejection(push.send("nowhere to go"), "EAGAIN");
    await rejection(pull.receive(), "EAGAIN");
  });
});
