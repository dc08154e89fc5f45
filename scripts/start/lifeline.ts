/**
 * Loaded into every process that `npm start` makes: it ends when the process that made it is gone.
 *
 * The channel between the two breaks however the other one ends, also by SIGKILL. A node then
 * stops as if it had been told to, and does so within a bounded time.
 *
 * @module
 */

const STOP_MS_MAX = 8000

process.once('disconnect', () => {
  process.kill(process.pid, 'SIGTERM')
  setTimeout(() => process.exit(1), STOP_MS_MAX).unref()
})
