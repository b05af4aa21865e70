import {commonName, listNames} from '../../shared/format-certificate.ts';
import type {CheckReport, Link} from '../report.ts';
import {validityWords} from '../text.ts';
import {escapeHtml, shorten} from './escape.ts';

/** A long chain would leave the page on the right. */
const maxDepth = 6;

/** The chain as boxes, the CA on top and each certificate below its issuer; empty without a certificate. */
export function drawChainBoxes(
	{chain, missingIssuer}: Pick<CheckReport, 'chain' | 'missingIssuer'>,
	trusted: boolean,
	now: Date,
): string {
	if (chain.length === 0) return '';
	const boxes = [
		...(missingIssuer === null ? [] : [missingBox(missingIssuer)]),
		...[...chain].reverse().map((link) => certificateBox(link, trusted, now)),
	];
	const items = boxes.map(({tone, content}, index) => {
		const depth = Math.min(index, maxDepth);
		return `<li class="link ${tone}" style="--depth: ${depth}">${content}</li>`;
	});
	return `<ol class="chain">\n${items.join('\n')}\n</ol>`;
}

interface Box {
	readonly tone: 'good' | 'bad' | 'plain' | 'missing';
	readonly content: string;
}

function missingBox(issuer: string): Box {
	const name = escapeHtml(shorten(commonName(issuer), maxName));
	return {
		tone: 'missing',
		content: `<b>${name}</b>\n<span class="time">not sent by the server, and not known here</span>`,
	};
}

const maxName = 80;

function certificateBox(link: Link, trusted: boolean, now: Date): Box {
	const {role, subject, issuer, altNames, validity} = link;
	const isTrustAnchor = subject === issuer && trusted;
	const about = role === 'server' ? `for ${listNames(altNames, 4)}` : `pin ${link.pin || 'none'}`;
	const badge = link.pinned ? 'pinned' : isTrustAnchor ? 'trusted here' : roleWords[role];
	return {
		tone: validity !== 'valid' ? 'bad' : trusted ? 'good' : 'plain',
		content: `<b title="${escapeHtml(subject)}">${escapeHtml(shorten(commonName(subject), maxName))}</b>
<i>${badge}</i>
<span class="time">${escapeHtml(validityWords(link, now))}</span>
<span class="small">${escapeHtml(shorten(about, 200))}</span>`,
	};
}

const roleWords: Readonly<Record<Link['role'], string>> = {
	server: 'the server',
	intermediate: 'intermediate CA',
	root: 'root CA',
};
