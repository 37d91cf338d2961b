// Runs the guide's programs, as a user runs them.

import { commandFor, Program } from "../_util/process.ts";

/** Runs a program to its end, with no more permissions than its header asks for. */
export async function tell(name: string): Promise<string> {
  const command = commandFor(`../../examples/guide/${name}`);
  const program = new Program(command.map((word) => word === "-A" ? "--allow-net" : word));
  try {
    return await program.succeeds();
  } catch (error) {
    throw new Error(`${name} printed\n${program.output}${program.errors}`, { cause: error });
  }
}

/** How many lines match. */
export function countLines(story: string, pattern: RegExp): number {
  return story.split("\n").filter((line) => pattern.test(line)).length;
}
