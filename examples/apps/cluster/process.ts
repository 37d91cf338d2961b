// One process of a cluster: its broker, with its clients or without, all of its clients, or a worker.

import { FederatedBroker, FederatedWorker } from "../../../src/patterns/mod.ts";
import { obey, report, task, tell } from "./child.ts";
import { Crowd } from "./crowd.ts";
import type { Order } from "./messages.ts";
import { workOn } from "./work.ts";

/** A killed worker's connection is found gone at the next beat; who only is slow, on a busy machine, is not given up. */
const HEARTBEATS = { heartbeatInterval: 200, heartbeatLiveness: 50 };

/** Has a crowd do as it is told. */
function lead(
  crowd: Crowd,
  tellFigures: () => void,
  join: (order: Order) => void,
  close: () => Promise<void>,
): void {
  obey(async (order) => {
    if (order.order === "begin") crowd.begin();
    else if (order.order === "count") crowd.count();
    else if (order.order === "end") {
      await crowd.end();
      tellFigures();
      tell({ told: "done" });
    } else join(order);
  }, close);
}

switch (task.task) {
  case "broker": {
    const broker = new FederatedBroker({
      name: task.cluster,
      ...HEARTBEATS,
      // All clients come at once.
      socketOptions: { backlog: 4_096 },
    });
    const far = "tcp://127.0.0.1:*";
    const near = task.transport === "tcp" ? far : "ipc://*";
    const clients = task.transport === "inproc" ? "inproc://clients" : near;
    await broker.bind({ clients, workers: near, cloud: far, state: far });
    const join = (order: Order): void => {
      if (order.order === "join") { for (const peer of order.peers) broker.addPeer(peer); }
    };
    if (task.crowd === undefined) {
      obey(join, () => broker.close());
      report(() => ({ broker: broker.stats() }));
    } else {
      const crowd = new Crowd(clients, task.crowd);
      const figures = () => ({ broker: broker.stats(), clients: crowd.figures() });
      lead(crowd, report(figures), join, () => broker.close());
    }
    tell({ told: "ready", ...broker.endpoints });
    break;
  }
  case "worker": {
    const worker = new FederatedWorker({
      ...HEARTBEATS,
      concurrency: task.concurrency,
      handler: ([body]) => workOn(body),
    });
    worker.connect(task.address);
    obey(() => {}, () => worker.close());
    report(() => ({}));
    tell({ told: "ready" });
    break;
  }
  case "clients": {
    const crowd = new Crowd(task.address, task.crowd);
    lead(crowd, report(() => ({ clients: crowd.figures() })), () => {}, () => crowd.close());
    tell({ told: "ready" });
  }
}
