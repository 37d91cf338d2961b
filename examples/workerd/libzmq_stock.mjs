// The service behind the web service: a REP socket of libzmq that knows how many of an item there are.

import { Reply } from "zeromq";

const service = new Reply({ linger: 0 });
await service.bind("tcp://127.0.0.1:*");
console.log(service.lastEndpoint);
for await (const [item] of service) await service.send(String(item.length * 10));
