// The live example's server as a process of a test.

import { endWithTest } from "../_util/lifeline.ts";

endWithTest();
await import("../../examples/live/main.ts");
