/**
 * Imports go downwards, through declared exports only, to declared dependencies only.
 *
 * npm workspaces link every package into node_modules, so an undeclared sibling import resolves
 * without a word: only this rule stops it. The table is `rooms.ts`.
 *
 * @module
 */
import { posix } from 'node:path'
import {
  INDEPENDENT,
  INSIDE,
  PLATFORM_EXPORTS,
  ROOMS,
  type Room,
  TEST_MODULES,
  TESTING_EXPORTS,
  type Zone,
  zoneOf,
} from './rooms.ts'
import type { SourceFile } from './source-file.ts'
import type { Problem, Rule, Tree } from './tree.ts'

interface PackageManifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly exports?: Readonly<Record<string, unknown>>
  readonly imports?: Readonly<Record<string, unknown>>
}

export const imports: Rule = {
  name: 'imports',
  check: (tree) => [...tree.sources.flatMap((file) => checkFile(tree, file)), ...unused(tree)],
}

function checkFile(tree: Tree, file: SourceFile): Problem[] {
  const zone = zoneOf(file.path)
  if (zone.kind === 'unknown') {
    return [{ path: file.path, line: 1, message: 'no room: add a row to scripts/tidy/rooms.ts' }]
  }
  const problems: Problem[] = []
  for (const { specifier, line, names, isReexport } of file.imports) {
    const all = isReexport && names.includes('*') ? 'list the names that you export' : undefined
    const message = all ?? refusal(tree, file, zone, specifier)
    if (message === undefined) continue
    problems.push({ path: file.path, line, message: `${specifier}: ${message}` })
  }
  return problems
}

type KnownZone = Exclude<Zone, { kind: 'unknown' }>

/** Why this import is not allowed, or undefined. */
function refusal(
  tree: Tree,
  file: SourceFile,
  zone: KnownZone,
  specifier: string,
): string | undefined {
  const independent = INDEPENDENT.find(({ folder }) => file.path.startsWith(folder))
  if (specifier.startsWith('.')) return refuseRelative(tree, file, zone, specifier, independent)
  if (independent !== undefined) {
    return independent.allowed.test(specifier) ? undefined : `${independent.folder} is independent`
  }
  if (specifier.startsWith('#')) return refuseConditional(tree, zone, specifier)
  if (specifier.startsWith('node:')) return refuseBuiltIn(zone, specifier)
  const [, sibling, subpath] = /^@longshore\/([^/]+)(?:\/(.+))?$/.exec(specifier) ?? []
  if (sibling !== undefined) return refuseSibling(tree, zone, sibling, subpath)
  return refuseLibrary(tree, zone, specifier)
}

function refuseRelative(
  tree: Tree,
  file: SourceFile,
  zone: KnownZone,
  specifier: string,
  independent: { readonly folder: string } | undefined,
): string | undefined {
  const target = posix.join(posix.dirname(file.path), specifier)
  if (tree.file(target) === undefined) return 'there is no such file'
  if (INSIDE.some(({ from, to }) => from.test(file.path) && to.test(target))) return undefined
  const home = independent?.folder ?? homeFolder(file.path)
  if (!target.startsWith(home)) return `leaves ${home}: import the package by its name`
  const reached = zoneOf(target)
  if (zone.kind === 'tool' || reached.kind === zone.kind) return undefined
  if (reached.kind === 'test' && !target.endsWith('.json')) return 'a test is not a module'
  if (zone.kind === 'test' || zone.kind === 'testing') return undefined
  if (reached.kind === 'testing') return 'only tests use testing code'
  if (reached.kind === 'platform' && !zone.room.operatingSystem) {
    return 'only platform rooms and tests use a platform room'
  }
  return undefined
}

/** Relative imports stay in here: the package, or the top-level folder. */
function homeFolder(path: string): string {
  const parts = path.split('/')
  return parts.slice(0, parts[0] === 'packages' ? 2 : 1).join('/') + '/'
}

function refuseConditional(tree: Tree, zone: KnownZone, specifier: string): string | undefined {
  const declared = zone.kind === 'tool' ? undefined : manifestOf(tree, zone.room).imports
  return declared !== undefined && specifier in declared
    ? undefined
    : 'not in "imports" of this package.json'
}

function refuseBuiltIn(zone: KnownZone, specifier: string): string | undefined {
  if (zone.kind === 'tool' || zone.kind === 'test' || zone.kind === 'platform') return undefined
  if (zone.room.operatingSystem) return undefined
  if (zone.kind === 'testing' && TEST_MODULES.includes(specifier)) return undefined
  return `layer ${zone.room.layer} takes what it needs as an argument; only platform rooms use node:`
}

function refuseSibling(
  tree: Tree,
  zone: KnownZone,
  sibling: string,
  subpath: string | undefined,
): string | undefined {
  const target = ROOMS.find(({ name }) => name === sibling)
  if (target === undefined) return 'there is no such room'
  const key = subpath === undefined ? '.' : `./${subpath}`
  if (!(key in (manifestOf(tree, target).exports ?? {}))) return `${key} is not exported`
  if (zone.kind === 'tool') return undefined
  if (zone.room.name === sibling) return 'import own files by their path'
  if (!zone.room.rooms.includes(sibling)) return `${zone.room.name} may not import ${sibling}`
  if (!(`@longshore/${sibling}` in (manifestOf(tree, zone.room).dependencies ?? {}))) {
    return 'not declared in "dependencies" of this package.json'
  }
  const [first = ''] = (subpath ?? '').split('/')
  if (zone.kind === 'test') return undefined
  if (TESTING_EXPORTS.includes(first) && zone.kind !== 'testing')
    return 'only tests use testing code'
  const mayUsePlatform = zone.kind === 'platform' || zone.room.operatingSystem
  if (PLATFORM_EXPORTS.includes(first) && !mayUsePlatform) {
    return 'only platform rooms and tests use a platform room'
  }
  return undefined
}

function refuseLibrary(tree: Tree, zone: KnownZone, specifier: string): string | undefined {
  const library = libraryOf(specifier)
  const root = tree.json<PackageManifest>('package.json') ?? {}
  const forTools = library in (root.devDependencies ?? {})
  if (zone.kind === 'tool') {
    const own = tree.json<PackageManifest>(`${zone.area}/package.json`)?.dependencies ?? {}
    return forTools || library in own ? undefined : 'not declared in package.json'
  }
  const declared = library in (manifestOf(tree, zone.room).dependencies ?? {})
  if (zone.kind === 'test') {
    return declared || forTools ? undefined : 'not declared in package.json'
  }
  if (!declared) return 'not declared in "dependencies" of this package.json'
  if (zone.kind === 'platform' || zone.room.libraries.includes(library)) return undefined
  return `${zone.room.name} uses this library only in its platform room`
}

function libraryOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function manifestOf(tree: Tree, room: Room): PackageManifest {
  return tree.json<PackageManifest>(`packages/${room.name}/package.json`) ?? {}
}

/** Dependencies that no file of the package imports. */
function unused(tree: Tree): Problem[] {
  const problems: Problem[] = []
  for (const room of ROOMS) {
    const path = `packages/${room.name}/package.json`
    const used = new Set<string>()
    for (const file of tree.sources) {
      if (!file.path.startsWith(`packages/${room.name}/`)) continue
      for (const { specifier } of file.imports) used.add(libraryOf(specifier))
    }
    for (const name of Object.keys(manifestOf(tree, room).dependencies ?? {})) {
      if (!used.has(name)) problems.push({ path, line: 1, message: `${name} is never imported` })
    }
  }
  return problems
}
