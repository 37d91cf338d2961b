// A program whose runtime may not let it connect or bind: it tells why the first attempt failed.
// Usage: connect_denied.ts connect|bind ENDPOINT

import { type Event, Push } from "../../mod.ts";

const { process } = globalThis as unknown as { process: { argv: string[] } };
const [, , use, endpoint] = process.argv;
const push = new Push({ linger: 0, reconnectInterval: 10 });
const { events } = push;

function say(event: Event & { type: "connect:retry" | "bind:error" }): void {
  const { type, address, error } = event;
  // deno-lint-ignore no-console
  console.log(JSON.stringify({ type, address, code: error?.code, message: error?.message }));
}

if (use === "bind") await push.bind(endpoint).catch(() => {}); // the event tells
else push.connect(endpoint);
for await (const event of events) {
  if (event.type !== "connect:retry" && event.type !== "bind:error") continue;
  say(event);
  break;
}
await push.close();
