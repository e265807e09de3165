/**
 * Lint rule `no-default-export`: an export has one name, everywhere.
 *
 * @module
 */
import { projectPath } from "./_project_path.ts";

/** Deno wants a lint plugin as a default export. */
const ALLOWED: readonly string[] = ["tests/lint/plugin.ts"];

/** Refuses `export default` and `export { x as default }`. */
export const noDefaultExport: Deno.lint.Rule = {
  create(context) {
    if (ALLOWED.includes(projectPath(context.filename))) return {};
    const message = "A default export has another name in every file that imports it";
    return {
      ExportDefaultDeclaration: (node) => context.report({ node, message }),
      ExportSpecifier(node) {
        const { exported } = node;
        const name = exported.type === "Identifier" ? exported.name : exported.value;
        if (name === "default") context.report({ node, message });
      },
    };
  },
};
