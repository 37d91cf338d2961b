// zeromq.js, libzmq as a native addon. Node only: it panics inside Bun and loses wake-ups in Deno.

import * as zmq from "zeromq";
import { inprocJobs } from "./inproc.ts";
import { runPeer } from "./peer.ts";
import { publishSubscribeJobs } from "./publish_subscribe.ts";
import { CURVE, zeromqPeer } from "./zeromq_api.ts";

// libzmq allows 1023 unless told otherwise; its own ones count too.
zmq.context.maxSockets = 2048;

await runPeer(
  zeromqPeer(zmq),
  { ...publishSubscribeJobs(zmq), ...inprocJobs(zmq) },
  zeromqPeer(zmq, CURVE),
);
