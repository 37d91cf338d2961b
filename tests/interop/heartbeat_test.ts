// Heartbeats between libzmq and us: a process that stands still is given up, and served again when it goes on; one that is
// only quiet, or busy, is not.

import { assertEquals, assertGreater } from "@std/assert";
import { after, afterEach, before, beforeEach, describe, it } from "@std/testing/bdd";
import {
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Subscriber,
} from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { assertFrames } from "../_util/bytes.ts";
import { eventually, pause } from "../_util/deadline.ts";
import { EventLog } from "../_util/event_log.ts";
import { type Peer, type PeerSocket, type PeerSocketType, startPeer } from "../_util/peer.ts";
import { type Program, start } from "../_util/process.ts";
import { SocketFolder } from "../_util/socket_folder.ts";
import { Opened } from "../_util/traffic.ts";

const { process } = globalThis as unknown as {
  process: { kill(pid: number, signal: string): void };
};
/** A machine that is busy takes its time. */
const WAIT_MS = 15_000;
const BEATS = { heartbeatInterval: 50, heartbeatTimeout: 300, reconnectInterval: 50 } as const;
const SENDS = { sendTimeout: WAIT_MS, reconnectInterval: 50 } as const;
const RECEIVES = { receiveTimeout: WAIT_MS, reconnectInterval: 50 } as const;
/** Only the other side's PINGs tell how long to wait. */
const ASKS = { heartbeatInterval: 50, heartbeatTimeout: 60_000, heartbeatTimeToLive: 300 } as const;

/** How often an event of this type was told. */
async function count(socket: PeerSocket, type: string): Promise<number> {
  return (await socket.eventLog()).filter((event) => event.type === type).length;
}

/** Waits for an event of a libzmq socket. */
function tells(socket: PeerSocket, type: string, times = 1): Promise<void> {
  return eventually(async () => await count(socket, type) >= times, WAIT_MS, `${type} of libzmq`);
}

/** Waits for an event of ours. */
function told(log: EventLog, type: EventLog["types"][number], times = 1): Promise<void> {
  return eventually(() => log.of(type).length >= times, WAIT_MS, `${type}, ${log.types}`);
}

/** Checks that the last connection ended for want of a sign of life. */
function assertSilent(log: EventLog, address: string): void {
  const last = log.of("disconnect").at(-1)!;
  assertEquals(last.address, address);
  assertEquals((last.error as Error & { code?: string } | undefined)?.code, "ETIMEDOUT");
}

/** A program of ours that can be frozen. */
class OurProgram {
  readonly #program: Program;
  readonly #pid: number;
  readonly endpoint: string;

  private constructor(program: Program) {
    this.#program = program;
    this.#pid = Number(/pid (\d+)/.exec(program.output)![1]);
    this.endpoint = /at (.*)/.exec(program.output)![1];
  }

  static async start(
    type: "push" | "pull",
    role: "bind" | "connect",
    endpoint: string,
    options: object = {},
  ): Promise<OurProgram> {
    const program = start("beating_peer.ts", type, role, endpoint, JSON.stringify(options));
    await program.prints("at ");
    await eventually(() => /at .*\n/.test(program.output));
    return new OurProgram(program);
  }

  freeze(): void {
    process.kill(this.#pid, "SIGSTOP");
  }

  thaw(): void {
    process.kill(this.#pid, "SIGCONT");
  }

  prints(text: string): Promise<void> {
    return this.#program.prints(text);
  }

  kill(): Promise<void> {
    return this.#program.kill();
  }
}

describe("heartbeat", () => {
  const opened = new Opened();
  let peer: Peer;
  const mortals: Peer[] = [];
  const programs: OurProgram[] = [];
  const theirs: PeerSocket[] = [];
  let folder: SocketFolder;

  /** A libzmq socket in a process of its own. */
  const openMortal = async (
    ...args: Parameters<Peer["open"]>
  ): Promise<[Peer, PeerSocket]> => {
    const mortal = startPeer();
    mortals.push(mortal);
    return [mortal, await mortal.open(...args)];
  };
  const openTheirs = async (...args: Parameters<Peer["open"]>): Promise<PeerSocket> => {
    const socket = await peer.open(...args);
    theirs.push(socket);
    return socket;
  };
  const startOurs = async (
    ...args: Parameters<typeof OurProgram.start>
  ): Promise<OurProgram> => {
    const program = await OurProgram.start(...args);
    programs.push(program);
    return program;
  };

  before(() => {
    peer = startPeer();
  });
  after(() => peer.stop());
  beforeEach(() => {
    folder = new SocketFolder();
  });
  afterEach(async () => {
    await opened.close();
    await Promise.all(theirs.splice(0).map((socket) => socket.close()));
    await Promise.all(mortals.splice(0).map((mortal) => mortal.kill()));
    await Promise.all(programs.splice(0).map((program) => program.kill()));
    folder.remove();
  });

  it("gives up a frozen libzmq that we connect to, and serves it when it goes on", async () => {
    const mortal = startPeer();
    mortals.push(mortal);
    const links: [PeerSocket, Push, EventLog, string][] = [];
    for (const transport of SYSTEM_TRANSPORTS) {
      const pull = await mortal.open("Pull");
      const endpoint = await pull.bind(transport === "ipc" ? folder.endpoint("socket") : undefined);
      const push = opened.add(new Push({ ...BEATS, ...SENDS }));
      links.push([pull, push, new EventLog(push), endpoint]);
      push.connect(endpoint);
      await push.send("before");
      assertFrames(await pull.receive(), ["before"]);
    }
    mortal.freeze();
    for (const [, push, log, endpoint] of links) {
      await told(log, "connect:retry");
      const after = log.types.slice(log.types.indexOf("handshake"));
      assertEquals(after.slice(0, 3), ["handshake", "disconnect", "connect:retry"]);
      assertSilent(log, endpoint);
      await push.send("kept");
    }
    mortal.thaw();
    for (const [pull, , log] of links) {
      assertFrames(await pull.receive(), ["kept"]);
      assertGreater(log.of("handshake").length, 1);
    }
  });

  it("gives up a frozen libzmq that connects to us, and serves it when it goes on", async () => {
    const mortal = startPeer();
    mortals.push(mortal);
    const links: [PeerSocket, Pull, EventLog][] = [];
    for (const transport of SYSTEM_TRANSPORTS) {
      const pull = opened.add(new Pull({ ...BEATS, ...RECEIVES }));
      const push = await mortal.open("Push", { reconnectInterval: 50 });
      links.push([push, pull, new EventLog(pull)]);
      await pull.bind(anywhere(transport));
      await push.connect(pull.lastEndpoint!);
      await push.send("before");
      assertFrames(await pull.receive(), ["before"]);
    }
    mortal.freeze();
    for (const [, pull, log] of links) {
      await told(log, "disconnect");
      assertSilent(log, pull.lastEndpoint!);
    }
    mortal.thaw();
    for (const [push, pull] of links) {
      await tells(push, "handshake", 2);
      await push.send("after");
      assertFrames(await pull.receive(), ["after"]);
    }
  });

  it("gives up a frozen libzmq while it sends to it", async () => {
    const mortal = startPeer();
    mortals.push(mortal);
    const pull = await mortal.open("Pull");
    const push = opened.add(new Push({ ...BEATS, ...SENDS, sendHighWaterMark: 0 }));
    const log = new EventLog(push);
    push.connect(await pull.bind());
    await push.send("before");
    assertFrames(await pull.receive(), ["before"]);
    mortal.freeze();
    const from = performance.now();
    while (!log.types.includes("disconnect") && performance.now() - from < WAIT_MS) {
      await push.send("the system takes it for the frozen peer");
      await pause(5);
    }
    await told(log, "disconnect");
    assertSilent(log, log.of("connect")[0].address);
  });

  it("lets libzmq give us up when we are frozen, and serve us when we go on", async () => {
    const pull = await openTheirs("Pull", { ...BEATS });
    const endpoint = await pull.bind(anywhere("tcp"));
    const [connects, binds] = await Promise.all([
      startOurs("push", "connect", endpoint, { reconnectInterval: 50 }),
      startOurs("pull", "bind", anywhere("tcp")),
    ]);
    const push = await openTheirs("Push", { ...BEATS });
    await push.connect(binds.endpoint);
    await Promise.all([push.send("before"), binds.prints("got before\n")]);
    await pull.receive();
    connects.freeze();
    binds.freeze();
    await Promise.all([tells(pull, "disconnect"), tells(push, "connect:retry")]);
    await push.send("kept");
    connects.thaw();
    binds.thaw();
    await Promise.all([tells(pull, "handshake", 2), binds.prints("got kept\n")]);
  });

  it("ends by the time to live of a frozen libzmq's PING", async () => {
    const pull = opened.add(new Pull(RECEIVES));
    const log = new EventLog(pull);
    await pull.bind(anywhere("tcp"));
    const [mortal, push] = await openMortal("Push", ASKS);
    await push.connect(pull.lastEndpoint!);
    await told(log, "handshake");
    await pause(200); // it asks, and goes on asking
    assertEquals(log.of("disconnect"), []);
    mortal.freeze();
    await told(log, "disconnect");
    assertSilent(log, pull.lastEndpoint!);
    mortal.thaw();
    await told(log, "handshake", 2);
    await push.send("after");
    assertFrames(await pull.receive(), ["after"]);
  });

  it("ends by the time to live of our PING when we are frozen", async () => {
    const push = await openTheirs("Push", { reconnectInterval: 50 });
    const ours = await startOurs("pull", "bind", anywhere("tcp"), ASKS);
    await push.connect(ours.endpoint);
    await tells(push, "handshake");
    await pause(200);
    assertEquals(await count(push, "disconnect"), 0);
    ours.freeze();
    await tells(push, "connect:retry");
    await push.send("kept");
    ours.thaw();
    await ours.prints("got kept\n");
  });

  it("between two of us gives a frozen one up, and serves it when it goes on", async () => {
    const frozen = await startOurs("pull", "bind", folder.endpoint("socket"));
    const push = opened.add(new Push({ ...BEATS, ...SENDS }));
    const log = new EventLog(push);
    push.connect(frozen.endpoint);
    const pull = opened.add(new Pull({ ...BEATS, ...RECEIVES }));
    const bound = new EventLog(pull);
    await pull.bind(anywhere("tcp"));
    const sender = await startOurs("push", "connect", pull.lastEndpoint!, SENDS);
    await Promise.all([push.send("before"), frozen.prints("got before\n"), pull.receive()]);
    frozen.freeze();
    sender.freeze();
    await Promise.all([told(log, "connect:retry"), told(bound, "disconnect")]);
    assertSilent(log, frozen.endpoint);
    assertSilent(bound, pull.lastEndpoint!);
    await push.send("kept");
    frozen.thaw();
    sender.thaw();
    await Promise.all([frozen.prints("got kept\n"), told(bound, "handshake", 2)]);
    await pull.receive();
  });

  it("of both sides keeps every pair of quiet sockets up", async () => {
    const beats = { heartbeatInterval: 50, heartbeatTimeout: 700, heartbeatTimeToLive: 700 };
    const pairs: [Pair | Push | Pull | Publisher | Router | Reply, PeerSocketType][] = [
      [new Pair(beats), "Pair"],
      [new Push(beats), "Pull"],
      [new Pull(beats), "Push"],
      [new Publisher(beats), "Subscriber"],
      [new Router(beats), "Dealer"],
      [new Reply(beats), "Request"],
    ];
    const connecters: [Subscriber | Dealer | Request, PeerSocketType][] = [
      [new Subscriber(beats), "Publisher"],
      [new Dealer(beats), "Router"],
      [new Request(beats), "Reply"],
    ];
    for (const [ours, type] of pairs) {
      await opened.add(ours).bind(anywhere("tcp"));
      await (await openTheirs(type, beats)).connect(ours.lastEndpoint!);
    }
    for (const [ours, type] of connecters) {
      opened.add(ours).connect(await (await openTheirs(type, beats)).bind());
    }
    for (const socket of theirs) await tells(socket, "handshake");
    await pause(1_100);
    for (const socket of theirs) {
      assertEquals(await socket.events(), { handshake: 1, disconnect: 0 });
    }
  });

  it("with a time to live beyond what libzmq can count keeps the connection", async () => {
    // libzmq counts it in milliseconds in 16 bits: 65.6 seconds would be 64 milliseconds.
    const push = opened.add(
      new Push({ ...SENDS, heartbeatInterval: 100, heartbeatTimeToLive: 65_600 }),
    );
    const pull = await openTheirs("Pull");
    push.connect(await pull.bind());
    await tells(pull, "handshake");
    await pause(500);
    assertEquals(await pull.events(), { handshake: 1, disconnect: 0 });
  });

  it("does not take libzmq for dead after a long computation of ours", async () => {
    const pull = opened.add(new Pull({ ...RECEIVES, ...BEATS }));
    const log = new EventLog(pull);
    await pull.bind(anywhere("tcp"));
    const push = await openTheirs("Push", ASKS);
    await push.connect(pull.lastEndpoint!);
    await told(log, "handshake");
    for (let i = 0; i < 3; i++) {
      await pause(70); // PINGs are under way in both directions
      compute(300);
    }
    await push.send("still here");
    assertFrames(await pull.receive(), ["still here"]);
    assertEquals([log.of("disconnect"), log.of("handshake").length], [[], 1]);
  });

  it("does not take libzmq for dead when it sends more than we read", async () => {
    const pull = opened.add(new Pull({ ...RECEIVES, ...BEATS, receiveHighWaterMark: 10 }));
    const log = new EventLog(pull);
    await pull.bind(anywhere("tcp"));
    const push = await openTheirs("Push", { ...ASKS, sendHighWaterMark: 10 });
    await push.connect(pull.lastEndpoint!);
    const sending = push.sendSequence(0, 2_000, 10_000);
    await told(log, "full:receive");
    await pause(400);
    for (let i = 0; i < 2_000; i++) assertEquals(String((await pull.receive())[0]), String(i));
    await sending;
    assertEquals(log.of("disconnect"), []);
  });
});

/** Lets nothing else run for a while. */
function compute(ms: number): void {
  const end = performance.now() + ms;
  let rounds = 0;
  while (performance.now() < end) rounds++;
  assertGreater(rounds, 0);
}
