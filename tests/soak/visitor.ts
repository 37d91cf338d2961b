// What a process of the soak does at a place that it visits.

import { curveKeyPair } from "../../mod.ts";
import { bodyOf, type Ledger } from "./ledger.ts";
import { type AnySocket, type Library, receive, send } from "./library.ts";
import type { Flow, Place, Visit } from "./protocol.ts";
import type { Flows } from "./flows.ts";
import { PASSWORD } from "./services.ts";

const TICK_MS = 50;
/** How many echoes may be out. */
const WINDOW = 20;
/** So long is waited for the answer of one who may be killed. */
const MORTAL_MS = 2_000;
/** So long at most for the answer of one who is not. */
const STEADY_MS = 30_000;
const QUICK = { reconnectInterval: 50, reconnectMaxInterval: 500 } as const;
/** A frozen peer is given up, one that is merely busy is not. */
const BEATS = { heartbeatInterval: 300, heartbeatTimeout: 1_200 } as const;
const PATIENT_BEATS = { heartbeatInterval: 300, heartbeatTimeout: 25_000 } as const;

/** The options of a client of a place. */
export function clientOptions(place: Place): object {
  if (place.mechanism === "PLAIN") return { ...QUICK, ...PASSWORD };
  if (place.mechanism === "NULL") return QUICK;
  const { publicKey, secretKey } = curveKeyPair();
  return {
    ...QUICK,
    curveServerKey: place.serverKey,
    curvePublicKey: publicKey,
    curveSecretKey: secretKey,
  };
}

/** Goes to a place and stays until all is stopped. */
export class Visitor {
  /** How many messages of each steady source were sent. */
  readonly sent: Record<string, number> = {};
  /** Flows whose answers are still out. */
  busy = 0;
  readonly #name: string;
  readonly #library: Library;
  readonly #flows: Flows;
  readonly #ledger: Ledger;

  constructor(
    name: string,
    library: Library,
    flows: Flows,
    ledger: Ledger,
  ) {
    this.#name = name;
    this.#library = library;
    this.#flows = flows;
    this.#ledger = ledger;
  }

  /** Starts the flows of a visit. */
  visit({ place, flows, steady }: Visit): void {
    const source = `${this.#name}>${place.name}`;
    for (const flow of flows) {
      this.#flows.run(this.#start(flow, place, `${source}.${flow}`, steady));
    }
  }

  #start(flow: Flow, place: Place, source: string, steady: boolean): Promise<void> {
    switch (flow) {
      case "push":
        return this.#push(place, source, steady);
      case "req":
        return this.#request(place, source, steady);
      case "dealer":
        return this.#exchange("Dealer", place.endpoints.router, place, source, steady);
      case "pair":
        return this.#exchange("Pair", place.endpoints.pair, place, source, steady);
      case "sub":
        return this.#subscribe(place);
      case "pull":
        return this.#pull(place);
      case "proxied":
        return this.#proxied(place, source);
    }
  }

  #open<S extends AnySocket>(socket: S, endpoint: string | undefined): S {
    this.#flows.open(socket);
    if (endpoint === undefined) throw new Error("The place has no such service");
    socket.connect(endpoint);
    return socket;
  }

  async #push(place: Place, source: string, steady: boolean): Promise<void> {
    const options = this.#options(place);
    const socket = this.#open(new this.#library.Push(options), place.endpoints.pull);
    for (let number = 0; !this.#flows.stopped; number++) {
      if (!await send(socket, [source, String(number), bodyOf(number)])) return;
      this.#flows.sent++;
      if (steady) this.sent[source] = number + 1;
      await this.#flows.rest(TICK_MS);
    }
  }

  async #request(place: Place, source: string, steady: boolean): Promise<void> {
    const socket = this.#open(
      new this.#library.Request({
        ...this.#options(place, steady),
        ...(!steady && { relaxed: true, correlate: true }),
      }),
      place.endpoints.rep,
    );
    for (let number = 0; !this.#flows.stopped; number++) {
      this.busy++;
      try {
        socket.receiveTimeout = steady ? STEADY_MS : MORTAL_MS;
        if (!await send(socket, [source, String(number), bodyOf(number)])) return;
        this.#flows.sent++;
        const [, answered, body] = await socket.receive();
        this.#ledger.take(source, Number(String(answered)), body, !steady);
        if (Number(String(answered)) !== number) this.#ledger.miss(source, `${number} was asked`);
      } catch (error) {
        if (socket.closed) return;
        if ((error as { code?: string }).code !== "EAGAIN") throw error;
        if (steady) this.#ledger.miss(source, `no reply to ${number}`);
        this.#flows.unanswered++;
      } finally {
        this.busy--;
      }
      await this.#flows.rest(TICK_MS);
    }
  }

  /** Sends while echoes come back; those of a peer that was killed never will. */
  async #exchange(
    type: "Dealer" | "Pair",
    endpoint: string | undefined,
    place: Place,
    source: string,
    steady: boolean,
  ): Promise<void> {
    const options = this.#options(place, steady);
    const socket = this.#open(new this.#library[type](options), endpoint);
    let number = 0;
    let answered = 0;
    let heard = performance.now();
    this.#flows.run((async () => {
      for (let message = await receive(socket); message; message = await receive(socket)) {
        const [, echoed, body] = message;
        const first = Number(String(echoed));
        this.#ledger.take(source, first, body, !steady);
        answered = Math.max(answered, first + 1);
        heard = performance.now();
      }
    })());
    this.busy++;
    try {
      while (!this.#flows.stopped || (steady && answered < number)) {
        const silent = performance.now() - heard;
        if (number - answered >= WINDOW && silent > (steady ? STEADY_MS : MORTAL_MS)) {
          if (steady) this.#ledger.miss(source, `no echo since ${answered}`);
          this.#flows.unanswered += number - answered;
          answered = number;
        }
        if (!this.#flows.stopped && number - answered < WINDOW) {
          if (!await send(socket, [source, String(number), bodyOf(number)])) return;
          this.#flows.sent++;
          if (number++ === answered) heard = performance.now();
        } else if (this.#flows.stopped && silent > STEADY_MS) {
          return this.#ledger.miss(source, `no echo since ${answered} of ${number}`);
        }
        await this.#flows.rest(TICK_MS);
      }
    } finally {
      this.busy--;
    }
  }

  async #subscribe(place: Place): Promise<void> {
    const socket = new this.#library.Subscriber(this.#options(place));
    socket.subscribe("tick");
    this.#open(socket, place.endpoints.pub);
    const mine = `>${this.#name}`; // two subscribers of a process have an account each
    for (let message = await receive(socket); message; message = await receive(socket)) {
      const [, source, number, body] = message;
      this.#ledger.take(`${source}${mine}`, Number(String(number)), body);
    }
  }

  async #pull(place: Place): Promise<void> {
    const socket = this.#open(new this.#library.Pull(this.#options(place)), place.endpoints.push);
    for (let message = await receive(socket); message; message = await receive(socket)) {
      const [source, number, body] = message;
      this.#ledger.take(String(source), Number(String(number)), body);
    }
  }

  /** To itself, by way of a proxy. */
  async #proxied(place: Place, source: string): Promise<void> {
    const options = this.#options(place);
    const sub = new this.#library.Subscriber(options);
    sub.subscribe(`${source}.`);
    this.#open(sub, place.endpoints.back);
    this.#flows.run((async () => {
      for (let message = await receive(sub); message; message = await receive(sub)) {
        this.#ledger.take(source, Number(String(message[1])), message[2]);
      }
    })());
    const pub = this.#open(new this.#library.Publisher(options), place.endpoints.front);
    for (let number = 0; !this.#flows.stopped; number++) {
      if (!await send(pub, [`${source}.`, String(number), bodyOf(number)])) return;
      this.#flows.sent++;
      await this.#flows.rest(TICK_MS);
    }
  }

  #options(place: Place, steady?: boolean): object {
    // On inproc there are no heartbeats, and nothing to give up.
    const beats = steady === undefined ? {} : steady ? PATIENT_BEATS : BEATS;
    return { ...clientOptions(place), ...beats };
  }
}
