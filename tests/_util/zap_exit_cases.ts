// A program that has to do with security in one of many ways and then has nothing more to do: does it end?
// Usage: zap_exit_cases.ts CASE...

import { Authenticator, curveKeyPair, Pull, Push, Reply, Router } from "../../mod.ts";
import { ZAP_ENDPOINT } from "./zap_handler.ts";

const ANY_PORT = "tcp://127.0.0.1:*";
const CLIENT = { plainUsername: "user", plainPassword: "word" } as const;
const { process } = globalThis as unknown as { process: { argv: string[] } };

function say(text: string): void {
  // deno-lint-ignore no-console
  console.log(text);
}

/** A PLAIN server, whose handler may take as long as it likes. */
async function server(): Promise<Pull> {
  const pull = new Pull({ plainServer: true, handshakeInterval: 60_000 });
  await pull.bind(ANY_PORT);
  return pull;
}

function client(to: Pull, options = {}): Push {
  const push = new Push({ ...CLIENT, handshakeInterval: 60_000, linger: 0, ...options });
  push.connect(to.lastEndpoint!);
  return push;
}

/** Waits for something that keeps no process alive. */
async function happens(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Each closes its Authenticator only if that is the case in question: a context has one at a time. */
const CASES: Readonly<Record<string, () => Promise<void> | void>> = {
  // These end at once.
  "idle authenticator": () => {
    new Authenticator({ plain: { user: "word" } });
  },
  "authenticator that is closed": async () => {
    await new Authenticator({}).close();
    new Authenticator({});
  },
  "authenticator that has let somebody in": async () => {
    const auth = new Authenticator({ plain: { user: "word" } });
    const pull = await server();
    const push = client(pull);
    await push.send("x");
    say(`got ${await pull.receive()}, accepted ${auth.stats().accepted}`);
  },
  "authenticator that has denied somebody": async () => {
    const auth = new Authenticator({ plain: { user: "another" } });
    client(await server());
    await happens(() => auth.stats().denied === 1);
    say("denied");
  },
  "callback that never answers": async () => {
    let asked = false;
    new Authenticator({
      plain: () => {
        asked = true;
        return new Promise<boolean>(() => {});
      },
    });
    client(await server());
    await happens(() => asked);
    say("asked");
  },
  "handler that never answers": async () => {
    const handler = new Reply();
    await handler.bind(ZAP_ENDPOINT);
    client(await server());
    await handler.receive();
    say("asked");
  },
  "handler that never reads": async () => {
    const handler = new Router();
    await handler.bind(ZAP_ENDPOINT);
    client(await server());
    await happens(() => handler.readable);
    say("asked");
  },
  "client that is refused for lack of a handler": async () => {
    const pull = await server();
    let failed = false;
    pull.events.on("handshake:error:other", () => failed = true);
    client(pull);
    await happens(() => failed);
    say("refused");
  },
  "server and client of CURVE": async () => {
    const keys = curveKeyPair();
    const pull = new Pull({ curveServer: true, curveSecretKey: keys.secretKey });
    await pull.bind(ANY_PORT);
    const push = new Push({
      curveServerKey: keys.publicKey,
      curveSecretKey: curveKeyPair().secretKey,
    });
    push.connect(pull.lastEndpoint!);
    await push.send("sealed");
    say(`got ${await pull.receive()}`);
  },

  // These go on until the test does its part.
  "receive pending": async () => {
    new Authenticator({ plain: { user: "word" } });
    const pull = await server();
    say(`at ${pull.lastEndpoint}`);
    void pull.receive().then((message) => say(`got ${message}`));
  },
  "handler of its own that serves": async () => {
    const handler = new Reply();
    await handler.bind(ZAP_ENDPOINT);
    const pull = await server();
    say(`at ${pull.lastEndpoint}`);
    void (async () => {
      const [version, id] = await handler.receive();
      await handler.send([version, id, "400", "", "", ""]);
      say("got asked");
    })();
  },
};

for (const name of process.argv.slice(2)) await CASES[name]();
say("done");
