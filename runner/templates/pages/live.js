// Keeps a page true while it is open. The server renders; this only fetches the same page again when something has
// happened, and puts its content in place, with what the reader had open, in focus and in view.
'use strict';
(() => {
  const content = document.getElementById('content');
  const state = document.getElementById('live-state');
  if (!content || !content.dataset.live || !window.EventSource) return;
  let busy = false, again = false, last = 0;

  const keyOf = (node) => {
    const parts = [];
    for (let at = node; at && at !== content; at = at.parentElement) {
      if (at.id) { parts.push('#' + at.id); break; }
      parts.push(at.tagName + Array.prototype.indexOf.call(at.parentElement.children, at));
    }
    return parts.join('/');
  };

  const put = (html) => {
    const fresh = new DOMParser().parseFromString(html, 'text/html');
    const next = fresh.getElementById('content');
    if (!next) return;
    const opened = new Map();
    content.querySelectorAll('details').forEach((one) => opened.set(keyOf(one), one.open));
    const focus = content.contains(document.activeElement) ? keyOf(document.activeElement) : null;
    content.replaceChildren(...next.childNodes);
    content.querySelectorAll('details').forEach((one) => {
      const was = opened.get(keyOf(one));
      if (was !== undefined) one.open = was;
    });
    if (focus) {
      const same = Array.from(content.querySelectorAll('a, button, summary, input, [tabindex]')).find((one) => keyOf(one) === focus);
      if (same) same.focus({ preventScroll: true });
    }
    document.title = fresh.title;
    if (!next.dataset.live) { source.close(); state.textContent = ''; }
  };

  const load = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      await new Promise((done) => setTimeout(done, Math.max(0, last + 1000 - Date.now())));
      again = false;
      const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
      if (answer.ok) put(await answer.text());
      last = Date.now();
    } catch { /* The stream says when the server is back. */ }
    busy = false;
    if (again) load();
  };

  const source = new EventSource(content.dataset.live);
  source.addEventListener('open', () => { state.textContent = 'live'; });
  source.addEventListener('error', () => { state.textContent = 'not connected; trying again'; });
  source.addEventListener('change', load);
})();
