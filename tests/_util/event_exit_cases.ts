// A program that observes sockets or polls them and then has nothing more to do: does it end?
// Usage: event_exit_cases.ts CASE...

import { poll, Pull, Push } from "../../mod.ts";

const ANY_PORT = "tcp://127.0.0.1:*";
const NOBODY = "tcp://127.0.0.1:9";
const { process } = globalThis as unknown as { process: { argv: string[] } };

function say(text: string): void {
  // deno-lint-ignore no-console
  console.log(text);
}

async function bound(): Promise<Pull> {
  const pull = new Pull();
  await pull.bind(ANY_PORT);
  return pull;
}

/** Nothing that these start is awaited unless they say so. */
const CASES: Readonly<Record<string, () => Promise<void> | void>> = {
  // These end at once.
  "idle observer": async () => {
    const pull = new Pull();
    void pull.events;
    await pull.bind(ANY_PORT);
    new Push({ linger: 0 }).connect(NOBODY);
  },
  "listeners": async () => {
    const pull = new Pull();
    pull.events.on("bind", () => say("heard bind")).on("accept", () => {});
    await pull.bind(ANY_PORT);
  },
  "unread events": async () => {
    const pull = new Pull();
    void pull.events;
    for (let i = 0; i < 10; i++) await pull.bind(ANY_PORT);
  },
  "observer closed while receiving": async () => {
    const { events } = await bound();
    void events.receive().catch((error) => say(error.code));
    events.close();
  },
  "iteration that was left": async () => {
    const pull = new Pull();
    const { events } = pull;
    await pull.bind(ANY_PORT);
    for await (const { type } of events) {
      say(`got ${type}`);
      break;
    }
  },
  "iteration to the end": async () => {
    const pull = new Pull();
    const { events } = pull;
    await pull.bind(ANY_PORT);
    void pull.close();
    for await (const { type } of events) say(type);
  },
  "poll with a timeout": async () => {
    say(`${(await poll([await bound()], { timeout: 50 })).length} ready`);
  },
  "poll that was aborted": async () => {
    const signal = AbortSignal.timeout(50);
    await poll([await bound()], { signal }).catch((error) => say(error.name));
  },
  "readable stream that nobody reads": async () => {
    (await bound()).readableStream();
  },

  // These go on until the test does its part.
  "receive pending": async () => {
    const pull = await bound();
    const { events } = pull;
    say(`at ${pull.lastEndpoint}`);
    void events.receive().then(({ type }) => say(`got ${type}`));
  },
  "iteration pending": async () => {
    const pull = await bound();
    const { events } = pull;
    say(`at ${pull.lastEndpoint}`);
    void (async () => {
      for await (const { type } of events) {
        say(`got ${type}`);
        break;
      }
    })();
  },
  "poll pending": async () => {
    const pull = await bound();
    say(`at ${pull.lastEndpoint}`);
    void poll([pull]).then(([item]) => say(`got readable ${item.readable}`));
  },
  "poll with a long timeout": async () => {
    const pull = await bound();
    say(`at ${pull.lastEndpoint}`);
    void poll([pull], { timeout: 60_000 }).then(([item]) => say(`got readable ${item.readable}`));
  },
  "readable stream being read": async () => {
    const pull = await bound();
    say(`at ${pull.lastEndpoint}`);
    const reader = pull.readableStream().getReader();
    void reader.read().then(async ({ value }) => {
      say(`got ${value}`);
      await reader.cancel();
    });
  },
};

for (const name of process.argv.slice(2)) await CASES[name]();
say("done");
