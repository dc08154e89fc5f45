/**
 * Lets packages with native code into a bundle.
 *
 * They look for their code beside themselves, among files for many platforms, which takes longer
 * than to load it. The plugin has them look while the bundle is made: in it, each loads at once
 * the file that it has found.
 *
 * @module
 */
import { createRequire } from 'node:module'
import { dirname, relative, sep } from 'node:path'
import type { Plugin } from 'rolldown'

const require = createRequire(import.meta.url)

/** Takes a directory, and returns the addon of the package that lies there. */
const LOADER = 'node-gyp-build-optional-packages'
const LOADER_PREFIX = '\0addon-loader '
/** Exports the addon of sodium-native. */
const SODIUM_BINDING = /[\\/]sodium-native[\\/]binding\.js$/

/** `modules` is the directory below which all packages lie. */
export function addonsPlugin(modules: string): Plugin {
  return {
    name: 'addons',
    resolveId(source, importer) {
      if (source !== LOADER || importer === undefined) return null
      return LOADER_PREFIX + dirname(importer)
    },
    load(id) {
      if (SODIUM_BINDING.test(id)) return `module.exports = ${requireAddon(loadedFrom(id))}`
      if (!id.startsWith(LOADER_PREFIX)) return null
      const { path } = require(LOADER) as { path: (directory: string) => string }
      return `module.exports = () => ${requireAddon(path(id.slice(LOADER_PREFIX.length)))}`
    },
  }

  /** Named as a package's file: the bundle lies below `modules` too. */
  function requireAddon(path: string): string {
    return `require(${JSON.stringify(relative(modules, path).replaceAll(sep, '/'))})`
  }
}

/** The native code that this module of a package loads here. */
function loadedFrom(module: string): string {
  require(module)
  const isIts = (path: string): boolean => {
    return path.startsWith(dirname(module) + sep) && path.endsWith('.node')
  }
  const path = Object.keys(require.cache).find(isIts)
  if (path === undefined) throw new Error(`${module} has loaded no native code`)
  return path
}
