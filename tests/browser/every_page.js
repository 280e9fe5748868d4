// Runs in each page before its own scripts: no animations, and `isSettled()`.
//
// Frames of animations cost more CPU time than all else while a page waits. Streamlit's own marks
// don't say that a click is still on its way to the server, or that a run ended only to begin
// anew; its messages do. They are Protocol Buffers: a field's tag is its number times 8, plus 2
// for a text or a message. See ForwardMsg.proto and BackMsg.proto of Streamlit.
{
  const RERUN_SCRIPT = 0x5a // of BackMsg; of ForwardMsg:
  const [HASH, METADATA, NEW_SESSION, SCRIPT_FINISHED] = [0x0a, 0x12, 0x22, 0x30]
  const EARLY_FOR_RERUN = 2
  const DRAWN = 50 // ms after which what arrived is drawn
  const UNANSWERED = 5000 // ms: a request that began no run by then was put into another one
  const last = { request: 0, begin: 0, end: 0, message: 0, isEarly: false }

  const skipText = (bytes, at) => {
    let [length, shift] = [0, 0]
    do { length += (bytes[++at] & 127) << shift; shift += 7 } while (bytes[at] & 128)
    return at + 1 + length
  }
  const noteMessage = (bytes) => {
    const now = performance.now()
    let at = 0
    while (bytes[at] === HASH || bytes[at] === METADATA) at = skipText(bytes, at)
    last.message = now
    if (bytes[at] === NEW_SESSION) last.begin = now
    if (bytes[at] === SCRIPT_FINISHED) {
      last.end = now
      last.isEarly = bytes[at + 1] === EARLY_FOR_RERUN
    }
  }
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given)
      this.addEventListener("message", ({ data }) => noteMessage(new Uint8Array(data)))
    }
    send(data) {
      if (new Uint8Array(data)[0] === RERUN_SCRIPT) last.request = performance.now()
      super.send(data)
    }
  }

  window.isSettled = () => {
    const app = document.querySelector("[data-testid='stApp']")
    if (app?.dataset.testScriptState !== "notRunning") return false
    if (document.querySelector("[data-testid='stSkeleton'], [data-stale='true']")) return false
    const now = performance.now()
    const isAnswered = last.begin > last.request || now - last.request > UNANSWERED
    return isAnswered && last.end >= last.begin && !last.isEarly && now - last.message > DRAWN
  }


  addEventListener("DOMContentLoaded", () => {
    const still = new CSSStyleSheet() // no page's policy refuses it
    still.replaceSync(`*, *::before, *::after {
      animation-duration: 0s !important; animation-delay: 0s !important;
      animation-iteration-count: 1 !important;
      transition-duration: 0s !important; transition-delay: 0s !important;
    }`)
    document.adoptedStyleSheets.push(still)
  })
}
