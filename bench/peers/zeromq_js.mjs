// zeromq.js, libzmq as a native addon. Node only: it panics inside Bun and loses wake-ups in Deno.

import * as zmq from "zeromq";
import { runPeer } from "./peer.ts";
import { zeromqPeer } from "./zeromq_api.ts";

await runPeer(zeromqPeer(zmq));
