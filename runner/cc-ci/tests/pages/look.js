// What is wrong with a page as it is shown: a list of texts.
const wrong = [];
const root = document.documentElement, width = root.clientWidth;
if (root.scrollWidth > width) {
  const wide = Array.from(document.querySelectorAll('body *')).filter((one) => one.getBoundingClientRect().right > width + 1 && !one.closest('.scroll, .log, pre, svg'));
  wrong.push(`it is ${root.scrollWidth} wide of ${width}: ` + wide.slice(0, 3).map((one) => one.tagName + '.' + one.className).join(', '));
}
for (const box of document.querySelectorAll('.scroll')) {
  if (innerWidth >= 1280 && box.scrollWidth > box.clientWidth) wrong.push(`a table is ${box.scrollWidth} wide of ${box.clientWidth}`);
}
const parse = (text) => {
  const found = text.match(/[\d.]+/g).map(Number);
  return { rgb: found.slice(0, 3), a: found.length > 3 ? found[3] : 1 };
};
const light = (rgb) => {
  const [r, g, b] = rgb.map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const over = (top, below) => top.rgb.map((v, at) => v * top.a + below[at] * (1 - top.a));
const behind = (one) => {
  const stack = [];
  for (let at = one; at; at = at.parentElement) stack.push(parse(getComputedStyle(at).backgroundColor));
  return stack.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
};
const told = new Set();
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const one = texts.currentNode.parentElement;
  if (!texts.currentNode.data.trim() || !one.checkVisibility() || one.closest('script, noscript, svg, .hidden, .skip, datalist')) continue;
  const style = getComputedStyle(one);
  const back = behind(one), front = over(parse(style.color), back);
  const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
  const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
  const ratio = (a + 0.05) / (b + 0.05);
  const name = one.tagName + '.' + one.className;
  if (ratio < (large ? 3 : 4.5) && !told.has(name)) { told.add(name); wrong.push(`contrast ${ratio.toFixed(2)} of ${name}: ${texts.currentNode.data.trim().slice(0, 40)}`); }
}
for (const one of document.querySelectorAll('a[href], button, input, select, summary, [role=region], [role=img], nav')) {
  if (!one.checkVisibility()) continue;
  const by = one.getAttribute('aria-labelledby');
  const name = one.getAttribute('aria-label') || (by && document.getElementById(by)?.textContent) || one.labels?.[0]?.textContent || one.textContent;
  if (!name || !name.trim()) wrong.push('no name: ' + one.outerHTML.slice(0, 120));
}
for (const one of document.querySelectorAll('img')) if (!one.alt || (one.complete && !one.naturalWidth)) wrong.push('a picture: ' + one.outerHTML);
const ids = Array.from(document.querySelectorAll('[id]'), (one) => one.id);
const twice = ids.filter((id, at) => ids.indexOf(id) !== at);
if (twice.length) wrong.push('ids that come twice: ' + twice.slice(0, 5).join(' '));
if (document.querySelectorAll('h1').length !== 1) wrong.push(document.querySelectorAll('h1').length + ' h1');
if (document.querySelectorAll('main').length !== 1) wrong.push(document.querySelectorAll('main').length + ' main');
return wrong;
