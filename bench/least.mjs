/** The least that signs: one file of one line, and node:crypto. */
export { createHmac as default } from 'node:crypto'
