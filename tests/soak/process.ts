// A process of the soak: places that it has, visits that it makes, figures that it tells. Its argument is a `Setup`; it is
// told what to do by lines of JSON on its standard input, and ends with it.

import { collect, type Holdings, holdings } from "./holdings.ts"; // first: it sees the core being made
import { Authenticator } from "../../mod.ts";
import { pause } from "../_util/deadline.ts";
import { Churn } from "./churn.ts";
import { Flows } from "./flows.ts";
import { Ledger } from "./ledger.ts";
import { load } from "./library.ts";
import type { Order, Place, Setup, Told } from "./protocol.ts";
import { openPlace, PASSWORD } from "./services.ts";
import { Visitor } from "./visitor.ts";

interface Input {
  on(event: "data", listener: (chunk: Uint8Array) => void): void;
  on(event: "end", listener: () => void): void;
  pause(): void;
  unref?(): void;
}

const { process } = globalThis as unknown as {
  process: {
    argv: readonly string[];
    stdin: Input;
    stdout: { write(text: string): void };
    exit(code?: number): never;
    on(event: string, listener: (error: unknown) => void): void;
  };
};
const SETTLE_MS = 500;
const COLLECTED_MS = 50;
/** How many loops open and close sockets. */
const CHURNS = 3;

function tell(told: Told): void {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

function trouble(error: unknown): void {
  tell({ told: "trouble", text: String((error as Error)?.stack ?? error) });
}

process.on("uncaughtException", trouble);
process.on("unhandledRejection", trouble);

const setup = JSON.parse(process.argv[2]) as Setup;
const { name, library: libraryName } = setup;
const library = await load(libraryName);
const flows = new Flows(libraryName, trouble);
const look = (): Holdings => holdings(() => flows.countUncollected());
const before = look();
const ledger = new Ledger();
const visitor = new Visitor(name, library, flows, ledger);
const authenticator = libraryName === "wasmq"
  ? new Authenticator({ plain: { [PASSWORD.plainUsername]: PASSWORD.plainPassword }, curve: "any" })
  : undefined;
let churn: Churn | undefined;
let churning: Promise<unknown> | undefined;
const reporting = setInterval(() => {
  collect();
  setTimeout(report, COLLECTED_MS);
}, setup.reportEvery);

function report(): void {
  tell({
    told: "report",
    sent: flows.sent,
    received: ledger.received,
    faults: ledger.faults,
    stories: ledger.stories,
    unanswered: flows.unanswered,
    sockets: flows.socketCount,
    churned: churn?.count ?? 0,
    holdings: look(),
  });
}

const orders = {
  visit({ visits, churn: places }: Order & { order: "visit" }): void {
    for (const visit of visits) visitor.visit(visit);
    if (places.length === 0) return;
    churn = new Churn(name, places, flows, ledger);
    churning = Promise.all(Array.from({ length: CHURNS }, (_, i) => churn!.run(i)));
  },

  /** Waits for the answers that are out. */
  async stop(): Promise<void> {
    flows.stopped = true;
    await churning;
    while (visitor.busy > 0) await pause(50);
    tell({ told: "stopped", sent: visitor.sent });
  },

  accounts(): void {
    tell({ told: "accounts", accounts: ledger.accounts });
  },

  async close(): Promise<void> {
    clearInterval(reporting);
    report();
    // libzmq's own proxy of descriptors and threads is not what is looked at here.
    if (libraryName === "libzmq") process.exit(0);
    await flows.end();
    await authenticator?.close();
    await pause(SETTLE_MS);
    tell({ told: "closed", after: look() });
    // From here on nothing may keep the process: it is to end by itself.
    process.stdin.pause();
    process.stdin.unref?.();
  },
};

const decoder = new TextDecoder();
let text = "";
process.stdin.on("data", (chunk) => {
  text += decoder.decode(chunk, { stream: true });
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
    const order = JSON.parse(text.slice(0, end)) as Order;
    text = text.slice(end + 1);
    Promise.resolve((orders[order.order] as (order: Order) => unknown)(order)).catch(trouble);
  }
});
process.stdin.on("end", () => process.exit(0));

const places: Place[] = [];
for (const place of setup.places) {
  places.push(await openPlace(name, library, libraryName, place, flows, ledger));
}
tell({ told: "ready", places, before });
