/**
 * `longshore show NAME`: what a capsule is and where it stands.
 *
 * @module
 */
import {
  formatHex,
  formatName,
  formatOrigin,
  formatVkey,
  type Manifest,
  manifestKey,
  NOTE_COSIGNATURE_ML_DSA_44,
  NOTE_ED25519,
} from '@longshore/capsule'
import { type Capsule, openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { reportConviction } from '../conviction.ts'
import { openCapsule } from '../open-capsule.ts'
import { ownerFields, ownerRows } from '../text/owner.ts'
import { formatPrintable } from '../text/printable.ts'
import { formatTime } from '../text/time.ts'

export async function run({ args, out, homePath }: Context): Promise<number> {
  await using home = await openHome({ path: homePath, readOnly: true })
  await using capsule = await openCapsule(home, args.positional(0))
  const vkeys = vkeysOf(capsule)
  out.result(showObject(capsule, vkeys), () => {
    const lines = out.quiet ? [] : showLines(capsule)
    if (args.flag('vkey')) lines.push(...vkeys)
    return lines.length === 0 ? capsule.text : lines.join('\n')
  })
  return reportConviction(out, home.conviction(capsule.name))
}

/** One for each key of the writer; none for a principal, which signs no checkpoints. */
function vkeysOf({ name: capsule, branch, manifest }: Capsule): string[] {
  if (manifest.type !== 'capsule') return []
  const { ed25519, mlDsa44 } = manifestKey(manifest, 'writer')
  const name = formatOrigin(capsule, branch)
  const first = formatVkey({ name, type: NOTE_ED25519, key: ed25519 })
  if (mlDsa44 === undefined) return [first]
  return [first, formatVkey({ name, type: NOTE_COSIGNATURE_ML_DSA_44, key: mlDsa44 })]
}

/** docs/spec/cli/show.schema.json */
function showObject(capsule: Capsule, [vkey, vkeyMlDsa44]: readonly string[]): object {
  const { name, branch, manifest, size, head, text, writable } = capsule
  return {
    name: text,
    type: manifest.type,
    size,
    root: head === undefined ? null : formatHex(head.root),
    labels: manifest.labels,
    time: formatTime(manifest.timeUs),
    mode: manifest.mode,
    blind: manifest.blind,
    public: manifest.policy.read === 'any',
    writable,
    ...ownerFields(manifestKey(manifest, 'owner')),
    authority: manifest.authority === null ? null : formatName(manifest.authority),
    origin: formatOrigin(name, branch),
    vkey: vkey ?? null,
    ...(vkeyMlDsa44 === undefined ? {} : { vkeyMlDsa44 }),
    checkpoint: head === undefined ? null : capsule.checkpoint(),
  }
}

function showLines(capsule: Capsule): string[] {
  const { manifest, size, head, text, writable } = capsule
  const lines = [
    `name       ${text}`,
    `type       ${manifest.type}, ${traits(manifest).join(', ')}`,
    `made       ${formatTime(manifest.timeUs)}`,
    ...Object.entries(manifest.labels).map(
      ([key, value]) => `label      ${formatPrintable(`${key}=${value}`)}`,
    ),
    ...ownerRows(manifestKey(manifest, 'owner')).map(([label, key]) => label.padEnd(11) + key),
    `writer     ${writable ? 'this home' : 'elsewhere'}`,
    `size       ${size}`,
  ]
  if (head === undefined) return lines
  const checkpoint = capsule.checkpoint().trimEnd().split('\n')
  return [...lines, 'checkpoint', ...checkpoint.map((line) => `  ${line}`.trimEnd())]
}

function traits({ mode, blind, policy }: Manifest): string[] {
  return [mode, policy.read === 'any' ? 'public' : 'private', ...(blind ? ['blind'] : [])]
}
