// Returns what a page lacks by WCAG 2.2 AA: contrasts, names, text alternatives, headings.
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true })
  const read = (css) => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = css
    canvas.fillRect(0, 0, 1, 1)
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data
    return [red, green, blue, alpha / 255]
  }
  const lay = (top, below) =>
    [0, 1, 2].map((k) => top[k] * top[3] + below[k] * (1 - top[3])).concat(1)
  const luminance = ([red, green, blue]) => {
    const linear = [red, green, blue].map((part) =>
      part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4)
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
  }
  const contrast = (one, other) => {
    const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a)
    return (high + 0.05) / (low + 0.05)
  }
  const page = read(getComputedStyle(document.querySelector(".stApp")).backgroundColor)
  const ground = (element) => {
    const layers = []
    for (let each = element; each; each = each.parentElement) {
      const color = read(getComputedStyle(each).backgroundColor)
      if (color[3]) layers.push(color)
      if (color[3] === 1) break
    }
    return layers.reverse().reduce((below, top) => lay(top, below), page)
  }
  const strength = (element) => {
    let product = 1
    for (let each = element; each; each = each.parentElement)
      product *= Number(getComputedStyle(each).opacity)
    return product
  }
  const pale = new Set()
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) {
    const words = texts.currentNode.textContent.trim()
    const element = texts.currentNode.parentElement
    if (!words || ["SCRIPT", "STYLE", "NOSCRIPT"].includes(element.tagName)) continue
    if (element.closest("[disabled], [aria-disabled=true], [aria-hidden=true], canvas")) continue
    const box = element.getBoundingClientRect()
    const style = getComputedStyle(element)
    const seen = strength(element)
    if (!box.width || !box.height || style.visibility === "hidden" || !seen) continue
    const isDrawn = element instanceof SVGElement
    const color = read(isDrawn ? style.fill : style.color)
    const opacity = color[3] * seen * (isDrawn ? Number(style.fillOpacity) : 1)
    const below = ground(isDrawn ? element.closest("svg").parentElement : element)
    const size = parseFloat(style.fontSize)
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
    const isIcon = style.fontFamily.includes("Material")
    const found = contrast(lay([...color.slice(0, 3), opacity], below), below)
    // In the page's own colour, a text stands on an area that a chart draws.
    if (isDrawn && found < 1.05) continue
    if (found < (isLarge || isIcon ? 3 : 4.5) - 0.005)
      pale.add(`${found.toFixed(2)} at ${size} px: ${words.slice(0, 40)}`)
  }
  const isVisible = (element) =>
    element.getBoundingClientRect().width > 0 &&
    element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
    !element.closest("[inert], details:not([open]) > :not(summary)")
  const name = (element) =>
    [
      element.getAttribute("aria-label"),
      element.innerText,
      element.title,
      element.querySelector("img")?.alt,
      element.labels?.[0]?.innerText,
      document.getElementById(element.getAttribute("aria-labelledby"))?.innerText,
    ].find((text) => text?.trim())
  const list = (selector) => [...document.querySelectorAll(selector)].filter(isVisible)
  const levels = list("h1, h2, h3, h4, h5, h6").map((each) => Number(each.tagName[1]))
  return {
    pale: [...pale],
    nameless: list("button, a, input, textarea, select, [role=tab]")
      .filter((each) => !each.closest("[aria-hidden=true]") && !name(each))
      .map((each) => each.outerHTML.slice(0, 150)),
    "without alt": list("img").filter((each) => !each.hasAttribute("alt")).map((each) => each.src),
    "charts without text": list("[data-testid=stPlotlyChart]").filter(
      (each) => !each.closest("[aria-label]") && !each.querySelector("[aria-label]")).length,
    "headings that skip a level": levels.filter((level, k) => level > (levels[k - 1] ?? 0) + 1),
    "main headings": levels.filter((level) => level === 1).length === 1 ? 1 : levels,
    "px too wide": document.documentElement.scrollWidth - document.documentElement.clientWidth,
  }
}
