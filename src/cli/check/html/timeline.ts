import {DAY_MS} from '../../../util/day.ts';
import {commonName, day, endsSoon, fromNow} from '../../shared/format-certificate.ts';
import type {Link} from '../report.ts';
import {escapeHtml, shorten} from './escape.ts';

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

/** When each certificate is valid, and where today is; empty when none has a date. Positions are in percent. */
export function drawTimeline(chain: readonly Link[], now: Date): string {
	const links = chain
		.filter(({validFrom, validTo}) => !Number.isNaN(Date.parse(validFrom) + Date.parse(validTo)))
		.reverse();
	if (links.length === 0) return '';
	const daysOf = (date: string) => (Date.parse(date) - now.getTime()) / DAY_MS;
	const ends = links.flatMap(({validFrom, validTo}) => [daysOf(validFrom), daysOf(validTo)]);
	const from = stretch(Math.min(-10, ...ends) * 1.3);
	const to = stretch(Math.max(10, ...ends) * 1.3);
	const x = (days: number) => ((stretch(days) - from) / (to - from)) * 100;
	const rows = links.map((link) =>
		drawRow(link, [x(daysOf(link.validFrom)), x(daysOf(link.validTo))], now),
	);
	const today = `today, ${day(now.toISOString())}`;
	return `<div class="timeline">
${marker('today', x(0), today, 15)}
${axis(x)}
${rows.join('\n')}
</div>`;
}

function drawRow(link: Link, [begin, end]: readonly [number, number], now: Date): string {
	const {validity, validTo, validFrom} = link;
	const tone = validity !== 'valid' ? 'bad' : endsSoon(link, now) ? 'warn' : 'good';
	const when =
		validity === 'not-yet-valid'
			? `begins ${fromNow(validFrom, now)}`
			: `${validity === 'expired' ? 'ended' : 'ends'} ${fromNow(validTo, now)}`;
	const width = Math.max(0.6, end - begin);
	return `<div class="span ${tone}" title="${escapeHtml(`${link.subject}: ${validFrom} to ${validTo}`)}">
<p><b>${escapeHtml(shorten(commonName(link.subject), 60))}</b> <span>${escapeHtml(when)}</span></p>
<div class="bar" style="margin-left: ${round(begin)}%; width: ${round(width)}%"></div></div>`;
}

/** The least distance of two marks in percent: on a wide window, and on that of a telephone. */
const markGap = {wide: 13, narrow: 30};

function axis(x: (days: number) => number): string {
	const lines: string[] = [];
	for (const sign of [-1, 1]) {
		let last = x(0);
		let lastOnNarrow = last;
		for (const [days, words] of marks) {
			const at = x(sign * days);
			if (at < 0 || at > 100) break;
			if (Math.abs(at - last) < markGap.wide) continue;
			last = at;
			const isNarrow = Math.abs(at - lastOnNarrow) >= markGap.narrow;
			if (isNarrow) lastOnNarrow = at;
			const text = sign < 0 ? `${words} ago` : `in ${words}`;
			lines.push(marker(isNarrow ? 'mark' : 'mark minor', at, text, markGap.wide / 2));
		}
	}
	return lines.join('\n');
}

/** A line from top to bottom with words, which stay inside when it is closer to an edge than `margin` percent. */
function marker(kind: string, at: number, words: string, margin: number): string {
	const side = at < margin ? ' from' : at > 100 - margin ? ' to' : '';
	return `<div class="${kind}${side}" style="left: ${round(at)}%"><span>${words}</span></div>`;
}

function round(value: number): number {
	return Math.round(value * 10) / 10;
}
