/**
 * Nothing in the tree depends on the machine it was written on: no paths of a home or a work
 * directory, no hosts of package registries, a lock file that works everywhere.
 *
 * @module
 */
import { checkLockFile, type PackageLock } from './lock-file.ts'
import type { SourceFile } from './source-file.ts'
import type { Problem, Rule, Tree } from './tree.ts'

/** In pieces, so that this file does not contain what it looks for. */
const PATHS = new RegExp(
  `(^|[\\s"'\`(=:])/(${['wor' + 'k', 'far' + 'm', 'Use' + 'rs', 'hom' + 'e'].join('|')})/\\w`,
)
const HOSTS = new RegExp(
  ['registry[.]' + 'npmjs', 'registry[.]' + 'yarnpkg', 'deb[.]' + 'debian', 'proxy[.]' + 'golang']
    .map((host) => `\\b${host}[.]`)
    .join('|'),
)

export const machine: Rule = {
  name: 'machine',
  check: (tree) => [...[...tree.sources, ...tree.texts].flatMap(checkText), ...checkLocks(tree)],
}

function checkText(file: SourceFile): Problem[] {
  const problems: Problem[] = []
  for (const [at, line] of file.lines.entries()) {
    const report = (message: string): void =>
      void problems.push({ path: file.path, line: at + 1, message })
    if (PATHS.test(line)) report('a path of one machine')
    if (HOSTS.test(line)) report('the host of a package registry')
  }
  return problems
}

function checkLocks(tree: Tree): Problem[] {
  return tree.paths
    .filter((path) => path.endsWith('package-lock.json'))
    .flatMap((path) => {
      const lock = tree.json<PackageLock>(path)
      return lock === undefined
        ? []
        : checkLockFile(lock).map((message) => ({ path, line: 1, message }))
    })
}
