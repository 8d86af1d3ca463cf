#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Opens a page in headless Chromium and prints, as JSON, what a reader would meet: broken layout at three widths, pictures
# that are not drawn, names used twice, headings out of order, and what the browser complained about or fetched.
# Usage: browse.sh PAGE.html FOLDER; works in FOLDER, which it fills with screenshots when SHOTS is set.
set -euo pipefail
page=$(realpath "$1")
work=$(realpath "$2")
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
profile=$work/profile

browser() {
	timeout 120 "$chromium" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
		--disable-background-networking --disable-component-update --disable-sync --disable-extensions \
		--disable-default-apps --host-resolver-rules='MAP * ~NOTFOUND' --user-data-dir="$profile" --hide-scrollbars "$@"
}

# The page itself, as a file: what it asks the network for, what the console says.
browser --enable-logging=stderr --log-net-log="$work/net.json" --dump-dom "file://$page" >"$work/dom.html" 2>"$work/log"

# The same in frames of a phone's, a tablet's and a desktop's width; a script of ours may look into those.
{
	cat <<'HTML'
<!DOCTYPE html><meta charset="utf-8"><body><pre id="found">nothing</pre><script>
const page = new TextDecoder().decode(Uint8Array.from(atob(`
HTML
	base64 -w0 "$page"
	cat <<'HTML'
`.trim()), c => c.charCodeAt(0)));
const widths = [360, 768, 1280], found = {frames: []};
function look(doc, width) {
	const all = s => [...doc.querySelectorAll(s)];
	const f = {width, scroll: doc.documentElement.scrollWidth};
	f.figures = all('figure').map(e => ({id: e.id, svg: e.querySelector('svg')?.getBoundingClientRect().height ?? 0,
		caption: e.querySelector('figcaption')?.textContent ?? ''}));
	const ids = all('[id]').map(e => e.id);
	f.twice = ids.filter((id, i) => ids.indexOf(id) !== i);
	f.headings = all('h1,h2,h3,h4,h5,h6').map(e => +e.tagName[1]);
	f.unscoped = all('th:not([scope])').length;
	f.tables = all('table').length;
	f.boxed = all('.wide > table').length;
	f.nameless = all('[role=img],[role=region]').filter(e => !(e.getAttribute('aria-label') ||
		doc.getElementById(e.getAttribute('aria-labelledby'))?.textContent)).length;
	f.answer = all('#the-answer li').map(e => e.textContent.trim());
	f.code = all('pre code').map(e => e.textContent.trim());
	f.dead = all('a[href^="#"]').filter(e => !doc.getElementById(decodeURIComponent(e.hash.slice(1)))).length;
	f.outside = all('[src],link,script,iframe,object,embed,img').map(e => e.outerHTML.slice(0, 80));
	return f;
}
Promise.all(widths.map(width => new Promise(done => {
	const frame = document.createElement('iframe');
	frame.width = width; frame.height = 800; frame.srcdoc = page;
	frame.onload = () => { found.frames.push(look(frame.contentDocument, width)); done(); };
	document.body.append(frame);
}))).then(() => { document.getElementById('found').textContent = JSON.stringify(found);
	document.querySelectorAll('iframe').forEach(e => e.remove()); });
</script>
HTML
} >"$work/frames.html"
browser --virtual-time-budget=20000 --dump-dom "file://$work/frames.html" 2>/dev/null |
	sed -n 's/.*<pre id="found">\(.*\)<\/pre>.*/\1/p' | sed 's/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g' >"$work/found.json"

jq -s --rawfile log "$work/log" '.[0] + {
	console: [$log | split("\n")[] | select(test("CONSOLE"))],
	# what the browser does on its own account has no origin
	fetched: [.[1].events[] | .params? // {} | select(.initiator and .initiator != "not an origin") | .url // empty |
		select(test("^(https?|wss?|ftp):"))] | unique}' \
	"$work/found.json" "$work/net.json"

if [ -n "${SHOTS:-}" ]; then
	browser --window-size=1200,8000 --screenshot="$work/light.png" "file://$page" 2>/dev/null
	browser --window-size=1200,8000 --blink-settings=preferredColorScheme=0 --screenshot="$work/dark.png" "file://$page" 2>/dev/null
	browser --no-pdf-header-footer --print-to-pdf="$work/page.pdf" "file://$page" 2>/dev/null
fi
rm -rf "$profile"
