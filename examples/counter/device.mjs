// What a device is called in the list: "Firefox on Windows". Browsers claim to be each other, so the order matters.
const BROWSERS = { 'Edg/': 'Edge', 'OPR/': 'Opera', 'Firefox/': 'Firefox', 'Chrome/': 'Chrome', 'Safari/': 'Safari' }
const SYSTEMS = {
  Android: 'Android',
  iPhone: 'iPhone',
  iPad: 'iPad',
  Windows: 'Windows',
  'Mac OS X': 'macOS',
  CrOS: 'ChromeOS',
  Linux: 'Linux',
}

// `userAgent`: what the browser says of itself, which may be anything at all.
export function deviceOf(userAgent) {
  const browser = named(userAgent, BROWSERS)
  const system = named(userAgent, SYSTEMS)
  if (browser && system) return `${browser} on ${system}`
  return userAgent.slice(0, 60) || 'An unknown device'
}

function named(userAgent, names) {
  const mark = Object.keys(names).find(part => userAgent.includes(part))
  return mark && names[mark]
}
