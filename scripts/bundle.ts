/**
 * Bundles the command line, unless the bundle that lies there is of these very sources.
 *
 * `scripts/bootstrap.mjs` runs this before every npm command, and once at set-up.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'
import {
  BUNDLE_DIRECTORY,
  type Bundle,
  currentBundle,
  PLATFORM,
  type Source,
} from '@longshore/cli/bundle'
import { rolldown } from 'rolldown'
import { addonsPlugin } from './bundle/addons.ts'

const root = resolve(import.meta.dirname, '..')
const directory = join(root, BUNDLE_DIRECTORY)
/** A process that was started from an older bundle may still load a part of it. */
const KEPT_MS = 24 * 3600 * 1000

if (currentBundle(root) === undefined) await bundleCommandLine()

async function bundleCommandLine(): Promise<void> {
  const startedMs = Date.now()
  const build = await rolldown({
    input: join(root, 'packages/cli/src/run.ts'),
    platform: 'node',
    plugins: [addonsPlugin(join(root, 'node_modules'))],
    // Evaluates text that names its own variables, which a bundle may rename.
    external: ['ordered-binary', /\.node$/],
  })
  const names = { entryFileNames: 'run.mjs', chunkFileNames: '[name]-[hash].mjs' }
  const { output } = await build.generate(names)
  const chunks = output.filter((chunk) => chunk.type === 'chunk')
  const sources = sourcesOf(chunks.flatMap(({ moduleIds }) => moduleIds))
  // Nobody knows what was read of a file that changed meanwhile.
  if (sources.some(([, , changedMs]) => changedMs >= startedMs)) return

  const digest = createHash('sha256')
  for (const { fileName, code } of chunks) digest.update(`${fileName}\0${code}\0`)
  const name = digest.digest('hex').slice(0, 16)
  fs.mkdirSync(directory, { recursive: true })
  removeOld()
  const temporary = fs.mkdtempSync(join(directory, 'new-'))
  for (const { fileName, code } of chunks) fs.writeFileSync(join(temporary, fileName), code)
  moveInto(temporary, join(directory, name))
  const current = `${temporary}.json`
  const bundle: Bundle = { entry: `${name}/run.mjs`, platform: PLATFORM, sources }
  fs.writeFileSync(current, JSON.stringify(bundle))
  fs.renameSync(current, join(directory, 'current.json'))
}

/** The files of this clone among these modules, and what says how modules are found. */
function sourcesOf(modules: readonly string[]): Source[] {
  const paths = modules.filter(isAbsolute).map((path) => relative(root, path))
  const own = paths.filter((path) => !path.split(/[\\/]/).includes('node_modules'))
  const packages = fs.globSync('packages/*/package.json', { cwd: root })
  return [...new Set([...own, ...packages, 'package-lock.json'])].sort().map((path) => {
    const { size, mtimeMs } = fs.statSync(join(root, path))
    return [path, size, mtimeMs]
  })
}

/** Another process may have made the same one meanwhile. */
function moveInto(temporary: string, place: string): void {
  if (fs.existsSync(place)) fs.rmSync(temporary, { recursive: true })
  else fs.renameSync(temporary, place)
}

function removeOld(): void {
  for (const name of fs.readdirSync(directory)) {
    const path = join(directory, name)
    const ageMs = Date.now() - fs.statSync(path).mtimeMs
    if (ageMs > KEPT_MS) fs.rmSync(path, { recursive: true, force: true })
  }
}
