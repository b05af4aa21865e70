import {peers} from '../peers/index.js';
import {shapes} from '../shapes/index.js';

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
 * Bars of the requests a second of ours and of each peer, one panel a load, and of what each kind of
 * request costs axios in CPU of ours.
 *
 * @param {Pick<import('../run.js').Results, 'rates' | 'figures'>} results
 * @param {string} machine one line, below
 * @returns {string} SVG, readable on a light and on a dark page
 */
export function drawChart({rates, figures}, machine) {
	const panels = [...[32, 1].map((load) => ratePanel(rates, load)), shapePanel(figures)];
	let top = panelTop;
	const drawn = panels.map((panel) => {
		const text = drawPanel(panel, top);
		top += panel.bars.length * rowHeight + 48;
		return text;
	});
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top}" role="img" aria-label="Requests a second of axios-mtls and its peers, and kinds of requests against axios">
<style>${style}
</style>
<text class="title" x="0" y="20">Requests a second: small JSON, client certificate, session cookie</text>
${drawn.join('\n')}
<text class="quiet" x="0" y="${top - 10}">${escapeText(machine)}</text>
</svg>
`;
}

/**
 * @typedef {object} Bar
 * @property {string} label
 * @property {number} value
 * @property {string} text
 * @property {boolean} own
 */

function ratePanel(rates, load) {
	const bars = Object.keys(peers)
		.filter((name) => !peers[name].bound && `${name}@${load}` in rates)
		.map((name) => {
			const value = rates[`${name}@${load}`];
			const text = Math.round(value).toLocaleString('en');
			return {label: labelOf(name), value, text, own: name === 'ours'};
		});
	return {title: `${load} in flight`, bars: bars.toSorted((a, b) => b.value - a.value)};
}

/** Those that have another library beside ours. */
function shapePanel(figures) {
	const bars = Object.entries(shapes)
		.filter(([, {against}]) => !against.startsWith('ours'))
		.map(([name, {title, against}]) => {
			const value = figures[`${name} against ${against}@32`] ?? 0;
			const label = title.replaceAll('`', '');
			return {label, value, text: `${value.toFixed(1)} ×`, own: true};
		});
	return {title: 'CPU of a request, axios over axios-mtls, 32 in flight', bars};
}

function drawPanel({title, bars}, top) {
	const most = Math.max(...bars.map(({value}) => value));
	const scale = (width - labelWidth - valueWidth) / most;
	const rows = bars.map((bar, index) => drawRow(bar, scale, top + 12 + index * rowHeight));
	return [`<text class="quiet" x="0" y="${top}">${title}</text>`, ...rows].join('\n');
}

/** @param {Bar} bar */
function drawRow({label, value, text, own}, scale, top) {
	const length = Math.max(2, value * scale);
	const middle = top + barHeight / 2 + 5;
	const weight = own ? 'strong' : '';
	return [
		`<text class="${weight}" x="${labelWidth - 10}" y="${middle}" text-anchor="end">${escapeText(label)}</text>`,
		`<rect class="${own ? 'ours' : 'bar'}" x="${labelWidth}" y="${top}" width="${length.toFixed(1)}" height="${barHeight}" rx="3"/>`,
		`<text class="${weight}" x="${(labelWidth + length + 8).toFixed(1)}" y="${middle}">${text}</text>`,
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
