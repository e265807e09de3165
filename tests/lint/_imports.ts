/**
 * Every way in which a file names another one, for the rules about imports.
 *
 * @module
 */

/** Calls back with each specifier of a file, and with undefined where it is computed. */
export function visitImports(found: (specifier: string | undefined, node: Deno.lint.Node) => void): Deno.lint.LintVisitor {
  return {
    ImportDeclaration: (node) => found(node.source.value, node),
    ExportAllDeclaration: (node) => found(node.source.value, node),
    ExportNamedDeclaration(node) {
      if (node.source !== null) found(node.source.value, node);
    },
    ImportExpression: (node) => found(literalText(node.source), node),
    TSImportType: (node) => found(literalText(node.argument), node),
  };
}

function literalText(node: Deno.lint.Node): string | undefined {
  if (node.type === "TSLiteralType") return literalText(node.literal);
  return node.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}
