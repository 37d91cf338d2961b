// A program with listeners that throw. Usage: listener_throws.ts caught|uncaught

import { Pull, Push } from "../../mod.ts";

const { process } = globalThis as unknown as {
  process: {
    argv: string[];
    on(event: "uncaughtException", listener: (error: Error) => void): void;
  };
};

function say(...words: unknown[]): void {
  // deno-lint-ignore no-console
  console.log(words.map(String).join(" "));
}

if (process.argv[2] === "caught") {
  process.on("uncaughtException", (error) => say("uncaught", error.message));
}

const pull = new Pull({ receiveTimeout: 5_000 });
pull.events.on("bind", () => {
  throw new Error("bind listener");
}).on("bind", () => say("the other listener")).on("handshake", () => {
  throw new Error("handshake listener");
});
await pull.bind("tcp://127.0.0.1:*");
say("bound");
const push = new Push();
push.connect(pull.lastEndpoint!);
await push.send("message");
say("received", await pull.receive());
await push.close();
await pull.close();
say("closed");
