/**
 * How soon V8 optimizes what a node does over and over.
 *
 * A node runs for months, but most of what it runs it runs once for each message: it takes
 * thousands of messages until V8 considers a function worth its best compiler, and until then each
 * of them costs more. The compilers work on other threads.
 *
 * Measured on a busy machine of two cores, in turns, entries pushed one by one: the first thousand
 * cost a mirror 3.7 ms of processor time each instead of 3.1, all of its start included; after four
 * thousand both have cost the same, and then it is 0.9 instead of 1.2 ms.
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
