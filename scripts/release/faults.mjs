/* Why this version may not be published as it is: values, printed elsewhere. What a maintainer fills in is in package.json alone. */

/** What stands in package.json for what nobody knows but the maintainer. */
const PLACEHOLDER = /\b(OWNER|AUTHOR)\b/
const FIELDS = ['author', 'repository', 'homepage', 'bugs']

/**
 * A text for each fault. `manifest`: package.json. `changelog`: CHANGELOG.md. `tag`: the tag of npm under which it is to be
 * published. `ref`: the tag of git, where it is published by one.
 */
export function faultsOf({ manifest, changelog, tag, ref }) {
  const { version } = manifest
  const isPrerelease = version.includes('-')
  return [
    ...FIELDS.flatMap(field => fieldFaults(field, manifest[field])),
    ...(isPrerelease === (tag === 'latest') ? [tagFault(version, isPrerelease, tag)] : []),
    ...(ref !== undefined && ref !== `v${version}`
      ? [`the tag ${ref} is not v${version}, the version in package.json`]
      : []),
    ...(changelog.split('\n').some(line => isHeadingOf(line, version)) ? [] : [changelogFault(version)]),
  ]
}

function fieldFaults(field, value) {
  const text = JSON.stringify(value ?? '')
  if (text === '""') return [`package.json has no "${field}": fill it in`]
  return PLACEHOLDER.test(text) ? [`"${field}" in package.json is still ${text}: fill it in`] : []
}

function tagFault(version, isPrerelease, tag) {
  const expected = isPrerelease ? 'another one, such as "next", in publishConfig.tag' : '"latest" in publishConfig.tag'
  return `${version} would be published with the tag "${tag}": it has to be ${expected}`
}

function isHeadingOf(line, version) {
  return line === `## ${version}` || line.startsWith(`## ${version} `)
}

function changelogFault(version) {
  return `CHANGELOG.md has no heading "## ${version}": rename "## Unreleased", and add the date`
}
