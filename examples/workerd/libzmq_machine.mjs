// A machine that pushes readings by libzmq: `node libzmq_machine.mjs ENDPOINT NAME COUNT`.

import { Push } from "zeromq";

const [endpoint, name, count] = process.argv.slice(2);
const readings = new Push({ linger: -1 });
readings.connect(endpoint);
for (let i = 1; i <= Number(count); i++) await readings.send([name, String(i)]);
readings.close();
