/**
 * The rooms of the project as data: which file belongs where, and what it may import.
 *
 * A new package or top-level folder needs a row here before tidy accepts its files.
 *
 * @module
 */

export interface Room {
  readonly name: string
  /** 0 to 3 never touch the operating system outside their platform rooms. */
  readonly layer: number
  /** Rooms below that it may import, through their declared exports. */
  readonly rooms: readonly string[]
  /** Third-party packages for code outside platform rooms. Platform rooms may use all declared. */
  readonly libraries: readonly string[]
  /** Whether code outside platform rooms may import `node:` and other rooms' platform exports. */
  readonly operatingSystem: boolean
}

export const ROOMS: readonly Room[] = [
  { name: 'capsule', layer: 0, rooms: [], libraries: ['cborg'], operatingSystem: false },
  { name: 'engine', layer: 1, rooms: ['capsule'], libraries: [], operatingSystem: false },
  { name: 'client', layer: 2, rooms: ['capsule', 'engine'], libraries: [], operatingSystem: false },
  {
    name: 'node',
    layer: 4,
    rooms: ['capsule', 'engine', 'client'],
    libraries: [],
    operatingSystem: true,
  },
  {
    name: 'cli',
    layer: 5,
    rooms: ['capsule', 'client', 'node'],
    libraries: [],
    operatingSystem: true,
  },
]

/**
 * What a file is for, which decides its rules.
 * - `core`: code of a room; `platform`: the only code of layers 0 to 3 that touches the system;
 * - `testing`: suites and simulators that a room exports for tests; `test`: `*.test.ts` and data;
 * - `tool`: scripts, benchmarks, vectors and guides, which may use any room's exports.
 */
export type Zone =
  | { readonly kind: 'core' | 'platform' | 'testing' | 'test'; readonly room: Room }
  | { readonly kind: 'tool'; readonly area: string }
  | { readonly kind: 'unknown' }

/** Top-level folders that hold code but are no rooms. */
const AREAS = ['bench', 'docs', 'scripts', 'sim', 'vectors']

export function zoneOf(path: string): Zone {
  const [top = '', name, ...rest] = path.split('/')
  if (top === 'packages') {
    const room = ROOMS.find((candidate) => candidate.name === name)
    return room === undefined ? { kind: 'unknown' } : { kind: kindWithin(rest), room }
  }
  return AREAS.includes(top) ? { kind: 'tool', area: top } : { kind: 'unknown' }
}

function kindWithin(rest: readonly string[]): 'core' | 'platform' | 'testing' | 'test' {
  const file = rest.at(-1) ?? ''
  if (/\.test\.ts$/.test(file) || rest[0] === 'test') return 'test'
  if (rest.includes('testing')) return 'testing'
  return rest[0] === 'src' && rest[1] === 'platform' ? 'platform' : 'core'
}

/** Exported subpaths that lead into platform rooms, such as `@longshore/client/node`. */
export const PLATFORM_EXPORTS: readonly string[] = ['node', 'browser']

/** Exported subpaths that only tests and tools may import. */
export const TESTING_EXPORTS: readonly string[] = ['testing']

/** Built-in modules that suites and reference code need where `node:` otherwise is not allowed. */
export const TEST_MODULES: readonly string[] = [
  ...['node:test', 'node:assert', 'node:assert/strict', 'node:crypto'],
]

/**
 * Independent eyes: code that must not share a line with what it checks. Folder, and all that it
 * may import besides `node:` and its own files.
 */
export const INDEPENDENT: readonly { readonly folder: string; readonly allowed: RegExp }[] = [
  {
    folder: 'vectors/make/',
    allowed: /^(cborg|@noble\/post-quantum\/ml-dsa.js|node:crypto|node:fs|node:path|node:url)$/,
  },
  { folder: 'vectors/eyes/', allowed: /^(?!@longshore\/)/ },
]

/** Tests that look inside a package from outside, each with a reason. */
export const INSIDE: readonly { readonly from: RegExp; readonly to: RegExp }[] = [
  {
    // Each crypto back end is held against the same vectors, and no user may choose one.
    from: /^vectors\/[^/]+\.test\.ts$/,
    to: /^packages\/capsule\/src\/(platform\/|crypto\/(crypto-backend|ml-dsa-44)\.ts$)/,
  },
  {
    // Events of `npm start` are described like those of the command line.
    from: /^scripts\/start\/start\.test\.ts$/,
    to: /^packages\/cli\/test\/json-schema\.ts$/,
  },
  {
    // Both header codecs are held against the same vectors.
    from: /^vectors\/header\.test\.ts$/,
    to: /^packages\/capsule\/src\/entry\//,
  },
]
