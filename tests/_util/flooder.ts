// A program that connects a PUSH to the endpoint it is given and sends as fast as it can, until it is ended.

import { Push } from "../../mod.ts";

const { process } = globalThis as unknown as { process: { argv: string[] } };
const push = new Push({ linger: 0 });
push.connect(process.argv[2]);
for (;;) await push.send("flood");
