/**
 * Everything that the packages offer to browsers, kept by a bundler: for the size of the bundle.
 *
 * @module
 */
import * as capsule from '@longshore/capsule'
import * as client from '@longshore/client'

Object.assign(globalThis, { longshore: { capsule, client } })
