/**
 * Which version this is, and what it can do.
 *
 *   deno run examples/guide/version.ts
 *
 * or the same with `bun` or `node`. After version of the ZeroMQ guide.
 *
 * @module
 */

import { capability, version } from "../../mod.ts";

const abilities = Object.entries(capability).filter(([, able]) => able).map(([name]) => name);
console.log(`wasmq ${version}, with ${abilities.join(" and ")}`);
