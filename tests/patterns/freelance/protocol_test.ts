// The Freelance Protocol on the wire (RFC 10), and the three clients against what peers can do to them.

import {
  assert,
  assertEquals,
  assertGreater,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Reply, Router } from "../../../mod.ts";
import {
  FailoverClient,
  FreelanceClient,
  FreelanceServer,
  ShotgunClient,
  ShotgunServer,
} from "../../../src/patterns/freelance/mod.ts";
import { controlOf, numberAfter, numberIn } from "../../../src/patterns/freelance/frames.ts";
import { assertFrames, fromHex, textsOf, toHex, utf8 } from "../../_util/bytes.ts";
import { Cleanup } from "../../_util/cleanup.ts";
import { eventually, within } from "../../_util/deadline.ts";
import { RawServer } from "../../_util/raw_peer.ts";
import { connectAs, shakeHands, takeMessage } from "../../_util/raw_zmtp.ts";
import { failure, rejection } from "../../_util/rejection.ts";

const WAIT_MS = 15_000;
const ANY = "tcp://127.0.0.1:*";
const cleanup = new Cleanup();

async function flpServer(
  handler: ConstructorParameters<typeof FreelanceServer>[0]["handler"],
  options: object = {},
): Promise<FreelanceServer> {
  const server = cleanup.add(new FreelanceServer({ handler, ...options }));
  await server.bind(ANY);
  return server;
}

async function shotgunServer(
  handler: ConstructorParameters<typeof ShotgunServer>[0]["handler"],
): Promise<ShotgunServer> {
  const server = cleanup.add(new ShotgunServer({ handler }));
  await server.bind(ANY);
  return server;
}

function flpClient(servers: readonly string[], options: object = {}): FreelanceClient {
  return cleanup.add(new FreelanceClient({ servers, requestTimeout: WAIT_MS, ...options }));
}

/** A server of the protocol by hand. */
async function router(): Promise<Router> {
  const socket = cleanup.add(new Router({ linger: 0, receiveTimeout: WAIT_MS }));
  await socket.bind(ANY);
  return socket;
}

/** The next message that is no PING; PINGs are answered. */
async function nextRequest(socket: Router): Promise<Uint8Array[]> {
  for (;;) {
    const frames = await socket.receive();
    if (frames.length > 2) return frames;
    await socket.send([frames[0], "PONG"]);
  }
}

describe("The Freelance Protocol", () => {
  afterEach(() => cleanup.run());

  it("FLP-01 FLP-02 GV-FLP: a client is a ROUTER without a name, its PING and its first request are the golden octets", async () => {
    const raw = cleanup.add(await RawServer.listen());
    const client = flpClient([raw.endpoint]);
    const connection = await raw.accept();
    const ready = shakeHands(connection, "ROUTER", raw.endpoint);
    const octets = new TextDecoder().decode(await ready);
    assertStringIncludes(octets, "ROUTER");
    assert(!/Identity\0\0\0[^\0]/.test(octets), octets);
    assertEquals(toHex(await connection.take(6)), "000450494e47");
    connection.send(fromHex("0004504f4e47"));
    const reply = client.request("Hello");
    assertEquals(
      toHex(await connection.take(13)),
      toHex(fromHex("01 04 00000001 00 05 48656c6c6f")),
    );
    connection.send(fromHex("01 04 00000001 00 02 4f4b"));
    assertFrames(await within(reply, WAIT_MS, "reply"), ["OK"]);
  });

  it("FLP-01 FLP-02: a server is a ROUTER whose name is its endpoint", async () => {
    const server = await flpServer(() => "");
    const connection = cleanup.add(await connectAs(server.endpoint!, "ROUTER"));
    connection.destroy();
    const probe = cleanup.add(new Router({ linger: 0, mandatory: true }));
    const names: string[] = [];
    probe.events.on(
      "handshake",
      ({ routingId }) => names.push(new TextDecoder().decode(routingId)),
    );
    probe.connect(server.endpoint!);
    await eventually(() => names.length > 0, WAIT_MS);
    assertEquals(names, [server.endpoint]);
    await probe.send([server.endpoint!, "PING"]);
    assertFrames(await probe.receive(), [server.endpoint!, "PONG"]);
  });

  it("FLP-03 FLP-04 FLP-05 GV-FLP: a server answers PING with one PONG, and a request with its control frame, whatever that is", async () => {
    const server = await flpServer((request) => request.length === 1 ? "OK" : [...request, "+"]);
    const connection = cleanup.add(await connectAs(server.endpoint!, "ROUTER"));
    connection.send(fromHex("00 04 50494e47"));
    assertEquals((await takeMessage(connection)).map(toHex), [toHex(utf8("PONG"))]);
    connection.send(fromHex("01 04 00000001 00 05 48656c6c6f"));
    assertEquals((await takeMessage(connection)).map(toHex), ["00000001", "4f4b"]);
    connection.send(fromHex("01 00 01 01 61 00 01 62")); // an empty control frame, two frames of body
    assertEquals((await takeMessage(connection)).map(toHex), ["", "61", "62", "2b"]);
    connection.send(fromHex("01 04 50494e47 00 01 61")); // PING as the control frame of a request
    assertEquals((await takeMessage(connection)).map(toHex), ["50494e47", "4f4b"]);
    assertEquals(server.stats().pings, 1);
    assertEquals(server.stats().replies, 3);
  });

  it("a server drops what is no request, and goes on", async () => {
    const server = await flpServer(() => "OK");
    const seen: number[] = [];
    server.events.on("malformed", ({ frames }) => seen.push(frames.length));
    const dealer = cleanup.add(new Dealer({ linger: 0, receiveTimeout: WAIT_MS }));
    dealer.connect(server.endpoint!);
    await dealer.send("");
    await dealer.send("PINGPONG");
    await dealer.send(["1", "work"]);
    assertFrames(await dealer.receive(), ["1", "OK"]);
    assertEquals([server.stats().malformed, seen], [2, [1, 1]]);
  });

  it("a server whose handler throws does not answer, tells, and goes on", async () => {
    const server = await flpServer(async ([text]) => {
      await Promise.resolve();
      if (`${text}` === "bad") throw new Error("no");
      return `${text}` === "nothing" ? [] : text;
    });
    const errors: unknown[] = [];
    server.events.on("error", ({ error }) => errors.push((error as Error).message));
    const client = flpClient([server.endpoint!]);
    const bad = [client.request("bad"), client.request("nothing")];
    for (const promise of bad) promise.catch(() => {});
    assertFrames(await client.request("good"), ["good"]);
    await eventually(() => errors.length === 2, WAIT_MS);
    assertEquals(errors, ["no", "A reply must have at least one frame"]);
    assertEquals(server.stats().failed, 2);
  });

  it("a server takes no more than maxInProgress requests; the client asks another one", async () => {
    const held = Promise.withResolvers<string>();
    const busy = await flpServer(() => held.promise, { maxInProgress: 2 });
    const free = await flpServer(() => "free");
    const client = flpClient([busy.endpoint!], { timeout: 50, heartbeatInterval: 50 });
    const replies = ["1", "2", "3"].map((text) => client.request(text));
    await eventually(() => busy.stats().refused === 1, WAIT_MS);
    assertEquals([busy.stats().requests, busy.stats().inProgress], [2, 2]);
    client.addServer(free.endpoint!);
    for (const reply of replies) assertFrames(await within(reply, WAIT_MS, "reply"), ["free"]);
    held.resolve("late");
    await eventually(() => client.stats().late === 2, WAIT_MS);
    assertEquals(client.stats().replies, 3);
  });

  it("a client that does not read loses its replies, and keeps nobody from theirs", async () => {
    const server = await flpServer(() => new Uint8Array(20_000));
    const deaf = cleanup.add(new Dealer({ linger: 0, receiveHighWaterMark: 1 }));
    deaf.connect(server.endpoint!);
    const client = flpClient([server.endpoint!]);
    for (let i = 0; server.stats().undelivered === 0; i++) {
      await deaf.send([String(i), "more"]);
      if (i % 100 === 0) assertEquals((await client.request("mine"))[0].length, 20_000);
    }
    assertEquals((await client.request("mine"))[0].length, 20_000);
  });

  it("FLP-06: a server that is silent is given up, and its request goes to another", async () => {
    const silent = await router();
    const client = flpClient([silent.lastEndpoint!], {
      heartbeatInterval: 50,
      heartbeatLiveness: 3,
      timeout: WAIT_MS,
    });
    const lost: string[] = [];
    client.events.on("lost", ({ reason }) => lost.push(reason));
    const reply = client.request("work");
    assertFrames((await nextRequest(silent)).slice(1), [fromHex("00000001"), "work"]);
    await eventually(() => lost.length === 1, WAIT_MS);
    assertEquals([lost, client.servers[0].alive], [["silent"], false]);
    const other = await flpServer(() => "other");
    client.addServer(other.endpoint!);
    assertFrames(await within(reply, WAIT_MS, "reply"), ["other"]);
    assertGreater(client.stats().pings, 2);
  });

  it("FLP-07: a client sends to a server that names itself otherwise, or not at all", async () => {
    const nameless = await router();
    const client = flpClient([nameless.lastEndpoint!]);
    const reply = client.request("work");
    const [id, control] = await nextRequest(nameless);
    await nameless.send([id, control, "done"]);
    assertFrames(await within(reply, WAIT_MS, "reply"), ["done"]);
    assertEquals(client.servers[0].endpoint, nameless.lastEndpoint!);
  });

  it("a client drops answers given twice, to nothing, and what is no answer", async () => {
    const server = await router();
    const client = flpClient([server.lastEndpoint!]);
    const malformed: string[][] = [];
    client.events.on("malformed", ({ frames }) => malformed.push(textsOf(frames)));
    const reply = client.request("work");
    const [id, control] = await nextRequest(server);
    await server.send([id, control, "first"]);
    await server.send([id, control, "second"]);
    await server.send([id, fromHex("00000063"), "unasked"]);
    await server.send([id, control]);
    await server.send([id, "", "x"]);
    await server.send([id, "long control", "x"]);
    assertFrames(await within(reply, WAIT_MS, "reply"), ["first"]);
    await eventually(() => client.stats().malformed === 3, WAIT_MS);
    assertEquals(client.stats().late, 2);
    assertEquals(malformed.map((frames) => frames.length), [1, 2, 2]);
  });

  it("a server that was not asked cannot answer", async () => {
    const [asked, other] = [await router(), await router()];
    const client = flpClient([asked.lastEndpoint!]);
    const reply = client.request("work");
    const [id, control] = await nextRequest(asked);
    client.addServer(other.lastEndpoint!);
    const [stranger] = await other.receive();
    await other.send([stranger, control, "wrong"]);
    await eventually(() => client.stats().malformed === 1, WAIT_MS);
    await asked.send([id, control, "right"]);
    assertFrames(await within(reply, WAIT_MS, "reply"), ["right"]);
  });

  it("numbers go round, and none is PING or PONG", () => {
    assertEquals(numberAfter(0), 1);
    assertEquals(numberAfter(0xffff_ffff), 1);
    assertEquals(numberAfter(0x50494e46), 0x50494e48);
    assertEquals(numberAfter(0x504f4e46), 0x504f4e48);
    for (const number of [1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
      assertEquals(numberIn(controlOf(number)), number);
    }
    assertEquals(numberIn(utf8("12345")), undefined);
  });

  it("servers are added and removed while requests are under way", async () => {
    const servers = await Promise.all(["a", "b", "c"].map((name) => flpServer(() => name)));
    const [a, b, c] = servers.map((server) => server.endpoint!);
    const client = flpClient([a]);
    const ask = async (count: number): Promise<string[]> => {
      const replies = Array.from({ length: count }, () => client.request("who"));
      const names = (await within(Promise.all(replies), WAIT_MS, "replies")).map(String);
      return [...new Set(names)].sort();
    };
    assertEquals(await ask(10), ["a"]);
    client.addServer(b);
    client.addServer(c);
    client.addServer(c);
    await eventually(() => client.servers.every(({ alive }) => alive), WAIT_MS);
    assertEquals(await ask(30), ["a", "b", "c"]);
    const under = ask(30);
    assertEquals([client.removeServer(a), client.removeServer(a)], [true, false]);
    await under;
    assertEquals(await ask(10), ["b", "c"]);
    client.addServer(a);
    await eventually(() => client.servers.every(({ alive }) => alive), WAIT_MS);
    assertEquals(await ask(30), ["a", "b", "c"]);
    for (const endpoint of [a, b, c]) client.removeServer(endpoint);
    await rejection(client.request("who"), "EHOSTUNREACH");
  });

  it("a request ends by its time, its signal, the limit, and the client's close", async () => {
    const server = await flpServer(() => new Promise<string>(() => {}));
    const client = flpClient([server.endpoint!], {
      requestTimeout: 500,
      timeout: 50,
      maxPending: 3,
    });
    await eventually(() => client.servers[0].alive, WAIT_MS);
    const slow = rejection(client.request("1"), "ETIMEDOUT");
    const abort = new AbortController();
    const given = client.request("2", { signal: abort.signal });
    const third = rejection(client.request("3"), "ETIMEDOUT");
    await rejection(client.request("4"), "ENOBUFS");
    abort.abort(new Error("enough"));
    assertEquals(await given.catch((error) => error.message), "enough");
    assertStringIncludes((await slow).message, "1 of 1 servers are alive");
    await third;
    assertEquals([client.stats().pending, client.stats().timeouts], [0, 2]);
    assertEquals(client.stats().sent, 3, "nobody is asked twice while there is no other");
    const last = rejection(client.request("5"), "EBADF");
    await client.close();
    await last;
    await rejection(client.request("6"), "EBADF");
  });

  it("nonsense is refused", async () => {
    for (const options of [{ requestTimeout: 0 }, { heartbeatInterval: -1 }, { maxPending: 0.5 }]) {
      assertEquals(
        failure(() => new FreelanceClient(options), "EINVAL") instanceof TypeError,
        true,
      );
    }
    failure(() => new FreelanceClient({ servers: ["localhost:5555"] }), "EINVAL");
    failure(() => new ShotgunClient({ servers: ["tcp://" + "x".repeat(300)] }), "EINVAL");
    failure(() => new FailoverClient({ rounds: 0 }), "EINVAL");
    failure(() => new FreelanceServer({ handler: "x" as never }), "EINVAL");
    const client = flpClient([], { maxServers: 1 });
    client.addServer("inproc://one");
    failure(() => client.addServer("inproc://two"), "ENOBUFS");
    const server = await flpServer(() => "OK");
    await rejection(server.bind(ANY), "EINVAL");
    const open = cleanup.add(new FreelanceServer({ handler: () => "OK" }));
    await rejection(open.bind("tcp://*:*"), "EINVAL");
    await open.bind("tcp://*:*", { publicEndpoint: "tcp://localhost:5555" });
    assertEquals(open.endpoint, "tcp://localhost:5555");
    const real = flpClient([server.endpoint!]);
    await rejection(real.request([]), "EINVAL");
    await rejection(real.request({} as never), "EINVAL");
    assertFrames(await real.request("still there"), ["OK"]);
    assertThrows(() => new FreelanceServer({ handler: () => "", maxInProgress: -1 }));
  });

  it("a signal closes each part", async () => {
    const abort = new AbortController();
    const options = { signal: abort.signal };
    const parts = [
      new FreelanceClient(options),
      new ShotgunClient(options),
      new FailoverClient(options),
      new FreelanceServer({ ...options, handler: () => "" }),
      new ShotgunServer({ ...options, handler: () => "" }),
    ];
    abort.abort();
    for (const part of parts) assertEquals(part.closed, true);
    await Promise.all(parts.map((part) => part.close()));
    const late = new FreelanceClient(options);
    await eventually(() => late.closed, WAIT_MS);
    await late.close();
  });
});

describe("A ShotgunClient", () => {
  afterEach(() => cleanup.run());

  it("asks all servers, takes the first reply, drops and counts the others", async () => {
    const gates = [0, 1, 2].map(() => Promise.withResolvers<void>());
    const servers = await Promise.all(
      gates.map(({ promise }, i) =>
        shotgunServer(async ([text]) => {
          await promise;
          return [String(i), text];
        })
      ),
    );
    const client = cleanup.add(
      new ShotgunClient({ servers: servers.map((s) => s.endpoint!), requestTimeout: WAIT_MS }),
    );
    const reply = client.request("work");
    await eventually(() => servers.every((server) => server.stats().requests === 1), WAIT_MS);
    gates[1].resolve();
    assertFrames(await within(reply, WAIT_MS, "reply"), ["1", "work"]);
    gates[0].resolve();
    gates[2].resolve();
    await eventually(() => client.stats().late === 2, WAIT_MS);
    const { requests, sent, replies, pending } = client.stats();
    assertEquals([requests, sent, replies, pending], [1, 3, 1, 0]);
  });

  it("gives a request to servers that come later, and never to those that were away too long", async () => {
    const client = cleanup.add(new ShotgunClient({ requestTimeout: 100 }));
    const endpoint = "inproc://shotgun-late";
    client.addServer(endpoint);
    const failed = await rejection(client.request("too early"), "ETIMEDOUT");
    assertStringIncludes(failed.message, "0 of 1 servers are alive");
    const patient = cleanup.add(
      new ShotgunClient({ servers: [endpoint], requestTimeout: WAIT_MS }),
    );
    const reply = patient.request("in time");
    const seen: string[] = [];
    const server = cleanup.add(
      new ShotgunServer({
        handler: ([text]) => {
          seen.push(String(text));
          return "OK";
        },
      }),
    );
    await server.bind(endpoint);
    assertFrames(await within(reply, WAIT_MS, "reply"), ["OK"]);
    assertEquals(seen, ["in time"]);
    assertEquals([patient.removeServer(endpoint), patient.removeServer(endpoint)], [true, false]);
    await rejection(patient.request("?"), "EHOSTUNREACH");
  });

  it("drops what is no reply; its servers drop what is no request", async () => {
    const bad = await router();
    const client = cleanup.add(
      new ShotgunClient({ servers: [bad.lastEndpoint!], requestTimeout: WAIT_MS }),
    );
    const reply = client.request("work");
    const [id, empty, number, body] = await bad.receive();
    assertEquals([empty.length, toHex(number), String(body)], [0, "00000001", "work"]);
    for (const frames of [["x"], ["", "x"], ["", "wrong", "x"], ["x", number, "x"], ["", number]]) {
      await bad.send([id, ...frames]);
    }
    await bad.send([id, "", number, "OK"]);
    assertFrames(await within(reply, WAIT_MS, "reply"), ["OK"]);
    assertEquals(client.stats().malformed, 5);
    const server = await shotgunServer(() => "OK");
    const dealer = cleanup.add(new Dealer({ linger: 0, receiveTimeout: WAIT_MS }));
    dealer.connect(server.endpoint!);
    for (const frames of [["x"], ["", "1"], ["1", "1", "x"], ["", "1", "x"]]) {
      await dealer.send(frames);
    }
    assertFrames(await dealer.receive(), ["", "1", "OK"]);
    assertEquals(server.stats().malformed, 3);
  });
});

describe("A FailoverClient", () => {
  afterEach(() => cleanup.run());

  it("asks the next server when one is silent, and begins with that one the next time", async () => {
    const silent = cleanup.add(new Reply());
    await silent.bind(ANY);
    const good = cleanup.add(new Reply());
    await good.bind(ANY);
    void (async () => {
      for await (const [text] of good) await good.send(`re: ${text}`);
    })();
    const [first, second] = [silent.lastEndpoint!, good.lastEndpoint!];
    const client = cleanup.add(new FailoverClient({ servers: [first, second], timeout: 800 }));
    const gone: string[] = [];
    client.events.on("silent", ({ endpoint }) => gone.push(endpoint));
    assertFrames(await client.request("1"), ["re: 1"]);
    assertEquals([gone, client.servers], [[first], [second, first]]);
    assertFrames(await client.request(["2"]), ["re: 2"]);
    const many = await Promise.all(["3", "4", "5"].map((text) => client.request(text)));
    assertEquals(many.map(String), ["re: 3", "re: 4", "re: 5"]);
    const { requests, replies, pending } = client.stats();
    assertEquals([requests, replies, pending], [5, 5, 0]);
  });

  it("fails when nobody answers, is given up, or closed", async () => {
    const silent = cleanup.add(new Reply());
    await silent.bind(ANY);
    const client = cleanup.add(
      new FailoverClient({ servers: [silent.lastEndpoint!], timeout: 30, maxPending: 1 }),
    );
    assertStringIncludes(
      (await rejection(client.request("1"), "ETIMEDOUT")).message,
      "asked 3 times",
    );
    assertEquals([client.stats().silent, client.stats().timeouts], [3, 1]);
    const patient = cleanup.add(
      new FailoverClient({ servers: [silent.lastEndpoint!], timeout: WAIT_MS, maxPending: 1 }),
    );
    const abort = new AbortController();
    const given = patient.request("2", { signal: abort.signal });
    await rejection(patient.request("3"), "ENOBUFS");
    abort.abort(new Error("enough"));
    assertEquals(await given.catch((error) => error.message), "enough");
    const last = rejection(patient.request("4"), "EBADF");
    await patient.close();
    await last;
    client.removeServer(silent.lastEndpoint!);
    await rejection(client.request("5"), "EHOSTUNREACH");
  });
});
