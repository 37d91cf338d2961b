// A program that opens sockets over wss in one of several ways and then has nothing more to do: does it end?
// Usage: wss_exit_cases.ts CASE [ENDPOINT]

import { Pair, Pull, Push } from "../../mod.ts";
import { AUTHORITY, SERVER } from "./certificates.ts";

const { process } = globalThis as unknown as { process: { readonly argv: readonly string[] } };
const [, , name, endpoint = "wss://127.0.0.1:9"] = process.argv;

const SERVES = { wssKeyPem: SERVER.key, wssCertPem: SERVER.certificate };
const TRUSTS = { wssTrustPem: AUTHORITY, wssHostname: "localhost" };

async function connected(): Promise<{ pull: Pull; push: Push }> {
  const pull = new Pull(SERVES);
  await pull.bind("wss://127.0.0.1:*");
  const push = new Push(TRUSTS);
  push.connect(pull.lastEndpoint!);
  await push.send("x");
  await pull.receive();
  return { pull, push };
}

const CASES: Readonly<Record<string, () => Promise<void> | void>> = {
  "bound": async () => {
    await new Pull(SERVES).bind("wss://127.0.0.1:*");
  },
  "connecting": () => new Push(TRUSTS).connect(endpoint),
  "connected": async () => {
    await connected();
  },
  "closed": async () => {
    const { pull, push } = await connected();
    await push.close();
    await pull.close();
  },
  "with messages delivered": async () => {
    const push = new Push(TRUSTS);
    push.connect(endpoint);
    for (let i = 0; i < 100; i++) await push.send(`${i}`);
  },
  "with unread messages": async () => {
    const pair = new Pair(SERVES);
    await pair.bind("wss://127.0.0.1:*");
    const other = new Pair(TRUSTS);
    other.connect(pair.lastEndpoint!);
    await other.send("unread");
    while (!pair.readable) await new Promise((resolve) => setTimeout(resolve, 5));
  },
};

await CASES[name]();
// deno-lint-ignore no-console
console.log("done");
