/**
 * What the suite does to an exported directory: every file changed, removed, exchanged or replaced
 * by something that is no file, and things added that do not belong.
 *
 * A mutant is a change to the directory and how to take it back, so that one copy serves them all.
 *
 * @module
 */
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

export interface DirectoryMutant {
  readonly what: string
  apply(): void
  undo(): void
}

/** Paths of all files below a directory, sorted. */
export function listFiles(directory: string, below = ''): string[] {
  const names = readdirSync(join(directory, below)).sort()
  return names.flatMap((name) => {
    const path = below === '' ? name : `${below}/${name}`
    return lstatSync(join(directory, path)).isDirectory() ? listFiles(directory, path) : [path]
  })
}

/** Places in a file that are changed: all of them in a small one. */
function places(length: number, step: number): number[] {
  const all = Array.from({ length }, (_, at) => at)
  return length < 100 ? all : all.filter((at) => at % step === 0 || at === length - 1)
}

/** Other contents for a file. */
function* contentsOf(bytes: Uint8Array, step: number): Generator<[what: string, Uint8Array]> {
  const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
  for (const at of places(bytes.length, step)) {
    yield [`bit of byte ${at}`, bytes.with(at, bytes[at]! ^ (1 << (at % 8)))]
  }
  for (const at of places(bytes.length, step * 8)) yield [`cut after ${at}`, bytes.slice(0, at)]
  if (bytes.length > 0) yield ['emptied', new Uint8Array(0)]
  yield ['a zero behind', join(bytes, Uint8Array.of(0))]
  yield ['a line end behind', join(bytes, Uint8Array.of(10))]
  yield ['a byte order mark before', join(Uint8Array.of(0xef, 0xbb, 0xbf), bytes)]
  yield ['a byte that is not UTF-8 behind', join(bytes, Uint8Array.of(0xff))]
}

/** In place of what is there: some file systems write a file that is cut at once to the disk. */
function replaceFile(file: string, bytes: Uint8Array): void {
  unlinkSync(file)
  writeFileSync(file, bytes)
}

/** Each of these files with other contents. */
export function* mutateContents(
  directory: string,
  paths: readonly string[],
  step: number,
): Generator<DirectoryMutant> {
  for (const path of paths) {
    const file = join(directory, path)
    const bytes = new Uint8Array(readFileSync(file))
    for (const [what, changed] of contentsOf(bytes, step)) {
      yield {
        what: `${path}: ${what}`,
        apply: () => replaceFile(file, changed),
        undo: () => replaceFile(file, bytes),
      }
    }
  }
}

/** Each of these files removed, exchanged with the next, or replaced by a link or a directory. */
export function* mutateNames(
  directory: string,
  paths: readonly string[],
  aside: string,
): Generator<DirectoryMutant> {
  for (const [at, path] of paths.entries()) {
    const file = join(directory, path)
    const away = join(aside, 'away')
    const replace = (what: string, put: () => void): DirectoryMutant => ({
      what: `${path}: ${what}`,
      apply: () => {
        renameSync(file, away)
        put()
      },
      undo: () => {
        rmSync(file, { recursive: true, force: true })
        renameSync(away, file)
      },
    })
    yield replace('removed', () => {})
    yield replace('a symbolic link to itself elsewhere', () => symlinkSync(away, file))
    yield replace('a dangling link', () => symlinkSync('/nowhere', file))
    yield replace('a directory', () => mkdirSync(file))
    const other = join(directory, paths[(at + 1) % paths.length] ?? '')
    const [own, others] = [readFileSync(file), readFileSync(other)]
    if (Buffer.compare(own, others) === 0) continue
    yield {
      what: `${path}: exchanged with the next file`,
      apply: () => {
        replaceFile(file, others)
        replaceFile(other, own)
      },
      undo: () => {
        replaceFile(file, own)
        replaceFile(other, others)
      },
    }
  }
}

const STRANGERS = [
  'extra',
  '.DS_Store',
  'checkpoint.new',
  'payload/readme',
  `payload/${'0'.repeat(64)}`,
  `payload/${'A'.repeat(64)}`,
  'payload/deeper/file',
  'tile/extra',
  'tile/0/001',
  'tile/0/000.p/1',
  'tile/1/000.p/1',
  'tile/7/000',
  'tile/entries/001',
  'tile/entries/000.p/255',
  'tile/data/000',
]

/** Files that do not belong, and links. */
export function* addStrangers(directory: string): Generator<DirectoryMutant> {
  const known = new Set(listFiles(directory))
  for (const path of STRANGERS.filter((stranger) => !known.has(stranger))) {
    const file = join(directory, path)
    let added = file
    yield {
      what: `${path} added`,
      apply: () => {
        added = mkdirSync(dirname(file), { recursive: true }) ?? file
        writeFileSync(file, new Uint8Array(32))
      },
      undo: () => rmSync(added, { recursive: true }),
    }
  }
  const link = join(directory, 'payload/link')
  yield {
    what: 'a link out of the directory added',
    apply: () => symlinkSync('/etc/passwd', link),
    undo: () => rmSync(link),
  }
}
