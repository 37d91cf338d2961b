// Prints key pairs of libzmq as JSON: `libzmq_keys.mjs COUNT`. Runs on Node.

import process from "node:process";
import { curveKeyPair } from "zeromq";

const pairs = Array.from({ length: Number(process.argv[2]) }, () => curveKeyPair());
process.stdout.write(JSON.stringify(pairs));
