// Some game servers in a process of their own. The game: every input has a number, which is added up.
//
//   servers.ts GATEWAY NAME COUNT CAPACITY

import { type Game, GameServer } from "../server.ts";
import { onOrder, process, report } from "./process.ts";

interface Score {
  inputs: number;
  sum: number;
}

const game: Game<Score> = {
  begin: () => ({ inputs: 0, sum: 0 }),
  play(score, [value]) {
    score.inputs++;
    score.sum += Number(value);
    return [String(score.inputs), String(score.sum)];
  },
  save: ({ inputs, sum }) => `${inputs} ${sum}`,
  load(saved) {
    const [inputs, sum] = String(saved).split(" ").map(Number);
    return { inputs, sum };
  },
};

const [gateway, name, count, capacity] = process.argv.slice(2);
const servers = Array.from({ length: Number(count) }, (_, i) =>
  new GameServer({
    gateway,
    name: `${name}-${i + 1}`,
    capacity: Number(capacity),
    game,
    heartbeatInterval: 500,
    heartbeatLiveness: 6,
  }));
for (const server of servers) {
  server.events.on("error", ({ error, player }) => console.error(`${player}:`, error));
}
onOrder(async (order) => {
  if (order !== "leave") return;
  await Promise.all(servers.map((server) => server.leave()));
  process.exit(0);
});
report("ready");
