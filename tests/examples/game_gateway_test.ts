// The game gateway: what it promises, with all its parts in one process; and its simulation, small, with real ones.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Router } from "../../mod.ts";
import { GameLine, type GameLineOptions } from "../../examples/apps/game_gateway/client.ts";
import { GameGateway, type GameGatewayOptions } from "../../examples/apps/game_gateway/gateway.ts";
import * as protocol from "../../examples/apps/game_gateway/protocol.ts";
import { type Game, GameServer } from "../../examples/apps/game_gateway/server.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, pause, within } from "../_util/deadline.ts";
import { commandFor, Program } from "../_util/process.ts";
import { rejection } from "../_util/rejection.ts";

const WAIT_MS = 15_000;
const ANY = "tcp://127.0.0.1:*";
const BEATS = { heartbeatInterval: 100, heartbeatLiveness: 10 };
const cleanup = new Cleanup();

/** Adds up what is played; tells the sum, and how many inputs it had. */
function adder(calls = { plays: 0 }): Game<{ inputs: number; sum: number }> {
  return {
    begin: () => ({ inputs: 0, sum: 0 }),
    play(state, [value], player) {
      calls.plays++;
      if (String(value) === "fail") throw new Error("the game does not know that");
      if (String(value) === "flood") {
        for (let i = 0; i < 200; i++) player.push(new Uint8Array(100_000));
      }
      state.inputs++;
      state.sum += Number(value) || 0;
      return `${state.inputs} ${state.sum}`;
    },
    save: ({ inputs, sum }) => `${inputs} ${sum}`,
    load(saved) {
      const [inputs, sum] = String(saved).split(" ").map(Number);
      return { inputs, sum };
    },
  };
}

async function opened(options: GameGatewayOptions = {}): Promise<GameGateway> {
  const gateway = cleanup.add(new GameGateway({ ...BEATS, ...options }));
  await gateway.bind(ANY, ANY);
  return gateway;
}

async function server(
  gateway: GameGateway,
  name: string,
  options: object = {},
): Promise<GameServer<unknown>> {
  const added = new GameServer({
    ...BEATS,
    gateway: gateway.serverEndpoint,
    name,
    capacity: 10,
    game: adder(),
    saveEvery: 4,
    ...options,
  });
  cleanup.add(added);
  await eventually(() => gateway.servers.some((each) => each.name === name), WAIT_MS, name);
  return added as GameServer<unknown>;
}

function line(gateway: GameGateway, options: Partial<GameLineOptions> = {}): GameLine {
  return cleanup.add(new GameLine({ ...BEATS, gateway: gateway.playerEndpoint, ...options }));
}

/** Plays 1, 2, 3 … at once; the results. */
async function playAll(
  seat: { play(input: string): Promise<unknown[]> },
  from: number,
  to: number,
) {
  const inputs = Array.from({ length: to - from + 1 }, (_, i) => seat.play(String(from + i)));
  return (await within(Promise.all(inputs), WAIT_MS, "results")).map(([text]) => String(text));
}

function sums(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => {
    const n = from + i;
    return `${n} ${n * (n + 1) / 2}`;
  });
}

describe("The game gateway", () => {
  afterEach(() => cleanup.run());

  it("gives players to the server with the smallest share, and keeps them there", async () => {
    const gateway = await opened();
    await server(gateway, "small", { capacity: 10 });
    await server(gateway, "large", { capacity: 30 });
    const players = line(gateway);
    const seats = await Promise.all(Array.from({ length: 20 }, (_, i) => players.join(`p${i}`)));
    for (const seat of seats) assertEquals(await playAll(seat, 1, 10), sums(1, 10));
    const shares = gateway.servers.map(({ name, sessions }) => [name, sessions]);
    assertEquals(shares, [["small", 5], ["large", 15]]);
    await server(gateway, "new", { capacity: 30 });
    for (const seat of seats) assertEquals(await playAll(seat, 11, 12), sums(11, 12));
    assertEquals(gateway.servers.map(({ sessions }) => sessions), [5, 15, 0]);
    for (const seat of seats) seat.part();
    await eventually(() => gateway.stats().sessions === 0, WAIT_MS);
    assertEquals(gateway.servers.map(({ sessions }) => sessions), [0, 0, 0]);
  });

  it("moves sessions to newcomers when it may", async () => {
    const gateway = await opened({ rebalance: true });
    await server(gateway, "one", { capacity: 20 });
    const players = line(gateway);
    const seats = await Promise.all(Array.from({ length: 20 }, (_, i) => players.join(`p${i}`)));
    const playing = seats.map((seat) => playAll(seat, 1, 20));
    await server(gateway, "two", { capacity: 20 });
    for (const results of await Promise.all(playing)) assertEquals(results, sums(1, 20));
    await eventually(() => gateway.servers.every(({ sessions }) => sessions === 10), WAIT_MS);
    for (const seat of seats) assertEquals(await playAll(seat, 21, 22), sums(21, 22));
    assertEquals(gateway.stats().moved, 10);
  });

  it("hands sessions over with their state when a server leaves, in the middle of the game", async () => {
    const gateway = await opened();
    const one = await server(gateway, "one");
    const players = line(gateway);
    const seat = await players.join("Ada");
    assertEquals(await playAll(seat, 1, 5), sums(1, 5));
    await server(gateway, "two");
    const playing = playAll(seat, 6, 25);
    await within(one.leave(), WAIT_MS, "leave");
    assertEquals(await playing, sums(6, 25));
    assertEquals(gateway.servers.map(({ name, sessions }) => [name, sessions]), [["two", 1]]);
    const { moved, reassigned, replayed } = gateway.stats();
    assertEquals([moved, reassigned, replayed], [1, 0, 0]);
  });

  it("goes on from the saved state when a server dies: inputs are played again, results come once", async () => {
    const gateway = await opened();
    const one = await server(gateway, "one");
    const seat = await line(gateway).join("Ada");
    assertEquals(await playAll(seat, 1, 6), sums(1, 6)); // 4 are saved
    const playing = playAll(seat, 7, 20);
    await one.close(); // without a word
    const calls = { plays: 0 };
    await server(gateway, "two", { game: adder(calls) });
    assertEquals(await playing, sums(7, 20));
    assertEquals(await playAll(seat, 21, 22), sums(21, 22));
    const { moved, reassigned, replayed } = gateway.stats();
    assertEquals([moved, reassigned], [0, 1]);
    assert(replayed >= 2, String(replayed));
    assert(calls.plays >= 18, String(calls.plays));
  });

  it("has players wait while no server has room", async () => {
    const gateway = await opened();
    const [ada, ben] = await Promise.all(["Ada", "Ben"].map((name) => line(gateway).join(name)));
    const playing = [ada, ben].map((seat) => playAll(seat, 1, 3));
    await eventually(() => gateway.stats().waiting === 2, WAIT_MS);
    await server(gateway, "tiny", { capacity: 1 });
    assertEquals(await Promise.race(playing), sums(1, 3));
    assertEquals(gateway.stats().waiting, 1);
    await server(gateway, "more", { capacity: 1 });
    for (const results of await Promise.all(playing)) assertEquals(results, sums(1, 3));
  });

  it("takes a player up where he was when his connection breaks", async () => {
    const gateway = await opened();
    await server(gateway, "one");
    const players = line(gateway);
    const seat = await players.join("Ada");
    for (let from = 1; from <= 91; from += 10) {
      const playing = playAll(seat, from, from + 9);
      if (from % 20 === 1) players.reconnect();
      else await pause(1);
      assertEquals(await playing, sums(from, from + 9));
    }
    assertEquals(gateway.stats().sessions, 1);
    assertEquals(gateway.stats().inputs, 100);
    assert(gateway.stats().resumed >= 5);
    await eventually(() => gateway.stats().connections === 1, WAIT_MS);
  });

  it("cuts off who does not read, with a reason, and nobody else notices", async () => {
    const gateway = await opened({ stallTimeout: 300, playerQueue: 10 });
    await server(gateway, "one");
    const good = await line(gateway).join("good");
    const bad = cleanup.add(new Dealer({ linger: 0, receiveHighWaterMark: 1 }));
    bad.connect(gateway.playerEndpoint);
    const token = crypto.getRandomValues(new Uint8Array(protocol.TOKEN_SIZE));
    await bad.send([protocol.header(protocol.JOIN, 1), token, "bad"]);
    const [head] = await bad.receive();
    const session = protocol.b(head);
    for (let i = 1; i <= 5; i++) {
      await bad.send([protocol.header(protocol.INPUT, session, i), "flood"]);
    }
    const cuts: string[] = [];
    gateway.events.on("cut", ({ reason }) => cuts.push(reason));
    for (let n = 1; cuts.length === 0; n += 5) {
      assertEquals(await playAll(good, n, n + 4), sums(n, n + 4));
      await pause(5);
      if (n > 100_000) throw new Error("never cut");
    }
    assertEquals(cuts, ["nothing was read for 300 ms"]);
    assert(gateway.stats().droppedPushes > 0);
    assertEquals(gateway.stats().sessions, 1);
    // He is told when he asks.
    const again = cleanup.add(new Dealer({ linger: 0 }));
    again.connect(gateway.playerEndpoint);
    await again.send([protocol.header(protocol.JOIN, 1, 0, 1), token, "bad"]);
    const [answer, reason] = await again.receive();
    assertEquals([answer[0], String(reason)], [protocol.CUT, "nothing was read for 300 ms"]);
  });

  it("cuts off who acknowledges nothing, and whose game fails; forgets who stays away", async () => {
    const gateway = await opened({ window: 8, sessionTimeout: 400 });
    const one = await server(gateway, "one");
    one.events.on("error", () => {});
    const greedy = cleanup.add(new Dealer({ linger: 0 }));
    greedy.connect(gateway.playerEndpoint);
    await greedy.send([protocol.header(protocol.JOIN, 7), new Uint8Array(16), "greedy"]);
    const session = protocol.b((await greedy.receive())[0]);
    await greedy.send([protocol.header(protocol.INPUT, session, 3), "1"]); // where are 1 and 2?
    assertEquals((await greedy.receive())[0][0], protocol.RESUME);
    for (let i = 1; i <= 9; i++) {
      const input = [protocol.header(protocol.INPUT, session, i), "1"];
      await greedy.send(input);
      await greedy.send(input); // counts once
    }
    let last = "";
    while (!last.includes("acknowledged")) last = String((await greedy.receive()).at(-1));
    assertEquals(last, "more than 8 results are not acknowledged");
    assertEquals([gateway.stats().inputs, gateway.stats().repeatedInputs], [8, 8]);
    const seat = await line(gateway, { window: 8 }).join("Ada");
    const failing = rejection(seat.play("fail"), "ECONNRESET");
    assertStringIncludes((await failing).message, "the game has failed");
    assertStringIncludes(await seat.cut, "the game has failed");
    const away = line(gateway);
    await away.join("Ben");
    await away.close();
    await eventually(() => gateway.stats().sessions === 0, WAIT_MS);
    assertEquals(gateway.stats().cut, 3);
  });

  it("does not count what a server says of a session that it had before", async () => {
    const gateway = await opened();
    const raw = cleanup.add(new Dealer({ linger: 0, receiveTimeout: WAIT_MS }));
    raw.connect(gateway.serverEndpoint);
    const { header, READY, OPEN, PLAY, DONE, BEAT } = protocol;
    const next = async (type: number): Promise<Uint8Array> => {
      for (;;) {
        const [head] = await raw.receive();
        if (head[0] === BEAT) await raw.send([header(BEAT)]);
        else {
          assertEquals(head[0], type);
          return head;
        }
      }
    };
    await raw.send([header(READY, 1), "raw"]);
    const seat = await line(gateway).join("Ada");
    const result = seat.play("1");
    const session = protocol.a(await next(OPEN));
    const before = protocol.b(await next(PLAY));
    await raw.send([header(READY, 1), "raw again"]);
    const epoch = protocol.b(await next(OPEN));
    assertEquals(epoch, before + 1);
    await raw.send([header(DONE, session, before, 1), "of the past"]);
    await next(PLAY);
    await raw.send([header(DONE, session, epoch, 1), "of now"]);
    assertEquals((await within(result, WAIT_MS, "result")).map(String), ["of now"]);
  });

  it("shows a player each result once, whatever the gateway sends", async () => {
    const raw = cleanup.add(new Router({ linger: 0, receiveTimeout: WAIT_MS }));
    await raw.bind(ANY);
    const players = cleanup.add(new GameLine({ gateway: raw.lastEndpoint!, ...BEATS }));
    const joining = players.join("Ada");
    const [id, join, token, name] = await raw.receive();
    assertEquals([join[0], token.length, String(name)], [protocol.JOIN, 16, "Ada"]);
    await raw.send([id, protocol.header(protocol.WELCOME, protocol.a(join), 9, 0)]);
    const seat = await joining;
    const results = Promise.all([seat.play("1"), seat.play("2")]);
    while ((await raw.receive())[1][0] !== protocol.INPUT);
    for (const [number, text] of [[1, "one"], [1, "again"], [3, "unasked"], [2, "two"]]) {
      await raw.send([id, protocol.header(protocol.RESULT, 9, Number(number)), text]);
    }
    assertEquals((await within(results, WAIT_MS, "results")).map(String), ["one", "two"]);
    assertEquals(players.stats().repeated, 2);
  });

  it("drops what is not of its protocol, from both sides, and goes on", async () => {
    const gateway = await opened();
    await server(gateway, "one");
    const seat = await line(gateway).join("Ada");
    for (const endpoint of [gateway.playerEndpoint, gateway.serverEndpoint]) {
      const rude = cleanup.add(new Dealer({ linger: 0 }));
      rude.connect(endpoint);
      await rude.send("");
      await rude.send(["hello", "there"]);
      await rude.send([new Uint8Array(13).fill(255)]);
      await rude.send([protocol.header(protocol.JOIN, 1), "short", "name"]);
      await rude.send([protocol.header(protocol.READY, 0), "none"]);
      for (const type of [protocol.INPUT, protocol.ACK, protocol.PART, protocol.DONE]) {
        await rude.send([protocol.header(type, seat.session, 1, 1), "x"]);
      }
    }
    await eventually(() => gateway.stats().malformed >= 7, WAIT_MS);
    assertEquals(await playAll(seat, 1, 20), sums(1, 20));
    assertEquals([gateway.stats().sessions, gateway.stats().servers], [1, 1]);
  });

  it("its simulation grows, is disturbed, and loses nothing", async () => {
    const args = ["--seconds", "3", "--players", "100", "--connections", "40", "--rate", "10"];
    const sizes = ["--servers", "5", "--grow-to", "10", "--chaos"];
    const command = commandFor("../../examples/apps/game_gateway/main.ts", [...args, ...sizes]);
    const program = cleanup.add(new Program(command));
    const story = await program.succeeds(120_000);
    assertMatch(story, /^100 players have joined$/m);
    assertMatch(story, /^lost {9}0$/m);
    assertMatch(story, /^doubled {6}0$/m);
    assertMatch(story, /^latency {6}p50 .* p99 .*$/m);
    assertStringIncludes(story, "every player's counter is right");
  });
});
