// The guide's Majordomo broker, worker and clients, and the same for MDP 0.2, anew on npm's zeromq, which is libzmq. Run by
// Node:
//
//   libzmq_mdp.mjs broker                              prints its address; speaks 0.1, and knows mmi.service
//   libzmq_mdp.mjs worker ADDRESS SERVICE [0.2]        answers with what it was asked, and "by libzmq"; in 0.2 in two parts
//   libzmq_mdp.mjs client ADDRESS SERVICE COUNT        asks by REQ, prints the replies
//   libzmq_mdp.mjs pipeline ADDRESS SERVICE COUNT      asks by DEALER, all at once, prints the replies
//   libzmq_mdp.mjs client2 ADDRESS SERVICE COUNT       the same in 0.2, prints parts as well

import { Dealer, Request, Router } from "zeromq";

const [, , role, address, service, more] = process.argv;
const INTERVAL = 100;
const LIVENESS = 20;
const say = (...words) => process.stdout.write(`${words.join(" ")}\n`);

/** One service has a list of requests and a list of workers that wait, as in the guide. */
class Broker {
  #router = new Router({ linger: 0 });
  #services = new Map();
  #workers = new Map();

  async run() {
    await this.#router.bind("tcp://127.0.0.1:*");
    say("listening", this.#router.lastEndpoint);
    setInterval(() => this.#beat(), INTERVAL);
    for await (const [id, empty, header, ...frames] of this.#router) {
      // The guide's broker in Python ends here.
      if (empty.length > 0 || header === undefined) {
        throw new Error(`malformed: ${[empty, header]}`);
      }
      if (`${header}` === "MDPC01") await this.#client(id, frames);
      else if (`${header}` === "MDPW01") await this.#worker(id, frames);
      else throw new Error(`malformed: ${header}`);
    }
  }

  #service(name) {
    const known = this.#services.get(`${name}`);
    if (known !== undefined) return known;
    const service = { name: `${name}`, requests: [], waiting: [], workers: 0 };
    this.#services.set(service.name, service);
    return service;
  }

  async #client(id, [name, ...body]) {
    if (`${name}`.startsWith("mmi.")) {
      const found = this.#services.get(`${body.at(-1)}`)?.workers > 0;
      const code = `${name}` !== "mmi.service" ? "501" : found ? "200" : "404";
      await this.#router.send([id, "", "MDPC01", name, code]);
      return;
    }
    const service = this.#service(name);
    service.requests.push([id, body]);
    await this.#dispatch(service);
  }

  async #dispatch(service) {
    while (service.requests.length > 0 && service.waiting.length > 0) {
      const [client, body] = service.requests.shift();
      const worker = service.waiting.shift();
      await this.#router.send([worker.id, "", "MDPW01", "\x02", client, "", ...body]);
    }
  }

  async #worker(id, [command, ...frames]) {
    const key = id.toString("hex");
    const worker = this.#workers.get(key);
    if (command[0] === 1) {
      const [name] = frames;
      if (worker !== undefined || `${name}`.startsWith("mmi.")) return await this.#remove(id, true);
      const service = this.#service(name);
      const fresh = { id, service, expires: 0 };
      this.#workers.set(key, fresh);
      service.workers++;
      await this.#wait(fresh);
    } else if (worker === undefined) {
      if (command[0] !== 5) await this.#remove(id, true);
    } else if (command[0] === 3) {
      const [client, , ...body] = frames;
      await this.#router.send([client, "", "MDPC01", worker.service.name, ...body]);
      await this.#wait(worker);
    } else if (command[0] === 4) {
      worker.expires = Date.now() + LIVENESS * INTERVAL;
    } else await this.#remove(id, command[0] !== 5);
  }

  async #wait(worker) {
    worker.expires = Date.now() + LIVENESS * INTERVAL;
    worker.service.waiting.push(worker);
    await this.#dispatch(worker.service);
  }

  async #remove(id, tell) {
    const worker = this.#workers.get(id.toString("hex"));
    if (tell) await this.#router.send([id, "", "MDPW01", "\x05"]);
    if (worker === undefined) return;
    this.#workers.delete(id.toString("hex"));
    worker.service.workers--;
    worker.service.waiting = worker.service.waiting.filter((one) => one !== worker);
    say("removed a worker of", worker.service.name);
  }

  async #beat() {
    for (const worker of this.#workers.values()) {
      if (worker.expires < Date.now()) await this.#remove(worker.id, false);
      else await this.#router.send([worker.id, "", "MDPW01", "\x04"]).catch(() => {});
    }
  }
}

/** Comes back on a new socket after a silence or a DISCONNECT. */
async function work(version) {
  const head = version === "0.2" ? ["MDPW02"] : ["", "MDPW01"];
  const [final, heartbeat, disconnect] = version === "0.2" ? [4, 5, 6] : [3, 4, 5];
  for (;;) {
    const socket = new Dealer({ linger: 0, receiveTimeout: LIVENESS * INTERVAL });
    socket.connect(address);
    await socket.send([...head, "\x01", service]);
    say("ready");
    let sending = Promise.resolve();
    const post = (...frames) => sending = sending.then(() => socket.send([...head, ...frames]));
    const beats = setInterval(() => post(Buffer.of(heartbeat)).catch(() => {}), INTERVAL);
    try {
      for (;;) {
        const message = (await socket.receive()).slice(head.length);
        const [command, client, , ...body] = message;
        if (command[0] === disconnect) break;
        if (command[0] === heartbeat) continue;
        if (version === "0.2") await post("\x03", client, "", ...body);
        await post(Buffer.of(final), client, "", ...(version === "0.2" ? [] : body), "by libzmq");
      }
    } catch {
      // silent
    }
    clearInterval(beats);
    say("lost");
    socket.close();
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
}

async function client() {
  const socket = new Request({ linger: 0 });
  socket.connect(address);
  for (let i = 0; i < Number(more); i++) {
    await socket.send(["MDPC01", service, `question ${i}`]);
    const [header, name, ...body] = await socket.receive();
    if (`${header}` !== "MDPC01" || `${name}` !== service) throw new Error(`malformed: ${header}`);
    say(...body);
  }
  socket.close();
}

async function pipeline(head, parts) {
  const socket = new Dealer({ linger: 0 });
  socket.connect(address);
  for (let i = 0; i < Number(more); i++) await socket.send([...head, service, `question ${i}`]);
  for (let done = 0; done < Number(more);) {
    const [first, second, name, ...body] = await socket.receive();
    if (`${name}` !== service) throw new Error(`malformed: ${name}`);
    if (!parts && (first.length > 0 || `${second}` !== "MDPC01")) throw new Error("malformed");
    if (!parts || second[0] === 3) done++;
    say(...(parts ? [second[0] === 3 ? "final" : "partial"] : []), ...body);
  }
  socket.close();
}

const roles = {
  broker: () => new Broker().run(),
  worker: () => work(more),
  client,
  pipeline: () => pipeline(["", "MDPC01"], false),
  client2: () => pipeline(["MDPC02", "\x01"], true),
};
await roles[role]();
