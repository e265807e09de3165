/**
 * Lint rule `promises`: no `.finally()` and no subclass of Promise in src/ and in the simulation.
 *
 * Both take three ticks on V8 and one on JavaScriptCore, so the same seed would run differently on two runtimes.
 *
 * @module
 */
import { isSource, projectPath } from "./_project_path.ts";

/** Refuses what takes another number of ticks on another engine. */
export const promises: Deno.lint.Rule = {
  create(context) {
    const path = projectPath(context.filename);
    if (!isSource(path) && !path.startsWith("tests/sim/")) return {};
    const checkClass = (node: Deno.lint.ClassDeclaration | Deno.lint.ClassExpression) => {
      if (node.superClass?.type !== "Identifier" || node.superClass.name !== "Promise") return;
      context.report({ node: node.superClass, message: "A subclass of Promise takes other ticks on each engine" });
    };
    return {
      MemberExpression(node) {
        const { property } = node;
        const name = property.type === "Identifier" && !node.computed ? property.name : undefined;
        const text = property.type === "Literal" ? property.value : undefined;
        if (name !== "finally" && text !== "finally") return;
        context.report({ node: property, message: ".finally() takes other ticks on each engine; use try … finally" });
      },
      ClassDeclaration: checkClass,
      ClassExpression: checkClass,
    };
  },
};
