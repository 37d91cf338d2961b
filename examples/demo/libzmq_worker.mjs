// The libzmq worker: the same program over zeromq.js, the native addon. Only the import differs.

import * as zeromq from "zeromq";
import { work } from "./work.ts";

await work(zeromq);
