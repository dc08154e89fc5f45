/**
 * `longshore node status`: what a running node is at.
 *
 * @module
 */
import { resolve } from 'node:path'
import { askNode, type NodeStatus } from '@longshore/node'
import type { Context } from '../context.ts'
import type { Output } from '../output.ts'
import { formatByteSize } from '../text/byte-size.ts'
import { formatCount } from '../text/count.ts'
import { formatPrintable } from '../text/printable.ts'
import { formatTime } from '../text/time.ts'

export async function run({ args, out }: Context): Promise<undefined> {
  const data = resolve(args.text('data') ?? '')
  const status = (await askNode(data, 'GET /status')) as NodeStatus
  out.result(status, () => statusText(status, out))
}

function statusText(status: NodeStatus, out: Output): string {
  const { state, roles, domain, store, mirror } = status
  const lines = [
    `principal  ${status.principal}`,
    `state      ${state} since ${status.uptimeS} s, version ${status.version}`,
    `roles      ${roles.join(', ') || 'none'}`,
    ...status.listen.map((address) => `listen     ${address}`),
  ]
  if (status.http !== null) lines.push(`http       ${status.http}`)
  if (domain !== null) {
    lines.push(`domain     ${domain.name} until ${formatTime(domain.notAfterS * 1_000_000)}`)
  }
  lines.push(
    `store      ${formatByteSize(store.journalBytes)}, room for ${formatByteSize(store.freeBytes)}`,
    `network    ${formatCount(status.links.length, 'link')}, ${formatCount(status.routes, 'route')}, ${formatCount(status.sessions, 'session')}`,
    ...linkLines(status),
    ...neighborLines(status),
  )
  if (mirror !== null) lines.push(...mirrorLines(mirror))
  for (const { code, message, next } of status.problems) {
    lines.push(
      `${out.bad('problem')}    ${code}: ${formatPrintable(message)}`,
      `           ${next}`,
    )
  }
  if (status.problems.length === 0) lines.push(`${out.good('well')}       nothing is wrong`)
  return lines.join('\n')
}

function linkLines({ links }: NodeStatus): string[] {
  return links.map(({ principal, remote, router, costUs, queueBytes }) => {
    const cost = costUs === null ? 'not measured' : `${(costUs / 1000).toFixed(2)} ms`
    const kind = router ? 'router' : 'node'
    const queue = queueBytes > 0 ? `, ${formatByteSize(queueBytes)} waiting` : ''
    return `link       ${principal}  ${kind} at ${formatPrintable(remote)}, ${cost}${queue}`
  })
}

function neighborLines({ neighbors }: NodeStatus): string[] {
  return neighbors
    .filter(({ up }) => !up)
    .map(({ principal, failures, reason }) => {
      const why = reason === '' ? '' : `: ${formatPrintable(reason)}`
      return `no link    ${principal}  ${formatCount(failures, 'attempt')}${why}`
    })
}

function mirrorLines(mirror: NonNullable<NodeStatus['mirror']>): string[] {
  const { capsuleCount, capsules, pushes, followers, receipts } = mirror
  const lines = [
    `mirror     ${formatCount(capsuleCount, 'capsule')}, ${formatCount(pushes, 'push', 'pushes')}, ${formatCount(followers, 'follower')}, ${formatCount(receipts, 'receipt')} given`,
  ]
  for (const { name, size, lag } of capsules) {
    const behind = lag > 0 ? `, ${lag} behind` : ''
    lines.push(`capsule    ${name}  ${formatCount(size, 'entry', 'entries')}${behind}`)
  }
  return lines
}
