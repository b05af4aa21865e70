import {commonName, day, fromNow, listNames} from '../shared/format-certificate.ts';
import type {Link} from './report.ts';

/** One line of the tree: what it is about decides its colour. */
export interface TreeLine {
	/** The branch that leads to it. */
	readonly branch: string;
	readonly text: string;
	readonly tone: 'name' | 'good' | 'bad' | 'doubtful' | 'detail';
}

/** What is drawn of a chain, leaf first. */
export interface TreeInput {
	readonly chain: readonly Link[];
	readonly missingIssuer: string | null;
	/** The chain was believed. */
	readonly trusted: boolean;
	readonly now: Date;
}

/** Draws a chain as a tree, from the CA that is trusted down to the server. */
export function drawChain({chain, missingIssuer, trusted, now}: TreeInput): TreeLine[] {
	const lines: TreeLine[] = [];
	let depth = 0;
	if (missingIssuer !== null) {
		lines.push({
			branch: '',
			text: `${commonName(missingIssuer)} (not sent, and not known here)`,
			tone: 'bad',
		});
		depth = 1;
	}
	for (const [index, link] of [...chain].reverse().entries()) {
		const isLast = index === chain.length - 1;
		const outer = '   '.repeat(Math.max(0, depth - 1));
		lines.push({
			branch: depth === 0 ? '' : `${outer}└─ `,
			text: commonName(link.subject),
			tone: 'name',
		});
		const inner = '   '.repeat(depth) + (isLast ? '   ' : '│  ');
		for (const [tone, text] of details(link, trusted, now)) lines.push({branch: inner, text, tone});
		depth += 1;
	}
	return lines;
}

function details(link: Link, trusted: boolean, now: Date): [TreeLine['tone'], string][] {
	return [
		...roleLine(link, trusted),
		[link.validity === 'valid' ? 'detail' : 'bad', validityWords(link, now)],
		...(link.role === 'server' || link.altNames.length > 0
			? [['detail', `names ${listNames(link.altNames)}`] as [TreeLine['tone'], string]]
			: []),
		['detail', `pin ${link.pin || 'none'}`],
		...(link.pinned ? [['good', 'pinned with --pin'] as [TreeLine['tone'], string]] : []),
	];
}

function roleLine({role, issuer, subject}: Link, trusted: boolean): [TreeLine['tone'], string][] {
	if (subject === issuer) {
		return trusted ? [['good', 'self-signed, trusted here']] : [['detail', 'self-signed']];
	}
	return [['detail', `${role === 'server' ? '' : 'CA, '}issued by ${commonName(issuer)}`]];
}

/** `valid 2026-01-01 to 2026-04-01 (ends in 90 days)`. */
export function validityWords({validFrom, validTo, validity}: Link, now: Date): string {
	const span = `${day(validFrom)} to ${day(validTo)}`;
	if (validity === 'expired') return `expired ${fromNow(validTo, now)}: valid ${span}`;
	if (validity === 'not-yet-valid') return `begins ${fromNow(validFrom, now)}: valid ${span}`;
	return `valid ${span} (ends ${fromNow(validTo, now)})`;
}
