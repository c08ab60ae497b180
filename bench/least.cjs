/** The least that signs: one file of one line, and node:crypto. */
module.exports = require('node:crypto').createHmac
