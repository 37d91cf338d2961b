// The program that is running: its arguments, what it prints, and how it ends.

interface Output {
  write(text: string): void;
}

/** What a program is given and gives back. */
export interface Program {
  /** The arguments after the program's own name. */
  readonly args: readonly string[];
  /** Prints what was asked for, without a line break at the end. */
  print(text: string): void;
  /** Prints what went wrong. */
  complain(text: string): void;
  /** What the program ends with when nothing is left to do; 0 means success. */
  end(status: number): void;
}

/** This program, on Deno, Bun and Node. */
export function thisProgram(): Program {
  const { process } = globalThis as unknown as {
    process: { argv: string[]; exitCode: number; stdout: Output; stderr: Output };
  };
  return {
    args: process.argv.slice(2),
    print: (text) => process.stdout.write(`${text}\n`),
    complain: (text) => process.stderr.write(`${text}\n`),
    end: (status) => process.exitCode = status,
  };
}
