/**
 * The text files of the clone as tidy sees them: an in-memory tree, so that a test can plant a
 * violation in a tree of two files.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SourceFile } from './source-file.ts'

export interface Problem {
  readonly path: string
  /** 1-based; 1 for what concerns a whole file. */
  readonly line: number
  readonly message: string
}

/** One thing that tidy checks. `name` is printed before each problem. */
export interface Rule {
  readonly name: string
  readonly check: (tree: Tree) => Problem[]
}

/** Files read as text; everything else only counts as existing. */
const TEXT = /(\.(ts|mts|mjs|js|json|md|txt|sh|go|html|css)|^[^.]+$|\.gitignore|\.npmrc|\/[^./]+)$/
const CODE = /\.(ts|mts|mjs)$/

/** Written by machines, or bytes for machines. */
const GENERATED = /^(package-lock\.json|bench\/package-lock\.json|vectors\/museum\/)/

export class Tree {
  /** All paths, relative to the root, sorted. */
  readonly paths: readonly string[]
  /** Every text file but code and generated ones. */
  readonly texts: readonly SourceFile[]
  /** TypeScript and JavaScript. */
  readonly sources: readonly SourceFile[]
  readonly #files: ReadonlyMap<string, SourceFile>
  readonly #folders = new Set<string>()

  constructor(contents: ReadonlyMap<string, string>) {
    this.paths = [...contents.keys()].sort()
    this.#files = new Map(
      this.paths.map((path) => [path, new SourceFile(path, contents.get(path) ?? '')]),
    )
    const written = [...this.#files.values()].filter(({ path }) => !GENERATED.test(path))
    this.sources = written.filter(({ path }) => CODE.test(path))
    this.texts = written.filter(({ path }) => !CODE.test(path) && TEXT.test(path))
    for (const path of this.paths) {
      for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
        this.#folders.add(path.slice(0, end))
      }
    }
  }

  file(path: string): SourceFile | undefined {
    return this.#files.get(path)
  }

  /** Whether `path` is a file or a folder of the tree. */
  has(path: string): boolean {
    return this.#files.has(path) || this.#folders.has(path)
  }

  /** The parsed JSON file, or undefined where there is none. */
  json<T>(path: string): T | undefined {
    const file = this.#files.get(path)
    return file === undefined ? undefined : (JSON.parse(file.text) as T)
  }
}

/** Everything that git tracks or would track. */
export function readTree(root: string): Tree {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z']
  const listed = execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\0')
  const contents = new Map<string, string>()
  for (const path of listed) {
    const full = join(root, path)
    if (path === '' || contents.has(path) || !existsSync(full)) continue
    contents.set(path, TEXT.test(path) ? readFileSync(full, 'utf8') : '')
  }
  return new Tree(contents)
}
