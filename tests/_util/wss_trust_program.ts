// A program that connects over wss, trusting an authority that has nothing to do with the server, with or without those of
// the system. Usage: wss_trust_program.ts ENDPOINT WITH_SYSTEM

import { Push } from "../../mod.ts";
import { OTHER_AUTHORITY } from "./certificates.ts";

const { process } = globalThis as unknown as { process: { readonly argv: readonly string[] } };
const [, , endpoint, system] = process.argv;

const push = new Push({
  wssTrustPem: OTHER_AUTHORITY,
  wssTrustSystem: system === "true",
  wssHostname: "localhost",
  linger: 0,
});
push.connect(endpoint);
for await (const event of push.events) {
  const said = event.type === "handshake"
    ? event.protocol
    : event.type === "handshake:error:other"
    ? event.error.code
    : undefined;
  if (said === undefined) continue;
  // deno-lint-ignore no-console
  console.log(said);
  break;
}
await push.close();
