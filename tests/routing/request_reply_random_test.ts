// REP and ROUTER among peers that come, speak, lie and go in any order: what they say and hear is never somebody else's.

import { assertEquals, assertNotEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { defaultOptions } from "../../src/option_values.ts";
import { RepPattern } from "../../src/routing/rep.ts";
import { RouterPattern } from "../../src/routing/router.ts";
import { utf8 } from "../_util/bytes.ts";
import { PipeEnd, texts } from "../_util/pipe_end.ts";
import { failure } from "../_util/rejection.ts";

const PLACES = 4;
const RUNS = { numRuns: 200 } as const;

/** What happens next, and at which peer. */
type Step = readonly [what: number, where: number];

function schedules(kinds: number): fc.Arbitrary<Step[]> {
  const step = fc.tuple(fc.nat(kinds - 1), fc.nat(PLACES - 1));
  return fc.array(step, { minLength: 10, maxLength: 120, size: "max" });
}

/** A peer with what it must have heard. */
interface Guest {
  readonly end: PipeEnd;
  readonly expected: string[][];
}

function assertHeard({ end, expected }: Guest): void {
  assertEquals(end.heard(), expected.splice(0));
}

describe("REP in any schedule", () => {
  it("answers each request once, to the one who sent it, in its envelope (REP-02, REP-05, REP-06, REP-07, REP-08)", () => {
    fc.assert(
      fc.property(schedules(8), (schedule) => {
        const rep = new RepPattern();
        const guests: (Guest | undefined)[] = [];
        /** Who asked, and the envelope, of all requests that were not received yet. */
        const open = new Map<string, { guest: Guest; envelope: string[] }>();
        let current: { guest: Guest; envelope: string[] } | undefined;
        let count = 0;
        const join = (where: number): void => {
          guests[where] ??= { end: new PipeEnd(rep), expected: [] };
        };
        const ask = (where: number): void => {
          const guest = guests[where];
          if (guest === undefined) return;
          const envelope = [
            ...Array.from({ length: count % 3 }, (_, i) => `hop ${i} of ${count}`),
            "",
          ];
          open.set(`${++count}`, { guest, envelope });
          guest.end.say(...envelope, `${count}`);
        };
        const lie = (where: number): void => {
          guests[where]?.end.say("no delimiter").say("").say("no", "body", "");
        };
        const leave = (where: number): void => {
          const guest = guests[where];
          if (guest === undefined) return;
          assertHeard(guest);
          guest.end.leave();
          guests[where] = undefined;
        };
        const receive = (): void => {
          const request = texts(rep.receive());
          if (current !== undefined || request === undefined) {
            assertEquals(request, undefined, "it is not its turn");
            if (current === undefined) assertEquals(open.size, 0);
            return;
          }
          const [name] = request;
          assertEquals(request, [name]);
          current = open.get(name);
          const { guest } = current!;
          const first = [...open].find(([, each]) => each.guest === guest)![0];
          assertEquals(name, first, "a peer's requests keep their order");
          open.delete(name);
        };
        const send = (): void => {
          assertEquals(rep.send(`reply ${count}`), current !== undefined);
          if (current === undefined) return;
          const { guest, envelope } = current;
          if (guests.includes(guest)) guest.expected.push([...envelope, `reply ${count}`]);
          else assertEquals(guest.end.heard(), [], "it is gone");
          current = undefined;
        };
        const steps = [join, ask, ask, lie, receive, send, receive, leave];
        for (const [what, where] of schedule) steps[what](where);
        while (open.size > 0 || current !== undefined) {
          receive();
          send();
        }
        for (const guest of guests) if (guest !== undefined) assertHeard(guest);
      }),
      RUNS,
    );
  });
});

describe("ROUTER in any schedule", () => {
  for (const handover of [false, true]) {
    it(`has one peer for an id, ${handover ? "the newest" : "the oldest"}; others neither speak nor hear in its name (ROUTER-02, ROUTER-04, ROUTER-05, ROUTER-06, ROUTER-08, ROUTER-09)`, () => {
      fc.assert(
        fc.property(schedules(7), (schedule) => {
          const router = new RouterPattern({ ...defaultOptions(), handover, mandatory: true });
          const guests: (Guest | undefined)[] = [];
          const holders = new Map<string, Guest>();
          const idOf = (where: number): string => where < 2 ? "shared" : `own ${where}`;
          const gone = (guest: Guest): void => {
            assertHeard(guest);
            router.detach(guest.end.pipe);
            const where = guests.indexOf(guest);
            if (where >= 0) guests[where] = undefined;
            for (const [id, holder] of holders) if (holder === guest) holders.delete(id);
          };
          const join = (where: number): void => {
            if (guests[where] !== undefined) return;
            const id = idOf(where);
            const end = new PipeEnd();
            const guest: Guest = { end, expected: [] };
            const holder = holders.get(id);
            end.pipe.link = { appended() {}, resume() {}, refuse: () => gone(guest) };
            const refusal = router.identify(end.pipe, utf8(id)) ?? router.attach(end.pipe);
            assertEquals(
              refusal?.code,
              holder !== undefined && !handover ? "EADDRINUSE" : undefined,
            );
            if (refusal !== undefined) return;
            assertEquals(
              holder !== undefined && guests.includes(holder),
              false,
              "the old one is gone",
            );
            guests[where] = guest;
            holders.set(id, guest);
          };
          let count = 0;
          const said: string[][] = [];
          const say = (where: number): void => {
            const guest = guests[where];
            if (guest === undefined) return;
            guest.end.say("", `${++count}`);
            router.readable(guest.end.pipe);
            said.push([idOf(where), "", `${count}`]);
          };
          const send = (where: number): void => {
            const id = idOf(where);
            const message = [id, "", `${++count}`];
            const holder = holders.get(id);
            if (holder === undefined) {
              return void failure(() => router.send(message), "EHOSTUNREACH");
            }
            router.send(message);
            holder.expected.push(message.slice(1));
          };
          const receive = (): void => {
            const message = texts(router.receive());
            if (message === undefined) return assertEquals(said, []);
            // Those of an id's former holder may be read in turn with those of its present one.
            const at = said.findIndex((each) => String(each) === String(message));
            assertNotEquals(at, -1, `nobody said ${message}`);
            said.splice(at, 1);
          };
          const leave = (where: number): void => {
            const guest = guests[where];
            if (guest !== undefined) gone(guest);
          };
          const steps = [join, say, send, receive, send, leave, join];
          for (const [what, where] of schedule) steps[what](where);
          for (const guest of guests) if (guest !== undefined) assertHeard(guest);
          while (said.length > 0) receive();
          assertEquals(router.receive(), undefined);
        }),
        RUNS,
      );
    });
  }
});
