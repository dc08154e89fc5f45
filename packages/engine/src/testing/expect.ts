/**
 * Checks for the exported contract suites, which may not import a test framework: they run under
 * node:test here, and in a browser or a simulator elsewhere.
 *
 * @module
 */
import { bytesEqual, formatHex, isLongshoreError } from '@longshore/capsule'

class ExpectationFailed extends Error {
  override readonly name = 'ExpectationFailed'
}

/** Values as text that differs whenever the values do; bytes as hex. */
function show(value: unknown): string {
  if (value instanceof Uint8Array) return `h'${formatHex(value)}'`
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${fields.map(([key, field]) => `${key}: ${show(field)}`).join(', ')}}`
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

/** Equal in content: bytes, arrays and plain objects are compared deeply. */
export function isSame(actual: unknown, expected: unknown): boolean {
  if (actual === expected) return true
  if (typeof actual !== 'object' || typeof expected !== 'object') return false
  if (actual === null || expected === null) return false
  if (actual instanceof Uint8Array || expected instanceof Uint8Array) {
    if (!(actual instanceof Uint8Array && expected instanceof Uint8Array)) return false
    return bytesEqual(actual, expected)
  }
  if (Array.isArray(actual) !== Array.isArray(expected)) return false
  const [fields, others] = [Object.entries(actual), Object.entries(expected)]
  return (
    fields.length === others.length &&
    fields.every(([key, field], at) => {
      const [otherKey, other] = others[at] as [string, unknown]
      return key === otherKey && isSame(field, other)
    })
  )
}

/** Of fields in another order, their text decides. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (isSame(actual, expected)) return
  const [got, wanted] = [show(actual), show(expected)]
  if (got !== wanted) throw new ExpectationFailed(`${what}: got ${got}, expected ${wanted}`)
}

export function expectTrue(condition: boolean, what: string): asserts condition {
  if (!condition) throw new ExpectationFailed(what)
}

/** `action` throws an error with this code. */
export function expectCode(action: () => unknown, code: string, what: string): void {
  try {
    action()
  } catch (error) {
    expectEqual(codeOf(error), code, what)
    return
  }
  throw new ExpectationFailed(`${what}: nothing was thrown, expected ${code}`)
}

/** `action` throws, whatever it is. */
export function expectThrows(action: () => unknown, what: string): void {
  let thrown = false
  try {
    action()
  } catch {
    thrown = true
  }
  expectTrue(thrown, `${what}: nothing was thrown`)
}

/** The code of one of our errors; any other error is passed on as it is. */
export function codeOf(error: unknown): string {
  if (!isLongshoreError(error)) throw error
  return error.code
}
