// The binding side: where it listens, who gets a pipe, and how it ends.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseEndpoint, type TcpEndpoint } from "../../src/endpoint.ts";
import { EndpointError, ZmqError } from "../../src/errors.ts";
import { Acceptor } from "../../src/link/acceptor.ts";
import type { OptionValues } from "../../src/options.ts";
import type { Pipe } from "../../src/routing/pipe.ts";
import { utf8 } from "../_util/bytes.ts";
import { FakeHost } from "../_util/fake_host.ts";
import type { FakeStream } from "../_util/fake_stream.ts";
import { messagesAfterHandshake } from "../_util/link_stand.ts";
import { microtasks } from "../_util/manual_clock.ts";
import { assertMessages, concat } from "../_util/octets.ts";
import { frame, greeting, ready } from "../_util/raw_zmtp.ts";
import { type Failure, rejection } from "../_util/rejection.ts";
import { type ScriptedListener, ScriptedRuntime, systemError } from "../_util/scripted_runtime.ts";

/** An acceptor with all that it touches. */
class Stage {
  readonly runtime: ScriptedRuntime = new ScriptedRuntime();
  readonly host: FakeHost;
  readonly acceptor: Acceptor;
  /** How often the acceptor said that it is done. */
  done = 0;

  constructor(options: Partial<OptionValues> = {}) {
    this.host = new FakeHost("ROUTER", options, this.runtime);
    this.acceptor = new Acceptor(this.host, () => this.done++);
  }

  async listen(text = "tcp://127.0.0.1:*"): Promise<this> {
    await this.acceptor.listen(parseEndpoint(text, "bind") as TcpEndpoint);
    return this;
  }

  get listener(): ScriptedListener {
    return this.runtime.listeners[0];
  }

  /** A peer connects and does its handshake. */
  peer(identity = "", room?: number): FakeStream {
    const stream = this.listener.accept(room === undefined ? {} : { room });
    stream.deliver(concat(greeting(), ready("DEALER", identity)));
    return stream;
  }

  get pipes(): Pipe[] {
    return [...this.host.attached];
  }
}

/** Where an endpoint makes a socket listen. */
async function placeOf(text: string, options: Partial<OptionValues> = {}): Promise<unknown> {
  const stage = new Stage(options);
  stage.runtime.hosts.set("localhost", ["::1", "127.0.0.1"]);
  stage.runtime.hosts.set("six.only", ["::1"]);
  stage.runtime.networkInterfaces = [
    { name: "lo", address: "127.0.0.1" },
    { name: "lo", address: "::1" },
    { name: "eth0", address: "fe80::1" },
    { name: "eth0", address: "192.168.1.2" },
  ];
  await stage.listen(text);
  return stage.listener.local;
}

describe("an acceptor", () => {
  const places: readonly [string, Partial<OptionValues>, string, number][] = [
    ["tcp://127.0.0.1:5555", {}, "127.0.0.1", 5_555],
    ["tcp://127.0.0.1:0", {}, "127.0.0.1", 40_001],
    ["tcp://127.0.0.1:*", {}, "127.0.0.1", 40_001],
    ["tcp://*:5555", {}, "0.0.0.0", 5_555],
    ["tcp://*:5555", { ipv6: true }, "::", 5_555],
    ["tcp://[::1]:5555", {}, "::1", 5_555],
    ["tcp://lo:5555", {}, "127.0.0.1", 5_555],
    ["tcp://eth0:5555", {}, "192.168.1.2", 5_555],
    ["tcp://eth0:5555", { ipv6: true }, "fe80::1", 5_555],
    ["tcp://localhost:5555", {}, "127.0.0.1", 5_555],
    ["tcp://localhost:5555", { ipv6: true }, "::1", 5_555],
  ];
  for (const [text, options, host, port] of places) {
    it(`listens for ${text}${options.ipv6 ? " with ipv6" : ""} at ${host}`, async () => {
      assertEquals(await placeOf(text, options), { host, port });
    });
  }

  it("tells the endpoint with its real port, IPv6 in brackets", async () => {
    assertEquals((await new Stage().listen()).acceptor.endpoint, "tcp://127.0.0.1:40001");
    assertEquals(
      (await new Stage().listen("tcp://[::1]:*")).acceptor.endpoint,
      "tcp://[::1]:40001",
    );
  });

  it("passes on the socket's options", async () => {
    const stage = await new Stage({ backlog: 7, tcpKeepalive: 1, tcpKeepaliveIdle: 3 }).listen();
    const { backlog, tcpKeepalive, tcpKeepaliveIdle } = stage.listener.options;
    assertEquals([backlog, tcpKeepalive, tcpKeepaliveIdle], [7, 1, 3]);
  });

  for (const code of ["EADDRINUSE", "EADDRNOTAVAIL", "EACCES", "EMFILE"]) {
    it(`says ${code} with the endpoint when the system does`, async () => {
      const stage = new Stage();
      stage.runtime.listenError = systemError(code);
      const error = await rejection(stage.listen("tcp://127.0.0.1:5555"), code);
      assert(error instanceof EndpointError);
      assertEquals((error as Failure).address, "tcp://127.0.0.1:5555");
      assertStringIncludes(error.message, "tcp://127.0.0.1:5555");
      assertEquals(error.cause, stage.runtime.listenError);
    });
  }

  it("says why a name cannot be used", async () => {
    await rejection(placeOf("tcp://no.such.host:1"), "EINVAL");
    const error = await rejection(placeOf("tcp://six.only:1"), "EADDRNOTAVAIL");
    assertStringIncludes(error.message, "ipv6");
  });

  it("serves a peer that comes before the listener is at hand", async () => {
    const stage = new Stage();
    let stream: FakeStream | undefined;
    stage.runtime.onListen = (listener) => stream = listener.accept();
    await stage.listen();
    stream!.deliver(concat(greeting(), ready("DEALER"), frame("hi")));
    assertMessages([stage.pipes[0].receive()!], [[utf8("hi")]]);
  });

  it("gives each peer a pipe of its own after its handshake (ROUTER-Q1, ROUTER-Q3)", async () => {
    const stage = await new Stage().listen();
    const silent = stage.listener.accept();
    const [one, two] = [stage.peer("one"), stage.peer("two")];
    assertEquals(stage.host.calls, ["identify one", "attach", "identify two", "attach"]);
    one.deliver(frame("from one"));
    two.deliver(frame("from two"));
    assertMessages(stage.pipes.map((pipe) => pipe.receive()!), [[utf8("from one")], [
      utf8("from two"),
    ]]);
    assertEquals(silent.calls, ["start"]);
    assertEquals(stage.pipes[0].address, "tcp://127.0.0.1:50000");
  });

  it("ends a peer that the socket refuses, and serves the others (ROUTER-09, PAIR-04)", async () => {
    const stage = await new Stage().listen();
    const first = stage.peer("same");
    stage.host.refusal = new ZmqError("EADDRINUSE", "no");
    const second = stage.peer("same");
    assertMatch(second.calls.join(), /^start,(abort|close)$/);
    stage.host.refusal = undefined;
    first.deliver(frame("still here"));
    assertMessages([stage.pipes[0].receive()!], [[utf8("still here")]]);
    stage.peer("other");
    assertEquals(stage.host.attached.size, 2);
  });

  it("ends a peer that breaks the protocol, and serves the others", async () => {
    const stage = await new Stage().listen();
    const good = stage.peer();
    for (const octets of [utf8("GET / HTTP/1.1\r\n"), concat(greeting(), ready("PUB"))]) {
      stage.listener.accept().deliver(octets);
    }
    stage.peer().deliver(Uint8Array.of(0xff, 0));
    assertEquals(stage.host.attached.size, 1);
    good.deliver(frame("fine"));
    assertMessages([stage.pipes[0].receive()!], [[utf8("fine")]]);
  });

  it("gives what a lost peer did not get to the others, and what it sent stays (ROUTER-Q3)", async () => {
    const stage = await new Stage().listen();
    const stream = stage.peer("", 64 + 29 + 2);
    const [pipe] = stage.pipes;
    stream.deliver(concat(frame("in"), frame("half", true)));
    pipe.send("out");
    stream.end(new Error("reset"));
    assertEquals(stage.host.calls.slice(-2), ["detach", "returned 1"]);
    assertMessages(stage.host.backlog, [[utf8("out")]]);
    assertMessages([pipe.receive()!], [[utf8("in")]]);
    assertEquals([pipe.receive(), stage.host.holds, stage.done], [undefined, 0, 0]);
  });
});

describe("Acceptor.finish()", () => {
  it("stops listening at once, and ends when its peers have all that waits for them", async () => {
    const stage = await new Stage().listen();
    const idle = stage.peer();
    const busy = stage.peer("", 64 + 30);
    stage.pipes[1].send("last");
    const finished = stage.acceptor.finish();
    assertEquals(stage.listener.closed, true);
    assertEquals(stage.host.attached.size, 0, "no more messages are routed to its peers");
    assertEquals(idle.calls.at(-1), "close");
    await finished;
    assertEquals(stage.done, 0);
    busy.drain();
    assertMessages(messagesAfterHandshake(busy.takeOutput()), [[utf8("last")]]);
    assertEquals([busy.calls.at(-1), stage.done], ["close", 1]);
  });

  it("ends peers that are not done with their handshake", async () => {
    const stage = await new Stage().listen();
    const stream = stage.listener.accept();
    await stage.acceptor.finish();
    assertEquals([stream.calls.at(-1), stage.done], ["close", 1]);
  });

  it("turns away peers that come too late", async () => {
    const stage = await new Stage().listen();
    const finished = stage.acceptor.finish();
    assertEquals(stage.listener.accept().calls, ["abort"]);
    await finished;
    assertEquals(stage.done, 1);
  });

  it("does its work once", async () => {
    const stage = await new Stage().listen();
    await Promise.all([stage.acceptor.finish(), stage.acceptor.finish()]);
    stage.acceptor.close();
    await microtasks();
    assertEquals(stage.done, 1);
  });

  it("gives up what a peer leaves behind meanwhile", async () => {
    const stage = await new Stage().listen();
    const busy = stage.peer("", 64 + 30);
    stage.pipes[0].send("last");
    await stage.acceptor.finish();
    busy.end(new Error("reset"));
    assertEquals([stage.done, stage.host.backlog.length], [1, 1]);
  });
});

describe("Acceptor.close()", () => {
  it("ends every peer now", async () => {
    const stage = await new Stage().listen();
    const streams = [stage.peer(), stage.peer("", 64 + 30), stage.listener.accept()];
    stage.pipes[1].send("unsent");
    stage.acceptor.close();
    await microtasks();
    assertEquals(streams.map(({ calls }) => calls.at(-1)), ["close", "close", "close"]);
    assertEquals([stage.done, stage.host.attached.size, stage.listener.closed], [1, 0, true]);
  });

  it("ends what finish() has left to be sent", async () => {
    const stage = await new Stage().listen();
    const busy = stage.peer("", 64 + 30);
    stage.pipes[0].send("unsent");
    await stage.acceptor.finish();
    assertEquals(stage.done, 0);
    stage.acceptor.close();
    assertEquals([busy.calls.at(-1), stage.done], ["close", 1]);
  });
});
