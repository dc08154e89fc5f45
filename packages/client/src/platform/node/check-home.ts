/**
 * `fsck`: is everything in this home as it was written?
 *
 * The engine reads and verifies the whole journal; here the rest of the home is looked at: does
 * every key fit its manifest, and was an import left unfinished?
 *
 * Rule HM47 of docs/spec/home.md.
 *
 * @module
 */
import {
  type CapsuleName,
  createSigner,
  formatName,
  isLongshoreError,
  MAIN_BRANCH,
  type Manifest,
  manifestKey,
  openManifest,
  type RoleKey,
  roleKeysEqual,
} from '@longshore/capsule'
import {
  type DiskStore,
  deriveNodeSeeds,
  pendingImport,
  type Slices,
  type StoreReader,
} from '@longshore/engine'
import type { FsckProblem, FsckReport } from '../../home.ts'
import { readConfig } from './home-config.ts'
import type { HomePaths } from './home-layout.ts'
import type { KeyStore } from './key-store.ts'

/** Principals whose manifest and key are checked in one slice. */
const SLICE_PRINCIPALS = 64

/** What is looked at beside the journal. */
export interface HomeParts {
  readonly store: DiskStore
  readonly keys: KeyStore
  readonly paths: HomePaths
}

/** `repair` builds the index anew first, in one slice: only for the holder. */
export function* checkHome({ store, keys, paths }: HomeParts, repair: boolean): Slices<FsckReport> {
  const report = yield* store.fsckInSlices({ repair })
  const problems: FsckProblem[] = report.problems.map(
    ({ code, segment, offset, capsule, detail }) => {
      const place = segment === 0 ? '' : ` (segment ${segment}, byte ${offset})`
      return { code, message: `${detail}${place}${capsule === undefined ? '' : ` in ${capsule}`}` }
    },
  )
  problems.push(...problemOf('', () => void readConfig(paths.config)))
  for (const [i, name] of store.names().entries()) {
    if (i % SLICE_PRINCIPALS === SLICE_PRINCIPALS - 1) yield
    problems.push(...checkPrincipal(store, keys, name))
  }
  return {
    problems,
    repaired: repair ? ['the index was built anew from the journal'] : [],
    capsuleCount: store.names().filter((name) => isCapsule(store, name)).length,
    entryCount: report.entries,
  }
}

/** Persons have manifests in the store too. What cannot be read is counted: it is missed. */
function isCapsule(store: StoreReader, name: CapsuleName): boolean {
  try {
    return openManifest(store.manifest(name) as Uint8Array, name).manifest.type === 'capsule'
  } catch (error) {
    if (!isLongshoreError(error)) throw error
    return true
  }
}

function checkPrincipal(store: StoreReader, keys: KeyStore, name: CapsuleName): FsckProblem[] {
  const problems: FsckProblem[] = []
  const text = formatName(name)
  const thrown = problemOf(` (${text})`, () => {
    const { manifest } = openManifest(store.manifest(name) as Uint8Array, name)
    const use = manifest.type === 'capsule' ? 'writer' : 'owner'
    if (keys.has(name) && !roleKeysEqual(keyOf(keys, name, manifest), manifestKey(manifest, use))) {
      problems.push({
        code: 'KEY_MISMATCH',
        message: `the key file is not the ${use} key of ${text}`,
      })
    }
    if (pendingImport(store, name, MAIN_BRANCH) !== undefined) {
      const message = `an import of ${text} was begun and not finished: run it again`
      problems.push({ code: 'IMPORT_PENDING', message })
    }
  })
  return [...problems, ...thrown]
}

function problemOf(place: string, look: () => void): FsckProblem[] {
  try {
    look()
    return []
  } catch (error) {
    if (!isLongshoreError(error)) throw error
    return [{ code: error.code, message: `${error.message}${place}` }]
  }
}

/** The key file of a node holds the one seed from which all its keys come (ND1). */
function keyOf(keys: KeyStore, name: CapsuleName, { type }: Manifest): RoleKey {
  if (type !== 'node') return keys.signer(name).key
  return createSigner(deriveNodeSeeds(keys.seeds(name).seed).owner).key
}
