/**
 * The adversary against exported directories and receipts of the real command: our verifier and
 * the second one, written from the texts, must give the same verdict on every mutant, and neither
 * may believe anything else than what was exported.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { formatName, isLongshoreError, parseName } from '@longshore/capsule'
import { verifyDirectory } from '@longshore/client/node'
import { type Statement, truthsOf } from './adversary/attack.ts'
import {
  addStrangers,
  type DirectoryMutant,
  listFiles,
  mutateContents,
  mutateNames,
} from './adversary/directory-mutants.ts'
import { mutateReceipt } from './adversary/receipt-mutants.ts'
import { readReceipt } from './adversary/receipt-verifier.ts'
import {
  CommandHome,
  type ExportedCapsule,
  exportCapsule,
  makeReceipt,
} from './exported-capsule.ts'
import { openDirectory } from './eyes/verifier/directory.ts'
import { formatName as formatEyesName } from './eyes/verifier/name.ts'
import { openReceipt } from './eyes/verifier/receipt.ts'
import { Refused } from './eyes/verifier/refuse.ts'
import { runTool } from './foreign-tool.ts'
import { hexOf } from './read-vectors.ts'

/** What a verifier says: a statement, or that it refuses. Anything else it throws is a crash. */
async function verdictOf(read: () => string | Promise<string>): Promise<string> {
  try {
    return await read()
  } catch (error) {
    if (isLongshoreError(error) || error instanceof Refused) return 'refused'
    return `crashed: ${String(error)}`
  }
}

async function readOurs(directory: string): Promise<string> {
  const { text, size, root, erased } = await verifyDirectory(directory)
  return `${text} ${size} ${root === undefined ? '' : hexOf(root)} ${erased}`
}

function readEyes(directory: string): string {
  const { name, size, root, payloads } = openDirectory(directory)
  const erased = payloads.filter((payload) => payload === undefined).length
  return `${formatEyesName(name)} ${size} ${hexOf(root)} ${erased}`
}

async function attackDirectory(
  { home, directory, name, size }: ExportedCapsule,
  step: number,
): Promise<void> {
  const truth = await readOurs(directory)
  assert.equal(truth, readEyes(directory))
  assert.ok(truth.startsWith(`${name} ${size} `))
  mkdirSync(home.file('aside'), { recursive: true })
  const paths = listFiles(directory)
  const payloads = paths.filter((path) => path.startsWith('payload/'))
  const chosen = paths.filter((path) => !payloads.slice(2).includes(path))
  const lists: Iterable<DirectoryMutant>[] = [
    mutateContents(directory, chosen, step),
    mutateNames(directory, chosen, home.file('aside')),
    addStrangers(directory),
  ]
  let [tried, refused] = [0, 0]
  const findings: string[] = []
  for (const list of lists) {
    for (const { what, apply, undo } of list) {
      apply()
      const ours = await verdictOf(() => readOurs(directory))
      const eyes = await verdictOf(() => readEyes(directory))
      undo()
      tried += 1
      if (ours === 'refused') refused += 1
      const isAllowed = ours === eyes && (ours === 'refused' || ours === truth)
      if (!isAllowed) findings.push(`${what}: ours ${ours}, the second verifier ${eyes}`)
    }
  }
  console.log(`export of ${size} entries: ${tried} mutants tried, ${refused} refused by both`)
  assert.deepEqual(findings.slice(0, 20), [])
  assert.ok(tried > 200 && refused > tried / 2)
  assert.equal(await readOurs(directory), truth)
}

test('EX2 EX3 EX4 EX5 EX6 EX7: no changed export is believed, and both verifiers agree', async () => {
  using home = new CommandHome()
  await attackDirectory(exportCapsule(home, 3), 2)
  await attackDirectory(exportCapsule(home, 2, true), 11)
  await attackDirectory(exportCapsule(home, 256), 4099)
})

test('RC2 RC11: both verifiers agree on every changed receipt of the command', async () => {
  using home = new CommandHome()
  const capsule = exportCapsule(home, 6)
  const encode = (read: () => Statement) => () => JSON.stringify(read())
  let tried = 0
  const findings: string[] = []
  for (const index of [4]) {
    const receipt = makeReceipt(capsule, index)
    assert.equal(formatName(parseName(capsule.name)), capsule.name)
    const text = new TextDecoder().decode(receipt)
    const truths = truthsOf([readReceipt(receipt), readWithEyes(receipt)])
    assert.equal(truths.size, 1)
    for (const { what, value } of mutateReceipt(`index ${index}`, text, [index])) {
      const ours = await verdictOf(encode(() => readReceipt(value)))
      const eyes = await verdictOf(encode(() => readWithEyes(value)))
      tried += 1
      if (ours !== eyes) findings.push(`${what}: ours ${ours}, the second verifier ${eyes}`)
    }
  }
  console.log(`receipts of the command: ${tried} mutants, both verifiers agree`)
  assert.deepEqual(findings.slice(0, 20), [])
  assert.ok(tried > 5_000)
})

test('RC2 EX2: the second verifier is a command as well', () => {
  using home = new CommandHome()
  const capsule = exportCapsule(home, 2)
  const receipt = home.file('receipt-0')
  makeReceipt(capsule, 0)
  const run = (...args: string[]) => {
    const program = join(import.meta.dirname, 'eyes/verifier/main.ts')
    return runTool(process.execPath, [program, ...args])
  }
  const { name, directory, size } = capsule
  const other = exportCapsule(home, 2, true).name
  for (const [kind, path, more] of [
    ['receipt', receipt, { size, index: 0 }],
    ['directory', directory, { size }],
  ] as const) {
    const { status, output } = run(kind, path, name)
    assert.equal(status, 0, output)
    assert.deepEqual(JSON.parse(output), { ok: true, name, ...more })
    assert.equal(run(kind, path, other).status, 1)
  }
  assert.equal(run('receipt').status, 2)
})

/** What the second verifier reads in a receipt, in the words of `readReceipt`. */
function readWithEyes(receipt: Uint8Array): Statement {
  const { name, owner, branch, index, size, root, header, payload, heartbeatS } =
    openReceipt(receipt)
  const says = JSON.stringify({
    name: formatEyesName(name),
    owner: hexOf(owner),
    branch: hexOf(branch),
    index,
    size,
    root: hexOf(root),
    header: hexOf(header),
  })
  const extras: string[] = []
  if (payload !== undefined) extras.push(`payload ${hexOf(payload)}`)
  if (heartbeatS !== undefined) extras.push(`heartbeat ${heartbeatS}`)
  return { says, extras }
}
