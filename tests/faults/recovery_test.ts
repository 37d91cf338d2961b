// Calls to the system that fail for a while: no descriptors, no name server, nobody there. Everything recovers by itself, but
// for bind, which says what went wrong.

import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Context, Pull, Push } from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { within } from "../_util/deadline.ts";
import { anyConnection, type Script } from "../_util/faulty_faults.ts";
import { FaultyNetwork, type Place } from "../_util/faulty_network.ts";
import { freshSeed } from "../_util/faulty_random.ts";
import { rejection } from "../_util/rejection.ts";

const WAIT_MS = 10_000;
const cleanup = new Cleanup();

/** Fails so many times. */
function times(count: number, code: string): (call: number) => string | undefined {
  return (call) => call < count ? code : undefined;
}

/** A host with a script, and sockets that meet there. */
class Meeting {
  readonly seed: number = freshSeed();
  readonly place: Place;
  readonly pull: Pull;
  readonly push: Push;
  /** Codes of the errors that events told. */
  readonly codes: string[] = [];

  constructor(script: Script) {
    const network = new FaultyNetwork(this.seed);
    const context = new Context({ runtime: network });
    this.place = network.host(script);
    this.pull = cleanup.add(new Pull({ context }));
    this.push = cleanup.add(new Push({ context, reconnectInterval: 0 }));
    const note = ({ error }: { error?: Error }) =>
      this.codes.push((error as { code?: string })?.code ?? "");
    this.pull.events.on("accept:error", note);
    this.push.events.on("connect:retry", note);
  }

  /** Connects by name, and sends something. */
  async talk(): Promise<void> {
    this.push.connect(this.pull.lastEndpoint!.replace(this.place.address, this.place.name));
    await this.push.send("through");
    const [frame] = await within(this.pull.receive(), WAIT_MS, `a message, seed ${this.seed}`);
    assertEquals(String(frame), "through");
  }
}

describe("over a system that fails for a while", () => {
  afterEach(() => cleanup.run());

  const connects: Readonly<Record<string, [Script, string]>> = {
    "no descriptor is left to connect with": [{ connecting: times(3, "EMFILE") }, "EMFILE"],
    "nobody listens yet": [{ connecting: times(3, "ECONNREFUSED") }, "ECONNREFUSED"],
    "the network is down": [{ connecting: times(3, "ENETDOWN") }, "ENETDOWN"],
    "the name server does not answer": [{ resolving: times(3, "EAI_AGAIN") }, "EINVAL"],
    "the name is not known": [{ resolving: times(3, "ENOTFOUND") }, "EINVAL"],
  };

  for (const [trouble, [script, code]] of Object.entries(connects)) {
    it(`a connect goes on until it succeeds: ${trouble}`, async () => {
      const meeting = new Meeting(script);
      await meeting.pull.bind(meeting.place.endpoint);
      await meeting.talk();
      assertEquals(meeting.codes.slice(0, 3), [code, code, code]);
    });
  }

  for (const code of ["EMFILE", "ENFILE", "ENOBUFS", "ECONNABORTED"]) {
    it(`a socket accepts again after ${code}`, async () => {
      const meeting = new Meeting({ accepting: times(4, code) });
      await meeting.pull.bind(meeting.place.endpoint);
      await meeting.talk();
      assertGreaterOrEqual(meeting.codes.filter((each) => each === code).length, 4);
    });
  }

  for (const code of ["EMFILE", "EACCES", "EADDRINUSE", "EADDRNOTAVAIL"]) {
    it(`bind fails with ${code}, and works when it is tried again`, async () => {
      const meeting = new Meeting({ listening: times(2, code) });
      const { pull, place } = meeting;
      await rejection(pull.bind(place.endpoint), code);
      await rejection(pull.bind(place.endpoint), code);
      await pull.bind(place.endpoint);
      await meeting.talk();
    });
  }

  it("a listener that is away is found again, and nothing that was sent is lost", async () => {
    const line = { gulp: 50, sip: 7, late: 0.5, lag: 0.2, room: 64, cutAt: 200 };
    const meeting = new Meeting({
      connection: (count, random) => {
        const faults = anyConnection(random);
        if (count > 3) return faults;
        meeting.place.down = true;
        return { ...faults, toListener: line };
      },
    });
    const { pull, push } = meeting;
    push.events.on("connect:retry", ({ error }) => {
      if ((error as { code?: string }).code === "ECONNREFUSED") meeting.place.down = false;
    });
    await pull.bind(meeting.place.endpoint);
    push.connect(pull.lastEndpoint!);
    for (let i = 0; i < 100; i++) await push.send(`message ${i}`);
    const numbers = new Set<string>();
    for (let i = 0; i < 100; i++) {
      numbers.add(String(await within(pull.receive(), WAIT_MS, `message ${i}`)));
    }
    assertEquals(numbers.size, 100);
    assertGreaterOrEqual(meeting.place.connections, 5);
    assertEquals(meeting.codes.includes("ECONNREFUSED"), true);
  });
});
