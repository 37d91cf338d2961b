// The wasmq worker: the same file on Deno, Bun and Node.

import * as wasmq from "../../mod.ts";
import { work } from "./work.ts";

await work(wasmq);
