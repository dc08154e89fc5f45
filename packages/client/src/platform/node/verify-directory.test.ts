import assert from 'node:assert/strict'
import fs from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  concatBytes,
  type EraseRange,
  encodeHeader,
  formatCheckpoint,
  formatHex,
  hashLeaf,
  hotHeaderBytes,
  MAIN_BRANCH,
  manifestKey,
  RightEdge,
  sha256,
  signHead,
  tilePath,
  writeHotHeader,
} from '@longshore/capsule'
import { MemoryHome } from '../../testing/memory-home.ts'
import { importVerified } from './import-tiles.ts'
import { temporaryDirectory } from './testing-directory.ts'
import { verifyDirectory, verifyTileDirectory } from './verify-directory.ts'

const EMPTY = new Uint8Array(0)
const PAYLOAD = new TextEncoder().encode('payload')

function plainHeader(): Uint8Array {
  const header = new Uint8Array(hotHeaderBytes(1, PAYLOAD.length))
  writeHotHeader(header, 0, 0, 1, PAYLOAD.length, sha256(PAYLOAD), 0)
  return header
}

function eraseHeader(range: EraseRange): Uint8Array {
  return encodeHeader({
    kind: 0,
    timeUs: 1,
    payloadBytes: 0,
    payloadHash: sha256(EMPTY),
    pointers: [],
    ext: { control: { type: 'erase', ranges: [range], reason: '' }, app: new Map() },
  })
}

/** Writes an export by hand, signed, whatever the headers say. */
function writeExport(
  memory: MemoryHome,
  headers: readonly Uint8Array[],
  bodies: readonly Uint8Array[],
): string {
  const directory = temporaryDirectory()
  const { name, manifest, signed } = memory.signed
  const edge = RightEdge.empty()
  edge.append(concatBytes(...headers.map(hashLeaf)))
  const { size } = edge
  const unsigned = { name, branch: MAIN_BRANCH, epoch: 0, size, root: edge.root() }
  const head = signHead(unsigned, memory.writer)
  const bundle = headers.flatMap((header) => [Uint8Array.of(0, header.length), header])
  const files: [string, Uint8Array | string][] = [
    ['manifest.cbor', signed],
    ['checkpoint', formatCheckpoint(name, head, manifestKey(manifest, 'writer'))],
    [tilePath(0, 0, size), edge.partialTile(0)],
    [tilePath('entries', 0, size), concatBytes(...bundle)],
    ...bodies.map((body): [string, Uint8Array] => [`payload/${formatHex(sha256(body))}`, body]),
  ]
  for (const [file, content] of files) {
    fs.mkdirSync(join(directory, file, '..'), { recursive: true })
    fs.writeFileSync(join(directory, file), content)
  }
  return directory
}

test('EX8 EX9: an erase entry is believed where it may stand, and refused where it may not', async () => {
  const memory = new MemoryHome()
  const erased = [plainHeader(), eraseHeader({ start: 0, end: 1 })]
  const good = await verifyDirectory(writeExport(memory, erased, [EMPTY]))
  assert.deepEqual([good.present, good.erased], [1, 1])
  const stillHere = writeExport(memory, erased, [EMPTY, PAYLOAD])
  await assert.rejects(verifyDirectory(stillHere), { code: 'EXPORT_INVALID' })
  const notErased = writeExport(memory, [plainHeader(), plainHeader()], [])
  await assert.rejects(verifyDirectory(notErased), { code: 'EXPORT_INVALID' })
  const itself = writeExport(memory, [plainHeader(), eraseHeader({ start: 0, end: 2 })], [])
  await assert.rejects(verifyDirectory(itself), { code: 'HEADER_INVALID' })
})

test('EX2: a checkpoint by another key, or of another capsule, is refused', async () => {
  const memory = new MemoryHome()
  const directory = writeExport(memory, [plainHeader()], [PAYLOAD])
  const other = new MemoryHome({ blind: true })
  const foreign = writeExport(other, [plainHeader()], [PAYLOAD])
  fs.copyFileSync(join(foreign, 'checkpoint'), join(directory, 'checkpoint'))
  await assert.rejects(verifyDirectory(directory), { code: 'NAME_MISMATCH' })
  fs.copyFileSync(join(foreign, 'manifest.cbor'), join(directory, 'manifest.cbor'))
  await assert.rejects(verifyDirectory(directory, { name: memory.name }), { code: 'NAME_MISMATCH' })
  assert.equal((await verifyDirectory(directory)).text, (await verifyDirectory(foreign)).text)
})

test('EX18: files that change between verifying and storing do no harm', async () => {
  const source = new MemoryHome()
  const directory = writeExport(source, [plainHeader(), plainHeader()], [PAYLOAD])
  const verified = await verifyTileDirectory(directory)
  const bundle = join(directory, tilePath('entries', 0, 2))
  const bytes = fs.readFileSync(bundle)
  bytes[10]! ^= 1
  fs.writeFileSync(bundle, bytes)
  const target = new MemoryHome({ blind: true })
  const { store, driver } = target
  const sound = { isDamaged: async () => false, signedSize: () => 0 }
  const context = { store, driver, isOwn: false, ...sound }
  const importing = assert.rejects(importVerified(verified, context), { code: 'ROOT_MISMATCH' })
  await target.settle()
  await importing
  assert.equal(target.store.manifest(source.name), undefined)
})
