/**
 * Results as people read them, and as lines of bench/RESULTS.md.
 *
 * @module
 */
import { appendFileSync } from 'node:fs'
import type { Conditions } from './conditions.ts'
import type { Measured, RowResult } from './row.ts'

const NAME_WIDTH = 34
const VALUE_WIDTH = 22

export function formatConditions(conditions: Conditions): string {
  const { cpu, cores, memoryGib, kernel, node, commit, syncUsP50, load } = conditions
  return [
    `${cpu}, ${cores} cores, ${memoryGib} GiB, ${kernel}, Node ${node}`,
    `disk: write and fdatasync p50 ${syncUsP50} us; load ${load.toFixed(1)}; commit ${commit}`,
  ].join('\n')
}

export function formatRow(row: RowResult): string {
  const ours = row.measured.find(({ role }) => role === 'longshore')
  const lines = [row.title]
  for (const measured of row.measured) {
    const value = `${formatNumber(measured.value)} ${row.unit}`
    const cells = [
      `  ${measured.name.padEnd(NAME_WIDTH)}`,
      value.padStart(VALUE_WIDTH),
      `  ${measured.durability.padEnd(11)}`,
      `  ${verdict(row, ours, measured)}`,
    ]
    lines.push(cells.join('').trimEnd())
  }
  for (const { name, absent } of row.absent) {
    lines.push(`  ${name.padEnd(NAME_WIDTH)}  not measured: ${absent}`)
  }
  if (row.bound !== undefined) lines.push(`  bound by: ${row.bound}`)
  return lines.join('\n')
}

/** Ours against the target; everybody else as a ratio. */
function verdict(row: RowResult, ours: Measured | undefined, measured: Measured): string {
  if (measured !== ours) {
    if (ours === undefined) return ''
    const ratio = row.better === 'more' ? ours.value / measured.value : measured.value / ours.value
    return `ours: ${formatRatio(ratio)} of this`
  }
  if (row.target === undefined) return ''
  const met = row.better === 'more' ? ours.value >= row.target : ours.value <= row.target
  return `target ${formatNumber(row.target)}: ${met ? 'met' : 'MISSED'}`
}

function formatRatio(ratio: number): string {
  return `${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2)} x`
}

function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'failed'
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en', { maximumFractionDigits: digits })
}

/** Appends a section to the results file, which keeps every recorded run. */
export function recordResults(
  path: string,
  title: string,
  conditions: Conditions,
  rows: readonly RowResult[],
): void {
  const date = new Date().toISOString().slice(0, 16).replace('T', ' ')
  const body = rows.map(formatRow).join('\n\n')
  const text = `${formatConditions(conditions)}\n\n${body}`
  appendFileSync(path, `\n## ${title}, ${date}\n\n\`\`\`text\n${text}\n\`\`\`\n`)
}
