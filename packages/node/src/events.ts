/**
 * Every event that a node logs, by its name. Few, constant, and never made of what a peer sent, so
 * that they can be counted and alerted on; what varies stands in the details of a line.
 *
 * A test compares this table with the code. Rule ND12 of docs/spec/node.md.
 *
 * @module
 */
export const EVENTS: Readonly<Record<string, string>> = Object.freeze({
  'anchor.not-checked': 'A writer of this home could not be compared with its anchor.',
  'link.dial-failed': 'A neighbor could not be reached; it is tried again.',
  'link.protocol-broken': 'A peer broke the protocol; its link is closed.',
  'mirror.damaged': 'A part of a capsule was lost on this disk; other mirrors are asked for it.',
  'mirror.dropped': 'The operator dropped a capsule, or took it on again.',
  'mirror.equivocation': 'A writer signed two histories; the file convicts it.',
  'mirror.freed': 'The space of a dropped capsule was given back.',
  'mirror.mended': 'A damaged capsule is whole again.',
  'mirror.mending': 'A damaged capsule is filled again by other mirrors.',
  'node.advertised': 'A router carries a name of this node.',
  'node.advertisement-refused': 'A router does not carry a name of this node.',
  'node.draining': 'The node was told to stop and finishes what it has begun.',
  'node.failed': 'The node cannot go on; it ends.',
  'node.link-down': 'A link to another node is gone.',
  'node.link-up': 'A link to another node is there.',
  'node.membership': 'The node has a newer membership in its domain.',
  'node.membership-unusable': 'The membership does not hold; the node is in no domain.',
  'node.new-incarnation': 'The data directory is an old copy: the node is a new one.',
  'node.ready': 'The node listens.',
  'node.stopped': 'Everything is finished and closed.',
  'node.writes': 'This home writes capsules of its own, and the node serves them, too.',
  'route.refused': 'A name that was advertised here is not routed.',
  'store.compacted': 'What was erased or removed has left the disk.',
  'store.damage': 'A part of the journal cannot be read.',
  'store.failed': 'A sync failed: the store ends.',
  'store.index-unwritable': 'The index could not be written; it is rebuilt from the journal.',
  'store.full': 'Nothing more is accepted: the disk or the quota is full.',
  'store.opened': 'The store is open.',
  'store.reserve-used': 'The disk was full, and what was reserved there was let go.',
  'store.room': 'There is room again.',
  'store.scrubbed': 'The journal was looked through for damage.',
  'store.segment-missing': 'A file of the journal is gone.',
  'store.untrimmed': 'Space behind the journal could not be given back.',
  'store.watermark-unwritable': 'Readers in other processes see new entries later.',
})
