// Subscribers that do only what a test says: raw SUBs where a transport has octets on the way, XSUBs on inproc.

import { XSubscriber } from "../../mod.ts";
import { utf8 } from "./bytes.ts";
import { cancelCommand, subscribeCommand } from "./raw_subscriptions.ts";
import type { RawConnection } from "./raw_peer.ts";
import { connectAs, message } from "./raw_zmtp.ts";
import { type ScriptedPeer, SocketPeer, WirePeer } from "./scripted_peer.ts";

/** "+topic" subscribes, "-topic" ends that; anything else stands in an array and is a message. */
export type Saying = string | readonly string[];

/** A peer of a publisher. */
export interface ScriptedSubscriber extends ScriptedPeer {
  /** Sends requests and messages to the publisher, in one go. */
  ask(...sayings: Saying[]): void;
}

/** Connects to a publisher. */
export async function joinAsSubscriber(endpoint: string): Promise<ScriptedSubscriber> {
  if (!endpoint.startsWith("inproc:")) return new WireSubscriber(await connectAs(endpoint, "SUB"));
  const peer = new SocketSubscriber();
  peer.connect(endpoint);
  return peer;
}

class WireSubscriber extends WirePeer implements ScriptedSubscriber {
  readonly #connection: RawConnection;

  constructor(connection: RawConnection) {
    super(connection);
    this.#connection = connection;
  }

  ask(...sayings: Saying[]): void {
    this.#connection.send(...sayings.map((saying) => {
      if (typeof saying !== "string") return message(...saying);
      const topic = saying.slice(1);
      return saying[0] === "+" ? subscribeCommand(topic) : cancelCommand(topic);
    }));
  }
}

class SocketSubscriber extends SocketPeer implements ScriptedSubscriber {
  constructor() {
    super(
      new XSubscriber({
        // As a raw one: each request goes out, and nothing but the publisher's mark bounds what waits.
        verbosity: "allSubsUnsubs",
        sendHighWaterMark: 0,
        receiveHighWaterMark: 1,
        receiveTimeout: 5_000,
        linger: 0,
      }),
    );
  }

  ask(...sayings: Saying[]): void {
    for (const saying of sayings) {
      if (typeof saying !== "string") this.say(...saying);
      else this.say(utf8((saying[0] === "+" ? "\x01" : "\0") + saying.slice(1)));
    }
  }
}
