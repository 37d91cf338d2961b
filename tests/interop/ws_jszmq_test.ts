// jszmq, the other ZeroMQ in JavaScript, over ws:// without security, which is all that it has: all of its types, both ways.

import { assertEquals } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import * as library from "../../mod.ts";
import { Dealer, Publisher, Pull, Push, Reply, Request, Router, Subscriber } from "../../mod.ts";
import { assertFrames, textsOf } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { codeOf, EventLog } from "../_util/event_log.ts";
import type { MessageSpec, Peer, PeerSocket } from "../_util/peer.ts";
import { requestOf } from "../_util/pubsub_ends.ts";
import { ROLES } from "../_util/security_options.ts";
import { echo, MANY, receiveMany, sendMany } from "../_util/traffic.ts";
import { openerOf } from "../_util/ws_ours.ts";
import { DIRECTED_PAIRS, meet } from "../_util/ws_pairs.ts";
import { driveHere, startJszmq } from "../_util/ws_programs.ts";

const WAIT_MS = 30_000;
const ANYWHERE = "ws://127.0.0.1:*";
const TIMEOUTS = { receiveTimeout: WAIT_MS, reconnectInterval: 50 } as const;
const END = "~end";
/** Messages that fill many reads. */
const LARGE: MessageSpec = {
  seed: 31,
  count: 12,
  sizes: [1_000_000, 0, 300_000, 65_535, 1],
  parts: [1, 3],
};

describe("jszmq over ws", () => {
  const cleanup = new Cleanup();
  let here: Peer;
  let there: Peer;
  const mortals: Peer[] = [];
  before(() => {
    here = driveHere(openerOf(library));
    there = startJszmq();
  });
  afterEach(async () => {
    await cleanup.run();
    await Promise.all(mortals.splice(0).map((peer) => peer.stop()));
  });
  after(async () => {
    await Promise.all([here.stop(), there.stop()]);
  });

  const openTheirs = async (...args: Parameters<Peer["open"]>): Promise<PeerSocket> =>
    cleanup.add(await there.open(...args));

  for (const pair of DIRECTED_PAIRS) {
    it(`our ${pair.binder} binds, its ${pair.connecter} connects`, async () => {
      assertEquals(await meet(pair, [here, there], [{}, {}]), ["ZWS2.0", undefined]);
    });

    it(`its ${pair.binder} binds, our ${pair.connecter} connects`, async () => {
      assertEquals(await meet(pair, [there, here], [{}, {}]), [undefined, "ZWS2.0"]);
    });
  }

  for (const [what, spec] of [["10 000 messages", MANY], ["large messages", LARGE]] as const) {
    it(`moves ${what} there and back`, async () => {
      const ours = cleanup.add(new Dealer({ ...TIMEOUTS, sendHighWaterMark: 0 }));
      const theirs = await openTheirs("Dealer");
      await ours.bind(ANYWHERE);
      await theirs.connect(ours.lastEndpoint!);
      await Promise.all([
        sendMany(ours, spec),
        theirs.echo(spec.count),
        receiveMany(ours, spec),
      ]);
    });
  }

  it("says its routing id first, and learns ours (ZWS2-NONE-01)", async () => {
    const router = cleanup.add(new Router(TIMEOUTS));
    await router.bind(ANYWHERE);
    const dealer = await openTheirs("Dealer", { routingId: "by name" });
    await dealer.connect(router.lastEndpoint!);
    await dealer.send("hello");
    assertFrames(await router.receive(), ["by name", "hello"]);

    const theirs = await openTheirs("Router");
    const ours = cleanup.add(new Dealer({ ...TIMEOUTS, routingId: "known" }));
    ours.connect(await theirs.bind(ANYWHERE));
    await ours.send("hello");
    assertFrames(await theirs.receive(), ["known", "hello"]);
    await theirs.send("known", "and you");
    assertFrames(await ours.receive(), ["and you"]);
  });

  it("serves a path beside ours", async () => {
    const theirs = await openTheirs("Reply");
    const endpoint = await theirs.bind(`${ANYWHERE}/service/one`);
    const ours = cleanup.add(new Request(TIMEOUTS));
    ours.connect(endpoint);
    await ours.send("which path");
    const echoed = theirs.echo(1);
    assertFrames(await ours.receive(), ["which path"]);
    await echoed;

    const reply = cleanup.add(new Reply(TIMEOUTS));
    await reply.bind(`${ANYWHERE}/service/two`);
    const request = await openTheirs("Request");
    await request.connect(reply.lastEndpoint!);
    await request.send("and which is that");
    await echo(reply, 1);
    assertFrames(await request.receive(), ["and which is that"]);
  });

  it("subscribes with many sockets to one of ours, and each gets its own messages", async () => {
    const publisher = cleanup.add(new Publisher());
    await publisher.bind(ANYWHERE);
    const topics = ["a", "ab", "b", ""];
    const subscribers = await Promise.all(topics.map(async (topic) => {
      const subscriber = await openTheirs("Subscriber");
      await subscriber.subscribe(topic, END);
      await subscriber.connect(publisher.lastEndpoint!);
      return subscriber;
    }));
    const known = (): boolean => {
      const { peers } = publisher.stats();
      return peers.length === topics.length && peers.every((peer) => peer.subscriptions === 2);
    };
    await eventually(known, WAIT_MS, "a publisher that knows what all have subscribed to");
    for (const text of ["a", "abc", "b", "c", END]) await publisher.send(text);
    const received = await Promise.all(subscribers.map((each) => each.receiveUntil(END)));
    assertEquals(received.map((messages) => messages.flatMap(textsOf)), [
      ["a", "abc"],
      ["abc"],
      ["b"],
      ["a", "abc", "b", "c"],
    ]);
  });

  it("is killed and comes again: our sockets connect to its successor, subscriptions too", async () => {
    const subscriber = cleanup.add(new Subscriber({ ...TIMEOUTS, receiveTimeout: WAIT_MS }));
    subscriber.subscribe("news");
    let endpoint = ANYWHERE;
    for (const generation of ["first", "second"]) {
      const mortal = startJszmq();
      mortals.push(mortal);
      const publisher = await mortal.open("XPublisher");
      const bound = await publisher.bind(endpoint);
      if (endpoint === ANYWHERE) subscriber.connect(bound);
      endpoint = bound;
      assertFrames(await publisher.receive(), [requestOf(1, "news")]);
      await publisher.send("news", generation);
      assertFrames(await subscriber.receive(), ["news", generation]);
      await mortal.kill();
    }
  });

  it("connects again to our successor", async () => {
    let endpoint = ANYWHERE;
    const theirs = await openTheirs("Push");
    for (const generation of ["first", "second"]) {
      const pull = cleanup.add(new Pull(TIMEOUTS));
      await pull.bind(endpoint);
      if (endpoint === ANYWHERE) await theirs.connect(pull.lastEndpoint!);
      endpoint = pull.lastEndpoint!;
      const handshake = new EventLog(pull).next("handshake", WAIT_MS);
      await handshake;
      await theirs.send(generation);
      assertFrames(await pull.receive(), [generation]);
      await pull.close();
    }
  });

  it("has no CURVE: our socket with it refuses, and says so", async () => {
    const { server, client } = ROLES.CURVE;
    const pull = cleanup.add(new Pull(server));
    const bound = new EventLog(pull);
    await pull.bind(ANYWHERE);
    const theirs = await openTheirs("Push");
    await theirs.connect(pull.lastEndpoint!);
    const refused = await bound.next("handshake:error:protocol", WAIT_MS);
    assertEquals(codeOf(refused), "ERR_WS_SUBPROTOCOL");

    const push = cleanup.add(new Push({ ...client, reconnectInterval: 50 }));
    const connecting = new EventLog(push);
    push.connect(await (await openTheirs("Pull")).bind(ANYWHERE));
    const failed = await connecting.next("handshake:error:protocol", WAIT_MS);
    // It agrees on whatever is offered first, and then begins with its routing id.
    assertEquals(codeOf(failed), "ERR_ZMTP_UNEXPECTED_COMMAND");
  });
});
