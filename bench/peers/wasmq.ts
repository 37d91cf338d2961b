// wasmq through its public API; the same file runs on Deno, Bun and Node.

import * as zmq from "../../mod.ts";
import { inprocJobs } from "./inproc.ts";
import { runPeer } from "./peer.ts";
import { publishSubscribeJobs } from "./publish_subscribe.ts";
import { measureTrie } from "./wasmq_trie.ts";
import { boxesJob } from "./boxes.ts";
import { coreBoxes } from "./wasmq_boxes.ts";
import { CURVE, zeromqPeer } from "./zeromq_api.ts";

await runPeer(zeromqPeer(zmq), {
  ...publishSubscribeJobs(zmq),
  ...inprocJobs(zmq),
  ...boxesJob(coreBoxes),
  trie: measureTrie,
}, zeromqPeer(zmq, CURVE));
