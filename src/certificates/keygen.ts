#!/usr/bin/env node
/**
 * Makes a CURVE key pair and writes it as two files: run `keygen NAME`.
 *
 * ```sh
 * deno run --allow-read --allow-write jsr:@wasmq/wasmq/keygen my_server --meta name="My server"
 * npx --package wasmq wasmq-keygen my_server
 * bunx --package wasmq wasmq-keygen my_server
 * ```
 *
 * @module
 */

import { type Program, thisProgram } from "../runtime/program.ts";
import { newCertificate } from "./certificate.ts";
import type { CertificateError } from "./error.ts";
import { writeCertificate } from "./files.ts";

const USAGE = `Usage: keygen NAME [--meta NAME=VALUE]... [--force]

Makes a CURVE key pair and writes two files, as CZMQ's zcert has them:
  NAME          the public key, to be given away
  NAME_secret   both keys, to be kept; only you can read it

  --meta NAME=VALUE   a note for its readers, such as name=Ada; any number of them
  --force             replaces files that are there
  --help              prints this`;

/** What a command line asks for. */
interface Order {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly overwrite: boolean;
}

/** An argument that makes no sense; the text says why. */
class UsageError extends Error {}

function parseArguments(args: readonly string[]): Order | "help" {
  const paths: string[] = [];
  const metadata = new Map<string, string>();
  let overwrite = false;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (!arg.startsWith("-")) paths.push(arg);
    else if (arg === "--help" || arg === "-h") return "help";
    else if (arg === "--force" || arg === "-f") overwrite = true;
    else if (arg === "--meta") addNote(metadata, args[++i] ?? "");
    else if (arg.startsWith("--meta=")) addNote(metadata, arg.slice("--meta=".length));
    else throw new UsageError(`there is no option ${arg}`);
  }
  if (paths.length !== 1) {
    throw new UsageError(`expected the name of one certificate, not ${paths.length}`);
  }
  return { path: paths[0], metadata: Object.fromEntries(metadata), overwrite };
}

function addNote(metadata: Map<string, string>, text: string): void {
  const equals = text.indexOf("=");
  if (equals <= 0) throw new UsageError("expected --meta NAME=VALUE");
  const name = text.slice(0, equals);
  if (metadata.has(name)) throw new UsageError(`expected one --meta ${name}, not two`);
  metadata.set(name, text.slice(equals + 1));
}

async function main({ args, print, complain, end }: Program): Promise<void> {
  try {
    const order = parseArguments(args);
    if (order === "help") return print(USAGE);
    const { path, metadata, overwrite } = order;
    const certificate = newCertificate(metadata);
    await writeCertificate(path, certificate, { overwrite });
    print(`public key   ${certificate.publicKey}`);
    print(`public file  ${path}`);
    print(`secret file  ${path}_secret`);
  } catch (error) {
    if (error instanceof UsageError) {
      complain(`keygen: ${error.message}\n\n${USAGE}`);
      return end(2);
    }
    const { message, code } = error as Partial<CertificateError>;
    if (code === undefined) throw error;
    const advice = code === "EEXIST" ? "; --force replaces it" : "";
    complain(`keygen: ${message}${advice}`);
    end(1);
  }
}

// Types of Node and browsers do not know it; all runtimes do.
if ((import.meta as { main?: boolean }).main) await main(thisProgram());
