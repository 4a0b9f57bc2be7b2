// Keeps a page true while it is open. The server renders; this only fetches the same page again when something has
// happened, and puts its content in place, with what the reader had open, in focus and in view.
'use strict';
(() => {
  const content = document.getElementById('content');
  const state = document.getElementById('live-state');
  if (!content || !content.dataset.live || !window.EventSource) return;
  let source, busy = false, again = false, last = 0, known = '';

  // What a thing is known by when the page is made anew. More may stand before it then, so that places do not count
  // where something has a name.
  const keyOf = (node) => {
    const parts = [];
    for (let at = node; at && at !== content; at = at.parentElement) {
      const summary = at.tagName === 'DETAILS' && at.querySelector(':scope > summary');
      if (summary) {
        const words = Array.from(summary.childNodes).filter((one) => one.nodeName !== 'SMALL');
        parts.push(words.map((one) => one.textContent).join(''), at.parentElement.closest('[id]').id);
        break;
      }
      if (at.id) { parts.push('#' + at.id); break; }
      parts.push(at.tagName + Array.prototype.indexOf.call(at.parentElement.children, at));
    }
    return parts.join('/');
  };

  const end = () => { source.close(); state.textContent = ''; };

  const put = (html) => {
    if (html === known) return;
    known = html;
    const fresh = new DOMParser().parseFromString(html, 'text/html');
    const next = fresh.getElementById('content');
    if (!next) return;
    const opened = new Map();
    content.querySelectorAll('details').forEach((one) => opened.set(keyOf(one), one.open));
    const typed = new Map();
    content.querySelectorAll('input').forEach((one) => typed.set(keyOf(one), one.value));
    const focus = content.contains(document.activeElement) ? keyOf(document.activeElement) : null;
    content.replaceChildren(...next.childNodes);
    content.querySelectorAll('details').forEach((one) => {
      const was = opened.get(keyOf(one));
      if (was !== undefined) one.open = was;
    });
    content.querySelectorAll('input').forEach((one) => { one.value = typed.get(keyOf(one)) || one.value; });
    if (focus) {
      const same = Array.from(content.querySelectorAll('a, button, summary, input, [tabindex]')).find((one) => keyOf(one) === focus);
      if (same) same.focus({ preventScroll: true });
    }
    document.title = fresh.title;
    if (!next.dataset.live) end();
  };

  const load = async () => {
    if (busy) { again = true; return; }
    busy = true;
    await new Promise((done) => setTimeout(done, Math.max(0, last + 1000 - Date.now())));
    again = false;
    try {
      // A page with a way of its own to grow says so.
      const own = new CustomEvent('grow', { cancelable: true, detail: { work: null, end } });
      if (!document.dispatchEvent(own)) await own.detail.work;
      else {
        const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
        if (answer.ok) put(await answer.text());
      }
    } catch { /* The stream says when the server is back. */ }
    last = Date.now();
    busy = false;
    if (again) load();
  };

  const connect = () => {
    source = new EventSource(content.dataset.live);
    source.addEventListener('open', () => { state.textContent = 'live'; });
    source.addEventListener('error', () => {
      state.textContent = 'not connected; trying again';
      // What answers with an error ends the stream for good: a proxy whose server is away.
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
    });
    source.addEventListener('change', load);
  };
  connect();
})();
