// Sockets of every type on a network in memory: strangers say whatever they like in any version of ZMTP while a healthy peer
// is served; only whole messages of what was said are received, and when the strangers are gone nothing of them is left.

import { concat as join } from "../../../src/octets.ts";
import { assertEquals } from "@std/assert";
import { Context, type Event, type Socket } from "../../../mod.ts";
import type { SocketType } from "../../../src/wire/socket_type.ts";
import { textOf, toHex, utf8 } from "../../_util/bytes.ts";
import { within } from "../../_util/deadline.ts";
import type { FakeStream } from "../../_util/fake_stream.ts";
import { concat } from "../../_util/octets.ts";
import { command, greeting, longHeader, message, ready } from "../../_util/raw_zmtp.ts";
import { ScriptedRuntime } from "../../_util/scripted_runtime.ts";
import { LEGAL_PEERS } from "../../_util/session_pair.ts";
import { WIRE_CLASSES, WIRE_TYPES } from "../../_util/wire_classes.ts";
import { encodeCommandForm, encodeMessageForm } from "../../../src/wire/subscription.ts";
import { COMMAND, encodeFrame, MORE } from "../../core/models/frame_model.ts";
import { drawBody, drawCuts, drawTopic, pieces } from "../draws.ts";
import { maybeMutate } from "../mutate.ts";
import { moment } from "../moment.ts";
import type { Tape } from "../tape.ts";
import { checkArgumentError, type Target } from "../target.ts";
import { readTraffic } from "../traffic.ts";

type WireType = Exclude<SocketType, "STREAM">;

interface Stranger {
  readonly octets: Uint8Array;
  readonly cuts: readonly number[];
}

interface Input {
  readonly type: WireType;
  readonly options: Readonly<Record<string, number | boolean | string>>;
  readonly strangers: readonly Stranger[];
  /** After so many reads the socket does something. */
  readonly pace: number;
}

/** What the socket may be able to do. */
interface Anything {
  tryReceive?(): Uint8Array[] | undefined;
  trySend?(message: (Uint8Array | string)[]): boolean;
  subscribe?(topic: string): void;
  readonly topicsCount?: number;
}

const HEALTHY = "healthy";
/** They receive what their peers send, whole and as it is. */
const RECEIVERS: readonly WireType[] = ["PULL", "DEALER", "ROUTER", "SUB", "XSUB"];
/** A context serves so many cases. */
const CASES = 100;

function drawFrames(tape: Tape): Uint8Array {
  switch (tape.pick([0, 0, 0, 1, 2, 3, 4, 5])) {
    case 1:
      return message("", ...tape.list(3, () => drawBody(tape, 400)), tape.octets(3));
    case 2:
      return message(encodeMessageForm(tape.below(2), drawTopic(tape)));
    case 3:
      return encodeFrame(COMMAND, encodeCommandForm(tape.below(2), drawTopic(tape)));
    case 4:
      return command("PING", tape.octets(tape.pick([2, 5, 18, 1, 19])));
    case 5:
      return concat(longHeader(BigInt(tape.below(2 ** 31)), tape.pick([0, MORE])), tape.octets(5));
  }
  const most = tape.oneIn(12) ? undefined : 600;
  return message(...tape.list(4, () => drawBody(tape, most)), tape.octets(2));
}

function drawOpening(tape: Tape, type: WireType): Uint8Array {
  const id = tape.pick([utf8(""), utf8("a"), utf8("b"), utf8(HEALTHY), utf8("x".repeat(255))]);
  switch (tape.pick([0, 0, 0, 0, 1, 2])) {
    case 1: {
      const types = ["PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH"];
      const octet = types.indexOf(tape.pick(LEGAL_PEERS[type]));
      const signature = greeting().subarray(0, 10);
      return concat(signature, Uint8Array.of(1, octet < 0 ? 9 : octet, 0, id.length), id);
    }
    case 2:
      return id.length > 253 ? Uint8Array.of(1, 0) : concat(Uint8Array.of(1 + id.length, 0), id);
  }
  const peer = tape.oneIn(12) ? tape.pick(WIRE_TYPES) : tape.pick(LEGAL_PEERS[type]);
  const octets = greeting();
  octets[11] = tape.pick([1, 1, 0]);
  return concat(octets, ready(peer, id));
}

function drawStranger(tape: Tape, type: WireType): Stranger {
  const traffic = concat(...tape.list(12, () => drawFrames(tape)));
  const opening = drawOpening(tape, type);
  const octets = tape.oneIn(3)
    ? maybeMutate(tape, concat(opening, traffic))
    : concat(opening, maybeMutate(tape, traffic));
  return { octets, cuts: drawCuts(tape) };
}

function drawOptions(tape: Tape): Input["options"] {
  return {
    ...(tape.oneIn(4) && { maxMessageSize: tape.pick([300, 5_000]) }),
    ...(tape.oneIn(4) && { maxMessageParts: tape.pick([3, 4]) }),
    ...(tape.oneIn(4) && { maxMultipartSize: tape.pick([300, 5_000]) }),
    ...(tape.oneIn(6) && { receiveHighWaterMark: tape.pick([1, 2]) }),
    ...(tape.oneIn(6) && { sendHighWaterMark: tape.pick([1, 2]) }),
    ...(tape.oneIn(8) && { maxPendingHandshakes: 1 }),
  };
}

let context: Context | undefined;
let runtime: ScriptedRuntime;
let uses = 0;

async function openSocket({ type, options }: Input): Promise<[Socket & Anything, Event[]]> {
  if (context === undefined || ++uses % CASES === 0) {
    runtime = new ScriptedRuntime();
    context = new Context({ runtime });
  }
  runtime.listeners.length = 0;
  const names = Object.keys(Object.getOwnPropertyDescriptors(WIRE_CLASSES[type].prototype));
  const extra = type === "REQ" ? { relaxed: true, correlate: true } : {};
  const socket = new WIRE_CLASSES[type]({ context, linger: 0, ...extra }) as Socket & Anything;
  for (const [name, value] of Object.entries(options)) {
    // A socket that does not receive has no mark for that.
    if (name in socket || names.includes(name)) Object.assign(socket, { [name]: value });
  }
  const events: Event[] = [];
  for (const name of WATCHED) socket.events.on(name, (event) => void events.push(event));
  if (type === "SUB") socket.subscribe!("");
  await socket.bind("tcp://127.0.0.1:5555");
  return [socket, events];
}

const WATCHED = [
  "handshake:error:protocol",
  "handshake:error:auth",
  "handshake:error:other",
  "disconnect",
  "accept:error",
] as const;

/** Frames of a message as one text. */
function nameOf(frames: readonly Uint8Array[]): string {
  return frames.map(toHex).join("|");
}

function isOver({ calls }: FakeStream): boolean {
  return calls.includes("close") || calls.includes("abort");
}

/** One stranger and what reached the socket of its octets. */
class Speaker {
  readonly stream: FakeStream;
  readonly #pieces: Generator<Uint8Array>;
  readonly #said: Uint8Array[] = [];

  constructor({ octets, cuts }: Stranger) {
    this.#pieces = pieces(octets, cuts);
    this.stream = runtime.listeners[0].accept();
  }

  /** Says the next piece; false when there is none, or nobody listens. */
  speak(): boolean {
    if (isOver(this.stream)) return false;
    // What the system holds back while nothing is read.
    if (this.stream.paused) return true;
    const { value, done } = this.#pieces.next();
    if (done) return false;
    this.#said.push(value.slice());
    this.stream.deliver(value);
    this.stream.takeOutput();
    return true;
  }

  get messages(): Uint8Array[][] {
    return readTraffic(join(this.#said), {}).messages;
  }

  leave(): void {
    if (!this.stream.over) this.stream.end();
  }
}

/** The socket does what its program might do now; what it received. */
function act(socket: Anything, received: Uint8Array[][], most = 3): void {
  for (let i = 0; i < most; i++) {
    try {
      const frames = socket.tryReceive?.();
      if (frames !== undefined) received.push(frames.map((frame) => frame.slice()));
    } catch (error) {
      checkArgumentError(error);
    }
    try {
      socket.trySend?.([`said ${i}`, "twice"]);
    } catch (error) {
      checkArgumentError(error);
    }
  }
}

const WANTED = "well and alive";

/** The peer that must not notice anything. */
class Healthy {
  readonly #stream: FakeStream = runtime.listeners[0].accept();
  readonly #socket: Anything;
  readonly #received: Uint8Array[][];
  #heard: Uint8Array = new Uint8Array(0);

  constructor(type: WireType, socket: Anything, received: Uint8Array[][]) {
    this.#socket = socket;
    this.#received = received;
    this.#stream.deliver(concat(greeting(), ready(LEGAL_PEERS[type][0], HEALTHY)));
    if (type !== "PUB" && type !== "XPUB") return;
    this.#stream.deliver(encodeFrame(COMMAND, encodeCommandForm(1, utf8("well"))));
  }

  /** It sends and is heard, or hears. */
  async exchange(type: WireType): Promise<void> {
    switch (type) {
      case "PULL":
      case "SUB":
      case "XSUB":
        return await this.#isHeard(message(WANTED));
      case "PUSH":
      case "PUB":
      case "XPUB":
        return void await this.#hears(WANTED);
      case "PAIR":
      case "DEALER":
        await this.#isHeard(message(WANTED));
        return void await this.#hears(WANTED);
      case "ROUTER":
        await this.#isHeard(message(WANTED));
        return void await this.#hears(HEALTHY, WANTED);
      case "REP":
        for (let i = 0; i < 1_000; i++) {
          const frames = tryTo(() => this.#socket.tryReceive!());
          tryTo(() => this.#socket.trySend!(["answer"]));
          if (frames === undefined) break;
        }
        await this.#isHeard(message("", WANTED));
        return void await this.#hears(WANTED);
      case "REQ": {
        const [number, , body] = await this.#hears(WANTED);
        await this.#isHeard(message(number, "", body));
      }
    }
  }

  /** The socket sends until it hears it; the message. */
  async #hears(...frames: string[]): Promise<Uint8Array[]> {
    for (let i = 0; i < 40; i++) {
      tryTo(() => this.#socket.trySend!(frames));
      await moment();
      this.#heard = concat(this.#heard, this.#stream.takeOutput());
      const { messages } = readTraffic(this.#heard, {});
      const last = messages.findLast((each) => textOf(each[each.length - 1]) === WANTED);
      if (last !== undefined) return last;
      act(this.#socket, this.#received, 1);
    }
    throw new Error("the healthy peer does not hear");
  }

  async #isHeard(octets: Uint8Array): Promise<void> {
    this.#stream.deliver(octets);
    for (let i = 0; i < 2_000; i++) {
      const frames = this.#socket.tryReceive!();
      if (frames?.some((frame) => textOf(frame) === WANTED)) return;
      if (frames === undefined) await moment();
      else this.#received.push(frames.map((frame) => frame.slice()));
    }
    throw new Error("the healthy peer is not heard");
  }

  leave(): void {
    this.#stream.end();
  }
}

function tryTo<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    checkArgumentError(error);
    return undefined;
  }
}

export const patterns: Target<Input> = {
  name: "patterns",
  draw(tape) {
    const type = tape.pick(WIRE_TYPES);
    return {
      type,
      options: drawOptions(tape),
      strangers: Array.from({ length: tape.between(1, 3) }, () => drawStranger(tape, type)),
      pace: tape.pick([1, 3, 20]),
    };
  },
  async check(input) {
    const { type, strangers, pace } = input;
    const [socket, events] = await openSocket(input);
    const received: Uint8Array[][] = [];
    const healthy = new Healthy(type, socket, received);
    const speakers = strangers.map((stranger) => new Speaker(stranger));
    let reads = 0;
    for (let going = true, idle = 0; going && idle < 50; idle++) {
      going = false;
      for (const speaker of speakers) {
        const { paused } = speaker.stream;
        if (!speaker.speak()) continue;
        going = true;
        if (!paused) idle = 0;
        if (++reads % pace === 0) act(socket, received, 2);
      }
    }
    act(socket, received, 20);
    await moment();
    for (const speaker of speakers) speaker.leave();
    await healthy.exchange(type);
    checkRest(input, socket, speakers, received);
    for (const event of events) checkArgumentError(errorOf(event));
    socket.linger = 0;
    const closing = socket.close();
    healthy.leave();
    await within(closing, 5_000, "the socket closes");
  },
  async end() {
    await context?.terminate();
    context = undefined;
  },
};

/** Most ends have a reason; the others are in peace. */
function errorOf(event: Event): unknown {
  const { error } = event as { error?: unknown };
  return error ?? Object.assign(new TypeError("peace"), { code: "EPEACE" });
}

/** Nothing is left of the strangers but whole messages that they sent. */
function checkRest(
  { type }: Input,
  socket: Socket & Anything,
  speakers: readonly Speaker[],
  received: readonly Uint8Array[][],
): void {
  assertEquals(socket.stats().peers.length, 1);
  if (type === "PUB" || type === "XPUB") assertEquals(socket.topicsCount, 1);
  if (!RECEIVERS.includes(type)) return;
  const said = new Map<string, number>();
  for (const speaker of speakers) {
    for (const frames of speaker.messages) {
      const name = nameOf(frames);
      said.set(name, (said.get(name) ?? 0) + 1);
    }
  }
  for (const frames of received) {
    const name = nameOf(type === "ROUTER" ? frames.slice(1) : frames);
    const left = said.get(name) ?? 0;
    if (left === 0) throw new Error(`received what nobody sent: ${name.slice(0, 400)}`);
    said.set(name, left - 1);
  }
}
