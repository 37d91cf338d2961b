// Takes the place of @std/testing/bdd, by the import map of tests/faults: each test has a schedule of faults of its own.

import { after, it as realIt, type TestFunction, type TestOptions } from "@std/testing/bdd";
import { EXCLUDED_TESTS } from "../faults/exclusions.ts";
import { beginSchedule, countSchedules, seed } from "./faulty_schedule.ts";

export {
  after,
  afterAll,
  afterEach,
  before,
  beforeAll,
  beforeEach,
  describe,
} from "@std/testing/bdd";

/** What opens connections before and after tests. */
const AROUND = "around the tests";

// deno-lint-ignore no-console
const say = (line: string): void => console.log(line);

/** Defines a test. */
export function it(name: string, second: TestOptions | TestFunction, third?: TestFunction): void {
  const [options, fn] = typeof second === "function" ? [{}, second] : [second, third!];
  if (name in EXCLUDED_TESTS) return;
  realIt(name, options, async () => {
    beginSchedule(name);
    try {
      await fn();
    } catch (error) {
      say(`schedule of the failure: --seed ${seed}, ${JSON.stringify(name)}`);
      throw error;
    } finally {
      beginSchedule(AROUND);
    }
  });
}

beginSchedule(AROUND);
after(() => say(`schedules: ${countSchedules()}`));
