// Makes the log one long page: windows of records are places of about their height, filled when they come into view.
// While the run lives, its end grows.
'use strict';
(() => {
  const log = document.querySelector('.log');
  if (!log || !window.IntersectionObserver) return;
  const size = Number(log.dataset.size), first = Number(log.dataset.from);
  const isLive = log.dataset.over !== 'true';
  const count = document.querySelector('.pager span');
  const shown = log.querySelector('ol');
  let total = Number(log.dataset.total);
  const perRecord = Math.max(20, shown.offsetHeight / Math.max(1, Math.min(size, total - first)));
  const near = new Set();
  const boxes = [];

  const listOf = async (from) => {
    const answer = await fetch('log/lines?from=' + from);
    if (!answer.ok) throw new Error(answer.statusText);
    return new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('ol');
  };
  // What is far away is let go of, so that 50 MB are never in the page at once.
  const letGo = (box) => {
    if (box.dataset.state !== 'there' || near.has(box)) return;
    box.style.height = box.offsetHeight + 'px';
    box.replaceChildren();
    box.dataset.state = '';
  };
  const fill = async (box) => {
    if (box.dataset.state) return;
    box.dataset.state = 'asked';
    try {
      box.replaceChildren(await listOf(box.dataset.first));
      box.style.height = '';
      box.dataset.state = 'there';
      letGo(box);
    } catch { box.dataset.state = ''; }
  };
  const seen = new IntersectionObserver((all) => {
    for (const one of all) {
      if (one.isIntersecting) { near.add(one.target); fill(one.target); }
      else { near.delete(one.target); letGo(one.target); }
    }
  }, { rootMargin: '3000px 0px' });

  const place = (from) => {
    const box = document.createElement('div');
    box.dataset.first = String(from);
    box.style.height = Math.round(perRecord * Math.min(size, total - from)) + 'px';
    boxes.push(box);
    return box;
  };
  const say = () => { count.textContent = total + (total === 1 ? ' record' : ' records'); };

  for (let from = 0; from < Math.max(total, 1); from += size) log.append(place(from));
  const own = boxes[first / size];
  const at = shown.getBoundingClientRect().top;
  own.dataset.state = 'there';
  own.style.height = '';
  own.append(shown);
  say();
  document.querySelectorAll('.pager > a:not([href^="journal"])').forEach((one) => one.remove());
  const wanted = location.hash && document.getElementById(location.hash.slice(1));
  // The reader stays where he was; of what lives, the end is wanted.
  if (wanted) wanted.scrollIntoView({ block: 'center' });
  else if (isLive) window.scrollTo(0, document.documentElement.scrollHeight);
  else if (first) window.scrollBy(0, own.getBoundingClientRect().top - at);
  boxes.forEach((box) => seen.observe(box));

  const grow = async (end) => {
    const last = boxes[boxes.length - 1];
    const list = await listOf(last.dataset.first);
    const isAtEnd = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 80;
    total = Math.max(total, Number(list.dataset.total));
    const have = last.dataset.state === 'there' ? last.querySelector('ol') : null;
    if (have) have.append(...Array.from(list.children).slice(have.children.length));
    for (let from = Number(last.dataset.first) + size; from < total; from += size) {
      const box = place(from);
      log.append(box);
      seen.observe(box);
    }
    say();
    if (isAtEnd) window.scrollTo(0, document.documentElement.scrollHeight);
    if (list.dataset.over === 'true') end();
  };
  document.addEventListener('grow', (event) => {
    event.preventDefault();
    event.detail.work = grow(event.detail.end);
  });
})();
