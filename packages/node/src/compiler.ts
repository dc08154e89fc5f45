/**
 * How soon V8 optimizes what a node does over and over.
 *
 * A node runs for months, but most of what it runs it runs once for each message: it takes
 * thousands of messages until V8 considers a function worth its best compiler, and until then each
 * of them costs more. The compilers work on other threads, so being eager costs a node little.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8'

/** Calls, weighted by length, before each of the two optimizing compilers. V8: 400 and 3000. */
const CALLS_BEFORE_MAGLEV = 50
const CALLS_BEFORE_TURBOFAN = 300

/** For the whole process, which is meant to be a node and nothing else. */
export function optimizeSoon(): void {
  setFlagsFromString(`--invocation-count-for-maglev=${CALLS_BEFORE_MAGLEV}`)
  setFlagsFromString(`--invocation-count-for-turbofan=${CALLS_BEFORE_TURBOFAN}`)
}
