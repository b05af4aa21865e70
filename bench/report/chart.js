import {peers} from '../peers/index.js';

const width = 780;
const barHeight = 22;
const rowHeight = 32;
const labelWidth = 270;
const valueWidth = 70;
const panelTop = 56;

const style = `
text { font: 13px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #1f2328; }
.title { font-size: 15px; font-weight: 600; }
.quiet { fill: #59636e; }
.bar { fill: #afb8c1; }
.ours { fill: #0969da; }
.strong { font-weight: 600; }
@media (prefers-color-scheme: dark) {
	text { fill: #f0f6fc; }
	.quiet { fill: #9198a1; }
	.bar { fill: #656c76; }
	.ours { fill: #4493f8; }
}`;

/**
 * Bars of the requests a second of ours and of each peer, one panel a load.
 *
 * @param {Record<string, number>} rates by `peer@load`
 * @param {string} machine one line, below
 * @returns {string} SVG, readable on a light and on a dark page
 */
export function drawChart(rates, machine) {
	const names = Object.keys(peers).filter((name) => !peers[name].bound);
	const panelHeight = names.length * rowHeight + 48;
	const panels = [32, 1].map((load, index) =>
		drawPanel(names, rates, load, panelTop + index * panelHeight),
	);
	const height = panelTop + 2 * panelHeight;
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Requests a second of axios-mtls and its peers">
<style>${style}
</style>
<text class="title" x="0" y="20">Requests a second: small JSON, client certificate, session cookie</text>
${panels.join('\n')}
<text class="quiet" x="0" y="${height - 10}">${escapeText(machine)}</text>
</svg>
`;
}

function drawPanel(names, rates, load, top) {
	const rate = (name) => rates[`${name}@${load}`];
	const most = Math.max(...names.map(rate));
	const scale = (width - labelWidth - valueWidth) / most;
	const rows = names
		.toSorted((a, b) => rate(b) - rate(a))
		.map((name, index) => drawRow(name, rate(name), scale, top + 12 + index * rowHeight));
	return [`<text class="quiet" x="0" y="${top}">${load} in flight</text>`, ...rows].join('\n');
}

function drawRow(name, rate, scale, top) {
	const length = Math.max(2, rate * scale);
	const middle = top + barHeight / 2 + 5;
	const own = name === 'ours';
	const text = own ? 'strong' : '';
	return [
		`<text class="${text}" x="${labelWidth - 10}" y="${middle}" text-anchor="end">${escapeText(labelOf(name))}</text>`,
		`<rect class="${own ? 'ours' : 'bar'}" x="${labelWidth}" y="${top}" width="${length.toFixed(1)}" height="${barHeight}" rx="3"/>`,
		`<text class="${text}" x="${(labelWidth + length + 8).toFixed(1)}" y="${middle}">${Math.round(rate).toLocaleString('en')}</text>`,
	].join('\n');
}

function labelOf(name) {
	const {label, cookies, certificate} = peers[name];
	return [
		label,
		...(cookies ? [] : ['no cookies']),
		...(certificate ? [] : ['no certificate']),
	].join(', ');
}

function escapeText(text) {
	return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
