// Freelance with libzmq at the other end: our clients at their servers, and the reverse.

import { assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { type Frame, Reply } from "../../../mod.ts";
import {
  FailoverClient,
  FreelanceClient,
  FreelanceServer,
  ShotgunClient,
  ShotgunServer,
} from "../../../src/patterns/freelance/mod.ts";
import { commandOf } from "../../crash/peers.ts";
import { Cleanup } from "../../_util/cleanup.ts";
import { within } from "../../_util/deadline.ts";
import { Program } from "../../_util/process.ts";

const WAIT_MS = 20_000;
const cleanup = new Cleanup();
const numbers = Array.from({ length: 10 }, (_, i) => `${i}`);

function libzmq(...args: string[]): Program {
  const [node] = commandOf("libzmq");
  const program = new URL("./libzmq_flp.mjs", import.meta.url).pathname;
  return cleanup.add(new Program([node, program, ...args]));
}

async function theirServer(role: string, name: string): Promise<string> {
  const program = libzmq(role, name);
  await program.prints(" ready\n");
  return /^ready (\S+) ready$/m.exec(program.output)![1];
}

async function theirClient(role: string, ...endpoints: string[]): Promise<string[]> {
  const program = libzmq(role, ...endpoints);
  await program.prints(" answered\n");
  return /^answered (.*) answered$/m.exec(program.output)![1].split(" ");
}

async function expectEcho(
  client: FailoverClient | ShotgunClient | FreelanceClient,
  names: readonly string[],
): Promise<void> {
  for (const number of numbers) {
    const reply = await within(client.request(number), WAIT_MS, "reply");
    const [name, body] = reply.map((frame: Frame) => frame.toString());
    assertEquals([names.includes(name), body], [true, number]);
  }
}

describe("Freelance with libzmq", () => {
  afterEach(() => cleanup.run());

  it("model 1: FailoverClient asks their REP", async () => {
    const servers = [await theirServer("server1", "a")];
    await expectEcho(cleanup.add(new FailoverClient({ servers, timeout: 10_000 })), ["a"]);
  });

  it("model 1: their REQ asks our REP", async () => {
    const reply = cleanup.add(new Reply());
    await reply.bind("tcp://127.0.0.1:*");
    void (async () => {
      for await (const [body] of reply) await reply.send(`=${body}`);
    })();
    assertEquals(await theirClient("client1", reply.lastEndpoint!), numbers.map((n) => `=${n}`));
  });

  it("model 2: ShotgunClient asks their REPs and ours", async () => {
    const theirs = await Promise.all(["a", "b"].map((name) => theirServer("server2", name)));
    const ours = cleanup.add(new ShotgunServer({ handler: ([body]) => ["c", body] }));
    await ours.bind("tcp://127.0.0.1:*");
    const servers = [...theirs, ours.endpoint!];
    const client = cleanup.add(new ShotgunClient({ servers, requestTimeout: WAIT_MS }));
    await expectEcho(client, ["a", "b", "c"]);
    assertEquals(client.stats().malformed, 0);
  });

  it("model 2: their DEALER asks our ShotgunServers", async () => {
    const servers = [1, 2].map(() =>
      cleanup.add(new ShotgunServer({ handler: ([body]) => ["x", body] }))
    );
    for (const server of servers) await server.bind("tcp://127.0.0.1:*");
    const replies = await theirClient("client2", ...servers.map((server) => server.endpoint!));
    assertEquals(replies, numbers.map((n) => `x-${n}`));
  });

  it("FLP-01 FLP-02 FLP-03: FreelanceClient asks their ROUTERs and ours", async () => {
    const theirs = await Promise.all(["a", "b"].map((name) => theirServer("server3", name)));
    const ours = cleanup.add(new FreelanceServer({ handler: ([body]) => ["c", body] }));
    await ours.bind("tcp://127.0.0.1:*");
    const servers = [...theirs, ours.endpoint!];
    const client = cleanup.add(new FreelanceClient({ servers, requestTimeout: WAIT_MS }));
    await expectEcho(client, ["a", "b", "c"]);
    assertEquals([client.stats().malformed, client.stats().late], [0, 0]);
  });

  it("FLP-01 FLP-02 FLP-04: their ROUTER asks our FreelanceServer, by its name", async () => {
    const server = cleanup.add(new FreelanceServer({ handler: ([body]) => ["x", body] }));
    await server.bind("tcp://127.0.0.1:*");
    const replies = await theirClient("client3", server.endpoint!);
    assertEquals(replies, ["PONG", ...numbers.map((n) => `x-${n}`)]);
  });
});
