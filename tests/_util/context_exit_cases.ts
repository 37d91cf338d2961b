// A program with a Context of its own that then has nothing more to do: does it end? Usage: context_exit_cases.ts CASE [ENDPOINT]

import { Context, Pull, Push } from "../../mod.ts";

const ANY_PORT = "tcp://127.0.0.1:*";
const { process } = globalThis as unknown as { process: { argv: string[] } };
const [, , name, endpoint] = process.argv;

function say(text: string): void {
  // deno-lint-ignore no-console
  console.log(text);
}

/** A socket with a message that nobody takes yet. */
async function waiting(context: Context): Promise<void> {
  const push = new Push({ context, reconnectInterval: 10 });
  push.connect(endpoint);
  await push.send("delivered");
}

const CASES: Readonly<Record<string, () => Promise<void> | void>> = {
  "idle": async () => {
    const context = new Context();
    await new Pull({ context }).bind(ANY_PORT);
    await new Pull({ context }).bind("ipc://*");
    await new Pull({ context }).bind("inproc://idle");
  },
  "terminated while it waits": async () => {
    const context = new Context();
    const pull = new Pull({ context });
    await pull.bind(ANY_PORT);
    const receiving = pull.receive().catch((error) => say(error.code));
    await context.terminate();
    await receiving;
  },
  "not blocky": () => waiting(new Context({ blocky: false })),
  "blocky": () => waiting(new Context()),
  "terminating": async () => {
    const context = new Context();
    await waiting(context);
    void context.terminate().then(() => say("terminated"));
  },
};

await CASES[name]();
say("done");
