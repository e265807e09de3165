/**
 * Lint rule `forbidden-globals`: time, randomness, the console and the runtime are reached through one file each in src/.
 *
 * That is what lets a simulation replace them. There is no scope analysis here: a local variable of such a name is refused
 * too, as it hides the global. A name that the file imports is known to be something else.
 *
 * @module
 */
import { RUNTIME_FOLDERS } from "./imports.ts";
import { isSource, projectPath } from "./_project_path.ts";

/** `globalThis` is here as the way round all the others; what the rule can see is not one of them passes. */
const GLOBALS: ReadonlySet<string> = new Set([
  "setTimeout",
  "clearTimeout",
  "setInterval",
  "clearInterval",
  "setImmediate",
  "clearImmediate",
  "queueMicrotask",
  "performance",
  "crypto",
  "console",
  "process",
  "navigator",
  "Deno",
  "Bun",
  "Buffer",
  "FinalizationRegistry",
  "globalThis",
]);

const MEMBERS: ReadonlySet<string> = new Set(["Date.now", "Math.random", "AbortSignal.timeout"]);

const ALLOWED: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ["src/base/clock.ts", ["setTimeout", "clearTimeout", "setImmediate", "queueMicrotask", "performance"]],
  ["src/base/random.ts", ["Math.random"]],
  ["src/base/logger.ts", ["console"]],
  ...RUNTIME_FOLDERS.map((folder) => [folder, ["Deno", "Bun", "globalThis"]] as const),
]);

/** Refuses the globals of the list outside the files named for them. */
export const forbiddenGlobals: Deno.lint.Rule = {
  create(context) {
    const path = projectPath(context.filename);
    if (!isSource(path)) return {};
    const allowed = allowedIn(path);
    const imported = new Set<string>();
    const found = new Map<number, { node: Deno.lint.Node; name: string }>();
    const note = (node: Deno.lint.Node, name: string) => {
      if (!allowed.includes(name)) found.set(node.range[0], { node, name });
    };
    return {
      ImportDeclaration(node) {
        for (const specifier of node.specifiers) imported.add(specifier.local.name);
      },
      Identifier(node) {
        if (!GLOBALS.has(node.name) || !isReference(node)) return;
        const name = node.name === "globalThis" ? globalBehind(node) : node.name;
        if (GLOBALS.has(name)) note(node, name);
      },
      MemberExpression(node) {
        const name = memberName(node);
        if (name !== undefined && MEMBERS.has(name)) note(node, name);
      },
      NewExpression(node) {
        if (isNamed(node.callee, "Date") && node.arguments.length === 0) note(node, "new Date()");
      },
      CallExpression(node) {
        if (isNamed(node.callee, "Date")) note(node, "Date()");
      },
      "Program:exit"() {
        for (const { node, name } of found.values()) {
          if (imported.has(name)) continue;
          context.report({ node, message: `${name} is not used in src/ outside the file named for it`, hint: hintFor(name) });
        }
      },
    };
  },
};

function allowedIn(path: string): readonly string[] {
  return [...ALLOWED].flatMap(([place, names]) =>
    path === place || (place.endsWith("/") && path.startsWith(place)) ? names : []
  );
}

function hintFor(name: string): string {
  const places = [...ALLOWED].filter(([, names]) => names.includes(name)).map(([place]) => place);
  return places.length === 0 ? "There is no place for it" : `Its place is ${places.join(", ")}`;
}

/** Whether the identifier stands for a value or a namespace, not for a member's or a label's name. */
function isReference(node: Deno.lint.Identifier): boolean {
  const parent: Deno.lint.Node = node.parent;
  switch (parent.type) {
    case "MemberExpression":
      return parent.computed || !sameNode(parent.property, node);
    case "Property":
      return parent.computed || parent.shorthand || !sameNode(parent.key, node);
    case "MethodDefinition":
    case "PropertyDefinition":
    case "TSPropertySignature":
    case "TSMethodSignature":
    case "TSAbstractMethodDefinition":
    case "TSAbstractPropertyDefinition":
      return parent.computed || !sameNode(parent.key, node);
    case "ExportSpecifier":
      return sameNode(parent.local, node);
    case "TSQualifiedName":
      return sameNode(parent.left, node);
    case "ImportSpecifier":
    case "ImportDefaultSpecifier":
    case "ImportNamespaceSpecifier":
    case "LabeledStatement":
    case "BreakStatement":
    case "ContinueStatement":
    case "MetaProperty":
      return false;
    default:
      return true;
  }
}

/** Nodes are made anew at each access, so they are told apart by where they stand. */
function sameNode(a: Deno.lint.Node, b: Deno.lint.Node): boolean {
  return a.range[0] === b.range[0] && a.range[1] === b.range[1];
}

/** The global that `globalThis.X` means, also behind a cast; `globalThis` itself where that cannot be seen. */
function globalBehind(node: Deno.lint.Identifier): string {
  let inner: Deno.lint.Node = node;
  let outer: Deno.lint.Node = node.parent;
  while (outer.type === "TSAsExpression") [inner, outer] = [outer, outer.parent];
  if (outer.type !== "MemberExpression" || !sameNode(outer.object, inner)) return node.name;
  return propertyName(outer) ?? node.name;
}

function isNamed(node: Deno.lint.Node, name: string): boolean {
  return node.type === "Identifier" && node.name === name;
}

function memberName(node: Deno.lint.MemberExpression): string | undefined {
  const property = propertyName(node);
  return node.object.type === "Identifier" && property !== undefined ? `${node.object.name}.${property}` : undefined;
}

function propertyName({ computed, property }: Deno.lint.MemberExpression): string | undefined {
  if (!computed) return property.type === "Identifier" ? property.name : undefined;
  return property.type === "Literal" && typeof property.value === "string" ? property.value : undefined;
}
