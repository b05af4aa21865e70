import {DAY_MS} from '../../../tls/credentials/expiry.ts';
import {commonName, day, endsSoon, fromNow} from '../../shared/format-certificate.ts';
import type {Link} from '../report.ts';
import {escapeHtml, shorten} from './escape.ts';

const width = 720;
const left = 8;
const right = width - 8;
const row = {height: 54, bar: 14};
const top = 34;

/** Position of a day, counted from today: a scale that is wide near today, so that a week shows beside ten years. */
export function stretch(days: number): number {
	return Math.sign(days) * Math.log1p(Math.abs(days) / 10);
}

const marks: readonly (readonly [days: number, words: string])[] = [
	[7, '1 week'],
	[30, '1 month'],
	[91, '3 months'],
	[365, '1 year'],
	[1096, '3 years'],
	[3652, '10 years'],
	[7305, '20 years'],
];

/** When each certificate is valid, and where today is, in SVG; empty when none has a date. */
export function drawTimeline(chain: readonly Link[], now: Date): string {
	const links = chain
		.filter(({validFrom, validTo}) => !Number.isNaN(Date.parse(validFrom) + Date.parse(validTo)))
		.reverse();
	if (links.length === 0) return '';
	const daysOf = (date: string) => (Date.parse(date) - now.getTime()) / DAY_MS;
	const ends = links.flatMap(({validFrom, validTo}) => [daysOf(validFrom), daysOf(validTo)]);
	const from = stretch(Math.min(-10, ...ends) * 1.3);
	const to = stretch(Math.max(10, ...ends) * 1.3);
	const x = (days: number) => left + ((stretch(days) - from) / (to - from)) * (right - left);
	const height = top + links.length * row.height + 34;
	const bottom = height - 26;
	const rows = links.map((link, index) => {
		const span = [x(daysOf(link.validFrom)), x(daysOf(link.validTo))] as const;
		return drawRow(link, top + index * row.height, span, now);
	});
	const today = x(0);
	return `<svg class="drawing" viewBox="0 0 ${width} ${height}" role="img" aria-label="When each certificate is valid">
${axis(x, bottom)}
${rows.join('\n')}
<line class="today" x1="${round(today)}" y1="${top - 10}" x2="${round(today)}" y2="${bottom}"/>
<text class="today" x="${round(today)}" y="${top - 16}" text-anchor="middle">today, ${day(now.toISOString())}</text>
</svg>`;
}

function drawRow(
	link: Link,
	y: number,
	[begin, end]: readonly [number, number],
	now: Date,
): string {
	const {validity, validTo, validFrom} = link;
	const tone = validity !== 'valid' ? 'bad' : endsSoon(link, now) ? 'warn' : 'good';
	const when =
		validity === 'not-yet-valid'
			? `begins ${fromNow(validFrom, now)}`
			: `${validity === 'expired' ? 'ended' : 'ends'} ${fromNow(validTo, now)}`;
	const wide = Math.max(4, end - begin);
	return `<g class="span ${tone}"><title>${escapeHtml(`${link.subject}: ${validFrom} to ${validTo}`)}</title>
<text class="label" x="${left}" y="${y + 18}">${escapeHtml(shorten(commonName(link.subject), 44))}<tspan class="dim" dx="8">${escapeHtml(when)}</tspan></text>
<rect x="${round(begin)}" y="${y + 26}" width="${round(wide)}" height="${row.bar}" rx="${row.bar / 2}"/></g>`;
}

/** The least distance of two marks. */
const markGap = 92;

function axis(x: (days: number) => number, bottom: number): string {
	const lines: string[] = [];
	for (const sign of [-1, 1]) {
		let last = x(0);
		for (const [days, words] of marks) {
			const at = x(sign * days);
			if (at < left || at > right) break;
			if (Math.abs(at - last) < markGap) continue;
			last = at;
			const text = sign < 0 ? `${words} ago` : `in ${words}`;
			const anchor = at < markGap / 2 ? 'start' : at > width - markGap / 2 ? 'end' : 'middle';
			lines.push(
				`<line class="grid" x1="${round(at)}" y1="${top - 4}" x2="${round(at)}" y2="${bottom}"/><text class="small" x="${round(at)}" y="${bottom + 18}" text-anchor="${anchor}">${text}</text>`,
			);
		}
	}
	return lines.join('\n');
}

function round(value: number): number {
	return Math.round(value * 10) / 10;
}
