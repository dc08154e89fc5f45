import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Signer } from '../crypto/signer.ts'
import { manifestKey } from '../manifest/manifest.ts'
import { formatCosignerName } from '../name/name.ts'
import { entriesOf, principalOf, SampleHistory } from '../receipt/testing/sample-capsule.ts'
import { formatCheckpoint, openCheckpoint } from './checkpoint.ts'
import { createHeartbeat, verifyHeartbeat } from './heartbeat.ts'
import { cosignatureLine } from './node-cosignature.ts'
import { NOTE_COSIGNATURE, type NoteKey } from './note-key.ts'

const CAPSULE = principalOf('capsule', 1)
const OTHER = principalOf('capsule', 11)
const NODE = principalOf('node', 21)
const WRITER = CAPSULE.signers.get('writer') as Signer
const MIRROR = NODE.signers.get('mirror') as Signer
const HISTORY = new SampleHistory(entriesOf(3))
const HEAD = HISTORY.head(CAPSULE.signed, 3, WRITER)
const { name } = CAPSULE.signed
const TIME_S = 1_767_225_700
const COSIGNATURE = createHeartbeat(name, HEAD, TIME_S, MIRROR)

test('CP14 CP23: a cosignature is of one capsule, head and second, by one key', () => {
  verifyHeartbeat(name, HEAD, COSIGNATURE, MIRROR.key)
  const refuse = (of = name, head = HEAD, cosignature = COSIGNATURE, key = MIRROR.key): void => {
    const verify = (): void => verifyHeartbeat(of, head, cosignature, key)
    assert.throws(verify, { code: 'BAD_SIGNATURE' })
  }
  refuse(OTHER.signed.name)
  refuse(name, { ...HEAD, size: 2 })
  refuse(name, { ...HEAD, root: HISTORY.root(2) })
  refuse(name, HEAD, { ...COSIGNATURE, timeS: TIME_S + 1 })
  refuse(name, HEAD, COSIGNATURE, manifestKey(NODE.signed.manifest, 'witness'))
  // A heartbeat is the same statement by the writer's key, and never passes for a mirror's.
  refuse(name, HEAD, createHeartbeat(name, HEAD, TIME_S, WRITER))
})

test('CP23: as a line of a checkpoint it stands under the name of node and role', () => {
  for (const role of ['mirror', 'witness'] as const) {
    const signer = NODE.signers.get(role) as Signer
    const cosignature = createHeartbeat(name, HEAD, TIME_S, signer)
    const line = cosignatureLine(NODE.signed.name, role, cosignature, signer.key)
    const keyName = formatCosignerName(NODE.signed.name, role)
    assert.equal(line.keyName, keyName)
    const key: NoteKey = { name: keyName, type: NOTE_COSIGNATURE, key: signer.publicKey }
    const note = formatCheckpoint(name, HEAD, WRITER.key, [line])
    const opened = openCheckpoint(note, { writerKey: WRITER.key, cosigners: [key] })
    assert.deepEqual(opened.cosignatures, [
      { key, signature: cosignature.signature, timeS: TIME_S },
    ])
  }
})
