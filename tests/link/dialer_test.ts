// The connecting side: when it dials, when it dials again, and when it gives up.

import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLessOrEqual,
  assertStrictEquals,
} from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { parseEndpoint, type TcpEndpoint } from "../../src/endpoint.ts";
import { ZmqError } from "../../src/errors.ts";
import { Dialer } from "../../src/link/dialer.ts";
import type { OptionValues } from "../../src/options.ts";
import type { Pipe } from "../../src/routing/pipe.ts";
import type { SocketType } from "../../src/wire/socket_type.ts";
import { toHex, utf8 } from "../_util/bytes.ts";
import { FakeHost } from "../_util/fake_host.ts";
import type { FakeStream } from "../_util/fake_stream.ts";
import { messagesAfterHandshake } from "../_util/link_stand.ts";
import { microtasks } from "../_util/manual_clock.ts";
import { assertMessages, concat } from "../_util/octets.ts";
import { frame, greeting, ready } from "../_util/raw_zmtp.ts";
import { type Attempt, ScriptedRuntime } from "../_util/scripted_runtime.ts";

const { random } = Math;

interface StageOptions extends Partial<OptionValues> {
  readonly type?: SocketType;
  readonly endpoint?: string;
  readonly assignedId?: Uint8Array;
}

/** A dialer with all that it touches. */
class Stage {
  readonly runtime: ScriptedRuntime = new ScriptedRuntime();
  readonly host: FakeHost;
  readonly dialer: Dialer;
  /** How often the dialer said that it is done. */
  done = 0;

  constructor({ type = "DEALER", endpoint, assignedId, ...options }: StageOptions = {}) {
    this.host = new FakeHost(type, options, this.runtime);
    const to = parseEndpoint(endpoint ?? "tcp://127.0.0.1:5555", "connect") as TcpEndpoint;
    this.dialer = new Dialer(this.host, to, assignedId, () => this.done++);
  }

  async start(): Promise<this> {
    assertEquals(this.dialer.start(), undefined);
    await microtasks();
    return this;
  }

  /** The last attempt. */
  get attempt(): Attempt {
    return this.runtime.attempts.at(-1)!;
  }

  get attempts(): number {
    return this.runtime.attempts.length;
  }

  get pipe(): Pipe {
    return [...this.host.attached][0];
  }

  /** The delay until the next attempt; undefined when there will be none. */
  get delay(): number | undefined {
    return this.host.clock.delays[0];
  }

  /** The next attempt comes. */
  async again(): Promise<Attempt> {
    const before = this.attempts;
    this.host.clock.advance(this.delay!);
    await microtasks();
    assertEquals(this.attempts, before + 1);
    return this.attempt;
  }

  /** The attempt succeeds, and the peer does its handshake. */
  async connect(room?: number, identity = ""): Promise<FakeStream> {
    const stream = await this.attempt.succeed(room === undefined ? {} : { room });
    stream.deliver(concat(greeting(), ready("ROUTER", identity)));
    return stream;
  }
}

describe("a dialer", () => {
  it("dials at once, and has a pipe for messages before anybody answers (DEALER-Q2, PUSH-Q2, ZMTP31-SEM-02)", async () => {
    const stage = await new Stage().start();
    assertEquals([stage.attempts, stage.host.calls], [1, ["attach"]]);
    assertEquals(stage.attempt.to, { host: "127.0.0.1", port: 5_555 });
    stage.pipe.send("early");
    const stream = await stage.connect();
    assertMessages(messagesAfterHandshake(stream.takeOutput()), [[utf8("early")]]);
  });

  it("tells whom it found", async () => {
    const stage = await new Stage().start();
    await stage.connect(undefined, "router-1");
    assertEquals(stage.host.calls, ["attach", "identify router-1"]);
  });

  it("gives its pipe the name that connect gave the peer", async () => {
    const stage = await new Stage({ assignedId: utf8("mine") }).start();
    assertEquals(toHex(stage.pipe.assignedId!), toHex(utf8("mine")));
    assertEquals(stage.pipe.address, "tcp://127.0.0.1:5555");
  });

  it("does not start when the socket refuses another peer (PAIR-01)", async () => {
    const stage = new Stage();
    stage.host.refusal = new ZmqError("EBUSY", "no");
    assertStrictEquals(stage.dialer.start(), stage.host.refusal);
    await microtasks();
    assertEquals(stage.attempts, 0);
  });

  it("starts from the source that stands before a semicolon, with the socket's options", async () => {
    const stage = await new Stage({
      endpoint: "tcp://lo:4000;127.0.0.1:5555",
      tcpKeepalive: 1,
      tcpKeepaliveIdle: 9,
    }).start();
    assertEquals(stage.attempt.source, { host: "127.0.0.1", port: 4_000 });
    const { tcpKeepalive, tcpKeepaliveIdle } = stage.attempt.options;
    assertEquals([tcpKeepalive, tcpKeepaliveIdle], [1, 9]);
  });

  it("tries every address of a name, in their order, until one answers", async () => {
    const stage = new Stage({ endpoint: "tcp://some.host:5555" });
    stage.runtime.hosts.set("some.host", ["10.0.0.1", "::1", "10.0.0.2", "10.0.0.3"]);
    await stage.start();
    await stage.attempt.fail();
    assertEquals(stage.delay, undefined);
    await stage.connect();
    const tried = stage.runtime.attempts.map(({ to }) => to.host);
    assertEquals(tried, ["10.0.0.1", "10.0.0.2"]);
    assertEquals(stage.host.calls.at(-1), "identify ");
  });

  it("tries IPv6 addresses of a name with the option ipv6", async () => {
    const stage = new Stage({ endpoint: "tcp://some.host:5555", ipv6: true });
    stage.runtime.hosts.set("some.host", ["::1", "10.0.0.2"]);
    await stage.start();
    assertEquals(stage.attempt.to.host, "::1");
  });

  it("looks a name up again for each attempt, and waits for one that is unknown", async () => {
    const stage = await new Stage({ endpoint: "tcp://some.host:5555" }).start();
    assertEquals([stage.attempts, stage.delay === undefined], [0, false]);
    stage.runtime.hosts.set("some.host", ["10.0.0.1"]);
    await stage.again();
    await stage.attempt.fail();
    stage.runtime.hosts.set("some.host", ["10.0.0.2"]);
    await stage.again();
    assertEquals(stage.attempt.to.host, "10.0.0.2");
    assertEquals(stage.runtime.lookups.length, 3);
  });
});

describe("a dialer's retry", () => {
  afterEach(() => {
    Math.random = random;
  });

  it("waits for reconnectInterval and a random part of at most as much (ZMTP31-ERR-04)", async () => {
    const delays = new Set<number>();
    const stage = await new Stage().start();
    for (let i = 0; i < 50; i++) {
      await stage.attempt.fail();
      assertGreaterOrEqual(stage.delay!, 100);
      assertLessOrEqual(stage.delay!, 200);
      delays.add(stage.delay!);
      await stage.again();
    }
    assert(delays.size > 10, "the waits are not random");
  });

  it("waits up to twice as long each time, as far as reconnectMaxInterval (ZMTP31-ERR-04)", async () => {
    for (
      const [share, expected] of [[0, [100, 100, 100, 100, 100]], [1, [
        200,
        400,
        800,
        1_000,
        1_000,
      ]]] as const
    ) {
      Math.random = () => share;
      const stage = await new Stage({ reconnectMaxInterval: 1_000 }).start();
      const delays: number[] = [];
      for (let i = 0; i < 5; i++) {
        await stage.attempt.fail();
        delays.push(stage.delay!);
        await stage.again();
      }
      assertEquals(delays, [...expected]);
    }
  });

  it("waits short again once a connection stood", async () => {
    Math.random = () => 1;
    const stage = await new Stage({ reconnectMaxInterval: 10_000 }).start();
    for (let i = 0; i < 4; i++) {
      await stage.attempt.fail();
      await stage.again();
    }
    (await stage.connect()).end();
    assertEquals(stage.delay, 200);
  });

  it("does not take a connection without a handshake for one that stood", async () => {
    Math.random = () => 1;
    const stage = await new Stage({ reconnectMaxInterval: 10_000 }).start();
    for (const expected of [200, 400, 800]) {
      (await stage.attempt.succeed()).end(new Error("reset"));
      assertEquals(stage.delay, expected);
      await stage.again();
    }
  });

  it("stays at reconnectInterval with a maximum below it", async () => {
    Math.random = () => 1;
    const stage = await new Stage({ reconnectInterval: 500, reconnectMaxInterval: 20 }).start();
    for (let i = 0; i < 3; i++) {
      await stage.attempt.fail();
      assertEquals(stage.delay, 1_000);
      await stage.again();
    }
  });

  it("never comes with a reconnectInterval of -1: the endpoint is given up", async () => {
    const failed = await new Stage({ reconnectInterval: -1 }).start();
    await failed.attempt.fail();
    assertEquals([failed.done, failed.delay, failed.attempts], [1, undefined, 1]);

    const lost = await new Stage({ reconnectInterval: -1 }).start();
    const stream = await lost.connect(0);
    lost.pipe?.send("unsent");
    stream.end();
    assertEquals([lost.done, lost.delay], [1, undefined]);
    assertMessages(lost.host.backlog, [[utf8("unsent")]]);
  });

  it("comes when an attempt took longer than connectTimeout", async () => {
    const stage = await new Stage({ connectTimeout: 50 }).start();
    stage.host.clock.advance(49);
    await microtasks();
    assertEquals(stage.attempt.signal.aborted, false);
    stage.host.clock.advance(1);
    await microtasks();
    assertEquals((stage.attempt.signal.reason as ZmqError).code, "ETIMEDOUT");
    await stage.again();
    await stage.connect();
    assertEquals(stage.host.clock.delays, []);
  });

  it("comes when each address of a name had its connectTimeout", async () => {
    const stage = new Stage({ endpoint: "tcp://some.host:1", connectTimeout: 50 });
    stage.runtime.hosts.set("some.host", ["10.0.0.1", "10.0.0.2"]);
    await stage.start();
    for (const attempts of [1, 2]) {
      assertEquals(stage.attempts, attempts);
      stage.host.clock.advance(50);
      await microtasks();
    }
    assertEquals(stage.attempts, 2);
    await stage.again();
  });

  it("comes when the connection is one to itself (CONN-04)", async () => {
    const stage = await new Stage().start();
    const self = { host: "127.0.0.1", port: 5_555 };
    const stream = await stage.attempt.succeed({ local: self, remote: self });
    assertEquals(stream.calls, ["abort"]);
    assertEquals([stage.done, stage.host.calls], [0, ["attach"]]);
    await stage.again();
    await stage.connect();
    assertEquals(stage.host.calls.at(-1), "identify ");
  });

  const temporary: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
    "the peer closed (ZMTP31-ERR-03)": async (stage) => (await stage.connect()).end(),
    "the connection broke (ZMTP31-ERR-03)": async (stage) =>
      (await stage.connect()).end(new Error("reset")),
    "it broke during the handshake (ZMTP31-ERR-03)": async (stage) =>
      (await stage.attempt.succeed()).end(),
    "the handshake took too long (CONN-03)": async (stage) => {
      const stream = await stage.attempt.succeed();
      stage.host.clock.advance(30_000);
      assertEquals(stream.calls, ["start", "abort"]);
    },
    "the socket refused the peer": async (stage) => {
      stage.host.refusal = new ZmqError("EADDRINUSE", "no");
      await stage.connect();
      stage.host.refusal = undefined;
    },
  };
  for (const [what, happens] of Object.entries(temporary)) {
    it(`comes when ${what}, with the same pipe`, async () => {
      const stage = await new Stage().start();
      const { pipe } = stage;
      await happens(stage);
      assertEquals(stage.done, 0);
      await stage.again();
      await stage.connect();
      assertStrictEquals(stage.pipe, pipe);
      assertEquals(stage.host.calls.filter((call) => call === "attach").length, 1);
      assertEquals(stage.host.calls.includes("detach"), false);
    });
  }

  const forEver: Readonly<Record<string, Uint8Array>> = {
    "speaks something else (ZMTP31-ERR-05)": utf8("HTTP/1.1 400 Bad Request\r\n"),
    "refused with ERROR (ZMTP31-ERR-01)": concat(
      greeting(),
      Uint8Array.of(4, 7, 5),
      utf8("ERROR"),
      Uint8Array.of(0),
    ),
    "has the wrong socket type (ZMTP31-ERR-05)": concat(greeting(), ready("PULL")),
    "wants another mechanism (ZMTP31-ERR-05)": greeting("PLAIN"),
    "broke the framing (ZMTP31-ERR-05)": concat(
      greeting(),
      ready("ROUTER"),
      Uint8Array.of(0xff, 0),
    ),
  };
  for (const [what, octets] of Object.entries(forEver)) {
    it(`never comes when the peer ${what}: the endpoint is given up`, async () => {
      const stage = await new Stage().start();
      const { pipe } = stage;
      const stream = await stage.attempt.succeed({ room: 64 });
      pipe.send("unsent");
      stream.deliver(octets);
      assertEquals(stage.done, 1);
      assertEquals(stage.host.attached.size, 0);
      assertMessages(stage.host.backlog, [[utf8("unsent")]]);
      stage.host.clock.advance(100_000);
      await microtasks();
      assertEquals(stage.attempts, 1);
    });
  }

  it("sends again what did not leave whole, to the next connection (CONN-06)", async () => {
    const stage = await new Stage().start();
    const { pipe } = stage;
    const first = await stage.connect(94 + 3);
    pipe.send(["one", "two"]);
    pipe.send("three");
    first.end(new Error("reset"));
    await stage.again();
    const second = await stage.connect();
    stage.host.clock.settle();
    assertMessages(messagesAfterHandshake(second.takeOutput()), [
      [utf8("one"), utf8("two")],
      [utf8("three")],
    ]);
    assertEquals(stage.host.backlog, []);
  });

  it("keeps what was received readable", async () => {
    const stage = await new Stage().start();
    const { pipe } = stage;
    const stream = await stage.connect();
    stream.deliver(concat(frame("in"), frame("half", true)));
    stream.end();
    await stage.again();
    (await stage.connect()).deliver(frame("next"));
    assertMessages([pipe.receive()!, pipe.receive()!], [[utf8("in")], [utf8("next")]]);
    assertEquals(pipe.receive(), undefined);
  });
});

describe("a dialer with immediate", () => {
  it("has a pipe only while the connection stands", async () => {
    const stage = await new Stage({ immediate: true }).start();
    assertEquals(stage.host.calls, []);
    const first = await stage.connect();
    assertEquals(stage.host.calls, ["identify ", "attach"]);
    const { pipe } = stage;
    first.end();
    assertEquals(stage.host.attached.size, 0);
    await stage.again();
    await stage.connect();
    assert(stage.pipe !== pipe);
  });

  it("gives what it did not send to the other peers", async () => {
    const stage = await new Stage({ immediate: true }).start();
    const stream = await stage.connect(94 + 2);
    stage.pipe.send("unsent");
    stream.end();
    assertMessages(stage.host.backlog, [[utf8("unsent")]]);
    assertEquals(stage.host.holds, 0);
  });

  it("leaves no pipe behind when the peer is refused", async () => {
    const stage = await new Stage({ immediate: true }).start();
    stage.host.refusal = new ZmqError("EADDRINUSE", "no");
    await stage.connect();
    assertEquals([stage.host.attached.size, stage.done], [0, 0]);
    assert(stage.delay !== undefined);
  });
});

describe("Dialer.close()", () => {
  it("ends an attempt under way, also when it succeeds all the same", async () => {
    const stage = await new Stage().start();
    stage.dialer.close();
    assertEquals((stage.attempt.signal.reason as ZmqError).code, "ECANCELED");
    await microtasks();
    assertEquals([stage.done, stage.delay, stage.attempts], [1, undefined, 1]);

    const late = new Stage();
    late.dialer.start();
    late.dialer.close();
    await microtasks();
    assertEquals(late.done, 1);
    for (const attempt of late.runtime.attempts) {
      assertEquals((await attempt.succeed()).calls.includes("start"), false);
    }
  });

  it("drops a connection that comes after it", async () => {
    const stage = await new Stage().start();
    const arriving = stage.attempt.succeed();
    stage.dialer.close();
    assertEquals((await arriving).calls, ["abort"]);
    assertEquals([stage.done, stage.delay], [1, undefined]);
  });

  it("ends the wait for the next attempt", async () => {
    const stage = await new Stage().start();
    await stage.attempt.fail();
    stage.dialer.close();
    assertEquals([stage.done, stage.delay], [1, undefined]);
    stage.host.clock.advance(1_000);
    await microtasks();
    assertEquals(stage.attempts, 1);
  });

  it("ends the connection and gives up what waits", async () => {
    const stage = await new Stage().start();
    const stream = await stage.connect(94 + 2);
    stage.pipe.send("unsent");
    stage.dialer.close();
    assertEquals(stream.calls, ["start", "close"]);
    assertEquals([stage.done, stage.host.calls.slice(-2)], [1, ["detach", "returned 1"]]);
    stream.end();
    await microtasks();
    assertEquals([stage.done, stage.delay], [1, undefined]);
  });

  it("does its work once", async () => {
    const stage = await new Stage().start();
    stage.dialer.close();
    stage.dialer.close();
    stage.dialer.finish(true);
    assertEquals(stage.done, 1);
  });
});

describe("Dialer.finish()", () => {
  it("ends at once when nothing waits", async () => {
    for (const persist of [true, false]) {
      const idle = await new Stage().start();
      idle.dialer.finish(persist);
      assertEquals(idle.done, 1);
      const connected = await new Stage().start();
      const stream = await connected.connect();
      connected.dialer.finish(persist);
      assertEquals([connected.done, stream.calls], [1, ["start", "close"]]);
    }
  });

  it("sends what waits, takes nothing new, then ends", async () => {
    for (const persist of [true, false]) {
      const stage = await new Stage().start();
      const stream = await stage.connect(94);
      stage.pipe.send("last");
      stage.dialer.finish(persist);
      assertEquals([stage.done, stage.host.attached.size], [0, 0]);
      stream.drain();
      assertEquals([stage.done, stream.calls], [1, ["start", "close"]]);
      assertMessages(messagesAfterHandshake(stream.takeOutput()), [[utf8("last")]]);
    }
  });

  it("goes on dialling for what waits when it is to persist", async () => {
    const stage = await new Stage().start();
    stage.pipe.send("last");
    await stage.attempt.fail();
    stage.dialer.finish(true);
    await stage.again();
    const stream = await stage.connect();
    stage.host.clock.settle();
    assertMessages(messagesAfterHandshake(stream.takeOutput()), [[utf8("last")]]);
    assertEquals(stage.done, 1);
  });

  it("goes on dialling when the connection breaks meanwhile", async () => {
    const stage = await new Stage().start();
    const first = await stage.connect(94);
    stage.pipe.send("last");
    stage.dialer.finish(true);
    first.end(new Error("reset"));
    assertEquals(stage.done, 0);
    await stage.again();
    const second = await stage.connect();
    stage.host.clock.settle();
    assertMessages(messagesAfterHandshake(second.takeOutput()), [[utf8("last")]]);
    assertEquals(stage.done, 1);
  });

  it("gives what waits to the other peers when it is not to persist", async () => {
    const stage = await new Stage().start();
    stage.pipe.send("elsewhere");
    stage.dialer.finish(false);
    assertEquals(stage.done, 1);
    assertMessages(stage.host.backlog, [[utf8("elsewhere")]]);
  });

  it("ends when the connection breaks and is never made again", async () => {
    for (const options of [{ reconnectInterval: -1 }, { immediate: true }]) {
      const stage = await new Stage(options).start();
      const stream = await stage.connect(94);
      stage.pipe.send("last");
      stage.dialer.finish(true);
      stream.end(new Error("reset"));
      assertEquals([stage.done, stage.delay], [1, undefined]);
    }
  });
});
