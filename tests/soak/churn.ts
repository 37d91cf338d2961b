// Sockets that come and go all the time: each does what it is for, in full, before it is closed.

import { Dealer, Publisher, Push, Request, Subscriber, XSubscriber } from "../../mod.ts";
import { within } from "../_util/deadline.ts";
import { bodyOf, type Ledger } from "./ledger.ts";
import type { Flows } from "./flows.ts";
import type { Place } from "./protocol.ts";
import { TOPICS } from "./services.ts";
import { clientOptions } from "./visitor.ts";

const REST_MS = 60;
const PATIENCE_MS = 30_000;
const BURST = 20;

/** Opens and closes sockets at places until all is stopped. */
export class Churn {
  /** How many sockets came and went. */
  count = 0;
  readonly #name: string;
  readonly #places: readonly Place[];
  readonly #flows: Flows;
  readonly #ledger: Ledger;
  #number = 0;

  constructor(name: string, places: readonly Place[], flows: Flows, ledger: Ledger) {
    this.#name = name;
    this.#places = places;
    this.#flows = flows;
    this.#ledger = ledger;
  }

  /** Goes on until the flows are stopped; several may, each from another start. */
  async run(start: number): Promise<void> {
    const acts = [
      (place: Place, number: number) => this.#push(place, number),
      (place: Place) => this.#ask(place),
      (place: Place, number: number) => this.#talk(place, number),
      (place: Place, number: number) => this.#listen(place, number),
      (place: Place, number: number) => this.#announce(place, number),
      () => this.#leave(),
    ];
    for (let i = 2 * start; !this.#flows.stopped; i++) {
      const place = this.#places[Math.floor(i / acts.length) % this.#places.length];
      const act = acts[i % acts.length](place, this.#number++);
      await within(act, PATIENCE_MS, `churn ${i % acts.length} at ${place.name}`)
        .catch((error: Error) => this.#ledger.miss(this.#name, error.message));
      this.count++;
      await this.#flows.rest(REST_MS);
    }
  }

  /** What a socket was sent before it was closed arrives in full. */
  async #push(place: Place, number: number): Promise<void> {
    const socket = this.#flows.open(new Push(clientOptions(place)));
    socket.connect(place.endpoints.pull!);
    const source = `${this.#name}.churn${number}`;
    for (let i = 0; i < BURST; i++) await socket.send([source, String(i), bodyOf(i)]);
    await socket.send([source, String(BURST)]);
    this.#flows.sent += BURST + 1;
    await this.#flows.close(socket);
  }

  async #ask(place: Place): Promise<void> {
    const socket = this.#flows.open(new Request(clientOptions(place)));
    socket.connect(place.endpoints.rep!);
    await socket.send("hello");
    const [answer] = await socket.receive();
    if (String(answer) !== "hello") this.#ledger.miss(this.#name, `${answer} for hello`);
    await this.#flows.close(socket);
  }

  async #talk(place: Place, number: number): Promise<void> {
    const options = { ...clientOptions(place), routingId: `${this.#name}${number}` };
    const socket = this.#flows.open(new Dealer(options));
    socket.connect(place.endpoints.router!);
    for (let i = 0; i < BURST; i++) await socket.send([String(i), bodyOf(i)]);
    for (let i = 0; i < BURST; i++) {
      const [echoed] = await socket.receive();
      if (String(echoed) !== String(i)) this.#ledger.miss(this.#name, `${echoed} for ${i}`);
    }
    this.#flows.sent += BURST;
    await this.#flows.close(socket);
  }

  /** Subscribes to many topics, gives most of them back, and hears the others only. */
  async #listen(place: Place, number: number): Promise<void> {
    const socket = this.#flows.open(new Subscriber(clientOptions(place)));
    socket.connect(place.endpoints.pub!);
    for (let i = 0; i < TOPICS; i++) socket.subscribe(`topic ${i}.`, `${this.#name} ${i}`);
    await socket.receive();
    const kept = `topic ${number % TOPICS}.`;
    for (let i = 0; i < TOPICS; i++) {
      if (`topic ${i}.` !== kept) socket.unsubscribe(`topic ${i}.`);
    }
    const [topic] = await socket.receive();
    if (String(topic) !== kept) this.#ledger.miss(this.#name, `${topic} while there is ${kept}`);
    await this.#flows.close(socket);
  }

  /** A publisher and a subscriber that meet at a proxy. */
  async #announce(place: Place, number: number): Promise<void> {
    if (place.endpoints.front === undefined) return;
    const options = clientOptions(place);
    const sub = this.#flows.open(new XSubscriber(options));
    const pub = this.#flows.open(new Publisher(options));
    const topic = `${this.#name} ${number}`;
    await sub.send([`\x01${topic}`]);
    sub.connect(place.endpoints.back!);
    pub.connect(place.endpoints.front);
    const heard = sub.receive();
    let waiting = true;
    heard.finally(() => waiting = false).catch(() => {}); // told below
    while (waiting && !this.#flows.stopped) {
      await pub.send([topic, "here"]);
      await this.#flows.rest(10);
    }
    if (!waiting) await heard;
    await Promise.all([this.#flows.close(pub), this.#flows.close(sub)]);
  }

  /** Nobody is there; what was not sent is dropped. */
  async #leave(): Promise<void> {
    const socket = this.#flows.open(new Push({ linger: 0 }));
    socket.connect("tcp://127.0.0.1:9");
    for (let i = 0; i < BURST; i++) await socket.send([String(i), bodyOf(i)]);
    await this.#flows.close(socket);
  }
}
