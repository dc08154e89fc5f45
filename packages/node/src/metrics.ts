/**
 * What a node tells Prometheus: the text of `/metrics`, made from its status.
 *
 * Names and labels are a contract for dashboards; docs/guide/operate.md lists them, and a test
 * compares. No label holds a name of a peer or a capsule: there may be very many.
 * Rule ND11 of docs/spec/node.md.
 *
 * @module
 */
import type { NodeMeters } from './node-meters.ts'
import type { NodeStatus } from './node-status.ts'

type Sample = readonly [labels: string, value: number]
type Kind = 'counter' | 'gauge'

export function formatMetrics(status: NodeStatus, meters: NodeMeters): string {
  const lines: string[] = []
  const add = (name: string, kind: Kind | 'histogram', help: string, samples: Sample[]): void => {
    lines.push(`# HELP longshore_${name} ${help}`, `# TYPE longshore_${name} ${kind}`)
    for (const [labels, value] of samples) lines.push(`longshore_${name}${labels} ${value}`)
  }
  const one = (name: string, kind: Kind, help: string, value: number): void => {
    add(name, kind, help, [['', value]])
  }
  const version = `{version="${status.version}"}`
  add('info', 'gauge', 'Always 1; the version is in its label.', [[version, 1]])
  one('uptime_seconds', 'gauge', 'Since the node started.', status.uptimeS)
  addNetwork(status, one, add)
  addMirror(status, one, add)
  const { count, sumS, buckets } = meters.syncs
  add('sync_seconds', 'histogram', 'How long syncs of the journal took.', [])
  for (const bucket of buckets) {
    const bound = Number.isFinite(bucket.boundS) ? String(bucket.boundS) : '+Inf'
    lines.push(`longshore_sync_seconds_bucket{le="${bound}"} ${bucket.count}`)
  }
  lines.push(`longshore_sync_seconds_sum ${sumS}`, `longshore_sync_seconds_count ${count}`)
  const lags = [50, 99, 100].map((p): Sample => [`{quantile="${p / 100}"}`, meters.lagS(p)])
  add('event_loop_lag_seconds', 'gauge', 'How late timers are, since the start.', lags)
  const { rss, heapUsed } = process.memoryUsage()
  one('memory_resident_bytes', 'gauge', 'Memory of the process.', rss)
  one('memory_heap_bytes', 'gauge', 'Memory of the JavaScript heap in use.', heapUsed)
  return `${lines.join('\n')}\n`
}

type One = (name: string, kind: Kind, help: string, value: number) => void
type Add = (name: string, kind: Kind, help: string, samples: Sample[]) => void

function addNetwork(status: NodeStatus, one: One, add: Add): void {
  const { counters, links } = status
  const dialled = links.filter((link) => link.dialled).length
  add('links', 'gauge', 'Links to other nodes that are up, by who dialled.', [
    ['{dialled="self"}', dialled],
    ['{dialled="peer"}', links.length - dialled],
  ])
  const lost = status.neighbors.filter(({ up }) => !up).length
  one('neighbors_lost', 'gauge', 'Neighbors of --join without a link now.', lost)
  one('strangers', 'gauge', 'Connections that have not said who they are.', status.strangers)
  one('routes', 'gauge', 'Names to which this node knows a way.', status.routes)
  one('sessions', 'gauge', 'End-to-end sessions of this node.', status.sessions)
  const queueBytes = links.reduce((sum, link) => sum + link.queueBytes, 0)
  one('queue_bytes', 'gauge', 'Bytes that wait for links.', queueBytes)
  const of = (name: string, help: string, value: number): void => one(name, 'counter', help, value)
  of('forwarded_frames_total', 'Frames forwarded for others.', counters.forwardedFrames)
  of('forwarded_bytes_total', 'Their bytes.', counters.forwardedBytes)
  of('delivered_frames_total', 'Frames for this node itself.', counters.deliveredFrames)
  of('dropped_frames_total', 'Frames dropped by a full queue.', counters.droppedFrames)
  of('unreachable_frames_total', 'Frames without a way on.', counters.unreachableFrames)
  of('lookups_total', 'Names looked up.', counters.lookups)
  of('protocol_errors_total', 'Links closed for what the peer sent.', counters.protocolErrors)
  of('refused_packets_total', 'Packets that belong to no session.', counters.refusedPackets)
  add(
    'refused_names_total',
    'counter',
    'Advertised names refused, by code.',
    byCode(status.refusedNames),
  )
}

function addMirror({ mirror, store }: NodeStatus, one: One, add: Add): void {
  one('stored_bytes', 'gauge', 'What the journal takes on disk.', store.journalBytes)
  one('free_bytes', 'gauge', 'What may still be accepted.', store.freeBytes)
  if (mirror === null) return
  one('mirrored_capsules', 'gauge', 'Capsules that this mirror serves.', mirror.capsuleCount)
  one('pushes', 'gauge', 'Branches that are pushed to this mirror now.', mirror.pushes)
  one('followers', 'gauge', 'Readers to whom a session streams.', mirror.followers)
  one('pending_bytes', 'gauge', 'Received bytes that wait for a commit.', mirror.pendingBytes)
  one('commits_total', 'counter', 'Group commits of the mirror.', mirror.commits)
  one('entries_total', 'counter', 'Entries taken in.', mirror.entries)
  one('receipts_total', 'counter', 'Receipts given.', mirror.receipts)
  one('offers_total', 'counter', 'Capsules taken on or renewed.', mirror.offers)
  one('damaged_capsules', 'gauge', 'Capsules damaged on this disk.', mirror.damaged)
  one('mending_capsules', 'gauge', 'Damaged capsules being filled again.', mirror.mending)
  one('mended_total', 'counter', 'Damaged capsules that are whole again.', mirror.mended)
  const refusals = byCode(mirror.refusals)
  add('refusals_total', 'counter', 'Requests that the mirror refused, by code.', refusals)
}

function byCode(counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([code, count]) => [`{code="${code}"}`, count])
}
