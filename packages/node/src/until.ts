/**
 * Waiting that ends.
 *
 * @module
 */

/** Resolves with the promise, at the latest when `performance.now()` is `deadlineMs`. */
export async function until(promise: Promise<unknown>, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise((resolve) => {
    timer = setTimeout(resolve, Math.max(0, deadlineMs - performance.now()))
  })
  await Promise.race([promise, tooLong])
  clearTimeout(timer)
}
