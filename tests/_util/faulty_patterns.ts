// Conversations of the patterns that wait for their peers, each with roles and options of its own.

import { Dealer, Pair, Pull, Push, Reply, Request, Router } from "../../mod.ts";
import { textOf, utf8 } from "./bytes.ts";
import { closing } from "./faulty_closing.ts";
import { type Order, runFlows } from "./faulty_flow.ts";
import { publishing } from "./faulty_publish.ts";
import type { FaultyStage } from "./faulty_stage.ts";

/** A conversation. */
export type Talk = (stage: FaultyStage) => Promise<void>;

/** How many sockets stand against one, mostly. */
const PEERS = [1, 1, 2, 3] as const;

/** The socket that dials has one pipe for all its connections; the one that is bound has one for each. */
function orderToDialer(stage: FaultyStage): Order {
  return stage.trouble.anyOrder ? "none" : "whole";
}

const pushPull: Talk = async (stage) => {
  const { random } = stage;
  const senderBinds = random.chance(0.5);
  const peers = random.of(PEERS);
  const immediate = random.chance(0.3);
  const push = stage.add(new Push({ ...stage.options(senderBinds, true, false), immediate }));
  const pulls = Array.from(
    { length: senderBinds ? peers : 1 },
    () => stage.add(new Pull(stage.options(!senderBinds, false, true))),
  );
  if (senderBinds) await stage.join(push, pulls);
  else await stage.join(pulls[0], [push]);
  const order = pulls.length > 1 ? "none" : senderBinds ? orderToDialer(stage) : "connection";
  await runFlows(stage, [{ from: push, to: pulls, order }]);
};

/** The ROUTER binds: what it sends to a peer that is gone is lost, as its routing id says where to; so it only receives. */
const dealerToRouter: Talk = async (stage) => {
  const router = stage.add(new Router(stage.options(true, true, true)));
  const dealer = stage.add(new Dealer(stage.options(false, true, true)));
  await stage.join(router, [dealer]);
  await runFlows(stage, [{ from: dealer, to: [router], cut: 1, order: "connection" }]);
};

/** The ROUTER connects: its pipe and the routing id stay, whatever becomes of the connection. */
const routerToDealer: Talk = async (stage) => {
  const routingId = utf8("there");
  const dealer = stage.add(new Dealer(stage.options(true, true, true)));
  const router = stage.add(new Router({ ...stage.options(false, true, true), mandatory: true }));
  await dealer.bind(stage.place.endpoint);
  router.connect(stage.endpointOf(dealer), { routingId });
  await runFlows(stage, [
    { from: router, to: [dealer], prefix: [routingId], order: "connection" },
    { from: dealer, to: [router], cut: 1, order: orderToDialer(stage) },
  ]);
};

/** A PAIR that is bound has to know that its peer is gone before it lets it in again. */
const pair: Talk = async (stage) => {
  stage.orderly();
  const bound = stage.add(new Pair(stage.options(true, true, true)));
  const connected = stage.add(new Pair(stage.options(false, true, true)));
  await stage.join(bound, [connected]);
  await runFlows(stage, [
    { from: bound, to: [connected], order: "whole" },
    { from: connected, to: [bound], order: "connection" },
  ]);
};

/**
 * The REP connects: it keeps its reply for a REQ that is away. A REQ that has not heard of the break drops what comes by
 * another connection (REQ-06), and only `relaxed` helps.
 */
const requestReply: Talk = async (stage) => {
  stage.orderly();
  const request = stage.add(new Request(stage.options(true, true, true)));
  const reply = stage.add(new Reply(stage.options(false, true, true)));
  await stage.join(request, [reply]);
  const asked: number[] = [];
  const serve = async (): Promise<void> => {
    while (asked.length < stage.count) {
      const question = await reply.receive();
      asked.push(stage.messages.read(question));
      await reply.send(question);
    }
  };
  const ask = async (): Promise<void> => {
    for (let i = 0; i < stage.count; i++) {
      await request.send(stage.messages.make(i));
      const answer = stage.messages.read(await request.receive());
      if (answer !== i) throw new Error(`Reply ${answer} came for request ${i}`);
    }
  };
  await Promise.all([serve(), ask()]);
  if (asked.some((number, i) => number !== i)) throw new Error(`The REP got ${asked.join(" ")}`);
};

/** How long an asker waits before it asks again for the first time; then ever longer. */
const PATIENCE_MS = 50;

/** The REP binds and loses replies with connections: a relaxed REQ asks again, and is never stuck. */
const relaxedRequest: Talk = async (stage) => {
  const request = stage.add(
    new Request({
      ...stage.options(false, true, true),
      relaxed: true,
      correlate: true,
      receiveTimeout: PATIENCE_MS,
    }),
  );
  const reply = stage.add(new Reply(stage.options(true, true, true)));
  await stage.join(reply, [request]);
  const serving = (async () => {
    for (;;) {
      const question = await reply.receive();
      stage.messages.read(question);
      await reply.send([...question, utf8("answered")]);
    }
  })().catch((error) => {
    if (!reply.closed) throw error;
  });
  for (let i = 0; i < stage.count; i++) {
    for (;; request.receiveTimeout *= 2) {
      await request.send(stage.messages.make(i));
      const answer = await request.receive().catch((error) => {
        if (error.code !== "EAGAIN") throw error;
      });
      if (answer === undefined) continue;
      if (textOf(answer.pop()!) !== "answered" || stage.messages.read(answer) !== i) {
        throw new Error(`A reply to another request came for request ${i}`);
      }
      break;
    }
  }
  await reply.close();
  await serving;
};

/** By their names. */
export const PATTERNS: Readonly<Record<string, Talk>> = {
  "PUSH and PULL": pushPull,
  "DEALER to ROUTER": dealerToRouter,
  "ROUTER and DEALER, mandatory": routerToDealer,
  "PAIR": pair,
  "REQ and REP": requestReply,
  "REQ, relaxed, and REP": relaxedRequest,
  "XPUB and SUB": publishing,
  "closing": closing,
};
