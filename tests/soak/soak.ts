// Starts the processes of the soak, has them visit each other, kills some of them, and ends it all.

import { curveKeyPair } from "../../mod.ts";
import { pause } from "../_util/deadline.ts";
import { type RuntimeName, SoakProcess } from "./processes.ts";
import type { LibraryName } from "./library.ts";
import type { Flow, Mechanism, Place, PlaceSetup, Visit } from "./protocol.ts";
import { judge, type Verdict } from "./verdict.ts";

const REPORT_MS = 1_000;
const PROGRESS_MS = 10_000;
const ARRIVAL_MS = 20_000;
/** How long a mortal lives, and how long it is frozen now and then. */
const LIFE_MS = [4_000, 10_000] as const;
const FREEZE_MS = [500, 2_500] as const;
const STEADY_FLOWS: readonly Flow[] = ["push", "req", "dealer", "sub", "proxied"];
const MORTAL_FLOWS: readonly Flow[] = ["push", "req", "dealer", "sub"];
/** For one visitor of a place. */
const PRIVATE_FLOWS: readonly Flow[] = ["pair", "pull"];
const MB = 1_000_000;
const MECHANISMS: readonly Mechanism[] = ["NULL", "PLAIN", "CURVE"];

/** A process that is killed and started again. */
interface Mortal {
  readonly name: string;
  readonly library: LibraryName;
  process: SoakProcess;
  places: readonly PlaceSetup[];
  lives: number;
}

export class Soak {
  readonly #runtimes: ReadonlyMap<RuntimeName, readonly string[]>;
  /** The Nodes that can load libzmq. */
  readonly #nodes: ReadonlyMap<RuntimeName, readonly string[]>;
  readonly #folder: string;
  readonly #print: (line: string) => void;
  #stations: SoakProcess[] = [];
  #resident: SoakProcess | undefined;
  #mortals: Mortal[] = [];
  readonly #troubles: string[] = [];
  #over = false;

  constructor(
    runtimes: ReadonlyMap<RuntimeName, readonly string[]>,
    nodes: ReadonlyMap<RuntimeName, readonly string[]>,
    folder: string,
    print: (line: string) => void,
  ) {
    this.#runtimes = runtimes;
    this.#nodes = nodes;
    this.#folder = folder;
    this.#print = print;
  }

  /** All processes, first those that stay. */
  get #all(): SoakProcess[] {
    return [...this.#steady, ...this.#mortals.map(({ process }) => process)];
  }

  get #steady(): SoakProcess[] {
    return [...this.#stations, ...this.#resident ? [this.#resident] : []];
  }

  /** Starts all, and has them visit each other. */
  async start(): Promise<void> {
    const names = [...this.#runtimes.keys()];
    this.#stations = names.map((runtime) =>
      this.#spawn(runtime, runtime, "wasmq", [
        ...MECHANISMS.map((mechanism) => this.#place(mechanism)),
        { mechanism: "NULL", transport: "inproc", folder: "soak" },
      ])
    );
    const libzmqPlaces = [this.#place("NULL"), this.#place("CURVE")];
    const [node] = this.#runtimesOf("libzmq");
    if (node !== undefined) this.#resident = this.#spawn(node, "libzmq", "libzmq", libzmqPlaces);
    this.#mortals = (["wasmq", "libzmq"] as const)
      .filter((library) => this.#runtimesOf(library).length > 0)
      .map((library) => this.#mortal(library));
    await Promise.all(this.#all.map((process) => process.ready()));
    for (const mortal of this.#mortals) mortal.places = fixed(mortal);
    for (const [i, station] of this.#stations.entries()) await this.#sendOut(station, i);
    if (this.#resident) {
      const visits = this.#stations.flatMap(({ places }) =>
        places.slice(0, 3).map((place) => steady(place, STEADY_FLOWS))
      );
      await this.#resident.tell({ order: "visit", visits, churn: [] });
    }
    for (const mortal of this.#mortals) await this.#sendOutMortal(mortal);
    this.#print(`started: ${this.#all.map(({ setup }) => setup.name).join(", ")}`);
  }

  /** Lets it run; kills and freezes those that may be. */
  async run(ms: number): Promise<void> {
    const end = performance.now() + ms;
    const fates = this.#mortals.map((mortal) =>
      this.#fate(mortal).catch((error: Error) => this.#troubles.push(error.message))
    );
    for (let left = ms; left > 0; left = end - performance.now()) {
      await pause(Math.min(left, PROGRESS_MS));
      if (left >= PROGRESS_MS) this.#progress(Math.round((ms - end + performance.now()) / 1_000));
    }
    for (const process of this.#steady) process.reportsOfRun = [...process.reports];
    this.#over = true;
    await Promise.all(fates);
  }

  /** Ends all, once everything has arrived; what is to be said of each process that stayed. */
  async finish(): Promise<Verdict[]> {
    for (const { process } of this.#mortals) await process.kill();
    const stopped = await Promise.all(
      this.#steady.map((process) => answered(process, process.ask({ order: "stop" }, "stopped"))),
    );
    const sent = stopped.flatMap((told) => Object.entries(told?.sent ?? {}));
    const missing = await this.#arrivals(sent);
    const stations = this.#stations;
    await Promise.all(stations.map(async (station) => {
      await answered(station, station.ask({ order: "close" }, "closed"));
      await station.ends();
    }));
    if (this.#resident) {
      await this.#resident.tell({ order: "close" }).catch(() => {}); // it has ended: that is told
      await this.#resident.ends();
    }
    const lives = this.#mortals.map(({ name, lives }) => `${name} ${lives}`).join(", ");
    this.#print(`${sent.length} sources settled; lives: ${lives}`);
    const verdicts = this.#steady.map(judge);
    const whole = [...missing, ...this.#troubles];
    return [...verdicts, {
      name: "all of them",
      complaints: whole,
      figures: `${sent.reduce((sum, [, count]) => sum + count, 0)} messages had to arrive in full`,
    }];
  }

  /** Ends whatever still runs. */
  async abort(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#all.map((process) => process.kill()));
  }

  #spawn(
    runtime: RuntimeName,
    name: string,
    library: LibraryName,
    places: readonly PlaceSetup[],
  ): SoakProcess {
    const setup = { name, library, places, reportEvery: REPORT_MS };
    const commands = library === "wasmq" ? this.#runtimes : this.#nodes;
    return new SoakProcess(runtime, commands.get(runtime)!, setup);
  }

  #place(mechanism: Mechanism): PlaceSetup {
    const transport = mechanism === "PLAIN" ? "ipc" : "tcp";
    const keys = mechanism === "CURVE" ? curveKeyPair() : {};
    return { mechanism, transport, folder: this.#folder, ...keys };
  }

  #mortal(library: LibraryName): Mortal {
    const name = `mortal-${library}`;
    const places = [this.#place("NULL"), this.#place("CURVE")];
    const [runtime] = this.#runtimesOf(library);
    const process = this.#spawn(runtime, `${name}#0`, library, places);
    return { name, library, process, places, lives: 1 };
  }

  /** Those that can run the library. */
  #runtimesOf(library: LibraryName): RuntimeName[] {
    return [...(library === "wasmq" ? this.#runtimes : this.#nodes).keys()];
  }

  /** A station visits the next one, itself, libzmq and the mortals. */
  async #sendOut(station: SoakProcess, index: number): Promise<void> {
    const next = this.#stations[(index + 1) % this.#stations.length];
    const inside = station.places.at(-1)!;
    const outside = next.places.slice(0, 3);
    const visits: Visit[] = [
      ...outside.map((place) => steady(place, [...STEADY_FLOWS, ...PRIVATE_FLOWS])),
      steady(inside, [...STEADY_FLOWS, ...PRIVATE_FLOWS]),
      ...(this.#resident?.places ?? []).map((place) => steady(place, MORTAL_FLOWS)),
    ];
    for (const { process: { places } } of this.#mortals) {
      for (const place of places) {
        const flows = index === 0 ? [...MORTAL_FLOWS, ...PRIVATE_FLOWS] : MORTAL_FLOWS;
        visits.push({ place: nameless(place), flows, steady: false });
      }
    }
    const churn = [...this.#stations.flatMap(({ places }) => places.slice(0, 3)), inside];
    await station.tell({ order: "visit", visits, churn });
  }

  /** A mortal visits all stations, each life with another mechanism. */
  async #sendOutMortal({ process, lives }: Mortal): Promise<void> {
    const visits = this.#stations.map(({ places }, i): Visit => ({
      place: places[(lives + i) % MECHANISMS.length],
      flows: [...MORTAL_FLOWS, "proxied"],
      steady: false,
    }));
    await process.tell({ order: "visit", visits, churn: [] });
  }

  async #fate(mortal: Mortal): Promise<void> {
    while (!this.#over) {
      await this.#while(between(LIFE_MS));
      if (mortal.lives % 2 === 0) {
        mortal.process.signal("SIGSTOP");
        await this.#while(between(FREEZE_MS));
        mortal.process.signal("SIGCONT");
        await this.#while(between(FREEZE_MS));
      }
      if (this.#over) return;
      this.#examine(mortal);
      await mortal.process.kill();
      const runtimes = this.#runtimesOf(mortal.library);
      const runtime = runtimes[mortal.lives % runtimes.length];
      const name = `${mortal.name}#${mortal.lives++}`;
      mortal.process = this.#spawn(runtime, name, mortal.library, mortal.places);
      await mortal.process.ready();
      await this.#sendOutMortal(mortal);
    }
  }

  /** What a mortal has to say before it dies. */
  #examine({ process: { setup, reports, troubles, ended, errors } }: Mortal): void {
    const last = reports.at(-1);
    if (ended) this.#troubles.push(`${setup.name} ended by itself: ${errors}`);
    this.#troubles.push(...troubles.slice(0, 3).map((text) => `${setup.name}: ${text}`));
    if (last === undefined || Object.values(last.faults).every((count) => count === 0)) return;
    this.#troubles.push(...last.stories.slice(0, 3).map((story) => `${setup.name}: ${story}`));
  }

  async #while(ms: number): Promise<void> {
    for (let left = ms; left > 0 && !this.#over; left -= 100) await pause(100);
  }

  /** Waits until all has arrived that was sent; what has not. */
  async #arrivals(sent: readonly (readonly [string, number])[]): Promise<string[]> {
    const end = performance.now() + ARRIVAL_MS;
    for (;;) {
      const told = await Promise.all(
        this.#steady.map((process) =>
          answered(process, process.ask({ order: "accounts" }, "accounts"))
        ),
      );
      const accounts = Object.assign({}, ...told.map((one) => one?.accounts ?? {}));
      const missing = sent.filter(([source, count]) =>
        accounts[source]?.first !== 0 || accounts[source].next !== count
      );
      if (missing.length === 0) return [];
      if (performance.now() > end) {
        return missing.map(([source, count]) =>
          `${source} sent ${count}, of which ${JSON.stringify(accounts[source])} came`
        );
      }
      await pause(200);
    }
  }

  #progress(seconds: number): void {
    const figures = this.#steady.map(({ setup, reports }) => {
      const last = reports.at(-1);
      if (last === undefined) return `${setup.name} nothing`;
      const { holdings: { rss, heap, core, files }, faults, received } = last;
      const bad = Object.entries(faults).filter(([, count]) => count > 0)
        .map(([kind, count]) => ` ${count} ${kind.toUpperCase()}`).join("");
      const memory = [rss, heap, core].map((octets) => Math.round(octets / MB)).join("/");
      return `${setup.name} ${received} in, ${memory} MB, ${files} files${bad}`;
    });
    this.#print(`${seconds} s: ${figures.join(" | ")}`);
  }
}

/** What a process told; nothing when it does not, which is held against it. */
function answered<T>(process: SoakProcess, answer: Promise<T>): Promise<T | undefined> {
  return answer.catch((error: Error) => {
    process.troubles.push(error.message);
    return undefined;
  });
}

function steady(place: Place, flows: readonly Flow[]): Visit {
  return { place, flows, steady: true };
}

/** A mortal's places keep their endpoints, not its name of this life. */
function nameless(place: Place): Place {
  return { ...place, name: place.name.replace(/#\d+/, "") };
}

/** Where a mortal was in its first life, for those that follow. */
function fixed({ process, places }: Mortal): PlaceSetup[] {
  return places.map((place, i) => ({ ...place, endpoints: process.places[i].endpoints }));
}

function between([least, most]: readonly [number, number]): number {
  return least + Math.random() * (most - least);
}
