// Two sockets over real connections, and between them a proxy that changes octets: the sockets live on, with their healthy
// peers, and what arrives over an honest wire is what was sent.

import { assertEquals } from "@std/assert";
import { Context, type Socket } from "../../../mod.ts";
import { textOf } from "../../_util/bytes.ts";
import { pause, within } from "../../_util/deadline.ts";
import { dial, type RawConnection, RawServer } from "../../_util/raw_peer.ts";
import { moment } from "../moment.ts";
import type { Tape } from "../tape.ts";
import { checkArgumentError, type Target } from "../target.ts";
import { KINDS, TcpStage } from "../tcp_stage.ts";
import { drawEdits, type Edit, EditedWire } from "../wire.ts";

interface Input {
  readonly type: string;
  readonly secure: boolean;
  /** Of what the one that connects sends, and of what it is sent. */
  readonly edits: readonly (readonly Edit[])[];
  readonly cut: number;
  readonly sizes: readonly number[];
}

const TYPES = ["PULL", "PUSH", "PUB", "SUB", "DEALER", "ROUTER", "REP", "XPUB"];
const WAIT_MS = 15;
const CASES = 200;

/** Carries octets between a socket that connects and the one that is bound. */
class MutatingProxy {
  readonly #server: RawServer;
  readonly #target: string;
  readonly #input: Input;
  readonly #connections: RawConnection[] = [];
  #open = true;
  readonly #running: Promise<void>;

  private constructor(server: RawServer, target: string, input: Input) {
    this.#server = server;
    this.#target = target;
    this.#input = input;
    this.#running = this.#run();
  }

  static async open(target: string, input: Input): Promise<MutatingProxy> {
    return new MutatingProxy(await RawServer.listen(), target, input);
  }

  get endpoint(): string {
    return this.#server.endpoint;
  }

  /** Only the first connection is changed. */
  async #run(): Promise<void> {
    const near = await this.#server.accept().catch(() => undefined);
    if (near === undefined || !this.#open) return;
    const far = await dial(this.#target);
    this.#connections.push(near, far);
    const [up, down] = this.#input.edits.map((edits) => new EditedWire(edits));
    await Promise.all([this.#carry(near, far, up), this.#carry(far, near, down)]);
  }

  async #carry(from: RawConnection, to: RawConnection, wire: EditedWire): Promise<void> {
    while (this.#open) {
      const count = from.available;
      if (count > 0) {
        const octets = wire.pass(await from.take(count));
        for (let at = 0; at < octets.length && this.#open && !to.isClosed;) {
          const piece = octets.subarray(at, at + this.#input.cut);
          at += piece.length;
          await Promise.race([to.flush(piece), to.closed, pause(WAIT_MS)]);
        }
      } else if (from.isClosed || to.isClosed) {
        to.end();
        return;
      } else await moment();
    }
  }

  async close(): Promise<void> {
    this.#open = false;
    for (const connection of this.#connections) connection.destroy();
    this.#server.close();
    await Promise.race([this.#running, pause(WAIT_MS)]);
  }
}

function drawInput(tape: Tape): Input {
  return {
    type: tape.pick(TYPES),
    secure: tape.oneIn(3),
    edits: [0, 1].map(() => tape.oneIn(4) ? [] : drawEdits(tape, 1_000)),
    cut: tape.pick([100_000, 500, 37]),
    sizes: tape.list(6, () => tape.pick([0, 1, 255, 256, 3_000, 40_000])),
  };
}

const stages = new Map<string, { readonly stage: TcpStage; cases: number }>();

async function stageOf({ type, secure }: Input): Promise<TcpStage> {
  const name = `${type} ${secure}`;
  const known = stages.get(name);
  if (known !== undefined && ++known.cases < CASES) return known.stage;
  await known?.stage.close();
  const stage = await TcpStage.open(type, secure);
  stages.set(name, { stage, cases: 0 });
  return stage;
}

/** Sends what it can. */
async function talk(socket: Socket, sizes: readonly number[]): Promise<void> {
  const speaker = socket as { trySend?: (message: Uint8Array[]) => boolean };
  for (const size of sizes) {
    try {
      speaker.trySend?.([new Uint8Array(size).fill(0x7a), new Uint8Array(3)]);
    } catch (error) {
      checkArgumentError(error);
    }
    await moment();
  }
}

/** Receives what has come, which must be whole. */
function hear(socket: Socket): void {
  const listener = socket as { tryReceive?: () => Uint8Array[] | undefined };
  for (let i = 0; i < 100; i++) {
    try {
      const frames = listener.tryReceive?.();
      if (frames === undefined) return;
      assertEquals(frames.length > 0, true);
      frames.map(textOf);
    } catch (error) {
      return checkArgumentError(error);
    }
  }
}

export const tcpProxy: Target<Input> = {
  name: "tcp-proxy",
  draw: drawInput,
  async check(input) {
    const stage = await stageOf(input);
    const context = new Context();
    const socket = KINDS[input.type].healthy({ context, linger: 0 });
    Object.assign(socket, { linger: 0, reconnectInterval: 1, ...stage.clientOptions });
    const proxy = await MutatingProxy.open(stage.socket.lastEndpoint!, input);
    try {
      socket.connect(proxy.endpoint);
      await talk(socket, input.sizes);
      await Promise.all([stage.exchange(), pause(WAIT_MS)]);
      await talk(socket, input.sizes);
      hear(socket);
      await within(socket.close(), 5_000, "the socket behind the proxy closes");
      await proxy.close();
      await stage.exchange();
      await stage.alone();
    } catch (error) {
      await proxy.close();
      stages.delete(`${input.type} ${input.secure}`);
      await stage.close().catch(() => {}); // the first error counts
      throw error;
    }
  },
  async end() {
    for (const { stage } of stages.values()) await stage.close();
    stages.clear();
  },
};
