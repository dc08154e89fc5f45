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
  NOTE_ED25519,
} from '@longshore/capsule'
import { type Capsule, openHome } from '@longshore/client/node'
import type { Context } from '../context.ts'
import { openCapsule } from '../open-capsule.ts'
import { formatPrintable } from '../text/printable.ts'
import { formatTime } from '../text/time.ts'

export async function run({ args, out, homePath }: Context): Promise<undefined> {
  await using home = await openHome({ path: homePath, readOnly: true })
  await using capsule = await openCapsule(home, args.positional(0))
  const vkey = vkeyOf(capsule)
  out.result(showObject(capsule, vkey), () => {
    const lines = out.quiet ? [] : showLines(capsule)
    if (args.flag('vkey') && vkey !== null) lines.push(vkey)
    return lines.length === 0 ? capsule.text : lines.join('\n')
  })
}

/** Null for a principal, which signs no checkpoints. */
function vkeyOf({ name, branch, manifest }: Capsule): string | null {
  if (manifest.type !== 'capsule') return null
  const key = manifestKey(manifest, 'writer')
  return formatVkey({ name: formatOrigin(name, branch), type: NOTE_ED25519, key })
}

/** docs/spec/cli/show.schema.json */
function showObject(capsule: Capsule, vkey: string | null): object {
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
    owner: formatHex(manifestKey(manifest, 'owner')),
    authority: manifest.authority === null ? null : formatName(manifest.authority),
    origin: formatOrigin(name, branch),
    vkey,
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
    `owner      ${formatHex(manifestKey(manifest, 'owner'))}`,
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
