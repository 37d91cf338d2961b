// Where sockets can be bound and connected, and what is said about every other place.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, EndpointError, Pull, Push, type Socket } from "../../mod.ts";
import { anywhere, TRANSPORTS } from "../_util/anywhere.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { contextWith, realRuntime } from "../_util/fake_runtime.ts";
import { RawServer } from "../_util/raw_peer.ts";
import { shakeHands } from "../_util/raw_zmtp.ts";
import { assertSays, failure, rejection } from "../_util/rejection.ts";
import { hasIpv6, hasKernelTable, isRoot, kernelSockets } from "../_util/system.ts";
import { describeOver, nowhere, reserve } from "../_util/transports.ts";

const ANY_PORT = "tcp://127.0.0.1:*";
const QUICK = { reconnectInterval: 10 } as const;
const cleanup = new Cleanup();

function openPull(options: ConstructorParameters<typeof Pull>[0] = {}): Pull {
  return cleanup.add(new Pull({ receiveTimeout: 5_000, ...options }));
}

function openPush(options: ConstructorParameters<typeof Push>[0] = {}): Push {
  return cleanup.add(new Push({ sendTimeout: 5_000, ...QUICK, ...options }));
}

async function bound(address: string, options = {}): Promise<Pull> {
  const pull = openPull(options);
  await pull.bind(address);
  return pull;
}

/** Connects a PUSH and moves one message. */
async function talk(endpoint: string, pull: Pull, options = {}): Promise<void> {
  const push = openPush(options);
  push.connect(endpoint);
  await push.send(endpoint);
  assertFrames(await pull.receive(), [endpoint]);
}

/** Sends until one arrives: what went into a connection that was ending is lost. */
async function arrives(push: Push, pull: Pull, text: string): Promise<void> {
  let arrived = false;
  const receiving = (async () => {
    while (!arrived) arrived = String((await pull.receive())[0]) === text;
  })();
  await eventually(async () => {
    await push.send(text);
    return arrived;
  });
  await receiving;
}

function portOf(endpoint: string | null): number {
  return Number(/:(\d+)$/.exec(endpoint!)![1]);
}

describe("bind", () => {
  afterEach(() => cleanup.run());

  const shapes: readonly [address: string, endpoint: RegExp, reach: string][] = [
    ["tcp://127.0.0.1:*", /^tcp:\/\/127\.0\.0\.1:\d+$/, "tcp://127.0.0.1:"],
    ["tcp://127.0.0.1:0", /^tcp:\/\/127\.0\.0\.1:\d+$/, "tcp://127.0.0.1:"],
    ["tcp://127.0.0.2:*", /^tcp:\/\/127\.0\.0\.2:\d+$/, "tcp://127.0.0.2:"],
    ["tcp://*:0", /^tcp:\/\/0\.0\.0\.0:\d+$/, "tcp://127.0.0.1:"],
    ["tcp://*:*", /^tcp:\/\/0\.0\.0\.0:\d+$/, "tcp://127.0.0.3:"],
    ["tcp://0.0.0.0:*", /^tcp:\/\/0\.0\.0\.0:\d+$/, "tcp://localhost:"],
    ["tcp://lo:*", /^tcp:\/\/127\.0\.0\.1:\d+$/, "tcp://127.0.0.1:"],
    ["tcp://localhost:*", /^tcp:\/\/127\.0\.0\.1:\d+$/, "tcp://localhost:"],
  ];
  for (const [address, endpoint, reach] of shapes) {
    it(`to ${address} is reached by ${reach}PORT`, async () => {
      const pull = await bound(address);
      assertMatch(pull.lastEndpoint!, endpoint);
      assertNotEquals(portOf(pull.lastEndpoint), 0);
      await talk(`${reach}${portOf(pull.lastEndpoint)}`, pull);
    });
  }

  it("to a port of its own choice uses that one", async () => {
    const first = await bound(ANY_PORT);
    const endpoint = first.lastEndpoint!;
    await first.close();
    const second = await bound(endpoint);
    assertEquals(second.lastEndpoint, endpoint);
    await talk(endpoint, second);
  });

  it("of one socket to several endpoints serves all of them", async () => {
    const pull = await bound(ANY_PORT);
    const first = pull.lastEndpoint!;
    await pull.bind(ANY_PORT);
    assertNotEquals(pull.lastEndpoint, first);
    await talk(pull.lastEndpoint!, pull);
    await talk(first, pull);
  });

  it("takes any backlog", async () => {
    for (const backlog of [1, 5, 1000]) {
      const pull = await bound(ANY_PORT, { backlog });
      await talk(pull.lastEndpoint!, pull);
    }
  });

  it("to an address in use fails with EADDRINUSE and the address", async () => {
    const { lastEndpoint } = await bound(ANY_PORT);
    const other = openPull();
    const error = await rejection(other.bind(lastEndpoint!), "EADDRINUSE");
    assertInstanceOf(error, EndpointError);
    assertEquals([error.address, error.errno], [lastEndpoint, 98]);
    assertSays(error, lastEndpoint!, "in use");
    await other.bind(ANY_PORT);
    await talk(other.lastEndpoint!, other);
  });

  it("to an address that is not of this machine fails with EADDRNOTAVAIL", async () => {
    const error = await rejection(openPull().bind("tcp://192.0.2.1:*"), "EADDRNOTAVAIL");
    assertInstanceOf(error, EndpointError);
    assertEquals([error.address, error.errno], ["tcp://192.0.2.1:*", 99]);
  });

  it("to a privileged port fails with EACCES", { ignore: isRoot() }, async () => {
    const error = await rejection(openPull().bind("tcp://127.0.0.1:1"), "EACCES");
    assertEquals(error.address, "tcp://127.0.0.1:1");
  });

  it("to a name that is unknown fails with EINVAL, the name and the reason", async () => {
    const resolve = () => Promise.reject(new Error("no such name here"));
    const pull = openPull({ context: contextWith({ resolve }) });
    const error = await rejection(pull.bind("tcp://no.such.host:*"), "EINVAL");
    assertInstanceOf(error, EndpointError);
    assertSays(error, "no.such.host", "no such name here");
    assertEquals(error.address, "tcp://no.such.host:*");
  });

  it("to a name with IPv6 addresses only says that ipv6 is needed", async () => {
    const context = contextWith({ resolve: () => Promise.resolve(["::1"]) });
    const error = await rejection(
      openPull({ context }).bind("tcp://six.example:*"),
      "EADDRNOTAVAIL",
    );
    assertSays(error, "six.example", "ipv6");
  });
});

describe("IPv6", { ignore: !hasIpv6() }, () => {
  afterEach(() => cleanup.run());

  it("addresses stand in brackets and work without the option ipv6", async () => {
    const pull = await bound("tcp://[::1]:*");
    assertMatch(pull.lastEndpoint!, /^tcp:\/\/\[::1\]:\d+$/);
    await talk(pull.lastEndpoint!, pull);
  });

  it("and IPv4 are both served by a wildcard with the option ipv6", async () => {
    const pull = await bound("tcp://*:*", { ipv6: true });
    assertMatch(pull.lastEndpoint!, /^tcp:\/\/\[::\]:\d+$/);
    const port = portOf(pull.lastEndpoint);
    await talk(`tcp://127.0.0.1:${port}`, pull);
    await talk(`tcp://[::1]:${port}`, pull);
  });

  it("addresses of a name are used with the option ipv6, not without", async () => {
    const six = await bound("tcp://[::1]:*");
    const port = portOf(six.lastEndpoint);
    const four = await bound(`tcp://127.0.0.1:${port}`);
    const context = contextWith({ resolve: () => Promise.resolve(["::1", "127.0.0.1"]) });
    await talk(`tcp://both.example:${port}`, six, { context, ipv6: true });
    await talk(`tcp://both.example:${port}`, four, { context });
  });

  it("source addresses stand in brackets too", async () => {
    const pull = await bound("tcp://[::1]:*");
    await talk(pull.lastEndpoint!.replace("tcp://", "tcp://[::1]:0;"), pull);
  });
});

describe("connect", () => {
  afterEach(() => cleanup.run());

  it("tries every address of a name until one answers", async () => {
    const pull = await bound(ANY_PORT);
    const asked: string[] = [];
    const context = contextWith({
      resolve: (host) => {
        asked.push(host);
        return Promise.resolve(["127.0.0.2", "127.0.0.3", "127.0.0.1"]);
      },
    });
    // So long a wait means: the addresses are tried in one attempt.
    const options = { context, reconnectInterval: 60_000 };
    await talk(`tcp://many.example:${portOf(pull.lastEndpoint)}`, pull, options);
    assertEquals(asked, ["many.example"]);
  });

  it("looks the name up again for each attempt", async () => {
    const pull = await bound(ANY_PORT);
    const answers = [
      () => Promise.reject(new Error("not yet")),
      () => Promise.resolve([]),
      () => Promise.resolve(["127.0.0.2"]),
      () => Promise.resolve(["127.0.0.1"]),
    ];
    const context = contextWith({ resolve: () => answers.shift()!() });
    await talk(`tcp://later.example:${portOf(pull.lastEndpoint)}`, pull, { context });
    assertEquals(answers.length, 0);
  });

  it("gives an attempt up after connectTimeout and tries again", async () => {
    const pull = await bound(ANY_PORT);
    const real = realRuntime();
    let attempts = 0;
    const context = contextWith({
      connect(to, source, options, signal) {
        if (++attempts === 3) return real.connect(to, source, options, signal);
        return new Promise((_, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason))
        );
      },
    });
    await talk(pull.lastEndpoint!, pull, { context, connectTimeout: 20 });
    assertEquals(attempts, 3);
  });

  it("starts from the source address that stands before a semicolon", async () => {
    const server = cleanup.add(await RawServer.listen());
    const push = openPush();
    push.connect(server.endpoint.replace("tcp://", "tcp://127.0.0.2:0;"));
    await push.send("x");
    const connection = await server.accept();
    assertEquals(connection.remoteAddress.replace("::ffff:", ""), "127.0.0.2");
    await shakeHands(connection, "PULL");
  });

  it("starts from the source port too, and an interface's name may stand for its address", async () => {
    const unused = await bound(ANY_PORT);
    const port = portOf(unused.lastEndpoint);
    await unused.close();
    const pull = await bound(ANY_PORT);
    await talk(pull.lastEndpoint!.replace("tcp://", `tcp://lo:${port};`), pull);
    if (!hasKernelTable()) return;
    const pair = [port, portOf(pull.lastEndpoint)];
    const sockets = kernelSockets().map(({ localPort, remotePort }) => [localPort, remotePort]);
    assert(sockets.some((ports) => ports[0] === pair[0] && ports[1] === pair[1]));
  });

  it("of one socket to several endpoints serves all of them", async () => {
    const pulls = await Promise.all([bound(ANY_PORT), bound(ANY_PORT), bound(ANY_PORT)]);
    const push = openPush();
    for (const pull of pulls) push.connect(pull.lastEndpoint!);
    for (let i = 0; i < 3; i++) await push.send("x");
    for (const pull of pulls) assertFrames(await pull.receive(), ["x"]);
  });

  it("a second time to the same endpoint does nothing on a DEALER", async () => {
    const server = cleanup.add(await RawServer.listen());
    const dealer = cleanup.add(new Dealer(QUICK));
    dealer.connect(server.endpoint);
    dealer.connect(server.endpoint);
    dealer.connect(server.endpoint);
    await shakeHands(await server.accept(), "DEALER");
    await dealer.send("x");
    dealer.disconnect(server.endpoint);
    failure(() => dealer.disconnect(server.endpoint), "ENOENT");
    assertEquals(server.count, 1);
  });
});

describe("a malformed endpoint", () => {
  afterEach(() => cleanup.run());

  const neither: readonly string[] = [
    "",
    "tcp",
    "tcp:",
    "tcp:/127.0.0.1:5555",
    "tcp://",
    "://127.0.0.1:5555",
    "127.0.0.1:5555",
    " tcp://127.0.0.1:5555",
    "tcp://127.0.0.1:5555 ",
    "tcp://127.0.0.1",
    "tcp://127.0.0.1:",
    "tcp://:5555",
    "tcp://127.0.0.1:http",
    "tcp://127.0.0.1:65536",
    "tcp://127.0.0.1:99999999999999999999",
    "tcp://127.0.0.1:-1",
    "tcp://127.0.0.1:5.5",
    "tcp://127.0.0.1:5555/path",
    "tcp://::1:5555",
    "tcp://[::1:5555",
    "tcp://::1]:5555",
    "tcp://[::1]",
    "tcp://[]:5555",
    "tcp://[127.0.0.1]:5555",
    "tcp://[nonsense]:5555",
    "tcp://[::1::2]:5555",
    "tcp://127.0.0.1:1;127.0.0.1:2;127.0.0.1:3",
    "tcp://;127.0.0.1:5555",
    "tcp://127.0.0.1:0;",
  ];
  const cases: (readonly [use: "bind" | "connect", address: string])[] = [
    ...neither.map((address) => ["bind", address] as const),
    ...neither.map((address) => ["connect", address] as const),
    ["bind", "tcp://127.0.0.1:0;127.0.0.1:5555"],
    ["connect", "tcp://*:5555"],
    ["connect", "tcp://127.0.0.1:*"],
    ["connect", "tcp://127.0.0.1:0"],
  ];
  for (const [use, address] of cases) {
    it(`as ${JSON.stringify(address)} is refused by ${use} with EINVAL`, async () => {
      const push = openPush();
      const error = await refusal(push, use, address, "EINVAL");
      assertInstanceOf(error, EndpointError);
      assertEquals([error.address, error.errno], [address, 22]);
      assertSays(error, `Cannot ${use}`, JSON.stringify(address));
      assertEquals(push.lastEndpoint, null);
    });
  }

  for (const address of ["udp://127.0.0.1:5", "pgm://eth0;239.0.0.1:5", "foo://bar"]) {
    for (const use of ["bind", "connect"] as const) {
      it(`as ${address} is refused by ${use} with EPROTONOSUPPORT`, async () => {
        const error = await refusal(openPush(), use, address, "EPROTONOSUPPORT");
        assertInstanceOf(error, EndpointError);
        assertEquals([error.address, error.errno], [address, 93]);
        assertSays(error, address.split(":")[0], "tcp", "ipc", "inproc");
      });
    }
  }

  it("that is no text is refused with EINVAL", async () => {
    for (const address of [undefined, null, 5555, {}, ["tcp://127.0.0.1:5555"]]) {
      for (const use of ["bind", "connect"] as const) {
        const error = await refusal(openPush(), use, address as string, "EINVAL");
        assertStringIncludes(error.message, "string");
      }
    }
  });
});

describeOver(TRANSPORTS, "unbind", (transport) => {
  afterEach(() => cleanup.run());

  it("frees the address at once, also with a peer connected", async () => {
    const endpoint = await reserve(transport);
    const pull = await bound(endpoint);
    const push = openPush();
    push.connect(endpoint);
    for (let i = 0; i < 5; i++) {
      await arrives(push, pull, `round ${i}`);
      await pull.unbind(endpoint);
      await pull.bind(endpoint);
    }
    await arrives(push, pull, "last");
  });

  it("lets another socket have the address", async () => {
    const endpoint = await reserve(transport);
    const first = await bound(endpoint);
    const push = openPush();
    push.connect(endpoint);
    await push.send("to the first");
    assertFrames(await first.receive(), ["to the first"]);
    await first.unbind(endpoint);
    const second = await bound(endpoint);
    await arrives(push, second, "to the second");
  });

  it("keeps what has arrived already", async () => {
    const pull = await bound(anywhere(transport));
    const push = openPush();
    push.connect(pull.lastEndpoint!);
    await push.send("1");
    await push.send("2");
    await eventually(() => pull.readable);
    await pull.unbind(pull.lastEndpoint!);
    assertFrames(await pull.receive(), ["1"]);
    assertFrames(await pull.receive(), ["2"]);
  });

  it("of what is not bound fails with ENOENT and says what is", async () => {
    const pull = await bound(anywhere(transport));
    const endpoint = pull.lastEndpoint!;
    for (const address of [nowhere(transport), "tcp://127.0.0.1:*", "ipc://*", "nonsense"]) {
      const error = await rejection(pull.unbind(address), "ENOENT");
      assertInstanceOf(error, EndpointError);
      assertEquals([error.address, error.errno], [address, 2]);
      assertSays(error, address, endpoint);
    }
    await pull.unbind(endpoint);
    assertSays(await rejection(pull.unbind(endpoint), "ENOENT"), "there is none");
  });

  it("leaves other endpoints of the socket alone", async () => {
    const pull = await bound(anywhere(transport));
    const first = pull.lastEndpoint!;
    await pull.bind(anywhere(transport));
    await pull.unbind(first);
    await talk(pull.lastEndpoint!, pull);
  });
});

describeOver(TRANSPORTS, "disconnect", (transport) => {
  afterEach(() => cleanup.run());

  it("ends the connection, and the peer may connect again", async () => {
    const pull = await bound(anywhere(transport));
    const push = openPush();
    for (let i = 0; i < 5; i++) {
      push.connect(pull.lastEndpoint!);
      await push.send(String(i));
      assertFrames(await pull.receive(), [String(i)]);
      push.disconnect(pull.lastEndpoint!);
      assertEquals(push.writable, false);
    }
  });

  it("lets go of what was never connected, and keeps its messages for the next peer", async () => {
    const push = openPush();
    push.connect(nowhere(transport));
    await push.send("kept");
    push.disconnect(nowhere(transport));
    const pull = await bound(anywhere(transport));
    push.connect(pull.lastEndpoint!);
    assertFrames(await pull.receive(), ["kept"]);
  });

  it("of what is not connected fails with ENOENT and says what is", () => {
    const push = openPush();
    push.connect(nowhere(transport));
    for (const address of [nowhere(transport, 1), "nonsense"]) {
      const error = failure(() => push.disconnect(address), "ENOENT");
      assertInstanceOf(error, EndpointError);
      assertEquals(error.address, address);
      assertSays(error, address, nowhere(transport));
    }
    push.disconnect(nowhere(transport));
    failure(() => push.disconnect(nowhere(transport)), "ENOENT");
  });
});

describeOver(TRANSPORTS, "close", (transport) => {
  afterEach(() => cleanup.run());

  it("frees the address at once, also with a peer connected", async () => {
    const push = openPush();
    const endpoint = await reserve(transport);
    for (let i = 0; i < 5; i++) {
      const pull = await bound(endpoint);
      if (i === 0) push.connect(endpoint);
      await arrives(push, pull, `round ${i}`);
      await pull.close();
    }
  });
});

describe("tcp keep-alive", () => {
  afterEach(() => cleanup.run());

  for (const name of ["tcpKeepaliveCount", "tcpKeepaliveInterval"] as const) {
    it(`refuses ${name} by name with ENOTSUP, since no runtime can set it`, async () => {
      for (const use of ["bind", "connect"] as const) {
        const push = openPush({ [name]: 5 });
        const error = await refusal(push, use, "tcp://127.0.0.1:9", "ENOTSUP");
        assertInstanceOf(error, EndpointError);
        assertSays(error, name, realRuntime().name, "-1");
      }
    });
  }

  /** The ends of the connection to a port, each "server" or "client". */
  function timers(port: number): Record<string, string> {
    return Object.fromEntries(
      kernelSockets()
        .filter(({ localPort, remotePort }) => localPort === port || remotePort === port)
        .map(({ localPort, timer, dueIn }) => [
          localPort === port ? "server" : "client",
          timer === "keep-alive" ? `keep-alive within ${dueIn <= 100 ? 100 : 7200} s` : timer,
        ]),
    );
  }

  async function expectTimers(
    options: { tcpKeepalive: number; tcpKeepaliveIdle?: number },
    expected: string,
  ): Promise<void> {
    const pull = await bound(ANY_PORT, options);
    await talk(pull.lastEndpoint!, pull, options);
    const port = portOf(pull.lastEndpoint);
    const asExpected = (): boolean => {
      const { server, client } = timers(port);
      return server === expected && client === expected;
    };
    // Another timer stands in the table until everything is acknowledged.
    await eventually(asExpected, 2_000).catch(() => {});
    assertEquals(timers(port), { server: expected, client: expected });
  }

  const here = { ignore: !hasKernelTable() };

  it("is on with tcpKeepalive 1", here, async () => {
    await expectTimers({ tcpKeepalive: 1 }, "keep-alive within 7200 s");
  });

  it("begins after tcpKeepaliveIdle seconds of silence", here, async () => {
    await expectTimers({ tcpKeepalive: 1, tcpKeepaliveIdle: 100 }, "keep-alive within 100 s");
  });

  it("is off with tcpKeepalive 0", here, async () => {
    await expectTimers({ tcpKeepalive: 0 }, "none");
  });
});

function refusal(socket: Socket, use: "bind" | "connect", address: string, code: string) {
  return use === "bind"
    ? rejection(socket.bind(address), code)
    : Promise.resolve(failure(() => socket.connect(address), code));
}
