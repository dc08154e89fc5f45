/**
 * Every file is reached from somewhere, and every exported value is used by another file.
 *
 * A file counts as reached if a file imports it, if package.json exports it, or if any text names
 * it by its path (scripts, CI, documents, child processes). Exported types are not checked: they
 * belong to the signatures that mention them.
 *
 * @module
 */
import { posix } from 'node:path'
import type { SourceFile } from './source-file.ts'
import type { Problem, Rule, Tree } from './tree.ts'

interface PackageManifest {
  readonly exports?: unknown
  readonly imports?: unknown
}

export const deadCode: Rule = {
  name: 'dead',
  check: (tree) => {
    const uses = usesOf(tree)
    return tree.sources.flatMap((file) => checkFile(tree, file, uses))
  },
}

/** Path of a file to the names that other files take from it. */
type Uses = ReadonlyMap<string, ReadonlySet<string>>

function usesOf(tree: Tree): Uses {
  const uses = new Map<string, Set<string>>()
  for (const file of tree.sources) {
    for (const { specifier, names } of file.imports) {
      if (!specifier.startsWith('.')) continue
      const target = posix.join(posix.dirname(file.path), specifier)
      const known = uses.get(target) ?? new Set<string>()
      for (const name of names) known.add(name)
      uses.set(target, known)
    }
  }
  return uses
}

function checkFile(tree: Tree, file: SourceFile, uses: Uses): Problem[] {
  const { path } = file
  if (isTest(path) || path.endsWith('.d.ts') || path.endsWith('.d.mts')) return []
  const used = uses.get(path)
  if (isEntry(tree, path)) return []
  if (used === undefined) {
    return isNamed(tree, path) ? [] : [{ path, line: 1, message: 'nothing imports this file' }]
  }
  if (used.has('*')) return []
  return file.exports
    .filter(({ name, isType }) => !isType && !used.has(name) && !isTypeName(file, name))
    .map(({ name, line }) => ({ path, line, message: `no other file uses the export ${name}` }))
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts')
}

/** `export { name }` of an interface or a type alias is not marked as a type by the parser. */
function isTypeName(file: SourceFile, name: string): boolean {
  return new RegExp(`\\b(interface|type) ${name}\\b`).test(file.text)
}

/** Named by a package.json in `exports` or `imports`. */
function isEntry(tree: Tree, path: string): boolean {
  const [top, name, ...rest] = path.split('/')
  if (top !== 'packages') return false
  const manifest = tree.json<PackageManifest>(`packages/${name}/package.json`)
  const { exports, imports } = manifest ?? {}
  return JSON.stringify({ exports, imports }).includes(`"./${rest.join('/')}"`)
}

/** Started as a program: some other text holds its path, or some code its name. */
function isNamed(tree: Tree, path: string): boolean {
  const base = posix.basename(path)
  const names = [path, `/${base}'`, `'${base}'`]
  const isNaming = (file: SourceFile): boolean =>
    file.path !== path && names.some((name) => file.text.includes(name))
  return tree.sources.some(isNaming) || tree.texts.some(isNaming)
}
