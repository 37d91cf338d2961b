// How a passive server follows the active one: a link, and another one when it is lost.

import { after, type Cancel } from "../base/time.ts";
import type { CloneEndpoints } from "./address.ts";
import { Link, type LinkOwner, type LinkSettings } from "./link.ts";

/** Follows one server for as long as it is told to. */
export class Follower {
  readonly #settings: LinkSettings;
  readonly #owner: Omit<LinkOwner, "lost">;
  #link: Link | undefined;
  #retry: Cancel | undefined;
  /** True when all values of the other server are here. */
  synchronised = false;

  constructor(settings: LinkSettings, owner: Omit<LinkOwner, "lost">) {
    this.#settings = settings;
    this.#owner = owner;
  }

  /** Follows from now on, afresh. */
  start(server: CloneEndpoints): void {
    this.stop();
    const { beats } = this.#settings;
    this.#link = new Link(this.#settings, server, {
      ...this.#owner,
      synchronised: (store, sequence, uuids) => {
        this.synchronised = true;
        this.#owner.synchronised(store, sequence, uuids);
      },
      lost: () => {
        this.synchronised = false;
        this.#retry = after(beats.interval / 4, () => this.start(server));
      },
    });
  }

  /** Follows nobody. */
  async stop(): Promise<void> {
    this.#retry?.();
    this.synchronised = false;
    const link = this.#link;
    this.#link = undefined;
    await link?.close();
  }
}
