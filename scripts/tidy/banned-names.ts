/**
 * Names that would make two runs with the same seed differ, or tie code to one platform.
 *
 * Clock, timers, randomness, network and disk are arguments in layers 0 to 3. Layers 0 and 1 are
 * synchronous besides. Each ban names what to use instead.
 *
 * @module
 */
import { zoneOf } from './rooms.ts'
import type { SourceFile, SyntaxNode } from './source-file.ts'
import type { Problem, Rule } from './tree.ts'

const CLOCK = 'take the time as an argument (Runtime.nowUs)'
const TIMERS = 'timers belong to a platform room'
const RANDOMNESS = 'take randomness as an argument (Runtime.randomBytes)'
const NETWORK = 'the network belongs to a platform room'
const SYSTEM = 'the operating system belongs to a platform room'
const SYNCHRONOUS = 'layers 0 and 1 are synchronous: return an effect'
const EXACT = 'results differ between machines: use integers'
const LOCALE = 'results differ between machines: compare code units or bytes'

/** Banned in layers 0 to 3 outside platform rooms and tests. A dot names a property. */
const SYSTEM_NAMES: Readonly<Record<string, string>> = {
  Date: CLOCK,
  performance: CLOCK,
  setTimeout: TIMERS,
  setInterval: TIMERS,
  setImmediate: TIMERS,
  'Math.random': RANDOMNESS,
  crypto: RANDOMNESS,
  fetch: NETWORK,
  WebSocket: NETWORK,
  XMLHttpRequest: NETWORK,
  Buffer: 'use Uint8Array',
  process: SYSTEM,
  require: SYSTEM,
  __dirname: SYSTEM,
  __filename: SYSTEM,
  console: 'use Runtime.log',
  globalThis: 'name what you need as an argument',
  eval: 'write the code',
  Function: 'write the code',
}

/** Banned in layers 0 and 1 besides. */
const CORE_NAMES: Readonly<Record<string, string>> = {
  Promise: SYNCHRONOUS,
  AbortSignal: SYNCHRONOUS,
  AbortController: SYNCHRONOUS,
  queueMicrotask: SYNCHRONOUS,
  WeakRef: 'garbage collection must not be visible',
  FinalizationRegistry: 'garbage collection must not be visible',
  Intl: LOCALE,
  ...Object.fromEntries(
    [
      ...['acos', 'acosh', 'asin', 'asinh', 'atan', 'atan2', 'atanh', 'cbrt', 'cos', 'cosh'],
      ...['exp', 'expm1', 'hypot', 'log', 'log10', 'log1p', 'log2', 'pow', 'sin', 'sinh'],
      ...['tan', 'tanh'],
    ].map((name) => [`Math.${name}`, EXACT]),
  ),
}

/** Methods that depend on the machine's language, whatever the object. */
const LOCALE_METHODS = [
  'localeCompare',
  'toLocaleString',
  'toLocaleLowerCase',
  'toLocaleUpperCase',
  'toLocaleDateString',
  'toLocaleTimeString',
]

export const bannedNames: Rule = {
  name: 'names',
  check: (tree) => tree.sources.flatMap((file) => checkFile(file)),
}

function checkFile(file: SourceFile): Problem[] {
  const zone = zoneOf(file.path)
  if (zone.kind !== 'core' && zone.kind !== 'testing') return []
  if (zone.room.layer > 3) return []
  const core = zone.room.layer <= 1
  const banned = core ? { ...SYSTEM_NAMES, ...CORE_NAMES } : SYSTEM_NAMES
  const declared = declaredNames(file)
  const problems: Problem[] = []
  const report = (node: SyntaxNode, name: string, instead: string): void => {
    problems.push({
      path: file.path,
      line: file.lineAt(node.start),
      message: `${name}: ${instead}`,
    })
  }
  file.walk((node, parent, key) => {
    if (node.type === 'Identifier' && isReference(parent, key)) {
      const name = node['name'] as string
      if (Object.hasOwn(banned, name) && !declared.has(name)) {
        report(node, name, banned[name] ?? '')
      }
    }
    const property = node.type === 'MemberExpression' ? propertyOf(node) : undefined
    if (property !== undefined && Object.hasOwn(banned, property.chain)) {
      report(node, property.chain, banned[property.chain] ?? '')
    }
    if (!core) return
    if (property !== undefined && LOCALE_METHODS.includes(property.name)) {
      report(node, property.name, LOCALE)
    }
    const isAsync = node['async'] === true || node.type === 'AwaitExpression'
    if (isAsync || (node.type === 'ForOfStatement' && node['await'] === true)) {
      report(node, 'async', SYNCHRONOUS)
    }
  })
  return problems
}

function propertyOf(node: SyntaxNode): { name: string; chain: string } | undefined {
  const object = node['object'] as SyntaxNode
  const property = node['property'] as SyntaxNode
  const name = property[property.type === 'Literal' ? 'value' : 'name']
  if (typeof name !== 'string' || (node['computed'] === true && property.type !== 'Literal')) {
    return undefined
  }
  return { name, chain: object.type === 'Identifier' ? `${object['name']}.${name}` : name }
}

/** Keys that hold a name which refers to nothing by itself, by the type of the parent node. */
const NAMING_KEYS: Readonly<Record<string, readonly string[]>> = {
  MemberExpression: ['property'],
  Property: ['key'],
  PropertyDefinition: ['key'],
  MethodDefinition: ['key'],
  AccessorProperty: ['key'],
  TSPropertySignature: ['key'],
  TSMethodSignature: ['key'],
  TSQualifiedName: ['right'],
  ImportSpecifier: ['imported'],
  ExportSpecifier: ['exported'],
  LabeledStatement: ['label'],
  BreakStatement: ['label'],
  ContinueStatement: ['label'],
  TSNamedTupleMember: ['label'],
}

function isReference(parent: SyntaxNode | undefined, key: string): boolean {
  if (parent === undefined || parent['computed'] === true) return true
  return NAMING_KEYS[parent.type]?.includes(key) !== true
}

/** Names that the file declares anywhere; a reference to one of them is not the global. */
function declaredNames(file: SourceFile): Set<string> {
  const names = new Set<string>()
  const add = (pattern: unknown): void => {
    for (const identifier of boundIdentifiers(pattern as SyntaxNode | null)) names.add(identifier)
  }
  file.walk((node) => {
    if (node.type === 'VariableDeclarator') add(node['id'])
    if (/^(Function|Class|TSInterface|TSTypeAlias)/.test(node.type)) add(node['id'])
    if (/^Import(Default|Namespace)?Specifier$/.test(node.type)) add(node['local'])
    if (node.type === 'CatchClause') add(node['param'])
    if (Array.isArray(node['params'])) for (const parameter of node['params']) add(parameter)
  })
  return names
}

function boundIdentifiers(pattern: SyntaxNode | null): string[] {
  switch (pattern?.type) {
    case 'Identifier':
      return [pattern['name'] as string]
    case 'AssignmentPattern':
      return boundIdentifiers(pattern['left'] as SyntaxNode)
    case 'RestElement':
      return boundIdentifiers(pattern['argument'] as SyntaxNode)
    case 'ArrayPattern':
      return (pattern['elements'] as SyntaxNode[]).flatMap(boundIdentifiers)
    case 'ObjectPattern':
      return (pattern['properties'] as SyntaxNode[]).flatMap((property) =>
        boundIdentifiers((property['value'] ?? property) as SyntaxNode),
      )
    default:
      return []
  }
}
