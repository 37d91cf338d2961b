/**
 * A simulation of the game gateway: ten servers that grow to fifty, and ten thousand players.
 *
 *   deno run -A examples/apps/game_gateway/main.ts [--chaos] [--seconds 20] [--players 10000]
 *     [--connections 1000] [--rate 1] [--servers 10] [--grow-to 50] [--sticky]
 *
 * or the same with `bun` or `node`. The gateway runs in this process; servers, five to a process, and players, in two processes,
 * in others. With `--chaos`, processes of servers are killed, freeze or leave, and connections of players break. Sessions move to new
 * servers to even the load out, unless `--sticky` says that they stay. At the end every player's counter is looked at: the
 * program fails when an input was lost or counted twice.
 *
 * @module
 */

import { GameGateway } from "./gateway.ts";
import { count, Histogram, ms, type PlayerFigures } from "./simulation/figures.ts";
import { Child, process, sleep } from "./simulation/process.ts";
import { Crew } from "./simulation/crew.ts";

const DEFAULTS = {
  seconds: 20,
  players: 10_000,
  connections: 1_000,
  rate: 1,
  servers: 10,
  "grow-to": 50,
};
const PLAYER_PROCESSES = 2;
const JOIN_MS = 120_000;
const END_MS = 300_000;
const CHAOS_MS = 2_000;
/** Messages through the gateway's sockets for each input: it and its result, in and out. */
const HOPS = 4;

function numbers(): typeof DEFAULTS {
  const values = { ...DEFAULTS };
  const args = process.argv.slice(2);
  for (let i = 0; i < args.length; i++) {
    const name = args[i].slice(2) as keyof typeof DEFAULTS;
    if (args[i] === "--chaos" || args[i] === "--sticky") continue;
    const value = Number(args[++i]);
    if (!(name in DEFAULTS) || !(value > 0)) {
      console.error(`Cannot understand ${args[i - 1]} ${args[i] ?? ""}: see the head of main.ts`);
      process.exit(2);
    }
    values[name] = value;
  }
  return values;
}

const { seconds, players, connections, rate, servers, "grow-to": growTo } = numbers();
const chaos = process.argv.includes("--chaos");
const sticky = process.argv.includes("--sticky");

const gateway = new GameGateway({
  rebalance: !sticky,
  heartbeatInterval: 500,
  heartbeatLiveness: 6,
  sessionTimeout: 60_000,
});
await gateway.bind("tcp://127.0.0.1:*", "tcp://127.0.0.1:*");

// Half of the first servers can hold everybody.
const capacity = Math.ceil(players / servers * 2);
const crew = new Crew(gateway.serverEndpoint, capacity);
crew.grow(servers);
while (gateway.stats().servers < servers) await sleep(20);

const latest: PlayerFigures[] = [];
const recent = new Histogram();
const all = new Histogram();
const perProcess = Math.ceil(players / PLAYER_PROCESSES);
const linesEach = Math.ceil(Math.min(connections, players) / PLAYER_PROCESSES);
const playing = Array.from({ length: PLAYER_PROCESSES }, (_, i) => {
  const own = Math.min(perProcess, players - i * perProcess);
  const args = [`p${i + 1}`, own, linesEach, rate, chaos].map(String);
  return new Child("players.ts", [gateway.playerEndpoint, ...args], (value) => {
    latest[i] = value as PlayerFigures;
    recent.merge(latest[i].latency);
    all.merge(latest[i].latency);
  });
});

function sum(name: Exclude<keyof PlayerFigures, "latency" | "final">): number {
  return latest.reduce((total, figures) => total + (figures?.[name] ?? 0), 0);
}

function spread(): string {
  const sizes = gateway.servers.map(({ sessions }) => sessions);
  return sizes.length === 0 ? "none" : `${Math.min(...sizes)}-${Math.max(...sizes)}`;
}

console.log(
  `${count(players)} players on ${count(linesEach * PLAYER_PROCESSES)} connections, ` +
    `${rate} inputs a second each; ${servers} servers that grow to ${growTo}, ` +
    `${count(capacity)} places each${chaos ? "; with chaos" : ""}`,
);
const joinBy = performance.now() + JOIN_MS;
while (sum("joined") < players && performance.now() < joinBy) await sleep(20);
console.log(`${count(sum("joined"))} players have joined`);

const began = performance.now();
const sentBefore = sum("sent");
let resultsBefore = sum("results");
let nextChaos = CHAOS_MS;
let nextLine = 1_000;
for (;;) {
  await sleep(50);
  const time = performance.now() - began;
  if (time >= seconds * 1_000) break;
  // It has grown when 60 % of the time is over.
  const wanted = servers + (growTo - servers) * Math.min(1, time / (seconds * 600));
  crew.grow(Math.floor(wanted));
  if (chaos && time >= nextChaos) {
    nextChaos += CHAOS_MS;
    console.log(`      ${crew.disturb()}`);
  }
  if (time < nextLine) continue;
  nextLine += 1_000;
  const results = sum("results");
  const stats = gateway.stats();
  console.log(
    `${String(Math.round(time / 1_000)).padStart(3)} s  ${
      count(results - resultsBefore)
    } inputs/s` +
      `  p50 ${ms(recent.percentile(0.5))}  p99 ${ms(recent.percentile(0.99))}` +
      `  servers ${stats.servers}  sessions each ${spread()}` +
      `  moved ${count(stats.moved)}  reassigned ${count(stats.reassigned)}`,
  );
  resultsBefore = results;
  recent.take();
}

const sent = sum("sent") - sentBefore;
const took = (performance.now() - began) / 1_000;
for (const child of playing) child.order("stop");
const endBy = performance.now() + END_MS;
while (!(latest.length === PLAYER_PROCESSES && latest.every(({ final }) => final))) {
  if (performance.now() > endBy) break;
  await sleep(20);
}

const stats = gateway.stats();
const [lost, doubled, cut] = [sum("lost"), sum("doubled"), sum("cut")];
const answered = latest.every((figures) => figures?.final);
const good = answered && lost === 0 && doubled === 0 && cut === 0 && sum("joined") === players &&
  sum("sent") === sum("results") && stats.malformed === 0;
console.log(`
inputs       ${count(sum("sent"))}, ${count(sent / took)} a second, which are ${
  count(sent / took * HOPS)
} messages a second through the gateway
results      ${count(sum("results"))}
latency      p50 ${ms(all.percentile(0.5))}, p99 ${ms(all.percentile(0.99))}
servers      ${stats.servers}, ${spread()} sessions each; ${crew.killed} were killed, ${crew.frozen} frozen, ${crew.left} left
sessions     ${count(stats.moved)} moved with their state, ${
  count(stats.reassigned)
} taken over from lost servers
inputs again ${count(stats.replayed)} played again for lost servers
connections  ${count(stats.connections)}, ${count(sum("resumed"))} times a player came back
lost         ${lost}
doubled      ${doubled}
${good ? "every player's counter is right" : `FAILED: ${cut} cut, answered: ${answered}`}`);

for (const child of playing) child.kill();
crew.kill();
await gateway.close();
process.exit(good ? 0 : 1);
