// A bound socket's acceptor, and strangers who knock from any address and say what they like.

import { type Endpoint, parseEndpoint, type TcpEndpoint } from "../../src/endpoint.ts";
import type { Event } from "../../src/events.ts";
import { Acceptor } from "../../src/link/acceptor.ts";
import type { Security } from "../../src/link/host.ts";
import type { OptionValues } from "../../src/options.ts";
import { entropy } from "../../src/security/curve_boxes.ts";
import { CurveServer } from "../../src/security/curve_server.ts";
import { NullMechanism } from "../../src/security/null.ts";
import { KeyPair } from "../../src/security/x25519.ts";
import { Door } from "../../src/security/zap.ts";
import type { SocketType } from "../../src/wire/socket_type.ts";
import { CurveClient } from "./curve_oracle.ts";
import { commandFrame, curveGreeting } from "./curve_commands.ts";
import { KEYS } from "./curve_vectors.ts";
import { FakeHost } from "./fake_host.ts";
import type { FakeStream } from "./fake_stream.ts";
import { utf8 } from "./bytes.ts";
import { eventually } from "./deadline.ts";
import { concat } from "./octets.ts";
import { openDoor } from "./open_door.ts";
import { greeting, ready } from "./raw_zmtp.ts";
import { type ScriptedListener, ScriptedRuntime } from "./scripted_runtime.ts";
import { LEGAL_PEERS } from "./session_pair.ts";

/** An acceptor with all that it touches, and what it told. */
export class HostileDoor {
  readonly runtime: ScriptedRuntime = new ScriptedRuntime();
  readonly host: FakeHost;
  readonly acceptor: Acceptor;
  readonly events: Event[] = [];
  #port = 50_000;

  constructor(
    options: Partial<OptionValues> = {},
    type: SocketType = "ROUTER",
    host: FakeHost = new FakeHost(type, options),
  ) {
    this.host = host;
    (host.around as { runtime: unknown }).runtime = this.runtime;
    this.host.monitor.watch((event) => this.events.push(event));
    this.acceptor = new Acceptor(this.host, () => {});
  }

  async listen(text = "tcp://127.0.0.1:5555"): Promise<this> {
    const endpoint: Endpoint = parseEndpoint(text, "bind");
    await this.acceptor.listen(endpoint as TcpEndpoint);
    return this;
  }

  get listener(): ScriptedListener {
    return this.runtime.listeners[0];
  }

  /** Somebody connects and says this. */
  knock(address = "10.0.0.1", octets: Uint8Array = new Uint8Array(0)): FakeStream {
    const stream = this.listener.accept({ remote: { host: address, port: this.#port++ } });
    stream.deliver(octets);
    return stream;
  }

  /** Several do. */
  crowd(count: number, address?: string, octets?: Uint8Array): FakeStream[] {
    return Array.from({ length: count }, () => this.knock(address, octets));
  }

  /** The whole handshake of a peer that fits. */
  get handshake(): Uint8Array {
    return concat(greeting(), ready(LEGAL_PEERS[this.host.type][0]));
  }

  /** Somebody connects and is served. */
  guest(address?: string): FakeStream {
    return this.knock(address, this.handshake);
  }

  /** The events of one type. */
  told(type: Event["type"]): (Event & { error?: Error & { code?: string } })[] {
    return this.events.filter((event) => event.type === type);
  }
}

const pair = KeyPair.of(KEYS.serverSecret);

/** A PULL that is a CURVE server. */
export class CurveHost extends FakeHost {
  constructor(options: Partial<OptionValues>) {
    super("PULL", options);
  }

  override secure(): Security {
    const identity = { core: this.around.memory.outboxes, entropy, pair };
    return () => new CurveServer(identity, [["Socket-Type", utf8(this.type)]], openDoor());
  }
}

/** Somebody says HELLO, gets WELCOME, and says no more. */
export async function welcomed(door: HostileDoor, address?: string): Promise<FakeStream> {
  const client = new CurveClient({ serverKey: KEYS.server });
  const stream = door.knock(address, concat(curveGreeting(), commandFrame(client.hello())));
  const before = stream.writes.length;
  await eventually(() => stream.writes.length > before);
  return stream;
}

/** A PULL with a ZAP domain whose handler never answers. */
export class SilentHost extends FakeHost {
  /** Questions that the handler was asked, and those that do not matter any more. */
  asked = 0;
  cancelled = 0;

  constructor(options: Partial<OptionValues>) {
    super("PULL", options);
  }

  override secure(): Security {
    const rules = { domain: "domain", enforced: false };
    const ask = () => {
      this.asked++;
      return { reply: new Promise<never>(() => {}), cancel: () => void this.cancelled++ };
    };
    const door = (address: string) => new Door(rules, address, ask);
    return (address) => new NullMechanism([["Socket-Type", utf8("PULL")]], door(address));
  }
}
