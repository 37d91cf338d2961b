// A program that publishes `["n", name]` at an endpoint, both from its arguments, until it is killed.

import { XPublisher } from "../../mod.ts";
import { pause } from "./deadline.ts";

const { process } = globalThis as unknown as {
  process: { argv: readonly string[]; stdout: { write(text: string): void } };
};
const [endpoint, name] = process.argv.slice(2);
const publisher = new XPublisher();
await publisher.bind(endpoint);
process.stdout.write(`bound to ${publisher.lastEndpoint}\n`);
for (;; await pause(2)) await publisher.send(["n", name]);
