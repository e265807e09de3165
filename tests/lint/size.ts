/**
 * Lint rule `size`: a file of src/ has at most 400 lines, a function 70.
 *
 * @module
 */
import { isSource, projectPath } from "./_project_path.ts";

/** The most lines of a file. */
export const MAX_FILE_LINES = 400;
/** The most lines of a function, from its head to its closing brace. */
export const MAX_FUNCTION_LINES = 70;

type AnyFunction = Deno.lint.FunctionDeclaration | Deno.lint.FunctionExpression | Deno.lint.ArrowFunctionExpression;

/** Refuses files and functions that nobody takes in at one sight. */
export const size: Deno.lint.Rule = {
  create(context) {
    if (!isSource(projectPath(context.filename))) return {};
    const checkFunction = (node: AnyFunction) => {
      const lines = context.sourceCode.getText(node).split("\n").length;
      if (lines <= MAX_FUNCTION_LINES) return;
      context.report({ node, message: `This function has ${lines} lines, more than ${MAX_FUNCTION_LINES}` });
    };
    return {
      Program(node) {
        const lines = context.sourceCode.text.replace(/\n$/, "").split("\n").length;
        if (lines <= MAX_FILE_LINES) return;
        const range: Deno.lint.Range = [node.range[0], Math.min(node.range[0] + 1, node.range[1])];
        context.report({ range, message: `This file has ${lines} lines, more than ${MAX_FILE_LINES}` });
      },
      FunctionDeclaration: checkFunction,
      FunctionExpression: checkFunction,
      ArrowFunctionExpression: checkFunction,
    };
  },
};
