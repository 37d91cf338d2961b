// The broker of wasmq: prints where it listens.

import process from "node:process";
import { MajordomoBroker } from "../../src/patterns/majordomo/mod.ts";

const [window] = process.argv.slice(2).map(Number);
const broker = new MajordomoBroker({ requestsPerWorker: window });
await broker.bind("tcp://127.0.0.1:*");
process.stdout.write(`${JSON.stringify({ listening: broker.lastEndpoint })}\n`);
