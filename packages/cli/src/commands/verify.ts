/**
 * `longshore verify FILE|DIR|NAME`: is it what its writer signed?
 *
 * A file or directory brings the name that it is checked against. Unless the caller gives the name
 * with `--name`, it is only reported as consistent with that name (F25). Rules CL35 to CL37 of
 * docs/spec/cli.md.
 *
 * @module
 */
import {
  type CapsuleName,
  formatHex,
  formatName,
  isLongshoreError,
  parseName,
} from '@longshore/capsule'
import { verifyDirectory } from '@longshore/client/node'
import type { Context } from '../context.ts'
import {
  checkName,
  describeReport,
  type Finding,
  verifyEvidenceFile,
  verifyReceiptFile,
} from '../finding.ts'
import { readVerifiable } from '../input/verifiable-file.ts'
import { openCapsule } from '../open-capsule.ts'
import type { Output } from '../output.ts'
import { openHomeToRead, remoteOptions } from '../remote-options.ts'
import { ownerFields, ownerRows } from '../text/owner.ts'
import { leftOutLine, leftOutObject } from '../text/receipt.ts'
import { formatTime } from '../text/time.ts'

const LABEL_CHARS = 11
/** Also wrong spellings of a name, which deserve to be told so. */
const LOOKS_LIKE_NAME = /^[bB][a-zA-Z2-7]{57,59}$/
/** Evidence is a CBOR array of four; a receipt is text. */
const EVIDENCE_START = 0x84

export async function run(context: Context): Promise<undefined> {
  const { args, out } = context
  const text = args.text('name')
  const expected = text === undefined ? undefined : parseName(text)
  const target = await findTarget(args.positional(0))
  const { kind } = target
  const nameGiven = expected !== undefined || kind === 'capsule'
  try {
    const finding = await verifyTarget(context, target, expected)
    for (const part of finding.held?.leftOut ?? []) out.note(leftOutLine(part))
    out.result(findingObject(kind, finding, nameGiven), () =>
      formatFinding(out, finding, nameGiven),
    )
  } catch (error) {
    if (isLongshoreError(error) && error.name === 'VerificationError') {
      const nothing = { name: null, size: null, root: null, checks: [] }
      const object = { ok: false, kind, ...nothing, nameGiven, code: error.code }
      out.result(object, `${out.bad('failed'.padEnd(LABEL_CHARS))}${kind}`)
    }
    throw error
  }
}

type Target =
  | { readonly kind: 'receipt' | 'evidence'; readonly bytes: Uint8Array }
  | { readonly kind: 'export'; readonly directory: string }
  | { readonly kind: 'capsule'; readonly text: string }

/** A well-formed name is always a capsule of this home, whatever files there are. */
async function findTarget(text: string): Promise<Target> {
  if (LOOKS_LIKE_NAME.test(text)) return { kind: 'capsule', text }
  const found = await readVerifiable(text)
  if (found === 'directory') return { kind: 'export', directory: text }
  return { kind: found[0] === EVIDENCE_START ? 'evidence' : 'receipt', bytes: found }
}

async function verifyTarget(
  context: Context,
  target: Target,
  expected: CapsuleName | undefined,
): Promise<Finding> {
  const { stop, args } = context
  switch (target.kind) {
    case 'receipt':
      return verifyReceiptFile(target.bytes, expected)
    case 'evidence':
      return verifyEvidenceFile(target.bytes, expected)
    case 'export': {
      const options = { signal: stop.finish(), ...(expected && { name: expected }) }
      return describeReport('export', await verifyDirectory(target.directory, options))
    }
    case 'capsule': {
      await using home = await openHomeToRead(context, target.text)
      await using capsule = await openCapsule(home, target.text, remoteOptions(args))
      checkName(capsule.name, expected)
      const conviction = home.conviction(capsule.name)
      if (conviction !== undefined) throw conviction
      return describeReport('capsule', await capsule.verify({ signal: stop.finish() }))
    }
  }
}

/** docs/spec/cli/verify.schema.json */
function findingObject(kind: Target['kind'], finding: Finding, nameGiven: boolean): object {
  const { name, owner, size, root, checks, index, held } = finding
  return {
    ok: true,
    kind,
    name: formatName(name),
    size,
    root: root === null ? null : formatHex(root),
    checks,
    nameGiven,
    ...(index === undefined ? {} : { index }),
    ...ownerFields(owner),
    ...(held !== undefined && {
      level: held.level,
      mirrors: held.mirrors.map((mirror) => ({
        name: formatName(mirror.name),
        domains: mirror.domains.map(formatName),
        time: formatTime(mirror.timeS * 1_000_000),
      })),
      leftOut: held.leftOut.map(leftOutObject),
    }),
  }
}

function formatFinding(out: Output, finding: Finding, nameGiven: boolean): string {
  const name = formatName(finding.name)
  const warning = nameGiven ? '' : ', taken from the file: compare it with one that you trust'
  const verdict = (nameGiven ? 'verified' : 'consistent').padEnd(LABEL_CHARS)
  const rows: (readonly [string, string])[] = [
    ['name', name + warning],
    ...ownerRows(finding.owner),
  ]
  if (finding.root !== null) rows.push(['root', formatHex(finding.root)])
  rows.push(...finding.lines)
  return [
    `${nameGiven ? out.good(verdict) : verdict}${finding.title}`,
    ...rows.map(([label, text]) => label.padEnd(LABEL_CHARS) + text),
  ].join('\n')
}
