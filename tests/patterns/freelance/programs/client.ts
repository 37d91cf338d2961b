// A client as a process of its own that can be killed: it asks a hundred things at once.
//
//   client.ts ENDPOINT

import { FreelanceClient } from "../../../../src/patterns/freelance/mod.ts";

const { process } = globalThis as unknown as { process: { readonly argv: readonly string[] } };
const client = new FreelanceClient({ servers: [process.argv[2]], requestTimeout: 60_000 });
client.events.on("alive", () => console.log("asked"));
await Promise.all(Array.from({ length: 100 }, (_, i) => client.request(String(i))));
