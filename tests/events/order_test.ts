// The events of a whole life, in their order (reference: libzmq's monitor).

import { assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Context, type EventType, Pull, Push, Stream } from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { textOf, toHex } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { EventLog } from "../_util/event_log.ts";
import { freeEndpoint } from "../_util/ports.ts";
import { SocketFolder } from "../_util/socket_folder.ts";

const WAITS = { receiveTimeout: 5_000, sendTimeout: 5_000 } as const;
const cleanup = new Cleanup();

function open<S extends Pull | Push>(socket: S): [S, EventLog] {
  return [cleanup.add(socket), new EventLog(socket)];
}

/** Without what happens while nobody listens, how often ever. */
function withoutAttempts(types: readonly EventType[]): EventType[] {
  const attempt = ["connect:delay", "close", "connect:retry"].join();
  const life = [...types];
  for (let i = 0; i + 3 <= life.length;) {
    if (life.slice(i, i + 3).join() === attempt) life.splice(i, 3);
    else i++;
  }
  return life;
}

for (const transport of SYSTEM_TRANSPORTS) {
  describe(`the events of ${transport}`, () => {
    afterEach(() => cleanup.run());

    it("come in the order of a life with one peer", async () => {
      const [pull, log] = open(new Pull({ receiveTimeout: 5_000 }));
      const [push, pushLog] = open(new Push());
      await pull.bind(anywhere(transport));
      push.connect(pull.lastEndpoint!);
      await push.send("message");
      await pull.receive();
      await push.close();
      await pushLog.over;
      await log.next("disconnect");
      await pull.close();
      await log.over;
      assertEquals(log.types, ["bind", "accept", "handshake", "disconnect", "close", "end"]);
      assertEquals(pushLog.types.slice(0, 3), ["connect:delay", "connect", "handshake"]);
      assertEquals(pushLog.types.at(-1), "end");
      assertEquals(pushLog.types.filter((type) => type === "connect:retry"), []);
    });

    it("come in the order of a peer that comes late, goes and comes again", async () => {
      const folder = new SocketFolder();
      cleanup.add({ close: () => folder.remove() });
      const address = transport === "tcp" ? await freeEndpoint() : folder.endpoint("socket");
      const [push, log] = open(new Push({ reconnectInterval: 20, linger: 0 }));
      push.connect(address);
      await log.next("connect:retry");
      for (let i = 0; i < 2; i++) {
        const pull = cleanup.add(new Pull());
        await pull.bind(address);
        await log.next("handshake");
        await pull.close();
        await log.next("disconnect");
      }
      await log.nth("connect:delay", log.of("connect:delay").length + 1);
      await push.close();
      await log.over;
      const life = ["connect:delay", "connect", "handshake", "disconnect", "connect:retry"];
      const rest = withoutAttempts(log.types);
      assertEquals(rest.slice(0, 10), [...life, ...life]);
      assertEquals(rest.at(-1), "end");
    });
  });
}

describe("the events of inproc", () => {
  afterEach(() => cleanup.run());

  it("come in the order of a life with one peer", async () => {
    const [pull, log] = open(new Pull({ receiveTimeout: 5_000 }));
    const [push, pushLog] = open(new Push());
    await pull.bind(anywhere("inproc"));
    push.connect(pull.lastEndpoint!);
    await push.send("message");
    await pull.receive();
    await push.close();
    await pushLog.over;
    await log.next("disconnect");
    await pull.close();
    await log.over;
    assertEquals(log.types, ["bind", "accept", "handshake", "disconnect", "close", "end"]);
    assertEquals(pushLog.types.slice(0, 3), ["connect:delay", "connect", "handshake"]);
    assertEquals(pushLog.types.at(-1), "end");
  });

  it("come when the name is bound after it was connected to", async () => {
    const [push, log] = open(new Push());
    const address = anywhere("inproc");
    push.connect(address);
    await push.send("early");
    assertEquals(log.of("connect"), [], "there is nobody yet");
    const [pull, pullLog] = open(new Pull({ receiveTimeout: 5_000 }));
    await pull.bind(address);
    assertEquals(String(await pull.receive()), "early");
    await log.next("handshake");
    assertEquals(log.types.slice(-2), ["connect", "handshake"]);
    await pullLog.isExactly("bind", "accept", "handshake");
  });

  it("tell that the binder has gone and that another has come", async () => {
    const address = anywhere("inproc");
    const [push, log] = open(new Push());
    push.connect(address);
    for (let i = 0; i < 3; i++) {
      const pull = new Pull({ receiveTimeout: 5_000 });
      await pull.bind(address);
      await log.next("handshake");
      await push.send("x");
      await pull.receive();
      await pull.close();
      assertEquals((await log.next("disconnect")).address, address);
    }
    const steps = log.types.filter((type) => !type.startsWith("connect:"));
    const life = ["connect", "handshake", "disconnect"];
    assertEquals(steps, [...life, ...life, ...life]);
  });
});

describe("the events of a context that is terminated", () => {
  it("end on all its sockets", async () => {
    const context = new Context();
    const [pull, push] = [new Pull({ context }), new Push({ context, linger: 0 })];
    // Nobody but its context holds the third one.
    const logs = [pull, push, new Pull({ context })].map((socket) => new EventLog(socket));
    await pull.bind(anywhere("tcp"));
    push.connect(pull.lastEndpoint!);
    await Promise.all(logs.slice(0, 2).map((log) => log.next("handshake")));
    await context.terminate();
    await Promise.all(logs.map((log) => log.over));
    for (const log of logs) assertEquals(log.types.at(-1), "end");
    assertEquals(logs[0].types.filter((type) => type === "close"), ["close"]);
    assertEquals(logs[2].types, ["end"]);
  });
});

describe("the events of a Stream", () => {
  afterEach(() => cleanup.run());

  it("tell of connections, which have no handshake", async () => {
    const [server, client] = [cleanup.add(new Stream(WAITS)), cleanup.add(new Stream(WAITS))];
    const logs = [new EventLog(server), new EventLog(client)];
    await server.bind(anywhere("tcp"));
    const address = server.lastEndpoint!;
    client.connect(address, { routingId: "the server" });
    const [id] = await server.receive();
    await client.receive();
    await server.send([id, ""]);
    const atServer = await logs[0].next("disconnect");
    const atClient = await logs[1].next("disconnect");
    assertEquals([atServer.address, toHex(atServer.routingId)], [address, toHex(id)]);
    assertEquals([atClient.address, textOf(atClient.routingId)], [address, "the server"]);
    assertEquals([atServer.error, atClient.error], [undefined, undefined]);
    assertEquals(logs[0].types, ["bind", "accept", "disconnect"]);
    assertEquals(logs[1].types.slice(0, 3), ["connect:delay", "connect", "disconnect"]);
  });
});

describe("the events of several endpoints", () => {
  afterEach(() => cleanup.run());

  it("come for each connection to the same one", async () => {
    const [pull] = open(new Pull());
    await pull.bind(anywhere("tcp"));
    const address = pull.lastEndpoint!;
    const [push, log] = open(new Push());
    push.connect(address);
    push.connect(address);
    await log.nth("handshake", 2);
    for (const type of ["connect:delay", "connect", "handshake"] as const) {
      assertEquals(log.of(type).map((event) => event.address), [address, address]);
    }
  });

  it("are the same with immediate", async () => {
    const [push, log] = open(new Push({ immediate: true, reconnectInterval: 10 }));
    const address = await freeEndpoint();
    push.connect(address);
    await log.next("connect:retry");
    const pull = cleanup.add(new Pull());
    await pull.bind(address);
    await log.next("handshake");
    await pull.close();
    assertEquals((await log.next("disconnect")).address, address);
    const life = ["connect:delay", "connect", "handshake", "disconnect"];
    assertEquals(withoutAttempts(log.types).slice(0, 4), life);
  });

  it("are told apart by their addresses", async () => {
    const [pull, log] = open(new Pull());
    const addresses: string[] = [];
    for (const transport of SYSTEM_TRANSPORTS) {
      await pull.bind(anywhere(transport));
      addresses.push(pull.lastEndpoint!);
    }
    await pull.bind(anywhere("inproc"));
    addresses.push(pull.lastEndpoint!);
    const [push, pushLog] = open(new Push());
    for (const address of addresses) push.connect(address);
    await Promise.all([log.nth("handshake", 3), pushLog.nth("handshake", 3)]);
    await push.close();
    await log.nth("disconnect", 3);
    await pull.close();
    await log.over;
    const life: EventType[] = ["bind", "accept", "handshake", "disconnect", "close"];
    for (const address of addresses) {
      const own = log.all.filter((event) => (event as { address?: string }).address === address);
      assertEquals(own.map(({ type }) => type), life, address);
    }
  });
});
