/**
 * This host's real telemetry: processor, memory, disk and network counters, one JSON object each.
 *
 * Counters are cumulative, as the kernel gives them. Where a counter does not exist on this
 * system (disk and network outside Linux), the sample is left out rather than invented.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { cpus, freemem, loadavg, totalmem, uptime } from 'node:os'

export interface Sample {
  readonly source: 'cpu' | 'memory' | 'disk' | 'network'
  readonly [counter: string]: string | number
}

/** All samples of one moment: two to four, depending on the system. */
export function sampleHost(): Sample[] {
  const samples: Sample[] = [sampleCpu(), sampleMemory()]
  const disk = sampleDisk()
  if (disk !== undefined) samples.push(disk)
  const network = sampleNetwork()
  if (network !== undefined) samples.push(network)
  return samples
}

function sampleCpu(): Sample {
  let [userMs, systemMs, idleMs] = [0, 0, 0]
  for (const cpu of cpus()) {
    userMs += cpu.times.user + cpu.times.nice
    systemMs += cpu.times.sys + cpu.times.irq
    idleMs += cpu.times.idle
  }
  return { source: 'cpu', userMs, systemMs, idleMs, load1: loadavg()[0] ?? 0, uptimeS: uptime() }
}

function sampleMemory(): Sample {
  return { source: 'memory', totalBytes: totalmem(), freeBytes: freemem() }
}

/** Sums whole disks of /proc/diskstats; partitions would count everything twice. */
function sampleDisk(): Sample | undefined {
  const text = readProc('/proc/diskstats')
  if (text === undefined) return undefined
  let [reads, readBytes, writes, writtenBytes] = [0, 0, 0, 0]
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/\s+/)
    const device = fields[2] ?? ''
    if (!/^(sd[a-z]+|vd[a-z]+|xvd[a-z]+|nvme\d+n\d+|mmcblk\d+)$/.test(device)) continue
    // The kernel counts sectors of 512 bytes, whatever the disk's own sector size.
    reads += Number(fields[3])
    readBytes += Number(fields[5]) * 512
    writes += Number(fields[7])
    writtenBytes += Number(fields[9]) * 512
  }
  return { source: 'disk', reads, readBytes, writes, writtenBytes }
}

/** Sums all interfaces of /proc/net/dev, the loopback included. */
function sampleNetwork(): Sample | undefined {
  const text = readProc('/proc/net/dev')
  if (text === undefined) return undefined
  let [receivedBytes, receivedPackets, sentBytes, sentPackets] = [0, 0, 0, 0]
  for (const line of text.split('\n').slice(2)) {
    const fields = line
      .replace(/^[^:]*:/, '')
      .trim()
      .split(/\s+/)
    if (fields.length < 16) continue
    receivedBytes += Number(fields[0])
    receivedPackets += Number(fields[1])
    sentBytes += Number(fields[8])
    sentPackets += Number(fields[9])
  }
  return { source: 'network', receivedBytes, receivedPackets, sentBytes, sentPackets }
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
