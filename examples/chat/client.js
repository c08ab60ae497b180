// What runs in the browser.
const SIGNED_OUT = 4001
const [state, messages, form] = ['state', 'messages', 'say'].map(id => document.getElementById(id))
let socket

connect()
form.addEventListener('submit', event => {
  event.preventDefault()
  if (socket.readyState !== WebSocket.OPEN) return
  socket.send(form.elements.text.value)
  form.reset()
})

function connect() {
  socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/chat`)
  socket.onopen = () => {
    state.textContent = 'Connected.'
  }
  socket.onmessage = ({ data }) => {
    const { user, text } = JSON.parse(data)
    const line = document.createElement('li')
    // As text: what others have written is no HTML.
    line.textContent = `${user}: ${text}`
    messages.append(line)
  }
  // Signed out, in this browser or by another one: the page is that of the sign-in now.
  socket.onclose = ({ code }) => {
    if (code === SIGNED_OUT) return location.reload()
    state.textContent = 'Connecting again …'
    setTimeout(connect, 2000)
  }
}
