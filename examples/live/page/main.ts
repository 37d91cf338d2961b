// The page: figures in, charts out, and commands back.

import type { Figures, PageFigures } from "../topics.ts";
import { Desk } from "./desk.ts";
import { browser, document } from "./dom.ts";
import { type Panel, write } from "./element.ts";
import { Feed, type Link } from "./feed.ts";
import { FlowPanel } from "./flow.ts";
import { LatencyPanel } from "./latency.ts";
import { LoadPanel } from "./load.ts";
import { Log } from "./log.ts";
import { CpuPanel, MemoryPanel } from "./machine.ts";
import { Store } from "./store.ts";
import { TopicsPanel } from "./topics.ts";
import { WorkersPanel } from "./workers.ts";

/** Charts move in steps of so many milliseconds: finer is not seen, and a wall has no great machine. */
const FRAME_MS = 33;
const TELL_MS = 250;
const PING_MS = 1_000;
/** Pings without an answer until connections are made anew: a network that is gone says nothing. */
const MOST_UNANSWERED = 2;

const secure = browser.location.protocol === "https:";
const base = `${secure ? "wss" : "ws"}://${browser.location.host}`;
const store = new Store();
const desk = new Desk(`${base}/commands`, () => catchUp());
let link: Link = { state: "connecting" };

const feed = new Feed(`${base}/figures`, {
  link(now) {
    link = now;
    tellLink();
    catchUp();
  },
  figures(topic, figures, octets) {
    topics.arrived(topic, octets);
    store.add(topic, figures);
  },
});
const topics = new TopicsPanel(feed, () => catchUp());
const log = new Log(desk);
const panels: readonly Panel[] = [
  new FlowPanel(store),
  new LatencyPanel(store),
  new WorkersPanel(store, log),
  new CpuPanel(store),
  new MemoryPanel(store),
  new LoadPanel(store, log),
  topics,
];

function tellLink(): void {
  document.body.dataset.link = link.state;
  if (link.state === "away") {
    const seconds = (link.interval / 1_000).toFixed(1);
    write("state", `reconnecting · attempt ${link.attempt}, ${seconds} s`);
    write("round-trip", "–");
  } else write("state", link.state);
  write("endpoint", link.state === "live" ? `${base} · ${link.protocol}` : base);
}

/** Asks for what was missed, of the topics that are wanted. */
async function catchUp(): Promise<void> {
  if (!desk.connected || link.state !== "live") return;
  const history = await log.ask<Record<string, Figures[]>>("live", { do: "history" });
  for (const [topic, past] of Object.entries(history ?? {})) {
    if (past.length > 0 && topics.wants(topic)) store.merge(topic, past);
  }
}

let unanswered = 0;

async function ping(): Promise<void> {
  if (link.state !== "live") return;
  try {
    const { ms } = await desk.ask("live", { do: "ping" });
    unanswered = 0;
    write("round-trip", `${ms.toFixed(1)} ms`);
  } catch {
    if (++unanswered < MOST_UNANSWERED) return;
    unanswered = 0;
    feed.redial();
    desk.redial();
  }
}

function tell(): void {
  for (const panel of panels) panel.tell();
  const pages = store.of<PageFigures>("server.pages").at(-1);
  if (pages !== undefined) write("pages", String(pages.pages));
  write("clock", new Date(store.span.to).toLocaleTimeString("en-GB"));
}

let drawnAt = -Infinity;

function draw(now: number): void {
  browser.requestAnimationFrame(draw);
  if (now - drawnAt < FRAME_MS - 1) return;
  drawnAt = now;
  const { span } = store;
  for (const panel of panels) panel.draw?.(span);
}

setInterval(tell, TELL_MS);
setInterval(ping, PING_MS);
browser.requestAnimationFrame(draw);
