/** Names that mean something to somebody: to JavaScript, a path, a query, a file system, an encoding, a store itself. */

const SYNTAX = [
  ...[
    '$',
    '$.a',
    '$[0]',
    '$."a"',
    'a.b',
    'a',
    'a[0]',
    '[0]',
    '*',
    '**',
    '#',
    '@',
    '{a}',
    '{"a":1}',
    '%',
    '%s',
    '?',
    '??',
  ],
  ...[
    ':a',
    '@a',
    '$1',
    'a"b',
    "a'b",
    'a`b',
    'a\\b',
    'a\\"b',
    "'; drop table sessions; --",
    '/',
    '..',
    '../a',
    'a/b',
    '~',
  ],
  ...[
    '=',
    '&',
    '|',
    ',',
    ';',
    '<script>',
    '\\u0061',
    '\\0',
    '\u0000',
    'a\u0000b',
    '\n',
    '\r\n',
    '\t',
    '\u001f',
    '\u007f',
  ],
]

/** Equal to many a collation. */
const ALIKE = ['b', 'B', 'b ', ' b', 'b\u0000', 'é', 'e\u0301', 'É', 'e', 'ß', 'ss', 'ſ', 's', 'ı', 'i', 'I', '\u200bb']

const BEYOND = ['👩\u200d🚀', '𝄞', '\u2028', '\ufeff', '\uffff', '\u202e', '日本', '\ud800']

/** To JavaScript: what objects inherit, and what is asked of an object that might be a promise. */
const INHERITED = [
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  '__defineGetter__',
  'toJSON',
  'then',
]

const NUMBERS = ['0', '1', '10', '-1', '1.5', '1e3', '01', 'NaN', 'null', 'undefined', 'true', 'false']

/** Columns and fields that a store may have itself. */
const OWN = [
  ...['lifetime', 'version', 'subject', 'members', 'member', 'record', 'payload', 'data', 'value', 'name', 'id', 'key'],
  ...['ttl', 'expires', 'expiresAt', 'expires_at', 'created', 'createdAt', 'seen', 'seenAt', 'retired', 'retiredAt'],
  ...[
    'l',
    'v',
    's',
    'c',
    'm',
    'd',
    '_l',
    '_v',
    '_id',
    'm:a',
    ':v',
    'm.a',
    'sess',
    'session',
    'cookie',
    'length',
    'size',
  ],
]

/** Names of members: all, with halves of surrogates, the empty one, and a long one. */
export const NAMES: readonly string[] = [
  ...new Set([...SYNTAX, ...ALIKE, ...BEYOND, ...INHERITED, ...NUMBERS, ...OWN]),
  ...['', ' ', '\udc00', '\ud83d', '\ude00\ud83d', 'x'.repeat(5000)],
]

/** What stands at the end of ids: all that is told apart when it is written as UTF-8. */
export const IDS: readonly string[] = [
  ...new Set([...SYNTAX, ...ALIKE, ...BEYOND, ...INHERITED, ...NUMBERS]),
  ...['', ' ', '  ', 'x'.repeat(150), `${'x'.repeat(150)}y`],
]

/** What stands at the end of subjects. */
export const SUBJECTS: readonly string[] = [
  ...['', ' ', 'b', 'B', 'a:b', "a'b", 'a"b', 'a\\b', '*', '%', '_', '?', '[a]', '{a}', '\u0000', '\n', '👩\u200d🚀'],
  ...['é', 'e\u0301', '\ud800', '__proto__', 'constructor', '../a', 'x'.repeat(5000)],
]

/** JSON texts, as they are: each comes back byte for byte. */
export const TEXTS: readonly string[] = [
  ...['null', '[null]', '{"a":null}', '[]', '{}', '[[],{}]', '""', '" "', 'true', 'false', '"null"', '"true"', '"1"'],
  ...['0', '-0', '-1', '1.0', '1e21', '1E+2', '5e-324', '1.7976931348623157e+308', '9007199254740993', '0.1', '1e400'],
  ...['[1, 2]', ' 1 ', '{"b":1,"a":2}', '{"2":1,"1":2}', '{"a":1,"a":2}', '{"a":{"b":{"c":[{"d":[]}]}}}'],
  ...['"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"', '"\\u2028"', '"\u2028"', '"👩\u200d🚀"', '"\\ud83d\\ude80"', '"é"'],
  ...['"it\'s \\"quoted\\" \\\\ \\/ `here`"', '"\\n\\r\\t\\b\\f"', '"$.a"', '"%s ? $1 :a"', '{"$gt":""}', '"\u007f"'],
  ...[
    '{"constructor":1,"toString":null}',
    '{"__proto__":1}',
    '"PD94bWw="',
    '"__proto__"',
    '"2026-01-01T00:00:00.000Z"',
  ],
  `${'['.repeat(500)}${']'.repeat(500)}`,
  `${'{"a":'.repeat(500)}1${'}'.repeat(500)}`,
]
