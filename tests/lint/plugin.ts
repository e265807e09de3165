/**
 * Our lint plugin: the rules of this project that no common linter knows. `deno lint` loads it, as deno.json says.
 *
 * @module
 */
import { forbiddenGlobals } from "./forbidden_globals.ts";
import { imports } from "./imports.ts";
import { layers } from "./layers.ts";
import { noDefaultExport } from "./no_default_export.ts";
import { promises } from "./promises.ts";
import { size } from "./size.ts";

const plugin: Deno.lint.Plugin = {
  name: "sparkwire",
  rules: {
    layers,
    imports,
    "forbidden-globals": forbiddenGlobals,
    promises,
    "no-default-export": noDefaultExport,
    size,
  },
};

export default plugin;
