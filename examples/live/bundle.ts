// The page's program, of this folder and the library, as one file for browsers.

import { build, stop } from "esbuild";

const PROGRAM = new URL("./page/main.ts", import.meta.url).pathname;

/** Makes it, in memory. */
export async function bundlePage(): Promise<Uint8Array<ArrayBuffer>> {
  const { outputFiles } = await build({
    entryPoints: [PROGRAM],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
  });
  await stop();
  return new Uint8Array(outputFiles[0].contents);
}
