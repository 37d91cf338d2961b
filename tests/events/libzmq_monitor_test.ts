// The same story told by libzmq's monitor (through zeromq.js) and by ours: the same types, addresses, waits and codes.

import { assert, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { type Event, Pull, Push } from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { EventLog } from "../_util/event_log.ts";
import { BROKEN_HANDSHAKES } from "../_util/handshakes.ts";
import { type Peer, type PeerEvent, type PeerSocket, startPeer } from "../_util/peer.ts";
import { ANY_PORT, freeEndpoint } from "../_util/ports.ts";
import { dial, RawServer } from "../_util/raw_peer.ts";
import { connectAs, shakeHands } from "../_util/raw_zmtp.ts";
import { SocketFolder } from "../_util/socket_folder.ts";

const FAST = { reconnectInterval: 40 } as const;
const cleanup = new Cleanup();
let peer: Peer;
let opened: PeerSocket[] = [];

/** One socket, ours or libzmq's, for the same scenario. */
interface Teller {
  bind(): Promise<string>;
  connect(endpoint: string): Promise<void>;
  unbind(endpoint: string): Promise<void>;
  log(): Promise<readonly PeerEvent[]>;
  close(): Promise<void>;
}

type Kind = "Push" | "Pull";

async function libzmq(kind: Kind, options = {}): Promise<Teller> {
  const socket = await peer.open(kind, options);
  opened.push(socket);
  return {
    bind: () => socket.bind(),
    connect: (endpoint) => socket.connect(endpoint),
    unbind: (endpoint) => socket.unbind(endpoint),
    log: () => socket.eventLog(),
    close: () => {
      opened = opened.filter((other) => other !== socket);
      return socket.close();
    },
  };
}

function ours(kind: Kind, options = {}): Promise<Teller> {
  const socket = kind === "Push"
    ? new Push({ linger: 0, ...options })
    : new Pull({ linger: 0, ...options });
  cleanup.add(socket);
  const log = new EventLog(socket);
  return Promise.resolve({
    bind: async () => {
      await socket.bind(ANY_PORT);
      return socket.lastEndpoint!;
    },
    connect: (endpoint: string) => Promise.resolve(socket.connect(endpoint)),
    unbind: (endpoint: string) => socket.unbind(endpoint),
    log: () => Promise.resolve(log.all.map(likeZeromq)),
    close: () => socket.close(),
  });
}

/** Of one of our events what zeromq.js has too. */
function likeZeromq(event: Event): PeerEvent {
  const { type, address, interval, error } = event as {
    type: string;
    address: string;
    interval?: number;
    error?: { code: string };
  };
  return {
    type,
    address,
    ...(interval !== undefined && { interval }),
    ...(error !== undefined && { code: error.code }),
  };
}

/** Runs a scenario with a socket of libzmq, then with one of ours. */
async function compare(
  scenario: (open: (kind: Kind, options?: object) => Promise<Teller>) => Promise<PeerEvent[]>,
): Promise<[theirs: PeerEvent[], ours: PeerEvent[]]> {
  return [await scenario(libzmq), await scenario(ours)];
}

const typesOf = (events: readonly PeerEvent[]): string[] => events.map(({ type }) => type);

/** The log, once it has so many events. */
async function first(teller: Teller, count: number): Promise<PeerEvent[]> {
  await eventually(async () => (await teller.log()).length >= count, 5_000, `${count} events`)
    .catch(async (error) => {
      throw new Error(`${error.message}: ${JSON.stringify(await teller.log())}`);
    });
  return (await teller.log()).slice(0, count);
}

describe("libzmq's monitor and our events agree about", () => {
  before(() => {
    peer = startPeer();
  });
  after(() => peer.stop());
  afterEach(async () => {
    await cleanup.run();
    await Promise.all(opened.splice(0).map((socket) => socket.close()));
  });

  it("connecting to nobody", async () => {
    const endpoint = await freeEndpoint();
    const [theirs, own] = await compare(async (open) => {
      const push = await open("Push", FAST);
      await push.connect(endpoint);
      return await first(push, 6);
    });
    assertEquals(typesOf(own), typesOf(theirs));
    for (const events of [theirs, own]) {
      for (const { type, address, interval } of events) {
        assertEquals(address, endpoint);
        if (type !== "connect:retry") continue;
        assertGreaterOrEqual(interval!, 40);
        assertLess(interval!, 81);
      }
    }
  });

  it("connecting to nobody by ipc", async () => {
    const folder = new SocketFolder();
    cleanup.add({ close: () => folder.remove() });
    const endpoint = folder.endpoint("nobody");
    const [theirs, own] = await compare(async (open) => {
      const push = await open("Push", FAST);
      await push.connect(endpoint);
      return await first(push, 4);
    });
    // libzmq tries at once what it tells as delayed elsewhere.
    const withoutDelay = (events: PeerEvent[]): string[] =>
      typesOf(events).filter((type) => type !== "connect:delay").slice(0, 2);
    assertEquals(withoutDelay(own), withoutDelay(theirs));
  });

  it("a connection, as the side that connects sees it", async () => {
    const pull = cleanup.add(new Pull());
    await pull.bind(ANY_PORT);
    const endpoint = pull.lastEndpoint!;
    const [theirs, own] = await compare(async (open) => {
      const push = await open("Push");
      await push.connect(endpoint);
      return await first(push, 3);
    });
    assertEquals(own, theirs);
    assertEquals(typesOf(own), ["connect:delay", "connect", "handshake"]);
  });

  it("a connection, as the side that binds sees it, until the peer leaves", async () => {
    const [theirs, own] = await compare(async (open) => {
      const pull = await open("Pull");
      const endpoint = await pull.bind();
      const connection = await connectAs(endpoint, "PUSH");
      await first(pull, 3);
      connection.destroy();
      const events = await first(pull, 4);
      assert(events.every(({ address }) => address === endpoint), JSON.stringify(events));
      return events;
    });
    assertEquals(typesOf(own), typesOf(theirs));
    assertEquals(typesOf(own), ["bind", "accept", "handshake", "disconnect"]);
  });

  it("a peer that leaves and comes again, as the side that connects sees it", async () => {
    const [theirs, own] = await compare(async (open) => {
      const server = cleanup.add(await RawServer.listen());
      const push = await open("Push", FAST);
      await push.connect(server.endpoint);
      for (let i = 0; i < 2; i++) {
        const connection = await server.accept();
        await shakeHands(connection, "PULL");
        await first(push, 3 + i * 5);
        connection.destroy();
      }
      const events = await first(push, 10);
      assert(events.every(({ address }) => address === server.endpoint), JSON.stringify(events));
      return events;
    });
    assertEquals(typesOf(own), typesOf(theirs));
    const life = ["connect:delay", "connect", "handshake", "disconnect", "connect:retry"];
    assertEquals(typesOf(own), [...life, ...life]);
  });

  it("an address that is taken", async () => {
    const holder = cleanup.add(new Pull());
    await holder.bind(ANY_PORT);
    const theirs = await peer.open("Pull");
    opened.push(theirs);
    // The command would try again for seconds: libzmq tells of each attempt in the same way.
    await theirs.bind(holder.lastEndpoint!).catch(() => {});
    const pull = cleanup.add(new Pull());
    const log = new EventLog(pull);
    await pull.bind(holder.lastEndpoint!).catch(() => {});
    const failure = { type: "bind:error", address: holder.lastEndpoint!, code: "EADDRINUSE" };
    const told = (await theirs.eventLog()).filter(({ type }) => type === "bind:error");
    const { type, address, code } = told[0];
    // libzmq leaves the scheme out here, and only here.
    assertEquals({ type, address: `tcp://${address}`, code }, failure);
    assertEquals(log.all.map(likeZeromq), [failure]);
  });

  it("an address that is given up", async () => {
    const [theirs, own] = await compare(async (open) => {
      const pull = await open("Pull");
      const endpoint = await pull.bind();
      await pull.unbind(endpoint);
      const events = await first(pull, 2);
      assert(events.every(({ address }) => address === endpoint), JSON.stringify(events));
      return events;
    });
    assertEquals(typesOf(own), typesOf(theirs));
    assertEquals(typesOf(own), ["bind", "close"]);
  });

  it("a peer that never finishes its handshake", async () => {
    const [theirs, own] = await compare(async (open) => {
      const pull = await open("Pull", { handshakeInterval: 100 });
      cleanup.add(await dial(await pull.bind()));
      return await first(pull, 4);
    });
    assertEquals(typesOf(own), ["bind", "accept", "handshake:error:other", "disconnect"]);
    assertEquals(typesOf(own), typesOf(theirs));
  });
});

/**
 * The faults that libzmq names. It tells a wrong socket type and malformed metadata as a bare disconnect, a reason to refuse
 * not at all, and takes what begins otherwise for an older protocol.
 */
const NAMED_BY_BOTH: readonly string[] = [
  "wants the mechanism PLAIN",
  "sends a message where READY belongs",
  "sends a command that does not belong there",
  "sends flags that do not exist",
  "refuses in a malformed way",
];

describe("libzmq's monitor and our events name the same fault when a peer", () => {
  before(() => {
    peer = startPeer();
  });
  after(() => peer.stop());
  afterEach(async () => {
    await cleanup.run();
    await Promise.all(opened.splice(0).map((socket) => socket.close()));
  });

  for (const what of NAMED_BY_BOTH) {
    const { octets, code } = BROKEN_HANDSHAKES[what];
    it(what, async () => {
      const [theirs, own] = await compare(async (open) => {
        const pull = await open("Pull");
        const endpoint = await pull.bind();
        cleanup.add(await dial(endpoint)).send(octets);
        const events = await first(pull, 4);
        assert(events.every(({ address }) => address === endpoint), JSON.stringify(events));
        return events;
      });
      const told = (events: PeerEvent[]) => events.map(({ type, code }) => [type, code ?? null]);
      assertEquals(told(own).slice(0, 3), told(theirs).slice(0, 3));
      assertEquals(own[2].code, code);
      assertEquals(typesOf(own), typesOf(theirs));
    });
  }
});
