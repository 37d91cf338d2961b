// What ZMTP asks of sockets of every type: they bind and connect, do not wait for a connection, and
// pass on whole messages, in order, once.

import { assert, assertEquals } from "@std/assert";
import { after, afterEach, describe, it } from "@std/testing/bdd";
import {
  Context,
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  type Socket,
  Subscriber,
} from "../../mod.ts";
import { textOf, textsOf, toHex, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { EventLog } from "../_util/event_log.ts";
import { LinkStand } from "../_util/link_stand.ts";
import { microtasks } from "../_util/manual_clock.ts";
import { assertOctets, concat, pattern } from "../_util/octets.ts";
import { dial } from "../_util/raw_peer.ts";
import { command, frame, greeting, message, ready } from "../_util/raw_zmtp.ts";
import { ScriptedRuntime } from "../_util/scripted_runtime.ts";
import { LEGAL_PEERS, OWN_TYPES } from "../_util/session_pair.ts";
import { SocketFolder } from "../_util/socket_folder.ts";
import { expand, vector } from "../_util/vectors.ts";
import { WIRE_CLASSES, WIRE_TYPES } from "../_util/wire_classes.ts";

const ENDPOINT = "tcp://127.0.0.1:5555";
const cleanup = new Cleanup();

/** A socket over streams without a network. */
function open(
  type: keyof typeof WIRE_CLASSES,
  options: object = {},
): [socket: Socket, runtime: ScriptedRuntime] {
  const runtime = new ScriptedRuntime();
  const socket = new WIRE_CLASSES[type]({ ...options, context: new Context({ runtime }) });
  return [cleanup.add(socket), runtime];
}

describe("a socket of every type", () => {
  afterEach(() => cleanup.run());

  for (const type of WIRE_TYPES) {
    const peer = LEGAL_PEERS[type][0];

    it(`can bind: ${type} (ZMTP31-SEM-01)`, async () => {
      const [socket, runtime] = open(type);
      const log = new EventLog(socket);
      await socket.bind(ENDPOINT);
      runtime.listeners[0].accept().deliver(concat(greeting(), ready(peer)));
      assertEquals(socket.stats().peers.map(({ connected }) => connected), [true]);
      assertEquals((await log.next("handshake")).socketType, peer);
    });

    it(`can connect, and does not wait for it: ${type} (ZMTP31-SEM-01, ZMTP31-SEM-02)`, async () => {
      const [socket, runtime] = open(type, { reconnectInterval: 1 });
      const log = new EventLog(socket);
      assertEquals(socket.connect(ENDPOINT), undefined);
      assertEquals(socket.stats().peers.map(({ connected }) => connected), [false]);
      await microtasks();
      const stream = await runtime.attempts[0].succeed();
      stream.deliver(concat(greeting(), ready(peer)));
      assertEquals(socket.stats().peers.map(({ connected }) => connected), [true]);
      assertEquals((await log.next("handshake")).socketType, peer);
      // What breaks is made again, after a while.
      stream.end();
      const { interval } = await log.next("connect:retry");
      assert(interval >= 1);
      await eventually(() => runtime.attempts.length === 2);
    });

    it(`tells its peer's version: ${type} (ZMTP31-VER-09)`, async () => {
      const [socket, runtime] = open(type);
      const log = new EventLog(socket);
      await socket.bind(ENDPOINT);
      const octets = greeting();
      for (const [minor, protocol] of [[0, "3.0"], [1, "3.1"], [9, "3.1"]] as const) {
        octets[11] = minor;
        const stream = runtime.listeners[0].accept();
        stream.deliver(concat(octets, ready(peer)));
        assertEquals(socket.stats().peers[0].protocol, protocol);
        assertEquals((await log.next("handshake")).protocol, protocol);
        stream.end();
        await log.next("disconnect");
      }
    });
  }

  it("has no PING for a DISH, which would take it for something else: it is no peer of any (ZMTP31-HB-14)", () => {
    for (const type of OWN_TYPES) {
      const stand = new LinkStand({ type, options: { heartbeatInterval: 10 } });
      stand.link.start();
      stand.stream.deliver(concat(greeting(), ready("DISH")));
      stand.host.clock.advance(100);
      assertEquals(stand.calls, ["ended"]);
      assert(!toHex(stand.stream.takeOutput()).includes(toHex(utf8("PING"))));
    }
  });
});

describe("a message of several frames", () => {
  afterEach(() => cleanup.run());

  it("is received when its last frame has come, and not before (ZMTP31-SEM-03, ZMTP31-MSG-01, ZMTP31-MSG-02)", async () => {
    const [socket, runtime] = open("PULL");
    const pull = socket as Pull;
    await pull.bind(ENDPOINT);
    const stream = runtime.listeners[0].accept();
    stream.deliver(concat(greeting(), ready("PUSH")));
    for (let count = 1; count < 20; count++) {
      for (let i = 0; i < count; i++) {
        stream.deliver(frame(`${i}`, true));
        assertEquals(pull.tryReceive(), undefined);
      }
      stream.deliver(frame("end").subarray(0, -1));
      assertEquals(pull.tryReceive(), undefined);
      stream.deliver(utf8("d"));
      const expected = [...Array.from({ length: count }, (_, i) => String(i)), "end"];
      assertEquals(textsOf(pull.tryReceive()!), expected);
    }
  });

  it("is not received at all when its peer goes before (ZMTP31-SEM-03, CONN-06)", async () => {
    const [socket, runtime] = open("PULL");
    const pull = socket as Pull;
    await pull.bind(ENDPOINT);
    const octets = message("a", "", pattern(300));
    for (let at = 1; at < octets.length; at += 7) {
      const stream = runtime.listeners[0].accept();
      stream.deliver(concat(greeting(), ready("PUSH"), octets.subarray(0, at)));
      stream.end();
      await microtasks();
      assertEquals(pull.tryReceive(), undefined);
    }
  });

  it("is sent in one, once, and in the order of the sends (ZMTP31-SEM-03, ZMTP31-SEM-04, ZMTP31-SEM-05)", async () => {
    const [socket, runtime] = open("PUSH");
    const push = socket as Push;
    push.connect(ENDPOINT);
    const messages = Array.from({ length: 50 }, (_, i) => [`${i}`, "", "x".repeat(i * 11)]);
    for (const frames of messages) push.trySend(frames);
    await microtasks();
    const stream = await runtime.attempts[0].succeed({ gulp: 10 });
    stream.deliver(concat(greeting(), ready("PULL")));
    stream.flow();
    await eventually(() => {
      stream.flow();
      return !stream.busy;
    });
    const expected = concat(...messages.map((frames) => message(...frames)));
    const said = stream.takeOutput();
    assertOctets(said.subarray(said.length - expected.length), expected);
    assertEquals(said.length, 64 + ready("PUSH").length + expected.length);
  });

  it("has only whole frames of a message: MORE on all but the last (ZMTP31-MSG-02, ZMTP31-FRAME-01, ZMTP31-FRAME-02, ZMTP31-FRAME-03)", () => {
    const stand = new LinkStand().serve();
    for (const sizes of [[0], [255], [256], [0, 0], [255, 256, 0], [256, 255, 257]]) {
      const bodies = sizes.map((size) => pattern(size));
      stand.pipe.send(bodies);
      stand.host.clock.settle();
      const expected = bodies.map((body, i) => {
        const more = i < bodies.length - 1 ? 1 : 0;
        const size = body.length;
        const header = size > 255
          ? [2 | more, 0, 0, 0, 0, 0, 0, size >> 8, size & 255]
          : [more, size];
        return concat(Uint8Array.from(header), body);
      });
      assertOctets(stand.stream.takeOutput(), concat(...expected));
    }
  });
});

describe("sockets of each pattern", () => {
  afterEach(() => cleanup.run());

  it("talk as the RFCs of the patterns have it (ZMTP31-SEM-06)", async () => {
    const context = new Context();
    const joined = async <A extends Socket, B extends Socket>(a: A, b: B): Promise<[A, B]> => {
      await a.bind(`inproc://${a.constructor.name}`);
      b.connect(a.lastEndpoint!);
      return [cleanup.add(a), cleanup.add(b)];
    };
    const [rep, req] = await joined(new Reply({ context }), new Request({ context }));
    await req.send("question");
    assertEquals(textsOf(await rep.receive()), ["question"]);
    await rep.send("answer");
    assertEquals(textsOf(await req.receive()), ["answer"]);
    const [pub, sub] = await joined(new Publisher({ context }), new Subscriber({ context }));
    sub.subscribe("a");
    await eventually(() => pub.topicsCount === 1);
    for (const text of ["b", "ab", ""]) await pub.send(text);
    assertEquals(textsOf(await sub.receive()), ["ab"]);
    assertEquals(sub.tryReceive(), undefined);
    const [pull, push] = await joined(new Pull({ context }), new Push({ context }));
    await push.send("work");
    assertEquals(textsOf(await pull.receive()), ["work"]);
    const [one, other] = await joined(new Pair({ context }), new Pair({ context }));
    await one.send("there");
    await other.send("back");
    assertEquals([textsOf(await other.receive()), textsOf(await one.receive())], [
      ["there"],
      ["back"],
    ]);
  });
});

describe("the flags of a frame", () => {
  it("are three bits; all others end the link, at any place (ZMTP31-FRAME-02, ZMTP31-FRAME-03, ZMTP31-FRAME-04)", () => {
    for (let flags = 0; flags < 256; flags++) {
      for (const before of [utf8(""), frame("half", true)]) {
        const stand = new LinkStand().serve();
        const isLong = (flags & 2) !== 0;
        const body = flags & 4 ? expand("04 504f4e47") : utf8("body!");
        const size = isLong ? expand("7*00 05") : expand("05");
        stand.stream.deliver(concat(before, Uint8Array.of(flags), size, body, message("end")));
        const valid = flags < 4 || flags === 4 || flags === 6;
        assertEquals(stand.link.ready, valid, `flags ${flags}`);
        const half = before.length > 0 ? ["half"] : [];
        const received = stand.receiveAll().map(textsOf);
        if (!valid) assertEquals(received, []);
        else if (flags >= 4) assertEquals(received, [[...half, "end"]]);
        else if (flags & 1) assertEquals(received, [[...half, "body!", "end"]]);
        else assertEquals(received, [[...half, "body!"], ["end"]]);
      }
    }
  });
});

describe("the octets of a connection", () => {
  const folder = new SocketFolder();
  after(() => folder.remove());
  afterEach(() => cleanup.run());

  it("are the same over tcp and ipc (CONN-07)", async () => {
    const heard: string[] = [];
    for (const endpoint of ["tcp://127.0.0.1:*", folder.endpoint("octets")]) {
      const dealer = cleanup.add(new Dealer({ routingId: "me", receiveTimeout: 5_000 }));
      await dealer.bind(endpoint);
      const peer = cleanup.add(await dial(dealer.lastEndpoint!));
      let all = await peer.take(10);
      peer.send(vector("GV-G-06").subarray(0, 10));
      all = concat(all, await peer.take(1));
      peer.send(vector("GV-G-06").subarray(10), vector("GV-C-03"), message("a", "", "b"));
      assertEquals(textsOf(await dealer.receive()), ["a", "", "b"]);
      await dealer.send(["c", "d".repeat(300)]);
      peer.send(command("PING", expand("0000 78")));
      all = concat(all, await peer.take(53 + 45 + 3 + 309 + 8));
      heard.push(toHex(all));
    }
    assertEquals(heard[0], heard[1]);
    assert(heard[0].startsWith("ff0000000000000003" + "7f0301"));
    assert(heard[0].endsWith("0406" + toHex(utf8("\x04PONGx"))));
  });

  it("are none over inproc (CONN-07)", async () => {
    const runtime = new ScriptedRuntime();
    const context = new Context({ runtime });
    const [pull, push] = [cleanup.add(new Pull({ context })), cleanup.add(new Push({ context }))];
    await pull.bind("inproc://here");
    push.connect("inproc://here");
    await push.send(["a", "b"]);
    assertEquals((await pull.receive()).map(textOf), ["a", "b"]);
    assertEquals([runtime.attempts.length, runtime.listeners.length], [0, 0]);
    assertEquals(pull.stats().peers.map(({ protocol }) => protocol), [""]);
  });
});
