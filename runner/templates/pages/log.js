// Makes the log one long page: windows of records are places of about their height, filled when they come into view.
'use strict';
(() => {
  const log = document.querySelector('.log');
  if (!log || !window.IntersectionObserver) return;
  const total = Number(log.dataset.total), size = Number(log.dataset.size);
  const first = Number(log.dataset.from);
  const shown = log.querySelector('ol');
  let perRecord = Math.max(20, shown.offsetHeight / Math.max(1, Math.min(size, total - first)));

  const fill = async (place) => {
    if (place.dataset.state) return;
    place.dataset.state = 'asked';
    try {
      const answer = await fetch('log/lines?from=' + place.dataset.first);
      if (!answer.ok) throw new Error(answer.statusText);
      const list = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('ol');
      place.replaceChildren(list);
      place.style.height = '';
      place.dataset.state = 'there';
    } catch { place.dataset.state = ''; }
  };
  const seen = new IntersectionObserver((all) => {
    for (const one of all) {
      if (one.isIntersecting) fill(one.target);
      else if (one.target.dataset.state === 'there') {
        // What is far away is let go of, so that 50 MB are never in the page at once.
        one.target.style.height = one.target.offsetHeight + 'px';
        one.target.replaceChildren();
        one.target.dataset.state = '';
      }
    }
  }, { rootMargin: '3000px 0px' });

  const place = (from) => {
    const box = document.createElement('div');
    box.dataset.first = String(from);
    box.style.height = Math.round(perRecord * Math.min(size, total - from)) + 'px';
    return box;
  };
  const before = [], after = [];
  for (let from = 0; from < first; from += size) before.push(place(from));
  for (let from = first + size; from < total; from += size) after.push(place(from));
  if (before.length + after.length === 0) return;
  const own = place(first);
  own.dataset.state = 'there';
  own.style.height = '';
  const at = shown.getBoundingClientRect().top;
  own.append(shown);
  log.append(...before, own, ...after);
  // The reader stays where he was.
  window.scrollBy(0, own.getBoundingClientRect().top - at);
  document.querySelectorAll('.pager [rel]').forEach((one) => one.remove());
  [...before, own, ...after].forEach((box) => seen.observe(box));
})();
