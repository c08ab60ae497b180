// What runs in the browser. It has no token to keep: the browser keeps the cookie, which no script can read.
const { api } = document.currentScript.dataset
const part = id => document.getElementById(id)

part('sign-in').addEventListener('submit', event => {
  event.preventDefault()
  const name = event.target.elements.name.value
  act('POST', '/sign-in', { name })
})
part('count').addEventListener('click', () => act('POST', '/count'))
part('sign-out').addEventListener('click', () => act('POST', '/sign-out'))
act('GET', '/me')

// Without `credentials: 'include'` a browser neither sends the cookie to another origin nor keeps the one of the answer.
async function act(method, path, body) {
  const json = body && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
  try {
    const response = await fetch(api + path, { method, credentials: 'include', ...json })
    const answer = response.status === 204 ? {} : await response.json()
    if (response.ok) return show(answer)
    // A session that has ended is no fault: the app shows the sign-in.
    if (response.status === 401) return show({})
    part('state').textContent = answer.error
  } catch {
    part('state').textContent = 'The API does not answer.'
  }
}

function show({ user, count }) {
  part('state').textContent = user === undefined ? 'Nobody is signed in.' : `Signed in as ${user}, counted to ${count}.`
  part('sign-in').hidden = user !== undefined
  part('account').hidden = user === undefined
}
