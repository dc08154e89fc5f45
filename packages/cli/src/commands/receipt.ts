/**
 * `longshore receipt NAME INDEX [-o FILE]`: a proof of one entry that a stranger can verify.
 *
 * @module
 */
import { verifyReceipt } from '@longshore/capsule'
import type { Context } from '../context.ts'
import { reportConviction } from '../conviction.ts'
import { openCapsule } from '../open-capsule.ts'
import { replaceFile } from '../output-file.ts'
import { openHomeToRead, remoteOptions } from '../remote-options.ts'
import { formatPrintable } from '../text/printable.ts'
import { leftOutLine, leftOutObject } from '../text/receipt.ts'

export async function run(context: Context): Promise<number> {
  const { args, out } = context
  const index = Number(args.positional(1))
  const file = args.text('output')
  await using home = await openHomeToRead(context, args.positional(0))
  await using capsule = await openCapsule(home, args.positional(0), remoteOptions(args))
  const receipt = await capsule.receipt(index)
  const name = capsule.text
  const { level, leftOut } = verifyReceipt(receipt)
  for (const part of leftOut) out.note(leftOutLine(part))
  const held = { level, leftOut: leftOut.map(leftOutObject) }
  if (file === undefined) {
    if (out.json) out.line(JSON.stringify({ name, index, ...held, receipt }))
    else out.bytes(Buffer.from(receipt))
    return reportConviction(out, home.conviction(capsule.name))
  }
  await replaceFile(file, receipt)
  const object = { name, index, ...held, file, bytes: Buffer.byteLength(receipt) }
  if (out.json) out.line(JSON.stringify(object))
  else {
    const shown = formatPrintable(file)
    out.remark(
      `wrote ${shown} (${object.bytes} bytes); verify it with: longshore verify ${shown} --name ${name}`,
    )
  }
  return reportConviction(out, home.conviction(capsule.name))
}
