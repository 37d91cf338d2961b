// bindSync and unbindSync: bound, or not, when the call returns.

import { assertEquals, assertInstanceOf, assertMatch, assertNotEquals } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { EndpointError, Pair, Pull, Push, Reply, Request, Stream } from "../../mod.ts";
import { anywhere } from "../_util/anywhere.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { EventLog } from "../_util/event_log.ts";
import { ANY_PORT, portOf } from "../_util/ports.ts";
import { start } from "../_util/process.ts";
import { dial } from "../_util/raw_peer.ts";
import { assertSays, failure, rejection } from "../_util/rejection.ts";
import { SocketFolder } from "../_util/socket_folder.ts";
import { hasIpv6 } from "../_util/system.ts";

const cleanup = new Cleanup();
let folder: SocketFolder;

function openPull(options: ConstructorParameters<typeof Pull>[0] = {}): Pull {
  return cleanup.add(new Pull({ receiveTimeout: 5_000, ...options }));
}

/** One message gets there. */
async function talk(endpoint: string, pull: Pull): Promise<void> {
  const push = cleanup.add(new Push({ reconnectInterval: 10, sendTimeout: 5_000 }));
  push.connect(endpoint);
  await push.send(endpoint);
  assertFrames(await pull.receive(), [endpoint]);
}

describe("bindSync", () => {
  before(() => {
    folder = new SocketFolder();
  });
  after(() => folder.remove());
  afterEach(() => cleanup.run());

  const shapes: readonly [address: string, endpoint: RegExp, reach?: string][] = [
    [ANY_PORT, /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/],
    ["tcp://127.0.0.1:0", /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/],
    ["tcp://127.0.0.2:*", /^tcp:\/\/127\.0\.0\.2:[1-9]\d*$/],
    ["tcp://*:*", /^tcp:\/\/0\.0\.0\.0:[1-9]\d*$/, "tcp://127.0.0.1"],
    ["tcp://lo:*", /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/],
    ["ipc://*", /^ipc:\/\/\/.+$/],
    [`ipc://@wasmq-${crypto.randomUUID()}`, /^ipc:\/\/@wasmq-[0-9a-f-]+$/],
    ["inproc://bind-sync", /^inproc:\/\/bind-sync$/],
  ];
  for (const [address, endpoint, reach] of shapes) {
    it(`to ${address.replace(/[0-9a-f-]{36}/, "name")} has its endpoint at once, and is reached there`, async () => {
      const pull = openPull();
      assertEquals(pull.bindSync(address), undefined);
      const bound = pull.lastEndpoint!;
      assertMatch(bound, endpoint);
      await talk(reach === undefined ? bound : `${reach}:${portOf(bound)}`, pull);
    });
  }

  it("takes IPv6 addresses, and both families with ipv6", { ignore: !hasIpv6() }, async () => {
    const pull = openPull();
    pull.bindSync("tcp://[::1]:*");
    assertMatch(pull.lastEndpoint!, /^tcp:\/\/\[::1\]:[1-9]\d*$/);
    await talk(pull.lastEndpoint!, pull);
    const both = openPull({ ipv6: true });
    both.bindSync("tcp://*:*");
    const port = portOf(both.lastEndpoint);
    await talk(`tcp://127.0.0.1:${port}`, both);
    await talk(`tcp://[::1]:${port}`, both);
  });

  it("listens before it returns: a connection that comes at once is served", async () => {
    const pull = openPull();
    pull.bindSync(ANY_PORT);
    const peer = cleanup.add(await dial(pull.lastEndpoint!));
    assertEquals((await peer.take(10))[0], 0xff);
  });

  it("may be used before and after connects, and several times", async () => {
    const pull = openPull();
    const endpoints: string[] = [];
    for (let i = 0; i < 5; i++) {
      pull.bindSync(ANY_PORT);
      endpoints.push(pull.lastEndpoint!);
    }
    assertEquals(new Set(endpoints).size, 5);
    for (const endpoint of endpoints) await talk(endpoint, pull);
  });

  it("is as good as bind to a request and its reply", async () => {
    const reply = cleanup.add(new Reply({ receiveTimeout: 5_000 }));
    reply.bindSync(ANY_PORT);
    const request = cleanup.add(new Request({ receiveTimeout: 5_000 }));
    request.connect(reply.lastEndpoint!);
    await request.send("question");
    assertFrames(await reply.receive(), ["question"]);
    await reply.send("answer");
    assertFrames(await request.receive(), ["answer"]);
  });

  it("tells the event bind", async () => {
    const pull = openPull();
    const log = new EventLog(pull);
    pull.bindSync(ANY_PORT);
    assertEquals((await log.nth("bind")).address, pull.lastEndpoint);
  });

  it("throws EADDRINUSE where somebody listens, and the socket is usable still", async () => {
    const other = openPull();
    await other.bind(ANY_PORT);
    other.bindSync("ipc://*");
    const ipc = other.lastEndpoint!;
    other.bindSync("inproc://taken");
    await other.bind(ANY_PORT);
    const pull = openPull();
    for (const taken of [other.lastEndpoint!, ipc, "inproc://taken"]) {
      const error = failure(() => pull.bindSync(taken), "EADDRINUSE");
      assertInstanceOf(error, EndpointError);
      assertEquals([error.address, error.errno], [taken, 98]);
      assertEquals(pull.lastEndpoint, null);
      await rejection(pull.bind(taken), "EADDRINUSE");
    }
    pull.bindSync(ANY_PORT);
    await talk(pull.lastEndpoint!, pull);
    await talk(ipc, other);
  });

  it("throws EADDRINUSE for a file that a dead process left; bind finds out and takes it", async () => {
    const endpoint = folder.endpoint("left-behind");
    const program = start("deaf_program.ts", "1", endpoint);
    await program.prints(endpoint);
    failure(() => openPull().bindSync(endpoint), "EADDRINUSE");
    await program.kill();
    const pull = openPull();
    failure(() => pull.bindSync(endpoint), "EADDRINUSE");
    assertEquals(folder.files, ["left-behind"]);
    await pull.bind(endpoint);
    await talk(endpoint, pull);
  });

  it("throws EADDRNOTAVAIL for addresses of others", () => {
    const error = failure(() => openPull().bindSync("tcp://192.0.2.1:*"), "EADDRNOTAVAIL");
    assertEquals([error.address, error.errno], ["tcp://192.0.2.1:*", 99]);
  });

  it("throws EINVAL for host names, which need bind", async () => {
    for (const name of ["localhost", "some.host.example"]) {
      const pull = openPull();
      const error = failure(() => pull.bindSync(`tcp://${name}:*`), "EINVAL");
      assertInstanceOf(error, EndpointError);
      assertSays(error, name, "bind");
      assertEquals([error.address, pull.lastEndpoint], [`tcp://${name}:*`, null]);
    }
    const pull = openPull();
    await pull.bind("tcp://localhost:*");
    await talk(pull.lastEndpoint!, pull);
  });

  it("throws what bind rejects with for malformed and unknown endpoints", async () => {
    for (const address of ["", "tcp", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", "ipc://@"]) {
      const error = failure(() => openPull().bindSync(address), "EINVAL");
      assertInstanceOf(error, EndpointError);
      assertEquals(error.message, (await rejection(openPull().bind(address), "EINVAL")).message);
    }
    for (const address of ["udp://127.0.0.1:5", "foo://bar"]) {
      failure(() => openPull().bindSync(address), "EPROTONOSUPPORT");
    }
    failure(() => cleanup.add(new Stream()).bindSync("inproc://raw"), "ENOCOMPATPROTO");
    failure(() => openPull().bindSync(5 as unknown as string), "EINVAL");
  });

  it("throws EBADF on a closed socket", async () => {
    const pull = openPull();
    await pull.close();
    failure(() => pull.bindSync(ANY_PORT), "EBADF");
    failure(() => pull.unbindSync(ANY_PORT), "EBADF");
  });
});

describe("unbindSync", () => {
  before(() => {
    folder = new SocketFolder();
  });
  after(() => folder.remove());
  afterEach(() => cleanup.run());

  for (const transport of ["tcp", "ipc", "inproc"] as const) {
    it(`over ${transport} ends listening, and lets others have the endpoint`, async () => {
      const first = openPull();
      first.bindSync(transport === "ipc" ? folder.endpoint("unbind") : anywhere(transport));
      const endpoint = first.lastEndpoint!;
      assertEquals(first.unbindSync(endpoint), undefined);
      failure(() => first.unbindSync(endpoint), "ENOENT");
      const second = openPull();
      // The system may free a port only when the event loop has turned.
      await eventually(() => {
        try {
          second.bindSync(endpoint);
          return true;
        } catch {
          return false;
        }
      });
      await talk(endpoint, second);
    });
  }

  it("really unbinds: nobody is let in any more", async () => {
    const pull = openPull();
    pull.bindSync(ANY_PORT);
    const endpoint = pull.lastEndpoint!;
    pull.unbindSync(endpoint);
    await eventually(() =>
      dial(endpoint).then((peer) => {
        peer.destroy();
        return false;
      }, () => true)
    );
  });

  it("ends what bind began, and unbind what bindSync began", async () => {
    const pull = openPull();
    await pull.bind(ANY_PORT);
    pull.unbindSync(pull.lastEndpoint!);
    pull.bindSync(ANY_PORT);
    await pull.unbind(pull.lastEndpoint!);
    await rejection(pull.unbind(pull.lastEndpoint!), "ENOENT");
  });

  it("leaves the socket's other endpoints and what has arrived alone", async () => {
    const pull = openPull();
    pull.bindSync(ANY_PORT);
    const first = pull.lastEndpoint!;
    pull.bindSync(ANY_PORT);
    assertNotEquals(pull.lastEndpoint, first);
    const push = cleanup.add(new Push());
    push.connect(first);
    await push.send("arrived before");
    await eventually(() => pull.readable);
    pull.unbindSync(first);
    assertFrames(await pull.receive(), ["arrived before"]);
    await talk(pull.lastEndpoint!, pull);
  });

  it("throws ENOENT for what is not bound, and says what is", () => {
    const pull = openPull();
    pull.bindSync(ANY_PORT);
    for (const address of ["tcp://127.0.0.1:1", ANY_PORT, "nonsense", "inproc://nobody"]) {
      const error = failure(() => pull.unbindSync(address), "ENOENT");
      assertInstanceOf(error, EndpointError);
      assertEquals([error.address, error.errno], [address, 2]);
      assertSays(error, address, pull.lastEndpoint!);
    }
  });

  it("of an inproc name makes its peers wait for the next one who binds it", async () => {
    const first = cleanup.add(new Pair({ receiveTimeout: 5_000 }));
    first.bindSync("inproc://moving");
    const other = cleanup.add(new Pair());
    other.connect("inproc://moving");
    await other.send("1");
    assertFrames(await first.receive(), ["1"]);
    first.unbindSync("inproc://moving");
    const second = cleanup.add(new Pair({ receiveTimeout: 5_000 }));
    second.bindSync("inproc://moving");
    await other.send("2");
    assertFrames(await second.receive(), ["2"]);
  });
});
